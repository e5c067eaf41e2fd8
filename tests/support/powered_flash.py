"""A flash file system that loses its power at a named operation, byte by byte."""

from simulator.world.flash import Medium


class Flash(Medium):
    pieces = None
