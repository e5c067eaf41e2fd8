"""The gateway's end of the node link: who speaks, by which keys, and what a stranger may cost."""
