"""Brings the journal to the warehouse: batches, window, watermarks, silence."""
