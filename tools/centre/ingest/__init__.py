"""What takes batches from the broker and puts them into the warehouse."""
