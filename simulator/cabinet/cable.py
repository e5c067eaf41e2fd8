"""What hangs behind a contactor: one cable with plain LED lamps in a row. No controllers, no radio.

A lamp draws its own true watts; a cold driver draws a little more and settles within a minute and a half. The
inrush at closing is forty times the current for a few milliseconds, bounded by what the wires let through. A lamp
may fail; the cable may be cut or stolen: then every lamp from there on is without voltage. Integers only.
"""

from simulator.world.chance import Prng

WARM_UP_MS = 90_000
# Of the steady power, on top of it at the instant of closing.
_COLD_PERMILLE = 60
_INRUSH_TIMES = 40
# 230 V over about half an ohm of transformer and cable.
INRUSH_MAX_MA = 460_000


class Cable:
    """The lamps of one feeder, numbered from 0 in the order of the cable."""

    def __init__(self, prng: Prng, *, lamps: int, lamp_dw: int) -> None:
        self._true_dw = [prng.around(lamp_dw, max(1, lamp_dw // 60)) for _ in range(lamps)]
        self._failed: set[int] = set()
        self._ends_before = lamps
        self.steady_dw = 0
        self.able = 0
        self._count()

    @property
    def lamps(self) -> int:
        return len(self._true_dw)

    def fail(self, lamp: int) -> None:
        """The driver or the module of a lamp dies: no light, no watts."""
        self._failed.add(lamp)
        self._count()

    def cut(self, before: int) -> None:
        """Nothing from lamp `before` on has voltage any more; 0 is the whole feeder."""
        self._ends_before = before
        self._count()

    def mend(self) -> None:
        """Every lamp and the whole cable as new."""
        self._failed.clear()
        self._ends_before = self.lamps
        self._count()

    def power_dw(self, lit_for_ms: int) -> int:
        """Drawn now, that long after the closing."""
        return self.steady_dw + self.steady_dw * _COLD_PERMILLE * max(0, WARM_UP_MS - lit_for_ms) // (1000 * WARM_UP_MS)

    def energy_dwms(self, from_ms: int, to_ms: int) -> int:
        """Drawn between two instants after the closing: the exact integral of `power_dw`, but for its rounding."""
        cold = self.steady_dw * _COLD_PERMILLE * (_ramp(to_ms) - _ramp(from_ms)) // (2000 * WARM_UP_MS)
        return self.steady_dw * (to_ms - from_ms) + cold

    def inrush_ma(self, voltage_dv: int) -> int:
        """The peak at the instant of closing."""
        return min(INRUSH_MAX_MA, _INRUSH_TIMES * 1000 * self.steady_dw // max(1, voltage_dv))

    def _count(self) -> None:
        sound = [dw for lamp, dw in enumerate(self._true_dw[: self._ends_before]) if lamp not in self._failed]
        self.able, self.steady_dw = len(sound), sum(sound)


def _ramp(at_ms: int) -> int:
    """Twice the integral of what is left of the warm-up, from the closing to `at_ms`."""
    at_ms = min(at_ms, WARM_UP_MS)
    return at_ms * (2 * WARM_UP_MS - at_ms)
