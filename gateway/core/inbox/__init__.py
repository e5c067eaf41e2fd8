"""Brings a node's payload to the journal: decoding, duplicates, answers after the flush, what is odd about a record."""
