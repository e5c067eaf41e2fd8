"""Checks hardware facts (hardware/*.toml) and turns them into the files that firmware and technicians read."""
