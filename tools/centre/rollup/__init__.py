"""Recomputes from records what a screen or a report asks for: the last state of a node, hours and days."""
