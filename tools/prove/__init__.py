"""Holds the proofs that run longer than CI, one module each, and the parts that they share."""
