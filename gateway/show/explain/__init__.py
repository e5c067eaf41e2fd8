"""Explains in plain words why a feeder is as it is, from a running agent's status, in two languages."""
