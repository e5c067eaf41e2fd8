"""The cabinet's own equipment as it is wired: GPIO lines, a Modbus line, the Linky meter's output. Decides nothing."""
