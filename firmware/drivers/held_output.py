"""Keeps a value in a chip behind a bus: writes it when it changes, again when that failed, and now and then in case the
chip has restarted and holds its own. Must not know what the value means.
"""

# A chip that restarted alone is right again after this much; a write takes half a millisecond.
REFRESH_MS = 10_000
RETRY_MS = 500


class HeldOutput:
    """Decides when to write. A driver fills in `_write(value)` (False: not taken). `faults` counts writes that
    failed."""

    def __init__(self):
        self.faults = 0
        # What the chip has taken, None: unknown.
        self.held = None
        self._due_ms = None

    def set(self, value, *, now_ms) -> bool:
        """Sees to it that the chip holds `value` and tells whether it does. Cheap when nothing is due."""
        if value == self.held and now_ms < self._due_ms:
            return True
        if self.held is None and self._due_ms is not None and now_ms < self._due_ms:
            return False
        taken = self._write(value)
        self.held = value if taken else None
        self._due_ms = now_ms + (REFRESH_MS if taken else RETRY_MS)
        if not taken:
            self.faults += 1
        return taken

    def force(self, value) -> bool:
        """Writes now and remembers nothing: for the way out of a program, which has no clock any more."""
        self.held = self._due_ms = None
        return self._write(value)

    def _write(self, value):
        return False
