"""Holds the world that everything simulated shares: time, chance, network, disk, broker."""
