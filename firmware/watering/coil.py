"""The current of a valve's coil at 50 ms: an open coil, a short, or one that is going.

What a coil draws is learned as its running mean, so that "another current than last year" can be told from "another
valve than its neighbour". Limits for 24 V AC are OpenSprinkler's defaults; a latching coil is pulsed from a capacitor
through some ohms and draws over an ampere for 50 ms.
"""

from watering import limits
from watering.valves import LATCHING

OPEN_COIL, SHORT, CHANGED = "open-coil", "short", "coil-changed"


class Coil:
    """One output. `mean_ma`: as learned before, 0 unknown."""

    def __init__(self, kind: int, mean_ma: int = 0):
        self._open_ma = limits.LATCH_OPEN_MA if kind == LATCHING else limits.AC_OPEN_MA
        self._short_ma = limits.LATCH_SHORT_MA if kind == LATCHING else limits.AC_SHORT_MA
        self.mean_ma = mean_ma if self._open_ma <= mean_ma <= self._short_ma else 0
        self._odd = 0

    def judge(self, current_ma: int):
        """None when the coil is sound, else a word."""
        if current_ma > self._short_ma:
            return SHORT
        if current_ma < self._open_ma:
            return OPEN_COIL
        if not self.mean_ma:
            self.mean_ma = current_ma
            return None
        if 100 * abs(current_ma - self.mean_ma) > limits.CHANGED_PERCENT * self.mean_ma:
            self._odd += 1
            return CHANGED if self._odd >= limits.CHANGED_TIMES else None
        self._odd = 0
        # An eighth of the difference: cold and warm copper differ by a fifth within a day. Rounded, so that it settles.
        self.mean_ma += (current_ma - self.mean_ma + 4) // 8
        return None
