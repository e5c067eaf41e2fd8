"""The shell of a running agent: connects the core with bearers, cabinet, stores, keys and start-up."""
