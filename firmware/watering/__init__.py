"""Holds the trade of an irrigation node: valves that close by themselves, a water balance, a programme within the law.

Portable (CPython and MicroPython) and sans-IO: no clock, pin, file, socket or random source. Time is an argument,
deadlines are return values. Must not know a bearer or a record: `node.app` does, by the contract of `node.trade`.
"""
