"""Runs the node on the ESP32: one poll loop with deadlines from the core; nothing blocks."""
