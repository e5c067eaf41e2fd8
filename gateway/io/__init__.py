"""Holds thin shells around the gateway core: disk, serial, UDP, MQTT, clock. They decide nothing."""
