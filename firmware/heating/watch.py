"""Does the heating follow? Full heat and no rise; no heat and a rise all the same.

Failure: full heat (90 % or more), the room a kelvin below its set-point, and in two windows in a row (15 min of
electric heat, 60 min of water) it gained less than 0.3 K an hour, as even a heavy room does. Stuck on: duty 0, one
window for the heat that is left, then half a kelvin up in each of two windows in a row, above the set-point: sun and
people do that once. Both end by themselves. What the trade does about it: it drives the output anew, five times at most
(`attempts`).
"""

from heating import limits
from wire import event


class HeatingWatch:
    """`step` once a sample; `active` is the set of event codes in force."""

    def __init__(self, window_ms):
        self._window_ms = window_ms
        self._regime = None
        self._base_ck = 0
        self._base_ms = 0
        self._votes = 0
        self.attempts = 0
        self.active = set()

    def step(self, duty_permille, room_ck, setpoint_ck, *, now_ms) -> list:
        """[(event code, begins, rise in 0.01 K)], often empty. room_ck None: nothing can be told."""
        regime = self._regime_of(duty_permille, room_ck, setpoint_ck)
        if regime != self._regime:
            return self._enter(regime, room_ck, now_ms)
        if regime is None or now_ms - self._base_ms < self._window_ms:
            return []
        rise_ck = room_ck - self._base_ck
        self._base_ck = room_ck
        self._base_ms = now_ms
        if regime == event.HEATING_FAILURE:
            bad = rise_ck < limits.WATCH_RISE_CK_H * (self._window_ms // 1000) // 3600
        else:
            bad = rise_ck >= limits.WATCH_STUCK_CK and room_ck > setpoint_ck
        self._votes = self._votes + 1 if bad else 0
        return self._declare(regime, self._votes >= limits.WATCH_VOTES, rise_ck)

    def _regime_of(self, duty_permille, room_ck, setpoint_ck):
        """Full heat that should be felt, no heat at all, or None. The first is left later than it is entered: a room at
        the end of its heating's strength must not begin anew again and again."""
        if room_ck is None:
            return None
        if duty_permille == 0:
            return event.HEATING_UNEXPECTED_ON
        full, below_ck = limits.WATCH_DUTY_PERMILLE, limits.WATCH_BELOW_CK
        if self._regime == event.HEATING_FAILURE:
            full, below_ck = limits.WATCH_LEAVE_PERMILLE, limits.WATCH_BELOW_CK // 2
        return event.HEATING_FAILURE if duty_permille >= full and room_ck < setpoint_ck - below_ck else None

    def _enter(self, regime, room_ck, now_ms):
        """Another regime: the old one's fault is over, unless nothing can be told."""
        self._regime = regime
        changes = []
        if room_ck is not None:
            for code in (event.HEATING_FAILURE, event.HEATING_UNEXPECTED_ON):
                if code != regime:
                    changes += self._declare(code, False, 0)
        self._base_ck = room_ck
        # The heat that is left in a radiator is no fault: the first window of no demand is not counted.
        self._base_ms = now_ms + (self._window_ms if regime == event.HEATING_UNEXPECTED_ON else 0)
        self._votes = 0
        return changes

    def _declare(self, code, wanted, rise_ck):
        if wanted and self.attempts < limits.ATTEMPTS_MAX:
            self.attempts += 1
        if wanted == (code in self.active):
            return []
        if wanted:
            self.active.add(code)
        else:
            self.active.discard(code)
            self.attempts = 0
        return [(code, wanted, rise_ck)]
