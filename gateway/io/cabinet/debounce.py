"""One contact, debounced: what it says is taken once two readings, DEBOUNCE_MS apart or more, and all between agree.

A reading is told apart by when it was made: the same one handed in again proves nothing, so an input that is read once
a second over Modbus needs its next reading. None (not wired, not readable) is passed on at once.
"""

from gateway.io.cabinet import limits


class Debounced:
    """Starts as None. Times are monotonic milliseconds of the readings."""

    def __init__(self) -> None:
        self.value: bool | None = None
        self._candidate: bool | None = None
        self._since_ms = 0

    def update(self, raw: bool | None, read_ms: int) -> bool | None:
        """A reading made at `read_ms`; returns what counts now."""
        if raw is None:
            self.value = self._candidate = None
        elif raw != self._candidate:
            self._candidate, self._since_ms = raw, read_ms
        elif read_ms - self._since_ms >= limits.DEBOUNCE_MS:
            self.value = raw
        return self.value
