"""Reads the temperature inside the node, as the chip itself measures it (ESP32-S3 and C3: `esp32.mcu_temperature`).

A driver that fails ends the program there and then (ports/esp32/modesp32.c: ESP_ERROR_CHECK), so the rescue never asks.
"""


def read(esp32):
    """Returns 0.01 °C, or None on a chip without the sensor. `esp32` is the port's module."""
    try:
        return 100 * int(esp32.mcu_temperature())
    except (AttributeError, OSError):
        return None
