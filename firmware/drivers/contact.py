"""Reads a contact on a pin without its bounce: window, rain sensor, presence detector.

It is polled once a turn: a level counts when it has lasted for `settle_ms`. `deadline_ms` asks for a turn at that
moment. Must not know what the contact is for.
"""

SETTLE_MS = 30


class Contact:
    """Watches one `pin`, which has `value()`. `active` is the level that counts now, None before the first level has
    lasted; `seen` is the level of the last reading."""

    def __init__(self, pin, *, active_level, settle_ms=SETTLE_MS):
        self._pin = pin
        self._active_level = active_level
        self._settle_ms = settle_ms
        self.seen = None
        self._since_ms = 0
        self.active = None
        # When the level that is settling will count; None: no level is settling.
        self.deadline_ms = None

    def poll(self, *, now_ms) -> bool:
        """Reads the pin and returns whether `active` has changed."""
        seen = self._pin.value() == self._active_level
        if seen != self.seen:
            self.seen = seen
            self._since_ms = now_ms
        if seen == self.active:
            self.deadline_ms = None
            return False
        self.deadline_ms = self._since_ms + self._settle_ms
        if now_ms < self.deadline_ms:
            return False
        self.active = seen
        self.deadline_ms = None
        return True
