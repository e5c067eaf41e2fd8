"""Keeps a district running without the centre, and every record until the warehouse has it."""
