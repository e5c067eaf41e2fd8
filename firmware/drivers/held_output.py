"""Keeps a value in a chip behind a bus: writes it when it changes, again after a failure, and now and then in case the
chip has restarted with its own value. Must not know what the value means.
"""

# A chip that restarted alone has the right value again after this; a write takes half a millisecond.
REFRESH_MS = 10_000
RETRY_MS = 500


class HeldOutput:
    """Decides when to write. A driver implements `_write(value)`, which returns False after a failure. `faults` counts
    failed writes."""

    def __init__(self):
        self.faults = 0
        # The value that the chip holds, None: unknown.
        self.held = None
        self._due_ms = None

    def set(self, value, *, now_ms) -> bool:
        """Writes `value` when that is due; returns whether the chip holds it. It is cheap when nothing is due."""
        if value == self.held and now_ms < self._due_ms:
            return True
        if self.held is None and self._due_ms is not None and now_ms < self._due_ms:
            return False
        is_written = self._write(value)
        self.held = value if is_written else None
        self._due_ms = now_ms + (REFRESH_MS if is_written else RETRY_MS)
        if not is_written:
            self.faults += 1
        return is_written

    def force(self, value) -> bool:
        """Writes now and remembers nothing: for the end of a program, where there is no clock any more."""
        self.held = self._due_ms = None
        return self._write(value)

    def _write(self, value):
        return False
