"""Reads and makes the traffic of the node link on a bench: decode, serve; programs of nodes."""

COMMANDS = {
    "decode": "tools.link.decode",
    "serve": "tools.link.serve",
    "image": "tools.link.image",
}
