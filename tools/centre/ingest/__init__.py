"""The ingest receives batches from the broker and stores them in the warehouse."""
