"""Runs real processes on the wall clock, with the peers that they talk to on pseudo-terminals."""
