"""Turns hardware facts (hardware/*.toml), once they are checked, into what firmware and technicians read."""
