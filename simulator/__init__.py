"""Holds virtual time, network, disk and plants, so that one seed reproduces a world."""
