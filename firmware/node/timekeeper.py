"""What time it is, and how sure we are (DESIGN section 3: time with its quality).

A node has no clock that survives a power cut. It learns UTC from the gateway's answers and carries it on
its own monotonic milliseconds; the uncertainty starts with what the exchange left open and grows with the
crystal's drift. Nothing is ever re-stamped: a record made before the first answer keeps its uptime, and one
anchor record maps uptimes to UTC afterwards.
"""

from node import limits
from wire.record import HOLDOVER, SYNCED, UNSET, Stamp


class Timekeeper:
    """UTC on top of the shell's growing milliseconds. `started_ms` is the instant of the boot on the same
    scale."""

    def __init__(self, *, started_ms: int):
        self._started_ms = started_ms
        self._set = False
        self._unix_s = 0
        self._at_ms = 0
        self._uncertainty_ms = 0
        self.refused = 0
        self.steps = 0

    def uptime_s(self, now_ms: int) -> int:
        return (now_ms - self._started_ms) // 1000

    def is_set(self) -> bool:
        return self._set

    def unix_s(self, now_ms: int):
        """UTC in Unix seconds, or None while nothing is known."""
        if not self._set:
            return None
        return self._unix_s + (now_ms - self._at_ms) // 1000

    def uncertainty_s(self, now_ms: int) -> int:
        """± seconds of `unix_s`, rounded up."""
        return (self._uncertainty_at(now_ms) + 999) // 1000

    def stamp(self, now_ms: int) -> Stamp:
        """The time of a record made now."""
        if not self._set:
            return Stamp(UNSET, self.uptime_s(now_ms), 0)
        quality = SYNCED if now_ms - self._at_ms <= limits.SYNCED_FOR_MS else HOLDOVER
        return Stamp(quality, self.unix_s(now_ms), self.uncertainty_s(now_ms))

    def learn(self, answer, *, asked_ms: int, now_ms: int) -> bool:
        """Take the UTC of an answer to a request sent at `asked_ms`. True when an anchor record is due.

        The gateway wrote its whole second somewhere between the two instants: the middle is the guess, half
        the way and half a second the doubt. An answer that is worse than what we carry changes nothing.
        """
        if answer.unix_s is None:
            return False
        if answer.unix_s < limits.UNIX_S_MIN:
            self.refused += 1
            return False
        half_ms = (now_ms - asked_ms) // 2
        uncertainty_ms = 1000 * answer.uncertainty_s + half_ms + 500
        if self._set and uncertainty_ms > self._uncertainty_at(now_ms):
            return False
        first = not self._set
        # The second was written half a second ago on average, half the round trip before now.
        at_ms = now_ms - half_ms - 500
        jumped = not first and self._disagreement_ms(answer.unix_s, at_ms) > (
            uncertainty_ms + self._uncertainty_at(now_ms)
        )
        if jumped:
            self.steps += 1
        self._set = True
        self._unix_s = answer.unix_s
        self._at_ms = at_ms
        self._uncertainty_ms = uncertainty_ms
        return first or jumped

    def _uncertainty_at(self, now_ms):
        return self._uncertainty_ms + (now_ms - self._at_ms) // 1000 * limits.CLOCK_DRIFT_PPM // 1000

    def _disagreement_ms(self, unix_s, at_ms):
        return abs(1000 * (unix_s - self._unix_s) - (at_ms - self._at_ms))
