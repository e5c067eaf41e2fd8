"""Brings a node's payload to the journal: decodes it, drops duplicates, answers after the flush, reports oddities."""
