"""Tells short from long presses of the technician's button.

LONG is reported while the button is still held, so that the hand feels the answer; SHORT when it is released. A button
that is held when the node starts, or for longer than STUCK_MS, says nothing until it has been released: water in the
box must not be an order.
"""

from drivers.contact import Contact

SHORT = "short"
LONG = "long"
LONG_MS = 3000
STUCK_MS = 30_000


class Button:
    """Watches one `pin`, which has `value()`. `stuck` is true while the button is held longer than STUCK_MS."""

    def __init__(self, pin, *, active_level):
        self._contact = Contact(pin, active_level=active_level)
        self._pressed_ms = None
        self._reported_long = False
        self.stuck = False

    @property
    def deadline_ms(self):
        """The moment at which `poll` is due at the latest; None: it has none."""
        if self._pressed_ms is not None and not self._reported_long and self._contact.deadline_ms is None:
            return self._pressed_ms + LONG_MS
        return self._contact.deadline_ms

    def poll(self, *, now_ms):
        """Returns SHORT, LONG, or None."""
        known = self._contact.active is not None
        if self._contact.poll(now_ms=now_ms):
            if self._contact.active:
                self._pressed_ms = now_ms if known else None
                self._reported_long = False
                return None
            short = self._pressed_ms is not None and not self._reported_long
            self._pressed_ms = None
            self.stuck = False
            return SHORT if short else None
        if self._pressed_ms is None:
            return None
        held_ms = now_ms - self._pressed_ms
        self.stuck = held_ms >= STUCK_MS
        if held_ms >= LONG_MS and not self._reported_long:
            self._reported_long = True
            return LONG
        return None
