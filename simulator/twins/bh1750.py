"""Is the BH1750's twin (ROHM technical note): commands of one byte, two bytes of counts, high byte first.

Faults: `absent`; `stuck` (it keeps the counts it had).
"""


class Bh1750:
    """Models the sensor under a light of `milli_lx`."""

    def __init__(self, ticks_ms, milli_lx=0):
        self._ticks_ms = ticks_ms
        self._powered = False
        self._counts = 0
        self._ready_ms = None
        self.milli_lx = milli_lx
        self.fault = ""

    def write(self, data):
        """Accepts one command byte."""
        command = data[0]
        if command == 0b00000001:
            self._powered = True
        elif command == 0b00000000:
            self._powered = False
        elif command == 0b00100000 and self._powered:
            self._ready_ms = self._ticks_ms() + 120  # typical; 180 at most
        return True

    def read(self, count):
        """Returns the last result. A measurement that is over becomes the result, and the part goes to sleep."""
        if self._ready_ms is not None and self._ticks_ms() >= self._ready_ms:
            if self.fault != "stuck":
                self._counts = min(65535, self.milli_lx * 12 // 10000)
            self._ready_ms = None
            self._powered = False
        return bytes((self._counts // 256, self._counts % 256))[:count]
