"""Watches whether the room follows the heating: reports full heat without a rise, and a rise without heat.

The room's mean over a whole relay cycle (the air of a light room goes up and down with it) is compared with the mean a
window later (15 min of electric heat, 45 min of water). Failure: full heat (90 % or more) without a pause, the room a
kelvin below its set-point, and in two windows in a row it gained less than a healthy room does. That is 0.12 K an hour
in a room as cold as outdoors, and less the more of the heating's strength is spent on holding the temperature: at half
of it nothing; beyond that the room may fall, but not as fast as without heat. In any frost, full heat for a day and a
half that brings less than half a kelvin is reported too. Stuck on: duty 0, one window for the residual heat, then half
a kelvin up in each of two windows in a row, above the set-point: sun and people do that once. Both end by themselves. A
meter shows it sooner when a closed relay draws nothing (`observe_meter`). The trade answers by driving the output anew,
five times at most (`attempts`).
"""

from heating import limits
from wire import event


class HeatingWatch:
    """Judges the heating at each sample.

    `active`: the set of event codes in force. `cycle_ms`: of the relay; `span_ck`: the difference to outdoors that full
    heat holds, 0.01 K.
    """

    def __init__(self, window_ms, cycle_ms, span_ck):
        self._cycle_ms = cycle_ms
        self._window_ms = max(window_ms, cycle_ms)
        self._span_ck = span_ck
        self._regime = None
        self._kept = []  # (instant ms, 0.01 °C) over one cycle
        self._base_ck = None  # the mean that the next one is compared with
        self._next_ms = 0
        self._run_ms = 0  # the present run of full heat, and the mean when it began or last gained
        self._run_ck = None
        self._votes = 0
        self._is_idle = False
        self.attempts = 0
        self.active = set()

    def step(self, duty_permille, room_ck, setpoint_ck, outdoor_ck, *, now_ms) -> list:
        """Judges one sample and returns [(event code, begins, rise in 0.01 K)], often empty.

        room_ck None: not known, and not judged; outdoor_ck None: a winter's day is assumed.
        """
        self._keep(room_ck, now_ms)
        regime = self._regime_of(duty_permille, room_ck, setpoint_ck)
        if regime != self._regime:
            return self._enter(regime, room_ck, self._mean_ck(now_ms), now_ms)
        if regime is None or now_ms < self._next_ms:
            return []
        mean_ck = self._mean_ck(now_ms)
        if mean_ck is None:
            return []
        before_ck, self._base_ck = self._base_ck, mean_ck
        self._next_ms = now_ms + self._window_ms
        return [] if before_ck is None else self._judge(
            regime, mean_ck, mean_ck - before_ck, setpoint_ck, outdoor_ck, now_ms
        )

    def observe_meter(self, is_idle) -> list:
        """Judges the meter and returns as `step` does. `is_idle`: the relay is closed and no power is drawn."""
        was_idle, self._is_idle = self._is_idle, is_idle
        return [] if is_idle == was_idle else self._declare(event.HEATING_FAILURE, is_idle, 0)

    def disturb(self, *, now_ms):
        """Restarts the comparison after heat or cold of another cause. The codes in force stay."""
        self._kept.clear()
        self._begin(None, now_ms)

    def _keep(self, room_ck, now_ms):
        kept = self._kept
        if room_ck is None:
            kept.clear()
            return
        kept.append((now_ms, room_ck))
        while now_ms - kept[0][0] > self._cycle_ms:
            kept.pop(0)

    def _mean_ck(self, now_ms):
        """Returns the mean of the room over the last whole cycle, or None."""
        kept = self._kept
        # Samples do not come on the exact second: nine tenths of a cycle count as one.
        if not kept or 10 * (now_ms - kept[0][0]) < 9 * self._cycle_ms:
            return None
        return sum([one[1] for one in kept]) // len(kept)

    def _judge(self, regime, mean_ck, rise_ck, setpoint_ck, outdoor_ck, now_ms):
        if regime == event.HEATING_FAILURE:
            if self._run_ck is None or mean_ck - self._run_ck >= limits.WATCH_RUN_CK:
                self._run_ms, self._run_ck = now_ms, mean_ck
            in_vain = now_ms - self._run_ms >= limits.WATCH_RUN_MS
            bad = in_vain or rise_ck < self._least_rise_ck(mean_ck, outdoor_ck)
        else:
            bad = rise_ck >= limits.WATCH_STUCK_CK and mean_ck > setpoint_ck
        self._votes = self._votes + 1 if bad else 0
        # A code in force ends with a good window, not with another bad one after a disturbance.
        stays = bad and regime in self.active
        return self._declare(regime, stays or self._votes >= limits.WATCH_VOTES, rise_ck)

    def _least_rise_ck(self, room_ck, outdoor_ck):
        """Returns the least rise that a window of full heat brings in a healthy room."""
        span_ck = max(1, self._span_ck)
        held_ck = room_ck - (limits.OUTDOOR_ASSUMED_CK if outdoor_ck is None else outdoor_ck)
        held_ck = max(0, min(span_ck, held_ck))
        full_ck = limits.WATCH_RISE_CK_H * (self._window_ms // 1000)
        return full_ck * (span_ck - 2 * held_ck) // (3600 * span_ck)

    def _regime_of(self, duty_permille, room_ck, setpoint_ck):
        """Returns the regime to judge: full heat that should be felt, no heat at all, or None.

        Any lower duty ends full heat and its comparison: the air of a light room follows its heater within minutes, so
        that at two thirds of the heat it falls to walls that are still cold. A room without heat falls until the
        regulator demands all.
        """
        if room_ck is None:
            return None
        if duty_permille == 0:
            return event.HEATING_UNEXPECTED_ON
        below_ck = limits.WATCH_BELOW_CK // (2 if self._regime == event.HEATING_FAILURE else 1)
        is_full = duty_permille >= limits.WATCH_FULL_PERMILLE
        return event.HEATING_FAILURE if is_full and room_ck < setpoint_ck - below_ck else None

    def _enter(self, regime, room_ck, mean_ck, now_ms):
        """Enters another regime and ends the fault of the old one, unless the room is not known."""
        self._regime = regime
        self._run_ck = None
        changes = []
        if room_ck is not None:
            for code in (event.HEATING_FAILURE, event.HEATING_UNEXPECTED_ON):
                if code != regime:
                    changes += self._declare(code, False, 0)
        self._begin(mean_ck, now_ms)
        return changes

    def _begin(self, base_ck, now_ms):
        """Sets what the next window is compared with: for full heat, the room before it.

        The residual heat of a radiator is no fault: the first window without demand is not counted.
        """
        is_cooling = self._regime == event.HEATING_UNEXPECTED_ON
        self._base_ck = None if is_cooling else base_ck
        self._next_ms = now_ms + (0 if self._base_ck is None and not is_cooling else self._window_ms)
        self._votes = 0

    def _declare(self, code, wanted, rise_ck):
        wanted = wanted or (self._is_idle and code == event.HEATING_FAILURE)
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
