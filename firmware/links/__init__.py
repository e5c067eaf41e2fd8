"""Bearers on MicroPython: UDP, ESP-NOW, UART and RS-485. They carry datagrams and decide nothing."""
