"""Reads and makes the traffic of the node link on a bench: decode, talk, replay, serve; keys and programs of nodes."""

COMMANDS = {
    "decode": "tools.link.decode",
    "talk": "tools.link.talk",
    "replay": "tools.link.replay",
    "serve": "tools.link.serve",
    "key": "tools.link.key",
    "image": "tools.link.image",
}
