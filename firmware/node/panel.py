"""Reads the button and drives the LED of a node, for a technician on site. Levels go in, words come out.

    press shortly    test: the trade demonstrates its outputs for a while (`Trade.local` is TEST); another press ends it
    hold for 5 s     lock: outputs off and closed in spite of any order, until it is held again. The lock survives a
                     restart, for a technician who locks a node may turn its power off and on. The LED flashes when
                     the button has been held long enough.

A lock is an interlock (ARCHITECTURE, section 6): it overrides all else. It is no isolation: pull the fuse before you
touch the wires. A button that is stuck is ignored: held for a minute it has no effect until it is released.

    LED                                     means
    two long flashes, a pause               locked
    five short flashes, a pause             rescue
    fast and even                           fault: of the equipment
    three short flashes, a pause            no settings, or some that cannot be used
    lit                                     starting
    two short flashes, a pause              no link to the gateway
    one short flash every 3 s               all is well

The first that applies is shown.

Must not know pins, trades or files; of a trade it uses only the words TEST and LOCK.
"""

from node.limits import TEST_MAX_MS
from node.trade import LOCK, TEST

UNLOCK = "unlock"

DEBOUNCE_MS = 50
HOLD_MS = 5000
STUCK_MS = 60_000

STARTING = "starting"
NO_SETTINGS = "no-settings"
NO_LINK = "no-link"
WELL = "well"
FAULT = "fault"
RESCUE = "rescue"
LOCKED = "locked"

SIGN_MS = 100
_PATTERNS = (
    (STARTING, "#"),
    (NO_SETTINGS, "#.#.#.........."),
    (NO_LINK, "#.#............"),
    (WELL, "#............................."),
    (FAULT, "##.."),
    (RESCUE, "#.#.#.#.#.........."),
    (LOCKED, "##########..##########.........."),
)
# Shown when the button has been held long enough: release it now.
_ANSWER = "#."


class Panel:
    """Serves the button and the LED. `is_locked`: the lock before the restart. `test_ms`: how long the trade's test
    takes."""

    def __init__(self, *, is_locked, test_ms, now_ms):
        self.is_locked = is_locked
        self._test_ms = min(test_ms, TEST_MAX_MS)
        self._test_until_ms = None
        self._is_down = False
        self.is_touched = False
        self._raw = False
        self._raw_since_ms = now_ms
        self._down_since_ms = None
        self._is_spent = False
        self._events = []

    def observe(self, is_pressed, *, now_ms) -> None:
        """Observes the button's level, once a turn."""
        if is_pressed != self._raw:
            self._raw = is_pressed
            self._raw_since_ms = now_ms
        self.is_touched = is_pressed or self._is_down
        if now_ms - self._raw_since_ms >= DEBOUNCE_MS and self._raw != self._is_down:
            self._is_down = self._raw
            if self._is_down:
                self._down_since_ms = self._raw_since_ms
                self._is_spent = False
            else:
                self._released(self._raw_since_ms - self._down_since_ms, now_ms)
        if self._is_down and now_ms - self._down_since_ms >= STUCK_MS:
            self._is_spent = True
        if self._test_until_ms is not None and now_ms >= self._test_until_ms:
            self._test_until_ms = None

    def _released(self, held_ms, now_ms):
        if self._is_spent:
            return
        if held_ms >= HOLD_MS:
            self.is_locked = not self.is_locked
            self._test_until_ms = None
            self._events.append(LOCK if self.is_locked else UNLOCK)
        elif self._test_until_ms is not None:
            self._test_until_ms = None
        elif not self.is_locked:
            self._test_until_ms = now_ms + self._test_ms
            self._events.append(TEST)

    def local(self):
        """Returns LOCK, TEST or None: the trade's `local` (node.trade)."""
        if self.is_locked:
            return LOCK
        return TEST if self._test_until_ms is not None else None

    def drain_events(self) -> list:
        """Drains the events TEST, LOCK, UNLOCK. The caller saves a LOCK or an UNLOCK."""
        if not self._events:
            return ()
        events, self._events = self._events, []
        return events

    def deadline_ms(self, now_ms):
        """Returns when `observe` is due at the latest, or None."""
        return self._test_until_ms

    def led(self, state, *, now_ms) -> bool:
        """Returns whether the LED is lit now. `state`: one of the words above, except LOCKED, which the panel knows
        itself."""
        if self._is_down and not self._is_spent and now_ms - self._down_since_ms >= HOLD_MS:
            pattern = _ANSWER
        else:
            shown = LOCKED if self.is_locked else state
            for known in _PATTERNS:  # at every turn: no generator
                if known[0] == shown:
                    pattern = known[1]
                    break
            else:
                raise KeyError(shown)
        return pattern[now_ms // SIGN_MS % len(pattern)] == "#"
