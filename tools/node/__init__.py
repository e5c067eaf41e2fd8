"""Implements `bocage node`, the bench of the technician who makes nodes."""
