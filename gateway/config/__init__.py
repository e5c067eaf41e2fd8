"""Reads the configuration of a gateway: one TOML file, checked as a whole."""
