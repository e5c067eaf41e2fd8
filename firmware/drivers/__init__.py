"""Drives sensors and actuators on MicroPython: each module drives one part or one kind of pin, returns integers and
decides nothing."""
