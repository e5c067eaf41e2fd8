"""Simulates a street cabinet without lamp controllers: its gateway, its points, its commune's policy and its night."""
