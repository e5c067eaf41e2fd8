"""Holds the gateway's end of the node link: authenticates nodes, keeps their keys, and bounds what a stranger may
cost."""
