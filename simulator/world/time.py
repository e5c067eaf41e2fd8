"""Keeps virtual time with one clock and one queue of things to do. Must not know what a lamp or a gateway is.

Events at the same instant run in the order in which they were requested, so a run is the same on every machine.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

# More events than this in one millisecond are a loop that never waits: a defect of ours, which must stop the run.
_SAME_INSTANT_MAX = 20_000


class World:
    """Runs actions at milliseconds from the start; `unix_ms` is true UTC, which no code under test may read."""

    def __init__(self, *, start_unix_s: int) -> None:
        self.now_ms = 0
        self._start_unix_ms = 1000 * start_unix_s
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0

    @property
    def unix_ms(self) -> int:
        return self._start_unix_ms + self.now_ms

    @property
    def unix_s(self) -> int:
        return (self._start_unix_ms + self.now_ms) // 1000

    def at(self, when_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Runs `action` at `when_ms`, or at once in virtual time if that has passed."""
        if when_ms < self.now_ms:
            when_ms = self.now_ms
        self._order += 1
        heappush(self._queue, (when_ms, self._order, action, arguments))

    def after(self, delay_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        assert delay_ms >= 0
        self._order += 1
        heappush(self._queue, (self.now_ms + delay_ms, self._order, action, arguments))

    def at_unix(self, unix_s: int, action: Callable[..., None], *arguments: Any) -> None:
        self.at(1000 * unix_s - self._start_unix_ms, action, *arguments)

    def every(self, period_ms: int, action: Callable[[], None]) -> None:
        """Runs `action` now and then every `period_ms` without end."""

        def again() -> None:
            action()
            self.after(period_ms, again)

        again()

    def run_until(self, end_ms: int) -> None:
        """Runs everything up to and including `end_ms`."""
        queue, pop = self._queue, heappop
        now_ms, at_once = self.now_ms, 0
        while queue and queue[0][0] <= end_ms:
            when_ms, _, action, arguments = pop(queue)
            if when_ms > now_ms:
                self.now_ms = now_ms = when_ms
                at_once = 0
            else:
                at_once += 1
                assert at_once < _SAME_INSTANT_MAX, f"time stands still at {when_ms} ms in {action}"
            action(*arguments)
        self.now_ms = end_ms
