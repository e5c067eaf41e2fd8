"""Flashes the technician's light in patterns, by name. What a pattern means is for the caller to know.

`poll` once a turn; `deadline_ms` is the next change. A turn that comes late lengthens a flash, and no flash is lost.
"""

OFF = "off"
ON = "on"
ONE_FLASH = "one flash"
TWO_FLASHES = "two flashes"
THREE_FLASHES = "three flashes"
SLOW = "slow"
FAST = "fast"

# Lit and dark in turn, in ms, for ever.
PATTERNS = {
    ONE_FLASH: (100, 2900),
    TWO_FLASHES: (100, 200, 100, 2600),
    THREE_FLASHES: (100, 200, 100, 200, 100, 2300),
    SLOW: (1000, 1000),
    FAST: (150, 150),
}


class Led:
    """Shows one pattern at a time on `pin`, which has `value(level)`."""

    def __init__(self, pin, *, lit_level):
        self._pin = pin
        self._lit_level = lit_level
        self._step = 0
        self.pattern = None
        self.deadline_ms = None
        self.show(OFF, now_ms=0)

    def show(self, pattern, *, now_ms) -> None:
        """Begins a pattern; the one that is shown already goes on."""
        if pattern == self.pattern:
            return
        self.pattern = pattern
        self._step = 0
        self._light(pattern != OFF)
        durations = PATTERNS.get(pattern)
        self.deadline_ms = now_ms + durations[0] if durations else None

    def poll(self, *, now_ms) -> None:
        """Changes the light when that is due."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return
        durations = PATTERNS[self.pattern]
        self._step = (self._step + 1) % len(durations)
        self._light(self._step % 2 == 0)
        self.deadline_ms = now_ms + durations[self._step]

    def _light(self, lit):
        self._pin.value(self._lit_level if lit else 1 - self._lit_level)
