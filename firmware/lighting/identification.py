"""Shows one lamp to a technician at its foot: it blinks, then gives full light until its power has been measured.

It never darkens a street: the low half of a blink is LOW_PERCENT, and a lamp that a relay alone switches does not blink
at all. By day it is lit for the whole time, for a discharge lamp would not strike again and a relay wears; by night it
is lit already, so its node declines (`lighting.trade`).
"""

from lighting import limits

_BLINKS_MS = 2 * limits.IDENTIFY_HALF_MS * limits.IDENTIFY_BLINKS


class Identification:
    """Shows the lamp for one order. `name`: the order's id; `can_dim`: False for a relay alone; `level_percent` and
    `before_dw`: of the last reading before."""

    def __init__(self, name, can_dim, level_percent, before_dw, *, now_ms):
        self.name = name
        self.level_percent = level_percent
        self.before_dw = before_dw
        self.power_dw = None
        self.is_measured = False
        self._can_dim = can_dim
        self._began_ms = now_ms
        self._half = 0  # of the blinks, as decided last

    def light_percent(self, now_ms) -> int:
        """Returns the light that the lamp must give now."""
        self._half = min((now_ms - self._began_ms) // limits.IDENTIFY_HALF_MS, 2 * limits.IDENTIFY_BLINKS)
        return limits.IDENTIFY_LOW_PERCENT if self._half % 2 and self._can_dim else 100

    def sample(self, power_dw, *, now_ms):
        """Observes a reading: the first one after the lamp has settled at full light counts."""
        if now_ms >= self.wants_sample_ms():
            self.power_dw = power_dw
            self.is_measured = True

    def wants_sample_ms(self) -> int:
        return self._began_ms + _BLINKS_MS + limits.IDENTIFY_STEADY_MS

    def deadline_ms(self):
        """Returns when the light that was decided last changes, or None."""
        if self._half == 2 * limits.IDENTIFY_BLINKS or not self._can_dim:
            return None
        return self._began_ms + limits.IDENTIFY_HALF_MS * (self._half + 1)
