"""Says how far virtual time may go by the wall clock: so many times as fast, as fast as it goes, or not at all.

A machine that is too slow for a speed does not run after it: the lag is dropped; the speed that is reached is shown.
Uses no clock: `wall_ms` is an argument, monotonic.
"""

from typing import NamedTuple

# What may be made up for: a page that took long to answer. More is dropped.
_LAG_MS_MAX = 2_000
# Over so long the reached speed is measured.
_MEASURED_MS = 1_000

FASTEST = None


class Snapshot(NamedTuple):
    """Holds what the bar shows of a world. `waiting`: records that cabinets hold until the centre has them; `struck`:
    things that are broken by hand, None where nothing can be; `is_over`: time goes no further; `told`: to whom the last
    SMS of the duty would go now, and what it says; `has_night`: one has begun, which may be played again; `span`: the
    first and the last Unix second of a night that is played again."""

    lit: int
    power_dw: int
    waiting: int
    struck: int | None
    is_over: bool = False
    told: tuple[str, str] | None = None
    has_night: bool = True
    span: tuple[int, int] | None = None


class Pace:
    """Maps the wall clock to virtual time, both in ms. speed: how many times as fast; FASTEST: without a bound."""

    def __init__(self, *, speed: float | None, wall_ms: int, world_ms: int) -> None:
        self._speed = speed
        self._is_paused = False
        self._from = (wall_ms, world_ms)
        self._measured_ms, self._passed_ms = wall_ms, 0
        self.reached = 0.0

    @property
    def speed(self) -> float | None:
        return self._speed

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    def run(self, speed: float | None, *, wall_ms: int, world_ms: int) -> None:
        """Goes on from now at a speed."""
        self._speed, self._is_paused = speed, False
        self._from = (wall_ms, world_ms)
        if speed is not None:  # until it is measured
            self.reached, self._measured_ms, self._passed_ms = speed, wall_ms, 0

    def pause(self) -> None:
        self._is_paused = True

    def target_ms(self, *, wall_ms: int, world_ms: int, step_ms: int) -> int:
        """Returns the virtual instant that may be reached now, at most `step_ms` from where the world is."""
        if self._is_paused:
            self._from = (wall_ms, world_ms)
            return world_ms
        if self._speed is None:
            return world_ms + step_ms
        wanted_ms = self._from[1] + int((wall_ms - self._from[0]) * self._speed)
        if wanted_ms < world_ms:  # a report has let an hour pass at once: time goes on from where the world is
            wanted_ms = world_ms
            self._from = (wall_ms, world_ms)
        if wanted_ms - world_ms > self._speed * _LAG_MS_MAX:
            wanted_ms = world_ms + int(self._speed * _LAG_MS_MAX)
            self._from = (wall_ms, wanted_ms)
        return min(wanted_ms, world_ms + step_ms)

    def measure(self, *, wall_ms: int, passed_ms: int) -> None:
        """Keeps the speed that was reached over the last second. `passed_ms`: of virtual time, since the last call."""
        self._passed_ms += passed_ms
        elapsed_ms = wall_ms - self._measured_ms
        if elapsed_ms >= _MEASURED_MS:
            self.reached = self._passed_ms / elapsed_ms
            self._measured_ms, self._passed_ms = wall_ms, 0
