"""Finds what is broken now, and since when: faults from records, grouped by cause, and the state of each equipment."""
