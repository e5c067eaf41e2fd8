"""Models one feeder of a cabinet: breaker, contactor, cable with plain LED lamps, and the energy that goes out.

The contactor's coil pulls, its main contact follows a little later, and an auxiliary contact reports. The auxiliary
contact is linked to the main one, so it is right also when the main contact is welded; when it is dirty it reports
"open" for good.

The cable has no controllers and no radio. A lamp draws its own true watts; a cold driver draws a little more and
settles within a minute and a half. The inrush at closing is forty times the current for a few milliseconds, bounded by
what the wires let through. A lamp may fail; the cable may be cut or stolen: then every lamp from there on is without
voltage. Integers only.
"""

from typing import NamedTuple

from simulator.world.chance import Prng

WARM_UP_MS = 90_000
# The excess over the steady power at the instant of closing.
_COLD_PERMILLE = 60
_INRUSH_TIMES = 40
# 230 V over about half an ohm of transformer and cable.
INRUSH_MAX_MA = 460_000


class Cable:
    """Models the lamps of one feeder, numbered from 0 in the order of the cable."""

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
        """Makes the driver or the module of a lamp die: no light, no watts."""
        self._failed.add(lamp)
        self._count()

    def cut(self, before: int) -> None:
        """Cuts the voltage from lamp `before` on; 0 is the whole feeder."""
        self._ends_before = before
        self._count()

    def mend(self) -> None:
        """Makes every lamp and the whole cable as new."""
        self._failed.clear()
        self._ends_before = self.lamps
        self._count()

    def power_dw(self, lit_for_ms: int) -> int:
        """Returns the power drawn that long after the closing."""
        return self.steady_dw + self.steady_dw * _COLD_PERMILLE * max(0, WARM_UP_MS - lit_for_ms) // (1000 * WARM_UP_MS)

    def energy_dwms(self, from_ms: int, to_ms: int) -> int:
        """Returns the energy drawn between two instants after the closing.

        It is the exact integral of `power_dw`, but for its rounding.
        """
        if from_ms >= WARM_UP_MS:
            return self.steady_dw * (to_ms - from_ms)
        cold = self.steady_dw * _COLD_PERMILLE * (_ramp(to_ms) - _ramp(from_ms)) // (2000 * WARM_UP_MS)
        return self.steady_dw * (to_ms - from_ms) + cold

    def inrush_ma(self, voltage_dv: int) -> int:
        """Returns the peak current at the instant of closing."""
        return min(INRUSH_MAX_MA, _INRUSH_TIMES * 1000 * self.steady_dw // max(1, voltage_dv))

    def _count(self) -> None:
        sound = [dw for lamp, dw in enumerate(self._true_dw[: self._ends_before]) if lamp not in self._failed]
        self.able, self.steady_dw = len(sound), sum(sound)


def _ramp(at_ms: int) -> int:
    """Returns twice the integral of what is left of the warm-up, from the closing to `at_ms`."""
    at_ms = min(at_ms, WARM_UP_MS)
    return at_ms * (2 * WARM_UP_MS - at_ms)


class Contactor:
    """Models a feeder's contactor. Time is an argument.

    `is_closed` is the main contact; `due_ms` returns when it will move.
    """

    def __init__(self, prng: Prng) -> None:
        self.lag_ms = prng.between(12, 30)
        self.is_closed = False
        self.closings = 0
        self.auxiliary_is_dirty = False
        self._coil = False
        self._due_ms: int | None = None
        self._stuck: bool | None = None

    @property
    def is_faulty(self) -> bool:
        return self._stuck is not None

    @property
    def auxiliary(self) -> bool:
        """Returns True while the auxiliary contact reports closed."""
        return self.is_closed and not self.auxiliary_is_dirty

    def drive(self, coil: bool, *, now_ms: int) -> None:
        """Puts voltage on the coil, or none."""
        if coil != self._coil:
            self._coil = coil
            self._due_ms = now_ms + self.lag_ms

    def due_ms(self) -> int | None:
        return self._due_ms

    def move(self, *, now_ms: int) -> None:
        """Makes the contact follow the coil, if its time has come and nothing holds it."""
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._due_ms = None
            if self._stuck is None:
                self._set(self._coil)
            elif self._stuck and self._coil:
                self._set(True)  # it welds at a closing, and then stays

    def stick(self, closed: bool, *, now_ms: int) -> None:
        """Breaks the contactor in one of two ways.

        `closed`: its contacts weld, now or at the next closing; otherwise its coil burns out and it stays open.
        """
        self._stuck = closed
        if not closed:
            self._due_ms = None
            self._set(False)
        elif self._coil and not self.is_closed:
            self._due_ms = now_ms

    def mend(self, *, now_ms: int) -> None:
        """Replaces the contactor, on the same coil wires."""
        self._stuck = None
        self.auxiliary_is_dirty = False
        self._due_ms = now_ms

    def _set(self, closed: bool) -> None:
        self.closings += closed and not self.is_closed
        self.is_closed = closed


POWER_FACTOR_PERCENT = 95
_DWMS_PER_WH = 36_000_000


class FeederData(NamedTuple):
    """Holds the data of a feeder as installed. `switched` False: a permanent feeder, which is opened only by hand."""

    name: str
    lamps: int
    lamp_w: int
    switched: bool = True


class Light(NamedTuple):
    """Holds the light that a feeder gives the street.

    `hindered`: the equipment that prevented another (a word), or None.
    """

    lit: int
    hindered: str | None


class Feeder:
    """Models one feeder's light and energy. Energy is carried forward by `settle`: call it before anything changes."""

    def __init__(self, data: FeederData, prng: Prng) -> None:
        self.data = data
        self.contactor = Contactor(prng.split("contactor"))
        self.cable = Cable(prng.split("cable"), lamps=data.lamps, lamp_dw=10 * data.lamp_w)
        self.breaker_is_tripped = False
        self.is_bridged = False  # a wire leads past the contactor
        self.inrush_max_ma = 0
        self._prng = prng.split("meter")
        self._fed_since_ms: int | None = None
        self._settled_ms = 0
        self._energy_dwms = 0

    def lit(self) -> int:
        """Returns the number of lamps that give light."""
        return 0 if self._fed_since_ms is None else self.cable.able

    def hindered(self) -> str | None:
        """Returns the part of its own equipment that keeps an order from the light, or None."""
        if self.contactor.is_faulty or self.is_bridged:
            return "contactor"
        if self.breaker_is_tripped:
            return "breaker"
        return None if self.cable.able else "cable"

    def settle(self, *, now_ms: int) -> None:
        """Carries the energy forward to now."""
        if self._fed_since_ms is not None:
            since = self._fed_since_ms
            self._energy_dwms += self.cable.energy_dwms(self._settled_ms - since, now_ms - since)
        self._settled_ms = now_ms

    def feed(self, mains: bool, *, voltage_dv: int, now_ms: int) -> None:
        """Gives voltage to the lamps, or cuts it, by the positions of breaker and contactor. Call `settle` before."""
        fed = mains and (self.contactor.is_closed or self.is_bridged) and not self.breaker_is_tripped
        if fed and self._fed_since_ms is None:
            self._fed_since_ms = now_ms
            self.inrush_max_ma = max(self.inrush_max_ma, self.cable.inrush_ma(voltage_dv))
        elif not fed:
            self._fed_since_ms = None

    def power_dw(self, *, now_ms: int) -> int:
        """Returns the true power drawn now."""
        return 0 if self._fed_since_ms is None else self.cable.power_dw(now_ms - self._fed_since_ms)

    def metered_dw(self, *, now_ms: int) -> int:
        """Returns the power by a meter: the true power with noise of a fifth of a percent."""
        true_dw = self.power_dw(now_ms=now_ms)
        noise_dw = true_dw // 500
        return true_dw - noise_dw + self._prng.randrange(2 * noise_dw + 1) if noise_dw else true_dw

    def energy_wh(self) -> int:
        """Returns the energy since the start of the run, as settled."""
        return self._energy_dwms // _DWMS_PER_WH


def current_ma(power_dw: int, voltage_dv: int) -> int:
    """Returns the current of LED drivers at that power."""
    return 100_000 * power_dw // (POWER_FACTOR_PERCENT * max(1, voltage_dv))
