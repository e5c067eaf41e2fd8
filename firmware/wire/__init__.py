"""What a node, a gateway and the centre must agree on, byte for byte. Portable; no clock, socket, file or
random source."""
