"""Decides what the lighting follows now, from the best rung to the worst (ARCHITECTURE, section 7; reference: "fallback
ladder").

    clock       UTC known to ± CLOCK_VALID_S, observed now or carried: the calendar
    photocell   dusk and dawn by a cell that is neither silent nor stuck; hours of extinction are not known
    carried     UTC of long ago with its drift: the calendar, the brightest of the levels that may be right
    safety      nothing: the contactors are returned to the cabinet's own clock, and ordered to close

A clock far beyond the policy's validity is broken and is not trusted. It knows no feeder.
"""

from typing import NamedTuple

from gateway.core import limits
from gateway.core.wallclock import WallClock

CLOCK, PHOTOCELL, CARRIED, SAFETY = "clock", "photocell", "carried", "safety"
DARK, BRIGHT = "dark", "bright"


class Basis(NamedTuple):
    """Holds the rung and its figures: UTC ± s for `clock` and `carried`, whether it is dark for `photocell`."""

    kind: str
    unix_s: int | None = None
    uncertainty_s: int = 0
    is_dark: bool | None = None


class Photocell:
    """Turns light in lx into dark or not, slowly: a headlamp or a cloud changes nothing. `is_dark` None: no cell, or
    its readings are worthless; `stuck` is then the state that it has reported for too long."""

    def __init__(self) -> None:
        self._says_dark: bool | None = None
        self._changed_ms = 0
        self._heard_ms: int | None = None
        self._against_ms: int | None = None
        self.stuck: str | None = None

    @property
    def is_dark(self) -> bool | None:
        return None if self.stuck is not None else self._says_dark

    def observe(self, lux: int | None, *, now_ms: int) -> None:
        """Observe a reading; None: silent, which counts after PHOTOCELL_SILENT_MS."""
        if lux is None:
            if self._heard_ms is None or now_ms - self._heard_ms > limits.PHOTOCELL_SILENT_MS:
                self._says_dark = self._against_ms = self.stuck = self._heard_ms = None
            return
        self._heard_ms = now_ms
        if self._says_dark is None:
            self._set(lux <= limits.PHOTOCELL_ON_LX, now_ms)
        against = lux >= limits.PHOTOCELL_OFF_LX if self._says_dark else lux <= limits.PHOTOCELL_ON_LX
        if not against:
            self._against_ms = None
        elif self._against_ms is None:
            self._against_ms = now_ms
        elif now_ms - self._against_ms >= self._delay_ms():
            self._set(not self._says_dark, now_ms)
        if now_ms - self._changed_ms >= limits.PHOTOCELL_STUCK_MS:
            self.stuck = DARK if self._says_dark else BRIGHT

    def _delay_ms(self) -> int:
        return limits.PHOTOCELL_OFF_MS if self._says_dark else limits.PHOTOCELL_ON_MS

    def _set(self, is_dark: bool, now_ms: int) -> None:
        self._says_dark, self._changed_ms, self._against_ms, self.stuck = is_dark, now_ms, None, None


class TimeBasis:
    """Chooses the highest rung that holds. `valid_until_s`: the end of the policy in force, which bounds the times that
    are trusted; None without.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.photocell = Photocell()
        self.valid_until_s: int | None = None

    def basis(self, *, now_ms: int) -> Basis:
        """Return the highest rung that holds."""
        known = self._clock.carried(now_ms=now_ms)
        if known is not None and not self._is_plausible(known[0]):
            known = None
        if known is not None and known[1] <= limits.CLOCK_VALID_S:
            return Basis(CLOCK, *known)
        if self.photocell.is_dark is not None:
            return Basis(PHOTOCELL, is_dark=self.photocell.is_dark)
        if known is not None and known[1] <= limits.CLOCK_USABLE_S:
            return Basis(CARRIED, *known)
        return Basis(SAFETY)

    def unix_s(self, *, now_ms: int) -> int | None:
        """Return UTC for what has an expiry; None where no clock can be trusted to within CLOCK_USABLE_S."""
        known = self._clock.carried(now_ms=now_ms)
        if known is None or known[1] > limits.CLOCK_USABLE_S or not self._is_plausible(known[0]):
            return None
        return known[0]

    def _is_plausible(self, unix_s: int) -> bool:
        return self.valid_until_s is None or unix_s <= self.valid_until_s + limits.CLOCK_BEYOND_POLICY_S
