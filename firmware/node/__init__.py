"""Holds the portable node application: all that a node knows and decides. No pin, socket, clock, file or random
source."""
