"""Switches the feeders of the cabinet itself by policy, command and fallback, and proves it in watts."""
