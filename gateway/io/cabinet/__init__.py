"""Drives the cabinet's own equipment: GPIO lines, a Modbus line, the Linky meter's output. It decides nothing."""
