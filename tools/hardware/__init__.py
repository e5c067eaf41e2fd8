"""Hardware facts (hardware/*.toml): read, judged with reasons, and turned into what firmware and technicians read."""
