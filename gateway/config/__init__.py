"""The configuration of a gateway: one TOML file, checked whole."""
