"""Drives the PCF8574, eight outputs that a low level switches on, for relays or as the selector of a valve bridge.

NXP PCF8574 data sheet, Quasi-bidirectional I/Os: a byte written sets the eight levels, a byte read has the levels of
the pins; a high is weak, so a pin that is pulled low from outside reads as low. All are high at power-on. Each write is
read back: an output that does not follow is a fault, and the equipment on it must not be trusted.
"""

ALL_OFF = 0xFF
OUTPUTS = 8


class Pcf8574:
    """Switches the outputs. `bus` is a drivers.i2c_bus.Bus. `faults`: writes that were not acknowledged or do not read
    back."""

    def __init__(self, bus, address):
        self._bus = bus
        self._address = address
        self._buffer = bytearray(1)
        self.faults = 0

    def write(self, levels) -> bool:
        """Sets the eight levels (bit n: output n) and returns whether the pins have them."""
        self._buffer[0] = levels
        written = self._bus.write(self._address, self._buffer)
        if written and self._bus.read_into(self._address, self._buffer) and self._buffer[0] == levels:
            return True
        self.faults += 1
        return False

    def select(self, output) -> bool:
        """Switches one output on and all others off."""
        assert 0 <= output < OUTPUTS
        return self.write(ALL_OFF & ~(1 << output))

    def release(self) -> bool:
        """Switches all outputs off; returns whether the pins show it."""
        return self.write(ALL_OFF)
