"""Is the VEML7700's twin: 16-bit registers, low byte first.

Light is 0.0672 lx a count at gain 1 and 100 ms, and reads ever lower in bright light, which the maker's polynomial
corrects.

Faults: `absent`; `restarted` (it loses its configuration once, and is at gain 1).
"""

_GAINS_E3 = {0: 1000, 1: 2000, 2: 125, 3: 250}
_TIMES_MS = {12: 25, 8: 50, 0: 100, 1: 200, 2: 400, 3: 800}


class Veml7700:
    """Models the sensor under a light of `lx`."""

    def __init__(self, ticks_ms, lx=0):
        self._ticks_ms = ticks_ms
        self._registers = [1, 0, 0, 0, 0, 0, 0, 0xC481]  # asleep
        self._pointer = 0
        self._woken_ms = 0
        self.lx = lx
        self.fault = ""

    def write(self, data):
        """Accepts a command code, and optionally a word for it."""
        self._pointer = data[0]
        if len(data) == 3:
            self._registers[self._pointer] = data[1] + 256 * data[2]
            if self._pointer == 0:
                self._woken_ms = self._ticks_ms()
        return True

    def read(self, count):
        """Returns the word under the last command code."""
        if self.fault == "restarted":
            self.fault = ""
            self._registers[0] = 0
        value = self._light() if self._pointer == 4 else self._registers[self._pointer]
        return bytes((value % 256, value // 256))[:count]

    def _light(self):
        configuration = self._registers[0]
        time_ms = _TIMES_MS[configuration >> 6 & 15]
        if configuration & 1 or self._ticks_ms() < self._woken_ms + 3 + time_ms:
            return 0
        straight = _straight(self.lx)
        return min(65535, straight * 10000 * time_ms * _GAINS_E3[configuration >> 11 & 3] // (672 * 100 * 1000))


def _straight(lx):
    """Returns the uncorrected number that the part shows for `lx`: the one whose correction is `lx`."""
    low, high = 0, lx + 1
    while high - low > 1:
        middle = (low + high) // 2
        corrected = middle if middle <= 1000 else _corrected(middle)
        if corrected <= lx:
            low = middle
        else:
            high = middle
    return low


def _corrected(lx):
    return 6.0135e-13 * lx**4 - 9.3924e-9 * lx**3 + 8.1488e-5 * lx**2 + 1.0023 * lx
