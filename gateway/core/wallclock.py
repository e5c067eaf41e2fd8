"""The gateway's UTC as the core knows it: told by the shell, carried on monotonic milliseconds in between.

While the system clock is not good (no network since the start, no battery-backed clock) nobody gets a time
from here.
"""

from wire.record import SYNCED, UNSET, Answer, Stamp


class WallClock:
    """UTC with its uncertainty, or nothing. `started_ms`: the agent's start, for uptimes."""

    def __init__(self, *, started_ms: int) -> None:
        self._started_ms = started_ms
        self._unix_ms: int | None = None
        self._uncertainty_s = 0
        self._at_ms = started_ms

    def tell(self, unix_ms: int | None, uncertainty_s: int, *, now_ms: int) -> None:
        """Take the shell's word: Unix milliseconds and ± s, or None while the system clock is not good."""
        self._unix_ms = unix_ms
        self._uncertainty_s = uncertainty_s
        self._at_ms = now_ms

    def unix_s(self, *, now_ms: int) -> int | None:
        if self._unix_ms is None:
            return None
        return (self._unix_ms + now_ms - self._at_ms) // 1000

    def answer(self, *, now_ms: int) -> Answer:
        """What a node is told."""
        return Answer(self.unix_s(now_ms=now_ms), self._uncertainty_s)

    def stamp(self, *, now_ms: int) -> Stamp:
        """The time of the gateway's own records."""
        unix_s = self.unix_s(now_ms=now_ms)
        if unix_s is None:
            return Stamp(UNSET, (now_ms - self._started_ms) // 1000, 0)
        return Stamp(SYNCED, unix_s, self._uncertainty_s)
