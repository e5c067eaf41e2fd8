"""The chip's `esp32` on a desktop VM. MicroPython only."""

TEMPERATURE_C = 31


def mcu_temperature():
    """Degrees Celsius inside the chip."""
    return TEMPERATURE_C
