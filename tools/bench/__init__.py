"""Holds the benchmarks, one module each, and the parts that they share. Figures come from here, never from a timed
test."""
