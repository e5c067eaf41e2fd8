"""How long a zone runs for a depth, and in how many cycles with what soak between them, so that nothing runs off.

The application rate is flow over area (PR = 60 Q / A). Where it exceeds what the soil takes in, water stands on the
surface until the allowable accumulation is reached: t = ASA / (PR - IR), the reduced form of Hung's equation, which
is on the safe side of it (the intake of dry soil is higher at first). The soak lets what stands seep in: ASA / IR,
held to half an hour to two hours. Intake falls with the slope. Integers; holds no state.
"""

from collections import namedtuple

from policy import watering as policy
from watering import limits

# Of one zone and start: seconds in all, seconds of the longest cycle, seconds of soak after one (0: a single cycle).
Cut = namedtuple("Cut", ("total_s", "cycle_s", "soak_s"))

# Up to this slope in %: intake in % of the flat one (Rain Bird, after USDA), column of the surface table.
_SLOPES = ((3, 100, 0), (4, 100, 1), (6, 75, 1), (8, 75, 2), (12, 50, 2), (15, 50, 3))
_STEEPEST = (40, 3)


def rate_dmm_h(zone, flow_ml_min: int) -> int:
    """Application rate in 0.1 mm/h; 1 mL on 1 dm2 is 0.1 mm."""
    return max(1, 60 * flow_ml_min // zone.area_dm2)


def intake_dmm_h(zone) -> int:
    """What the soil takes in on this slope, 0.1 mm/h."""
    return policy.SOILS[zone.soil][policy.INTAKE_DMM_H] * _slope(zone)[0] // 100


def surface_dmm(zone) -> int:
    """What may stand on the surface, 0.1 mm."""
    return policy.SOILS[zone.soil][policy.SURFACE_DMM][_slope(zone)[1]]


def run_s(zone, flow_ml_min: int, net_cmm: int) -> int:
    """Seconds to bring `net_cmm` to the roots, the zone's longest run at most. Zero depth takes none."""
    if net_cmm <= 0:
        return 0
    # 0.01 mm = 0.1 of 0.1 mm: net/10 dmm at the roots is net/10 * 100/efficiency on the ground.
    ground_dmm = 10 * net_cmm // policy.efficiency_percent(zone)
    return min(zone.run_max_s, max(1, 3600 * ground_dmm // rate_dmm_h(zone, flow_ml_min)))


def net_cmm(zone, volume_ml: int) -> int:
    """Depth at the roots of a volume, 0.01 mm: the inverse of `run_s`."""
    return volume_ml * policy.efficiency_percent(zone) // (10 * zone.area_dm2)


def cut(zone, flow_ml_min: int, total_s: int) -> Cut:
    """`total_s` of watering as equal cycles that do not run off."""
    rate, intake = rate_dmm_h(zone, flow_ml_min), intake_dmm_h(zone)
    if rate <= intake or total_s <= 0:
        return Cut(total_s, total_s, 0)
    surface = surface_dmm(zone)
    longest_s = max(limits.CYCLE_S_MIN, 3600 * surface // (rate - intake))
    if total_s <= longest_s:
        return Cut(total_s, total_s, 0)
    cycles = (total_s + longest_s - 1) // longest_s
    soak_s = min(limits.SOAK_S_MAX, max(limits.SOAK_S_MIN, 3600 * surface // max(1, intake)))
    return Cut(total_s, (total_s + cycles - 1) // cycles, soak_s)


def _slope(zone):
    for steepest, percent, column in _SLOPES:
        if zone.slope_percent <= steepest:
            return (percent, column)
    return _STEEPEST
