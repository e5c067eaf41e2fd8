"""Refuses to water a zone, with a word and the value that decided: law, order, pipe, weather, energy.

The law comes first (drought, forbidden hours), then dry hours that a person ordered, then the pipe, then weather, then
energy. Some refusals *end* a run, others only make it *wait* (`holds`): wind drops, a battery is charged by the
morning's sun, and the run continues if that comes soon enough.
"""

from collections import namedtuple

from node.limits import UNCERTAINTY_USABLE_S
from policy import watering as policy
from watering import limits
from watering.valves import LATCHING, MASTER
from wire import directive

ORDER, BURST, VALVE, LEAK = "order", "burst", "valve", "leak"
DROUGHT, FORBIDDEN, RAIN, FREEZE, WIND, ENERGY, TIME, SATISFIED = (
    "drought", "forbidden", "rain", "freeze", "wind", "energy", "time", "satisfied"
)  # fmt: skip

# why, value (integer), holds: the run waits and does not end.
Refusal = namedtuple("Refusal", ("why", "value", "holds"))

# The error of a clock's second and the closing time of a valve stay within this margin at a window's edge.
_SLACK_S = 15
_CUT_OFF_MV = 3000
_FULL_MV = 4150
_CHARGED_PERCENT = 90


def by_law(watering, zone, level: int, moment):
    """Returns the Refusal of drought law or forbidden hours, or None. Its value is the drought level.

    A run waits for the end of forbidden hours, but not for the end of a ban.
    """
    ban = policy.forbidding(watering, zone, level, moment.unix_s, moment.uncertainty_s + _SLACK_S)
    if ban is None:
        return None
    whole_day = ban[policy.FROM_MIN] == 0 and ban[policy.TO_MIN] == 1440
    return Refusal(DROUGHT if ban[policy.LEVEL] and whole_day else FORBIDDEN, level, not whole_day)


def lawful_s(watering, zone, level: int, moment) -> int:
    """Returns seconds until the law forbids the zone."""
    return policy.free_for_s(watering, zone, level, moment.unix_s, moment.uncertainty_s + _SLACK_S)


def kept_dry(moment) -> bool:
    """Returns whether a person has ordered hours without water that have begun, or may have by a doubtful clock."""
    minute = moment.directives.get(directive.DRY)
    return minute is not None and moment.unix_s + moment.uncertainty_s + _SLACK_S >= 60 * minute


def by_weather(weather, zone, moment):
    """Returns the Refusal of the present rain, frost or wind, or None."""
    now_ms, directives = moment.now_ms, moment.directives
    if weather.wet(now_ms=now_ms):
        return Refusal(RAIN, weather.today.rain_cmm // 10, False)
    if weather.today.rain_cmm >= 10 * limits.RAIN_SKIP_DMM:
        return Refusal(RAIN, weather.today.rain_cmm // 10, False)
    air = weather.air_ck(directives, now_ms=now_ms)
    if air is not None and air < limits.FREEZE_CK:
        return Refusal(FREEZE, air, False)
    ahead = weather.believed(directives, directive.TEMPERATURE_MIN_6H, limits.AIR_CK_MAX)
    if ahead is not None and ahead < limits.FREEZE_AHEAD_CK:
        return Refusal(FREEZE, ahead, False)
    if policy.wind_matters(zone):
        wind = weather.wind_dms(directives, now_ms=now_ms)
        if wind is not None and wind > limits.WIND_DMS:
            return Refusal(WIND, wind, True)
    return None


def by_rain(weather, moment):
    """Returns the Refusal of a start with a fixed depth, because it has rained, or None.

    Such a start does not use the balance.
    """
    fallen_cmm = weather.rained_cmm(moment)
    return Refusal(RAIN, fallen_cmm // 10, False) if fallen_cmm >= 10 * limits.RAIN_SKIP_DMM else None


def by_forecast(weather, moment):
    """Returns the Refusal of a start because rain is forecast, or None."""
    ahead = weather.believed(moment.directives, directive.RAIN_FORECAST, limits.RAIN_CMM_MAX // 10)
    return Refusal(RAIN, ahead, False) if ahead is not None and ahead >= limits.RAIN_SKIP_DMM else None


def soil_permille(probe, mv):
    """Returns the moisture by a settings.SoilProbe, 0 dry to 1000 wet; None for a voltage of no probe in soil."""
    span_mv = probe.wet_mv - probe.dry_mv
    permille = 1000 * (mv - probe.dry_mv) // span_mv
    beyond = 10 * limits.SOIL_BEYOND_PERCENT
    return min(1000, max(0, permille)) if -beyond <= permille <= 1000 + beyond else None


def by_energy(energy, outputs, zone, *, now_ms):
    """Returns the Refusal of a valve that could not be shut, or soon could not be shut any more; or None."""
    if LATCHING not in (outputs.kinds[zone], outputs.kinds[MASTER]):
        return None
    if outputs.is_open(zone):
        value = energy.exhausted(outputs.latching_open())
        return None if value is None else Refusal(ENERGY, value, True)
    more = 0
    for output in (zone, MASTER):
        if outputs.kinds[output] == LATCHING and not outputs.is_open(output):
            more += 1
    value = energy.refuses(outputs.latching_open() + more, now_ms=now_ms)
    return None if value is None else Refusal(ENERGY, value, True)


def usable(moment) -> bool:
    """Returns True where the clock is good enough for forbidden hours.

    A doubt of a quarter of an hour only widens them.
    """
    return moment.unix_s is not None and moment.uncertainty_s <= UNCERTAINTY_USABLE_S


class BatteryStore:
    """Judges whether the cell holds the pulses that shutting will take: a node never opens what it cannot close.

    A latching valve stays open when the power is gone, so the energy to shut it is reserved before it is opened. OPEN
    is refused, with the value that decided,

    * below 3.5 V of the battery, or half an hour after its last reading;
    * when the usable charge does not cover two CLOSE pulses for each valve that would be open, this one included;
    * while the boost capacitor is not charged: a pulse from a half-full one may open a valve and not shut it.

    Open valves are shut below 3.3 V, or when the charge covers no more than one pulse for each: a run must not outlive
    its battery.

    A valve box on the mains has its cell too, and follows the same rules (kinds.irrigation); only where every valve
    shuts by itself is there no cell. A pulse takes what the capacitor holds, 0.7 J of 9400 uF at 12 V, and nearly as
    much again that the boost converter adds meanwhile or loses: 1.35 J of the cell's. The charge between 3.5 V and the
    cut-off at 3.0 V is a tenth of the cell's. So the second rule seldom binds on a sound 2.6 Ah cell (some 3.4 kJ), but
    does on an old, cold or small one, whose capacity the settings give.

    `own`: watering.settings.Own, or a value with its capacity_mah, pulse_mj and boost_mv.
    """

    def __init__(self, own):
        self._own = own
        self._mv = None
        self._boost_mv = None
        self._at_ms = None
        self.low = False

    def sample(self, battery_mv, boost_mv, *, now_ms: int):
        """Observes one reading, None where silent; returns True when "low" begins, False when it ends, else None."""
        if not self._own.capacity_mah:
            return None
        if battery_mv is None or not 0 < battery_mv <= limits.BATTERY_MV_MAX:
            return None
        self._mv, self._boost_mv, self._at_ms = battery_mv, boost_mv, now_ms
        if not self.low and battery_mv < limits.BATTERY_LOW_MV:
            self.low = True
            return True
        if self.low and battery_mv >= limits.BATTERY_WELL_MV:
            self.low = False
            return False
        return None

    def refuses(self, open_after: int, *, now_ms: int):
        """Returns None when `open_after` latching valves may be open together, else the mV (or mJ) that decided.

        It returns -1 when nothing is known.
        """
        own = self._own
        if not own.capacity_mah:
            return None
        if self._mv is None or now_ms - self._at_ms > limits.READING_MAX_MS:
            return -1
        if self._mv < limits.BATTERY_OPEN_MV:
            return self._mv
        if own.boost_mv:
            if self._boost_mv is None:
                return -1
            if 100 * self._boost_mv < _CHARGED_PERCENT * own.boost_mv:
                return self._boost_mv
        usable_mj = self.usable_mj()
        if usable_mj < open_after * limits.RESERVED_PULSES * own.pulse_mj:
            return usable_mj
        return None

    def exhausted(self, are_open: int):
        """Returns None, or the mV (or mJ) that requires `are_open` latching valves to be shut while energy lasts."""
        own = self._own
        if not own.capacity_mah or self._mv is None:
            return None
        if self._mv < limits.BATTERY_SHUT_MV:
            return self._mv
        usable_mj = self.usable_mj()
        return usable_mj if usable_mj < are_open * own.pulse_mj else None

    def usable_mj(self) -> int:
        """Returns the charge above the cut-off, in mJ.

        It is linear from empty to full, which errs low in the middle of the curve.
        """
        above_mv = min(_FULL_MV, self._mv) - _CUT_OFF_MV
        # mAh * 3.6 C * V: 3.6 * mV mJ a mAh.
        full_mj = self._own.capacity_mah * 36 * self._mv // 10
        # Half of it: the inner resistance of a cold, aged cell withholds the rest.
        return max(0, full_mj * above_mv // (_FULL_MV - _CUT_OFF_MV)) // 2
