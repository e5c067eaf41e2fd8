"""The node's shell on the ESP32: one poll loop with deadlines from the core, nothing that blocks."""
