"""Is the PCF8574's twin: one byte in, one byte out. `outputs` are the levels on the pins.

Faults: `absent`; `stuck` (the pins of `stuck_low` lie at ground, those of `stuck_high` at the supply).
"""


class Pcf8574:
    """Models the expander, whose pins are all high at power-on."""

    def __init__(self, ticks_ms=None):
        self._latch = 0b11111111
        self.stuck_low = self.stuck_high = 0
        self.fault = ""

    @property
    def outputs(self):
        """Returns the levels of the pins: bit n is pin n."""
        return (self._latch | self.stuck_high) & ~self.stuck_low if self.fault == "stuck" else self._latch

    def write(self, data):
        """Accepts bytes, of which the last one holds."""
        self._latch = data[-1]
        return True

    def read(self, count):
        """Returns the levels of the pins."""
        return bytes((self.outputs,)) * count
