"""Holds the trade of a thermostat: one room, one heating output. Sans-IO.

Imports `wire`, `policy`, `node.trade` and `node.limits` at most, and no other trade.
"""
