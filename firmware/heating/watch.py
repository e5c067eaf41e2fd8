"""Does the heating follow? Full heat and no rise; no heat and a rise all the same.

Failure: a duty of 90 % or more for the whole window (15 min of electric heat, 60 min of water), the room a kelvin below
its set-point, and it did not rise by half a kelvin. Stuck on: duty 0, one window for the heat that is left, then half a
kelvin up in each of two windows in a row, above the set-point: sun and people do that once. Both end by themselves. What
the trade does about it: it drives the output anew, five times at most (`attempts`).
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
        self._stuck_votes = 0
        self.attempts = 0
        self.active = set()

    def step(self, duty_permille, room_ck, setpoint_ck, *, now_ms) -> list:
        """[(event code, begins, rise in 0.01 K)], often empty. room_ck None: nothing can be told."""
        regime = None
        if room_ck is None:
            pass
        elif duty_permille >= limits.WATCH_DUTY_PERMILLE and room_ck < setpoint_ck - limits.WATCH_BELOW_CK:
            regime = event.HEATING_FAILURE
        elif duty_permille == 0:
            regime = event.HEATING_UNEXPECTED_ON
        if regime != self._regime:
            return self._enter(regime, room_ck, now_ms)
        if regime is None or now_ms - self._base_ms < self._window_ms:
            return []
        rise_ck = room_ck - self._base_ck
        self._base_ck = room_ck
        self._base_ms = now_ms
        if regime == event.HEATING_FAILURE:
            return self._declare(regime, rise_ck < limits.WATCH_RISE_CK, rise_ck)
        rises = rise_ck >= limits.WATCH_RISE_CK and room_ck > setpoint_ck
        self._stuck_votes = self._stuck_votes + 1 if rises else 0
        return self._declare(regime, self._stuck_votes >= limits.WATCH_STUCK_WINDOWS, rise_ck)

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
        self._stuck_votes = 0
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
