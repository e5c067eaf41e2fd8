"""Reads and makes the traffic of the node link on a bench: decode, talk, serve; programs of nodes."""

COMMANDS = {
    "decode": "tools.link.decode",
    "talk": "tools.link.talk",
    "serve": "tools.link.serve",
    "image": "tools.link.image",
}
