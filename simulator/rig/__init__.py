"""Real processes on the wall clock, and the peers they talk to on pseudo-terminals."""
