"""Simulates the physical world: lamps, cabinets, rooms and boilers, weather, soil, pipes.

Integers, quantised at each step; one seed, one world.
"""
