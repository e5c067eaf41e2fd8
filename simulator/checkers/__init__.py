"""Checks the invariants of ARCHITECTURE, section 9, one family a file, apart from the workload.

The checkers watch the world, not the code.
"""
