"""Bearers on MicroPython carry datagrams over UDP, ESP-NOW, UART and RS-485, and decide nothing."""
