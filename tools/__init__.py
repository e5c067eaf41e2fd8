"""Holds the command line and the tools behind it, with which people and programs run Bocage and read its state."""
