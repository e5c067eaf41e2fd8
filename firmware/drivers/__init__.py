"""Drivers of sensors and actuators on MicroPython, one part or one kind of pin each. They report integers and decide
nothing."""
