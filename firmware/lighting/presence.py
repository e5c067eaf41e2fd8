"""Decides when presence boosts the light, for how long, and when a detector counts as failed.

A trigger begins a boost or prolongs it; triggers count when they are ten seconds apart. If one hour has more of them
than the cap, the detector triggers without an end (a branch in front of it, a stuck output): the boost then holds, for
a street must not blink, and an alarm stays in force until an hour has at most half as many. Must not know levels or
light.
"""

from lighting import limits


class PresenceBoost:
    """Counts the triggers of one detector. `is_failed`: the cap is passed. `triggers`: those of the last hour."""

    def __init__(self, *, hold_s, per_hour_max, now_ms):
        self._hold_ms = 1000 * hold_s
        self._per_hour_max = per_hour_max
        self._until_ms = None
        self._counted_ms = None
        self._pieces = [0] * limits.TRIGGER_PIECES
        self._piece = 0
        self._piece_from_ms = now_ms
        self.triggers = 0
        self.is_failed = False

    def restore_failed(self):
        """Restores a failure from before this start: it ends after an hour that refutes it."""
        self.triggers = self._pieces[self._piece] = self._per_hour_max
        self.is_failed = True

    def trigger(self, *, now_ms):
        """Observes that the detector is active."""
        self._roll(now_ms)
        self._until_ms = now_ms + self._hold_ms
        if self._counted_ms is not None and now_ms - self._counted_ms < limits.TRIGGER_APART_MS:
            return
        self._counted_ms = now_ms
        self._pieces[self._piece] += 1
        self.triggers += 1
        if self.triggers > self._per_hour_max:
            self.is_failed = True

    def is_boosted(self, now_ms):
        """Returns True while the boost holds."""
        self._roll(now_ms)
        if self.is_failed:
            return True
        if self._until_ms is not None and now_ms >= self._until_ms:
            self._until_ms = None
        return self._until_ms is not None

    def deadline_ms(self):
        """Returns when `is_boosted` may change by itself, or None."""
        if self.is_failed:
            return self._piece_from_ms + limits.TRIGGER_PIECE_MS
        return self._until_ms

    def _roll(self, now_ms):
        """Drops the pieces of the hour that are over."""
        if now_ms - self._piece_from_ms >= limits.TRIGGER_PIECES * limits.TRIGGER_PIECE_MS:
            for piece in range(limits.TRIGGER_PIECES):
                self._pieces[piece] = 0
            self.triggers = 0
            self._piece_from_ms = now_ms
        while now_ms - self._piece_from_ms >= limits.TRIGGER_PIECE_MS:
            self._piece_from_ms += limits.TRIGGER_PIECE_MS
            self._piece = (self._piece + 1) % limits.TRIGGER_PIECES
            self.triggers -= self._pieces[self._piece]
            self._pieces[self._piece] = 0
        if self.is_failed and 2 * self.triggers <= self._per_hour_max:
            self.is_failed = False
