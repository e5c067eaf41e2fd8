"""Reads the temperature inside the node from the chip's own sensor (ESP32-S3 and C3: `esp32.mcu_temperature`).

When the port's driver fails it aborts the program at once (ports/esp32/modesp32.c: ESP_ERROR_CHECK), so the rescue
never calls it.
"""


def read(esp32):
    """Returns the temperature in 0.01 °C, or None on a chip without the sensor. `esp32` is the port's module."""
    try:
        return 100 * int(esp32.mcu_temperature())
    except (AttributeError, OSError):
        return None
