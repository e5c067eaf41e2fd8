"""Defines the formats that a node, a gateway and the centre share, byte for byte. Portable; no clock, socket, file or
pin."""
