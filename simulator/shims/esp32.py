"""The chip's `esp32` on a desktop VM. MicroPython only."""

TEMPERATURE_C = 31
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def wake_on_ext0(pin, level):
    """Say what would wake the chip: the starter does."""
    print("esp32: ext0", pin.number, level)


def wake_on_ext1(pins, level):
    """The same of the other."""
    print("esp32: ext1", [pin.number for pin in pins], level)


def mcu_temperature():
    """Degrees Celsius inside the chip."""
    return TEMPERATURE_C
