"""Replaces the chip's `esp32` on a desktop VM. MicroPython only."""

TEMPERATURE_C = 31
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def wake_on_ext0(pin, level):
    """Prints what would wake the chip; the starter wakes it."""
    print("esp32: ext0", pin.number, level)


def wake_on_ext1(pins, level):
    """Prints the same for the other wake-up source."""
    print("esp32: ext1", [pin.number for pin in pins], level)


def mcu_temperature():
    """Returns the temperature in °C inside the chip."""
    return TEMPERATURE_C
