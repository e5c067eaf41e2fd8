"""Runs the radio concentrator, an ESP32 that carries datagrams between ESP-NOW and the gateway's serial port."""
