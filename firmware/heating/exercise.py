"""The weekly stroke of a valve, so that it does not stick: fully open, fully shut, outside occupied hours.

Due when seven civil days have passed since the last one and nobody comes within two hours; without a clock after eight
days of uptime. Must not decide over frost or a fault: the caller asks only when nothing else matters.
"""

from heating import limits

OPENING = "opening"
CLOSING = "closing"


class Exercise:
    """`last_day` is the civil day of the last one, to be remembered; `phase` None, OPENING or CLOSING."""

    def __init__(self, stroke_ms, last_day, *, now_ms):
        self._stroke_ms = stroke_ms
        self.last_day = last_day
        self._last_ms = now_ms
        self._phase_ms = now_ms
        self.phase = None

    def is_due(self, civil_day, is_free, *, now_ms) -> bool:
        """civil_day None: unknown. is_free: empty, and for two hours more."""
        if self._stroke_ms == 0:
            return False
        if civil_day is None:
            return now_ms - self._last_ms >= limits.EXERCISE_NO_CLOCK_MS
        if self.last_day is None or civil_day < self.last_day:
            self.last_day = civil_day  # a new node, or a clock that was wrong: count from now
        return is_free and civil_day - self.last_day >= limits.EXERCISE_DAYS

    def begin(self, *, now_ms) -> None:
        self.phase = OPENING
        self._phase_ms = now_ms

    def step(self, civil_day, *, now_ms) -> bool:
        """Goes on; True when it has just ended well."""
        if now_ms - self._phase_ms < self._stroke_ms:
            return False
        self._phase_ms = now_ms
        if self.phase == OPENING:
            self.phase = CLOSING
            return False
        self.phase = None
        self._last_ms = now_ms
        if civil_day is not None:
            self.last_day = civil_day
        return True

    def abandon(self) -> None:
        """Something matters more; it is tried again."""
        self.phase = None

    def stroke_s(self) -> int:
        return self._stroke_ms // 1000

    def deadline_ms(self):
        """When `step` is due, or None."""
        return None if self.phase is None else self._phase_ms + self._stroke_ms
