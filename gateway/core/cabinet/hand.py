"""What somebody at the cabinet orders by the local page: a feeder lit for a test, a feeder locked out.

Both end by themselves on the monotonic clock, and with a restart. A lock-out here keeps the agent from closing a
contactor; it keeps nobody else from it, and the hardware fallback neither: it never takes the place of a padlock on
the breaker.
"""

from typing import NamedTuple

from gateway.core.cabinet import limits


class Held(NamedTuple):
    """Until when (monotonic ms), and who asked for it."""

    until_ms: int
    who: str


class Hand:
    """Tests and lock-outs by feeder."""

    def __init__(self) -> None:
        self.tests: dict[int, Held] = {}
        self.locks: dict[int, Held] = {}

    def test(self, feeder: int, seconds: int, who: str, *, now_ms: int) -> None:
        """Light a feeder for a while, at most TEST_S_MAX; 0 seconds ends it."""
        self.tests[feeder] = Held(now_ms + 1000 * max(0, min(seconds, limits.TEST_S_MAX)), who)

    def lock(self, feeder: int, who: str, *, now_ms: int) -> None:
        self.locks[feeder] = Held(now_ms + limits.LOCK_MS, who)
        self.tests.pop(feeder, None)

    def unlock(self, feeder: int) -> None:
        self.locks.pop(feeder, None)

    def poll(self, *, now_ms: int) -> None:
        for held in (self.tests, self.locks):
            for feeder in [feeder for feeder, one in held.items() if now_ms >= one.until_ms]:
                del held[feeder]

    def deadline_ms(self) -> int | None:
        return min((one.until_ms for held in (self.tests, self.locks) for one in held.values()), default=None)
