"""What every sensor's driver looks like to the rest, and the two phases that most of them share.

    begin(now_ms=)     start a measurement; one that was under way is dropped
    collect(now_ms=)   PENDING, the value or values (scaled integers), or None: the part was silent, or what it sent is
                       not sound. Asked again only after the next `begin`.
    faults             how often the outcome was None

No call waits: between the phases the shell does its other work. Must not decide what a missing value means.
"""

PENDING = "pending"


class Sensor:
    """A driver fills in `conversion_ms`, `_start` (False: silent) and `_finish` (the value, or None)."""

    conversion_ms = 0

    def __init__(self):
        self.faults = 0
        self._begun_ms = None
        self._started = False

    def begin(self, *, now_ms) -> None:
        """Ask the part for a value."""
        self._begun_ms = now_ms
        self._started = self._start()

    def waiting(self) -> bool:
        """True between `begin` and the outcome."""
        return self._begun_ms is not None

    def collect(self, *, now_ms):
        """See the module."""
        assert self._begun_ms is not None, "begin first"
        if self._started and now_ms - self._begun_ms < self.conversion_ms:
            return PENDING
        self._begun_ms = None
        value = self._finish(now_ms) if self._started else None
        if value is None:
            self.faults += 1
        return value

    def _start(self):
        return True

    def _finish(self, now_ms):
        return None
