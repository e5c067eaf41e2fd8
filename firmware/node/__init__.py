"""The portable node application: what a node knows and decides. No pin, socket, clock, file or random
source."""
