"""Carries the gateway's UTC: the shell observes it, monotonic milliseconds carry it in between.

While the system clock is not good (no network since the start, no battery-backed clock) it gives no time. A reading
that contradicts the carried time is a step: it is accepted, counted, and returned by `drain_step` to the
caller, who corrects earlier reports. A clock that no time source corrects, and that is good by the configuration's word
alone, cannot step by more than a day: such a jump is a dead battery or a hand, and is not accepted. There is no time
then until the clock is back, a time source vouches for it, or the agent is started anew.
"""

from typing import NamedTuple

from gateway.core import limits
from wire.record import SYNCED, UNSET, Answer, Stamp


class Step(NamedTuple):
    """Describes a correction of the clock: the carried time, the new time, and ± s of both together."""

    before_unix_s: int
    after_unix_s: int
    uncertainty_s: int


class WallClock:
    """Holds UTC with its uncertainty, or nothing. `started_ms`: the agent's start, for uptimes. `steps` only rises.

    `good_since_ms`: since when the clock has been good without a break; None while it is not. `has_jumped`: it is not
    good because it contradicts the carried time, and nothing but the configuration vouches for it.
    """

    def __init__(self, *, started_ms: int) -> None:
        self._started_ms = started_ms
        self._unix_ms = 0
        self._at_ms = started_ms
        self._is_set = False
        self._step: Step | None = None
        self.uncertainty_s = 0
        self.good_since_ms: int | None = None
        self.steps = 0
        self.has_jumped = False

    def observe(
        self, unix_ms: int | None, uncertainty_s: int, *, is_disciplined: bool = True, now_ms: int
    ) -> None:
        """Observe the system clock: Unix milliseconds and ± s, or None while the system clock is not good.
        `is_disciplined`: a time source corrects it."""
        self.has_jumped = unix_ms is not None and not is_disciplined and self._is_jump(unix_ms, now_ms)
        if unix_ms is None or self.has_jumped:
            self.good_since_ms = None
            return
        if self._is_set:
            self._compare(unix_ms, uncertainty_s, now_ms)
        if self.good_since_ms is None:
            self.good_since_ms = now_ms
        self._is_set = True
        self._unix_ms, self.uncertainty_s, self._at_ms = unix_ms, uncertainty_s, now_ms

    def drain_step(self) -> Step | None:
        """Return the correction since the last call, if there was one (of several: from the first to the last)."""
        step, self._step = self._step, None
        return step

    def unix_ms_at(self, at_ms: int) -> int | None:
        """Return UTC at a monotonic instant, even one before the clock was good; None while it is not."""
        return None if self.good_since_ms is None else self._unix_ms + at_ms - self._at_ms

    def unix_s(self, *, now_ms: int) -> int | None:
        unix_ms = self.unix_ms_at(now_ms)
        return None if unix_ms is None else unix_ms // 1000

    def carried(self, *, now_ms: int) -> tuple[int, int] | None:
        """Return (Unix s, ± s) by the last good reading and the drift since, however old; None before the first."""
        if not self._is_set:
            return None
        elapsed_ms = now_ms - self._at_ms
        return (self._unix_ms + elapsed_ms) // 1000, self.uncertainty_s + drift_s(elapsed_ms)

    def carried_ms(self, *, now_ms: int) -> int | None:
        """Return the same in Unix milliseconds, without the uncertainty."""
        return self._unix_ms + now_ms - self._at_ms if self._is_set else None

    def uptime_s(self, *, now_ms: int) -> int:
        """Return the seconds since the agent's start."""
        return (now_ms - self._started_ms) // 1000

    def answer(self, lease_s: int | None = None, waiting: int = 0, *, now_ms: int) -> Answer:
        """Return the answer to a node: the time, the lease and what waits for it."""
        unix_s = self.unix_s(now_ms=now_ms)
        return Answer(unix_s, 0 if unix_s is None else self.uncertainty_s, lease_s, waiting)

    def stamp(self, *, now_ms: int) -> Stamp:
        """Return the time stamp for the gateway's own records."""
        unix_s = self.unix_s(now_ms=now_ms)
        if unix_s is None:
            return Stamp(UNSET, self.uptime_s(now_ms=now_ms), 0)
        return Stamp(SYNCED, unix_s, self.uncertainty_s)

    def _is_jump(self, unix_ms: int, now_ms: int) -> bool:
        carried_ms = self.carried_ms(now_ms=now_ms)
        return carried_ms is not None and abs(unix_ms - carried_ms) > 1000 * limits.CLOCK_JUMP_S_MAX

    def _compare(self, unix_ms: int, uncertainty_s: int, now_ms: int) -> None:
        carried_ms = self._unix_ms + now_ms - self._at_ms
        doubt_s = self.uncertainty_s + uncertainty_s + drift_s(now_ms - self._at_ms) + limits.CLOCK_STEP_MARGIN_S
        if abs(unix_ms - carried_ms) > 1000 * doubt_s:
            self.steps += 1
            before_s = carried_ms // 1000 if self._step is None else self._step.before_unix_s
            self._step = Step(before_s, unix_ms // 1000, doubt_s)


def drift_s(elapsed_ms: int) -> int:
    """Return how far a free-running crystal may be off after so long, in whole seconds, rounded up."""
    return -(-abs(elapsed_ms) * limits.CLOCK_DRIFT_PPM // 1_000_000_000)
