"""Carries datagrams on MicroPython over UDP, ESP-NOW, UART and RS-485, and decides nothing."""
