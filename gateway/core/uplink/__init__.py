"""Brings records from the journal to the warehouse: batches, send window, watermarks, silence of the warehouse."""
