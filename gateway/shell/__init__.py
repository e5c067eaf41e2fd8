"""What surrounds the core of a running agent: bearers, cabinet, stores, keys, start-up."""
