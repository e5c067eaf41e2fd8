"""Why a zone may not be watered now: a word and the value that decided.

Law first (drought, forbidden hours), then what a person said, then the pipe, then weather, then energy. Some refusals
*end* a run, some *hold* it: wind drops, a battery is charged by the morning's sun, and the run goes on if that comes
soon enough.
"""

from collections import namedtuple

from policy import watering as policy
from watering import limits
from watering.valves import LATCHING, MASTER
from wire import directive

ORDER, BURST, VALVE, LEAK = "order", "burst", "valve", "leak"
DROUGHT, FORBIDDEN, RAIN, FREEZE, WIND, ENERGY, TIME, SATISFIED = (
    "drought", "forbidden", "rain", "freeze", "wind", "energy", "time", "satisfied"
)  # fmt: skip

# why, value (integer), holds: the run waits instead of ending.
Refusal = namedtuple("Refusal", ("why", "value", "holds"))

# A clock's second and a valve's closing are on the safe side of a window by this.
_SLACK_S = 15


def by_law(watering, zone, level: int, moment):
    """The Refusal of drought law or forbidden hours, or None. Its value is the drought level. Hours pass: a run waits
    for their end; a ban does not."""
    ban = policy.forbidding(watering, zone, level, moment.unix_s, moment.uncertainty_s + _SLACK_S)
    if ban is None:
        return None
    whole_day = ban[policy.FROM_MIN] == 0 and ban[policy.TO_MIN] == 1440
    return Refusal(DROUGHT if ban[policy.LEVEL] and whole_day else FORBIDDEN, level, not whole_day)


def lawful_s(watering, zone, level: int, moment) -> int:
    """Seconds until the law forbids the zone."""
    return policy.free_for_s(watering, zone, level, moment.unix_s, moment.uncertainty_s + _SLACK_S)


def by_weather(weather, zone, moment):
    """The Refusal of rain, frost or wind that are there now, or None."""
    now_ms, directives = moment.now_ms, moment.directives
    if weather.wet(now_ms=now_ms):
        return Refusal(RAIN, weather.today.rain_cmm // 10, False)
    if weather.today.rain_cmm >= 10 * limits.RAIN_SKIP_DMM:
        return Refusal(RAIN, weather.today.rain_cmm // 10, False)
    air = weather.air_ck(directives, now_ms=now_ms)
    if air is not None and air < limits.FREEZE_CK:
        return Refusal(FREEZE, air, False)
    ahead = weather.told(directives, directive.TEMPERATURE_MIN_6H, limits.AIR_CK_MAX)
    if ahead is not None and ahead < limits.FREEZE_AHEAD_CK:
        return Refusal(FREEZE, ahead, False)
    if policy.wind_matters(zone):
        wind = weather.wind_dms(directives, now_ms=now_ms)
        if wind is not None and wind > limits.WIND_DMS:
            return Refusal(WIND, wind, True)
    return None


def by_rain(weather, moment):
    """The Refusal of a start with a depth of its own, which asks no balance, because it has rained; or None."""
    fallen_cmm = weather.rained_cmm(moment)
    return Refusal(RAIN, fallen_cmm // 10, False) if fallen_cmm >= 10 * limits.RAIN_SKIP_DMM else None


def by_forecast(weather, moment):
    """The Refusal of a start because rain is forecast, or None."""
    ahead = weather.told(moment.directives, directive.RAIN_FORECAST, limits.RAIN_CMM_MAX // 10)
    return Refusal(RAIN, ahead, False) if ahead is not None and ahead >= limits.RAIN_SKIP_DMM else None


def soil_permille(probe, mv):
    """Moisture by a probe (watering.settings.Probe), 0 dry to 1000 wet; None for what no probe in soil says."""
    span_mv = probe.wet_mv - probe.dry_mv
    permille = 1000 * (mv - probe.dry_mv) // span_mv
    beyond = 10 * limits.SOIL_BEYOND_PERCENT
    return min(1000, max(0, permille)) if -beyond <= permille <= 1000 + beyond else None


def by_energy(energy, outputs, zone, *, now_ms):
    """Never open what you cannot close, and close what you soon could not: the Refusal, or None."""
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


def usable(moment, uncertainty_max_s: int) -> bool:
    """True where the clock is good enough for forbidden hours. A doubt of a quarter of an hour only widens them."""
    return moment.unix_s is not None and moment.uncertainty_s <= uncertainty_max_s
