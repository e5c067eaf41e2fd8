"""The ingest takes batches from the broker into the warehouse."""
