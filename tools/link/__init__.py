"""Implements `bocage link`, the bench tool of the node link."""
