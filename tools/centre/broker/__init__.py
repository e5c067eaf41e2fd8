"""Checks a broker before a territory depends on it: what it offers and allows, and what its configuration says."""
