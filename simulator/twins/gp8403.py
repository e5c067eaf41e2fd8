"""Is the GP8403's twin: range and two outputs. `millivolts(n)` is what a meter on output n would show.

Faults: `absent`.
"""


class Gp8403:
    """Models the converter, which is in the 5 V range at power-on and gives 0."""

    def __init__(self, ticks_ms=None):
        self.fault = ""
        self.power_cycle()

    def power_cycle(self):
        """Resets the part, as when its supply comes back."""
        self._ten_volts = False
        self._codes = [0, 0]

    def write(self, data):
        """Accepts a register and its bytes."""
        register, values = data[0], data[1:]
        if register == 1 and len(values) == 1:
            self._ten_volts = values[0] == 0x11
        elif register in (2, 4) and len(values) >= 2:
            self._codes[register // 4] = (values[0] + 256 * values[1]) >> 4
        return True

    def read(self, count):
        """Returns None, for the part has no answer."""
        return None

    def millivolts(self, output):
        """Returns the output voltage, 0 to 10000."""
        full = 10000 if self._ten_volts else 5000
        return (self._codes[output] * full + 2047) // 4095
