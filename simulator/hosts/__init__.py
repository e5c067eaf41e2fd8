"""Holds the shells that run real code in virtual time (node, gateway, centre), and real MicroPython processes."""
