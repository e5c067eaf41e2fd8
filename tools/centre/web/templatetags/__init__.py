"""Holds what templates may call."""
