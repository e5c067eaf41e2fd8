"""Brings records from the journal to the warehouse: batches, send window, receipts, silence of the warehouse."""
