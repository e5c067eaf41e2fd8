"""Judges from probes and connections whether a bearer is up, with hysteresis both ways.

A bearer counts as up at the start, unless it was down when the agent last stopped. It is down after BEARER_FAILURES_MAX
failed probes in a row, or when a connection over it has ended and the next probe fails; it is up again after good
probes alone over BEARER_GOOD_MS, or when a connection over it succeeds. Probes are frequent where bytes are free and
rare where they are metered; their times are jittered, or an unstable cable that fails in step with them would seem
whole. `connection.py` decides when to connect over which bearer; nothing is sent here.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core import limits


class Bearer(NamedTuple):
    """Describes a way to the broker as configured. `is_metered`: its bytes are paid for, and `monthly_bytes` bounds
    them (0: they are counted, and nothing is held back). `has_modem`: it has a port for AT commands; `has_modem_power`:
    the modem's power can be cut."""

    name: str
    is_metered: bool = False
    monthly_bytes: int = 0
    has_modem: bool = False
    has_modem_power: bool = False


class BearerHealth:
    """Schedules the probes of one bearer and judges their outcomes. `due_ms`: when the next probe is due, or, while one
    is under way, when its outcome should have been reported."""

    def __init__(
        self, bearer: Bearer, *, is_up: bool = True, random_below: Callable[[int], int], now_ms: int
    ) -> None:
        self.bearer = bearer
        self.is_up = is_up
        self.refusals = 0  # connections in a row that failed or did not last
        self.refused_ms: int | None = None
        self.rtt_ms: int | None = None
        self.counters = {"connects": 0, "probes-good": 0, "probes-failed": 0, "probes-unanswered": 0, "downs": 0}
        self._random_below = random_below
        self._failed = 0
        self._good = 0
        self._good_since_ms = now_ms
        self._is_suspect = False
        self._down_spacing_ms = limits.BEARER_METERED_DOWN_MS
        self._sent_ms = now_ms
        self._is_asked = False  # a probe is under way
        first_ms = limits.BEARER_METERED_FIRST_MS if bearer.is_metered else limits.BEARER_PROBE_MS
        self.due_ms = self._jittered(now_ms, first_ms)

    # --- probes ---------------------------------------------------------------------------------------------

    def probe_due(self, *, now_ms: int) -> bool:
        """Returns True when a probe is to be sent now; the probe then counts as sent."""
        if self._is_asked or now_ms < self.due_ms:
            return False
        self._is_asked = True
        self._sent_ms = now_ms
        self.due_ms = now_ms + limits.BEARER_PROBE_ANSWER_MS
        return True

    def is_overdue(self, *, now_ms: int) -> bool:
        """Returns whether the shell should have reported the last probe by now."""
        return self._is_asked and now_ms >= self.due_ms

    def probed(self, ok: bool, rtt_ms: int | None, *, now_ms: int) -> bool | None:
        """Accepts a probe's outcome. Returns True when the bearer has come up by it, False when it has gone down."""
        if not self._is_asked:
            return None  # given up already
        self._is_asked = False
        return self._good_probe(rtt_ms, now_ms) if ok else self._failed_probe(now_ms)

    # --- connections ----------------------------------------------------------------------------------------

    def suspect(self, *, now_ms: int) -> None:
        """Makes the next probe, due now, decide: a connection over this bearer has failed or ended."""
        self._is_suspect = self.is_up
        self._good = 0
        if not self._is_asked:  # else the one under way decides
            self.due_ms = min(self.due_ms, now_ms)

    def refused(self, *, now_ms: int) -> None:
        """Counts an attempt that failed, or whose connection did not last."""
        self.refusals += 1
        self.refused_ms = now_ms

    def works(self, *, now_ms: int) -> bool:
        """Notes a successful connection, better proof than any probe. Returns True when the bearer was down."""
        was_down, self.is_up = not self.is_up, True
        self._failed = 0
        self._is_suspect = False
        self._down_spacing_ms = limits.BEARER_METERED_DOWN_MS
        next_ms = self._jittered(now_ms, self._usual_ms())
        if not self._is_asked:  # else its outcome sets the next
            self.due_ms = next_ms
        return was_down

    # --- inside ---------------------------------------------------------------------------------------------

    def _good_probe(self, rtt_ms: int | None, now_ms: int) -> bool | None:
        self.counters["probes-good"] += 1
        self.rtt_ms = rtt_ms
        self._failed = 0
        self._is_suspect = False
        self._good += 1
        if self._good == 1:
            self._good_since_ms = now_ms
        came_up = (
            not self.is_up
            and self._good >= limits.BEARER_GOOD_PROBES
            and now_ms - self._good_since_ms >= limits.BEARER_GOOD_MS
        )
        self.is_up = self.is_up or came_up
        spacing_ms = self._usual_ms() if self.is_up else self._confirm_ms()
        self._down_spacing_ms = limits.BEARER_METERED_DOWN_MS
        self.due_ms = self._jittered(now_ms, spacing_ms)
        return True if came_up else None

    def _failed_probe(self, now_ms: int) -> bool | None:
        self.counters["probes-failed"] += 1
        self._good = 0
        self._failed += 1
        went_down = self.is_up and (self._is_suspect or self._failed >= limits.BEARER_FAILURES_MAX)
        if went_down:
            self.is_up = False
            self.counters["downs"] += 1
        self._is_suspect = False
        if self.is_up:
            # Not before the timeout: an interface without a route fails instantly, and a link may be renegotiating.
            self.due_ms = max(now_ms, self._sent_ms + limits.BEARER_PROBE_TIMEOUT_MS)
        elif self.bearer.is_metered:
            self.due_ms = self._jittered(now_ms, self._down_spacing_ms)
            self._down_spacing_ms = min(2 * self._down_spacing_ms, limits.BEARER_METERED_PROBE_MS)
        else:
            self.due_ms = self._jittered(now_ms, limits.BEARER_PROBE_MS)
        return False if went_down else None

    def _usual_ms(self) -> int:
        return limits.BEARER_METERED_PROBE_MS if self.bearer.is_metered else limits.BEARER_PROBE_MS

    def _confirm_ms(self) -> int:
        return limits.BEARER_METERED_CONFIRM_MS if self.bearer.is_metered else limits.BEARER_PROBE_MS

    def _jittered(self, now_ms: int, spacing_ms: int) -> int:
        """Returns now plus the spacing, shortened at random to four fifths at least."""
        return now_ms + spacing_ms - self._random_below(spacing_ms // 5 + 1)
