"""Holds the territory's policies of lighting, heating and watering as data, and evaluates them.

Portable (CPython and MicroPython) and pure: no clock, no socket, no file, no pin. Time is an argument, the next instant
of interest is a return value. Integers everywhere; floats live in `sun` only, proven at 32 bits.
"""
