"""Draws a plausible French town from a seed: streets with names, lights, cabinets, buildings; a plan, not a physics."""
