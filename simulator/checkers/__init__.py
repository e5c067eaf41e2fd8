"""The invariants of ARCHITECTURE, section 9, one family a file, apart from the workload: they watch the world, not
the code."""
