"""Custody: the journal that keeps each record until the warehouse has it, and what is let go of when it must be."""
