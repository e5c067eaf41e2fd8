"""Connects the core of a running agent with bearers, cabinet, stores, keys and start-up."""
