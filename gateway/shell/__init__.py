"""The shell of a running agent surrounds its core: bearers, cabinet, stores, keys, start-up."""
