"""Watches lamp and mains: judges what the lamp draws against its level, and the voltage and the meter (TALQ names).

    lampFailure         lit, and below max(2 W, 25 % of what the level should draw), or the gear reports it
    lampUnexpectedOn    dark, and above max(3 W, twice the standby), or the gear reports light: by day after three
                        samples; at night, or where that is not known, after ten minutes more
    relayFailure        dark, and a current flows through the relay; lit, and watts and amperes are those of dark
    cyclingFailure      out and back four times within half an hour, without an order; a lamp that then stays out is
                        dead
    dimmingFailure      20 % off at two levels, and not by the same share: power does not follow the level. If it is
                        the same share, the lamp is another than in the settings: reported as power too high or low
    lampPowerTooHigh, lampPowerTooLow    outside the tolerance

    meterFailure        a meter that is fitted gives no power for five samples
    voltageTooLow, voltageTooHigh        outside EN 50160

A lamp is not judged while it warms up, nor within a minute of a change. A fault begins when three of the last five
samples agree, and ends when all that are kept, three at least, are healthy: a false alarm costs a van's journey.

A lamp whose light a passer-by has raised draws more than at the level of its calendar, unless it is dead. So that alone
is judged of it, by what the calendar's level should draw: a passage changes neither when it is found nor what is told.

Long because the faults of a lamp, its relay and its mains are votes on the same samples.
"""

from collections import namedtuple

from lighting import limits
from wire import event

# Powers in 0.1 W. gradient_percent: 100 · g. floor_percent: the least light that the gear can give (0-10 V: 10 %).
# tolerance_dw: the deviation that is neither too high nor too low.
LampModel = namedtuple(
    "LampModel", ("nominal_dw", "standby_dw", "warm_up_s", "gradient_percent", "floor_percent", "tolerance_dw")
)


def lamp_model(nominal_dw, standby_dw, warm_up_s=300, gradient_percent=100, floor_percent=0, tolerance_dw=0):
    """Returns a LampModel whose tolerance is 10 % of the nominal power at least."""
    return LampModel(
        nominal_dw, standby_dw, warm_up_s, gradient_percent, floor_percent, max(tolerance_dw, nominal_dw // 10)
    )


def expected_dw(model, level_percent):
    """Returns the power of a healthy lamp at this level of its gear, in 0.1 W: faults are judged against it.

    TALQ (powerLightGradient): g is the change of light over the change of power, both in %, with 100 % of light at 100
    % of power: P% = 100 - (100 - L%) / g. A gradient of 1 is a straight line from standby to nominal; above 1 the
    driver loses efficiency when it is dimmed. The result is never below the standby.
    """
    if level_percent == 0:
        return model.standby_dw
    missing = 100 - max(level_percent, model.floor_percent)
    part = max(0, model.gradient_percent - missing)
    return model.standby_dw + (model.nominal_dw - model.standby_dw) * part // model.gradient_percent


# The samples that are kept are bits below a leading 1, the newest lowest; EMPTY has none.
EMPTY = 1
_FULL = 1 << limits.SAMPLES_KEPT


def vote(votes, code, is_bad):
    """Adds a sample for `code` to `votes`, {code: bits}.

    Returns True (a fault), False (healthy) or None (not decided).
    """
    kept = votes.get(code, EMPTY)
    if kept == _FULL and not is_bad:
        return False  # nearly always
    kept = _FULL | (kept << 1 | bool(is_bad)) & (_FULL - 1) if kept & _FULL else kept << 1 | bool(is_bad)
    votes[code] = kept
    bad, rest = 0, kept
    while rest > 1:
        bad += rest & 1
        rest >>= 1
    if bad >= limits.VOTES:
        return True
    return False if bad == 0 and kept >> limits.VOTES else None


def _all_healthy(votes):
    for kept in votes.values():  # noqa: SIM110 - a generator takes heap
        if kept != _FULL:
            return False
    return True


def _is_off(power_dw, expected_dw):
    """Returns whether the power is too far from what the level should draw."""
    off_dw = abs(power_dw - expected_dw)
    return 100 * off_dw > limits.DIMMING_PERCENT * expected_dw and off_dw > limits.DEAD_FLOOR_DW


def _unknown():
    return None


class _Watch:
    """Keeps the faults in force: `active`, their codes."""

    def _declare(self, changes, code, wanted):
        """Begins or ends a fault, and notes that in `changes`; None: not decided."""
        if wanted is None or wanted == (code in self.active):
            return
        if wanted:
            self.active.add(code)
        else:
            self.active.discard(code)
        changes.append((code, wanted))


class LampWatch(_Watch):
    """Judges one lamp by its readings. Give `observe_level` the level of the gear, then `sample` each reading.

    `active`: codes in force; at a start, those from before it, which end once they are judged healthy. `has_relay`:
    level 0 opens a relay. `relay_stuck_lit`: the position in which the relayFailure in force showed (True: lit).
    """

    # Fields of the class until one is set: most lamps have no detector.
    _calendar = None  # the level of the gear without a passer-by, and since when it is this, and the lamp lit by it
    _calendar_since_ms = _calendar_lit_ms = 0

    def __init__(self, model, *, has_relay=True, active=None, relay_stuck_lit=False):
        self._model = model
        self._has_relay = has_relay
        self._lit_since_ms = None
        self._level = None
        self._level_since_ms = 0
        self._votes = {}
        self._burning_since_ms = None
        self._out_since_ms = None
        self._cycles_ms = []
        self._off = []  # (level, share of what is expected in %) at which dimming was wrong
        self._dark = None  # (0.1 W, mA) through an open relay
        self._sound = None  # the least and the most 0.1 W of a reading that decides nothing, or None
        self.relay_stuck_lit = relay_stuck_lit
        self.active = set() if active is None else active

    def expected_dw(self, level_percent):
        """Returns the power of a healthy lamp at a level of its gear, in 0.1 W."""
        return expected_dw(self._model, level_percent)

    def observe_level(self, level_percent, *, now_ms):
        """Observes the level of the gear, in %."""
        if level_percent == self._level:
            return
        if level_percent == 0:
            self._lit_since_ms = None
        elif self._lit_since_ms is None:
            self._lit_since_ms = now_ms
        self._level = level_percent
        self._level_since_ms = now_ms
        self._burning_since_ms = None
        self._out_since_ms = None
        self._sound = None
        of_death = None if self._calendar is None else self._votes.get(event.LAMP_FAILURE)
        self._votes.clear()
        if of_death is not None:
            self._votes[event.LAMP_FAILURE] = of_death

    def observe_calendar(self, level_percent, *, now_ms):
        """Observes the level of the gear without a passage, of a lamp with a detector. None: the lamp shows which one
        it is. Call it before `observe_level`."""
        if level_percent == self._calendar:
            return
        if level_percent and not self._calendar:
            self._calendar_lit_ms = now_ms
        self._calendar, self._calendar_since_ms = level_percent, now_ms
        self._votes.clear()
        self._sound = None

    def sample(self, power_dw, current_ma=None, *, now_ms, is_sun_up=_unknown, gear_dead=None, gear_percent=None):
        """Judges one reading, with None for what is not measured; returns [(event code, begins)], often empty.

        `is_sun_up()`: the sun is well above the horizon, None: unknown; called only for a lamp that burns unordered.
        `gear_dead`, `gear_percent`: lamp failure and level as a DALI gear reports them.
        """
        if not gear_dead and self.passes_over(power_dw, current_ma):
            return []  # nearly always
        self._sound = None
        if power_dw is None and gear_percent is None and gear_dead is None:
            return []
        if self._level is None or now_ms - self._level_since_ms < limits.STEADY_MS:
            return self.sample_raised(power_dw, now_ms=now_ms, gear_dead=gear_dead)
        changes = []
        if not self._has_relay:
            self._declare(changes, event.RELAY_FAILURE, False)  # a fault from before this start, with other settings
        if self._level == 0:
            if power_dw is None and gear_percent is None:
                return changes  # a gear reports no level of a dead lamp, so it is not known whether the lamp burns
            self._judge_dark(changes, power_dw, current_ma, gear_percent, is_sun_up, now_ms)
        elif self._level >= limits.LEVEL_JUDGED_MIN:
            self._declare(changes, event.LAMP_UNEXPECTED_ON, False)
            if now_ms - self._lit_since_ms >= 1000 * self._model.warm_up_s:
                self._judge_lit(changes, power_dw, current_ma, gear_dead, now_ms)
        return changes

    def sample_raised(self, power_dw, *, now_ms, gear_dead=None):
        """Judges whether the lamp is dead by a reading of raised light, or from within a minute of it, as `sample`
        does. That it lives again is left to a reading that may be reported."""
        level_percent, changes = self._calendar, []
        if level_percent is None or level_percent < limits.LEVEL_JUDGED_MIN or (power_dw is None and gear_dead is None):
            return changes
        is_steady = now_ms - self._calendar_since_ms >= limits.STEADY_MS
        if is_steady and now_ms - self._calendar_lit_ms >= 1000 * self._model.warm_up_s:
            is_dead = self._is_low(power_dw, self.expected_dw(level_percent)) or bool(gear_dead)
            verdict = vote(self._votes, event.LAMP_FAILURE, is_dead)
            if verdict and (power_dw is None or event.CYCLING_FAILURE not in self.active):
                self._declare(changes, event.LAMP_FAILURE, True)
        return changes

    def passes_over(self, power_dw, current_ma) -> bool:
        """Returns True for a reading that decides nothing; of a dark lamp it is kept, to know a relay that sticks."""
        sound = self._sound
        if sound is None or power_dw is None or not sound[0] <= power_dw <= sound[1]:
            return False
        if self._level == 0 and current_ma is not None:
            self._dark = (power_dw, current_ma)
        return True

    def agrees(self, power_dw, *, now_ms):
        """Returns True if the watts show the level of the gear; False also while that is not known yet."""
        if power_dw is None or self._level is None or now_ms - self._level_since_ms < limits.STEADY_MS:
            return False
        if self._level == 0:
            return power_dw <= self._burning_dw()
        expected_dw = self.expected_dw(self._level)
        if self._level < limits.LEVEL_JUDGED_MIN:
            return False
        # More than a healthy lamp draws at full light is no less light; with less it has not risen from where it was.
        is_full = self._level > limits.DIMMING_SEEN_MAX_PERCENT
        return (is_full and power_dw >= expected_dw) or not _is_off(power_dw, expected_dw)

    # --- dark -------------------------------------------------------------------------------------------------

    def _judge_dark(self, changes, power_dw, current_ma, gear_percent, is_sun_up, now_ms):
        by_power = power_dw is not None and power_dw > self._burning_dw()
        burns = by_power or (gear_percent or 0) > 0
        if not burns:
            self._burning_since_ms = None
            if power_dw is not None and current_ma is not None:
                self._dark = (power_dw, current_ma)
        elif self._burning_since_ms is None:
            self._burning_since_ms = now_ms
        verdict = vote(self._votes, event.LAMP_UNEXPECTED_ON, burns)
        if verdict and self._burning_ms(now_ms) < limits.BURNING_NIGHT_MS and not is_sun_up():
            return
        self._declare(changes, event.LAMP_UNEXPECTED_ON, verdict)
        if self._has_relay and current_ma is not None:
            self._judge_relay(changes, by_power and current_ma >= limits.RELAY_OPEN_MA)
            if not burns and _all_healthy(self._votes):
                self._sound = (0, self._burning_dw())

    def _burning_ms(self, now_ms):
        return 0 if self._burning_since_ms is None else now_ms - self._burning_since_ms

    def _burning_dw(self):
        return max(limits.BURNING_FLOOR_DW, 2 * self._model.standby_dw)

    def _judge_relay(self, changes, is_wrong):
        """Judges the relay by the position that can show its fault.

        A relay that sticks closed looks healthy while the lamp is lit, and one that sticks open while it is dark: only
        the position that showed the fault can show its end.
        """
        verdict = vote(self._votes, event.RELAY_FAILURE, is_wrong)
        is_lit = self._level > 0
        if verdict:
            self.relay_stuck_lit = is_lit
        if verdict or self.relay_stuck_lit == is_lit:
            self._declare(changes, event.RELAY_FAILURE, verdict)

    # --- lit --------------------------------------------------------------------------------------------------

    def _judge_lit(self, changes, power_dw, current_ma, gear_dead, now_ms):
        expected_dw = self.expected_dw(self._level)
        low = self._is_low(power_dw, expected_dw)
        if power_dw is not None:
            self._count_cycles(changes, low, 2 * power_dw >= expected_dw, now_ms)
        is_dead = low or bool(gear_dead)
        verdict = vote(self._votes, event.LAMP_FAILURE, is_dead)
        if power_dw is not None and event.CYCLING_FAILURE in self.active:
            return
        self._declare(changes, event.LAMP_FAILURE, verdict)
        if power_dw is None:
            return
        if self._has_relay and current_ma is not None and self._dark is not None:
            self._judge_relay(changes, low and self._is_as_dark(power_dw, current_ma))
        if not is_dead:
            self._judge_power(changes, power_dw, expected_dw)
            self._sound = self._sound_dw(expected_dw)

    def _is_low(self, power_dw, expected_dw):
        """Returns whether the power is that of a dead lamp."""
        return power_dw is not None and power_dw < max(limits.DEAD_FLOOR_DW, expected_dw // 4)

    def _sound_dw(self, expected_dw):
        """Returns the least and the most 0.1 W of a reading that would change nothing, or None: another healthy sample
        decides nothing once all that are kept are healthy."""
        if not _all_healthy(self._votes):
            return None
        off_dw = min(self._model.tolerance_dw, limits.DIMMING_PERCENT * expected_dw // 100)
        return max(limits.DEAD_FLOOR_DW, expected_dw // 4, expected_dw - off_dw), expected_dw + off_dw

    def _is_as_dark(self, power_dw, current_ma):
        dark_dw, dark_ma = self._dark
        slack_ma = max(limits.RELAY_SAME_MA, dark_ma * limits.RELAY_SAME_PERCENT // 100)
        return abs(power_dw - dark_dw) <= limits.RELAY_SAME_DW and abs(current_ma - dark_ma) <= slack_ma

    def _count_cycles(self, changes, is_low, is_back, now_ms):
        """Counts the cycles of a lamp that goes out and comes back. A lamp that stays out is dead."""
        cycles = self._cycles_ms
        if event.CYCLING_FAILURE in self.active and not cycles:
            cycles.append(now_ms)  # the fault is from before this start
        if is_low:
            if self._out_since_ms is None:
                self._out_since_ms = now_ms
        elif is_back:
            if self._out_since_ms is not None:
                cycles.append(now_ms)
                if len(cycles) > limits.CYCLES:
                    cycles.pop(0)
            self._out_since_ms = None
        if len(cycles) == limits.CYCLES and now_ms - cycles[0] <= limits.CYCLES_MS:
            self._declare(changes, event.CYCLING_FAILURE, True)
        elif cycles and self._cycles_no_more(cycles[-1], now_ms):
            cycles.clear()
            self._declare(changes, event.CYCLING_FAILURE, False)

    def _cycles_no_more(self, last_ms, now_ms):
        if self._out_since_ms is None:
            return now_ms - last_ms >= 2 * limits.CYCLES_MS
        return now_ms - self._out_since_ms >= limits.OUT_FOR_GOOD_MS

    def _judge_power(self, changes, power_dw, expected_dw):
        verdict = vote(self._votes, event.DIMMING_FAILURE, _is_off(power_dw, expected_dw))
        if verdict:
            self._note_off(100 * power_dw // expected_dw)
            if self._ignores_level():
                self._declare(changes, event.DIMMING_FAILURE, True)
        elif verdict is False and self._level <= limits.DIMMING_SEEN_MAX_PERCENT:
            self._off.clear()
            self._declare(changes, event.DIMMING_FAILURE, False)
        fails = event.DIMMING_FAILURE in self.active
        tolerance_dw = self._model.tolerance_dw
        is_high = vote(self._votes, event.POWER_TOO_HIGH, power_dw > expected_dw + tolerance_dw)
        self._declare(changes, event.POWER_TOO_HIGH, False if fails else is_high)
        is_low = vote(self._votes, event.POWER_TOO_LOW, power_dw < expected_dw - tolerance_dw)
        self._declare(changes, event.POWER_TOO_LOW, False if fails else is_low)

    def _note_off(self, share_percent):
        for index, known in enumerate(self._off):
            if abs(known[0] - self._level) < limits.DIMMING_APART_PERCENT:
                self._off[index] = (known[0], share_percent)
                return
        self._off.append((self._level, share_percent))
        if len(self._off) > 2:
            self._off.pop(0)

    def _ignores_level(self):
        return len(self._off) == 2 and abs(self._off[0][1] - self._off[1][1]) > limits.DIMMING_PERCENT


class SupplyWatch(_Watch):
    """Judges the mains and the meter of a lamp.

    `low_dv`, `high_dv`: 0.1 V. `has_meter`: False until a gear has shown that it has one. `active`: codes in force, as
    in LampWatch.
    """

    def __init__(self, low_dv=limits.VOLTAGE_LOW_DV, high_dv=limits.VOLTAGE_HIGH_DV, *, has_meter=True, active=None):
        self._low_dv = low_dv
        self._high_dv = high_dv
        self._votes = {}
        self._silent = 0
        self._has_meter = has_meter
        self._is_sound = False  # another healthy reading would change nothing
        self.active = set() if active is None else active

    def sample(self, power_dw, voltage_dv, *, gear_meter=None):
        """Judges one reading, None for a silent part; returns [(event code, begins)].

        `gear_meter`: lighting.inputs.METER.

        A gear that had a meter since this start and gives no power any more has lost it; a meter from before may have
        been another gear's.
        """
        if self.passes_over(power_dw, voltage_dv):
            return []  # nearly always
        changes = []
        if power_dw is not None or gear_meter:
            self._has_meter = True
        if power_dw is not None:
            self._silent = 0
            self._declare(changes, event.METER_FAILURE, False)
        elif self._has_meter:
            self._silent += 1
            if self._silent >= limits.METER_SILENT_SAMPLES:
                self._declare(changes, event.METER_FAILURE, True)
        elif gear_meter == 0:
            self._declare(changes, event.METER_FAILURE, False)
        if voltage_dv is not None:
            is_low = vote(self._votes, event.VOLTAGE_TOO_LOW, voltage_dv < self._low_dv)
            self._declare(changes, event.VOLTAGE_TOO_LOW, is_low)
            is_high = vote(self._votes, event.VOLTAGE_TOO_HIGH, voltage_dv > self._high_dv)
            self._declare(changes, event.VOLTAGE_TOO_HIGH, is_high)
        self._is_sound = power_dw is not None and voltage_dv is not None and _all_healthy(self._votes)
        return changes

    def passes_over(self, power_dw, voltage_dv) -> bool:
        """Returns True for a reading that decides nothing."""
        is_whole = power_dw is not None and voltage_dv is not None
        return is_whole and self._is_sound and self._low_dv <= voltage_dv <= self._high_dv
