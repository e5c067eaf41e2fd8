"""Defines the interface of every sensor's driver, and the two phases that most of them share.

    begin(now_ms=)     starts a measurement, and drops one that was under way
    collect(now_ms=)   returns PENDING, then the value, or None: the part was silent, or its answer is not sound.
                       Call it again only after the next `begin`.
    faults             counts the outcomes that were None

A value is a scaled integer, or {wire key: scaled integer} from a part that measures several quantities. No call waits:
between the phases the shell does its other work. Must not decide what a missing value means.
"""

PENDING = "pending"


def note(values, key, value):
    """Adds a driver's value to the sample `values`: under `key`, or with its own keys when it is a map."""
    if isinstance(value, dict):
        values.update(value)
    elif value is not None:
        values[key] = value


class Sensor:
    """Runs the phases of a measurement. A driver sets `conversion_ms` and implements `_start` (False: silent) and
    `_finish` (the value, or None)."""

    conversion_ms = 0

    def __init__(self):
        self.faults = 0
        self._begun_ms = None
        self._started = False

    def begin(self, *, now_ms) -> None:
        """Starts a measurement of the part."""
        self._begun_ms = now_ms
        self._started = self._start()

    def waiting(self) -> bool:
        """Returns whether a measurement is under way."""
        return self._begun_ms is not None

    def collect(self, *, now_ms):
        """Returns PENDING, then the value or None."""
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
