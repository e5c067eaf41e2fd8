"""Keeps the water balance of each zone by FAO-56 chapter 8, and plans the length and the cycles of its runs.

Depths are integers in 0.01 mm (`cmm`), so a day's ET0 of 0.01 mm loses nothing and a season's sum does not drift.
Depletion is what the root zone lacks to field capacity: 0 is full, TAW is the wilting point; it stays between the two.
A civil day is closed once, some hours after its midnight, when the gateway's figures for it have come. Days without a
clock are replaced by climatology: after weeks without a gateway a thirsty lawn is watered, not forgotten.

A run is cut into cycles so that nothing runs off. The application rate is flow over area (PR = 60 Q / A). Where it
exceeds what the soil takes in, water stands on the surface until the allowable accumulation is reached: t = ASA /
(PR - IR). This is the reduced form of Hung's equation and errs on the safe side (the intake of dry soil is higher at
first). The soak lets the standing water seep in: ASA / IR, held to half an hour to two hours. Intake falls with the
slope.
"""

from collections import namedtuple

from policy import watering as policy
from watering import flow, limits


def total_cmm(zone) -> int:
    """Computes FAO-56 equation 82: total available water, TAW."""
    soil, root_mm = policy.SOILS[zone.soil], policy.PLANTS[zone.plant][policy.ROOT_MM]
    return (soil[policy.CAPACITY] - soil[policy.WILTING]) * root_mm // 10


def crop_cmm(zone, et0_cmm: int) -> int:
    """Computes FAO-56 equation 58: ETc of a day from ET0."""
    return et0_cmm * policy.PLANTS[zone.plant][policy.KC_PERCENT] // 100


def fraction_permille(zone, etc_cmm: int) -> int:
    """Returns p of table 22, adjusted to the day: p + 0.04 (5 - ETc), 0.1 to 0.8."""
    adjusted = 10 * policy.PLANTS[zone.plant][policy.P_PERCENT] + 40 * (500 - etc_cmm) // 100
    return min(800, max(100, adjusted))


def readily_cmm(zone, etc_cmm: int) -> int:
    """Computes FAO-56 equation 83: readily available water, RAW = p TAW, the depletion at which watering is due."""
    return fraction_permille(zone, etc_cmm) * total_cmm(zone) // 1000


def stress_permille(total: int, readily: int, depletion: int) -> int:
    """Computes FAO-56 equation 84: Ks, 1000 without stress, 0 at the wilting point."""
    if depletion <= readily:
        return 1000
    return max(0, 1000 * (total - depletion) // (total - readily))


def effective_cmm(rain_cmm: int, et0_cmm: int) -> int:
    """Returns the rain of one day that counts (FAO-56 chapter 8): none below a fifth of ET0, which evaporates from the
    leaves; else all of it."""
    return rain_cmm if 5 * rain_cmm >= et0_cmm else 0


def after_day(zone, depletion: int, et0_cmm: int, rain_cmm: int) -> int:
    """Computes FAO-56 equation 85 over a day without irrigation; rain beyond field capacity drains."""
    total = total_cmm(zone)
    etc = crop_cmm(zone, et0_cmm)
    lost = etc * stress_permille(total, readily_cmm(zone, etc), depletion) // 1000
    return bounded(total, depletion + lost - effective_cmm(rain_cmm, et0_cmm))


def bounded(total: int, depletion: int) -> int:
    """Computes FAO-56 equation 86: the depletion within 0 and TAW."""
    return min(total, max(0, depletion))


# For one zone and start: seconds in all, seconds of the longest cycle, seconds of soak after one (0: a single cycle).
CyclePlan = namedtuple("CyclePlan", ("total_s", "cycle_s", "soak_s"))

# For slopes up to this in %: intake in % of that on flat ground (Rain Bird, after USDA), column of the surface table.
_SLOPES = ((3, 100, 0), (4, 100, 1), (6, 75, 1), (8, 75, 2), (12, 50, 2), (15, 50, 3))
_STEEPEST = (40, 3)


def rate_dmm_h(zone, flow_ml_min: int) -> int:
    """Returns the application rate in 0.1 mm/h; 1 mL on 1 dm2 is 0.1 mm."""
    return max(1, 60 * flow_ml_min // zone.area_dm2)


def intake_dmm_h(zone) -> int:
    """Returns the intake of the soil on this slope, 0.1 mm/h."""
    return policy.SOILS[zone.soil][policy.INTAKE_DMM_H] * _slope(zone)[0] // 100


def surface_dmm(zone) -> int:
    """Returns the depth of water that may stand on the surface, 0.1 mm."""
    return policy.SOILS[zone.soil][policy.SURFACE_DMM][_slope(zone)[1]]


def run_s(zone, flow_ml_min: int, net_cmm: int) -> int:
    """Returns the seconds that bring `net_cmm` to the roots, at most the zone's longest run; 0 for zero depth."""
    if net_cmm <= 0:
        return 0
    # 0.01 mm = 0.1 of 0.1 mm: net/10 dmm at the roots is net/10 * 100/efficiency on the ground.
    ground_dmm = 10 * net_cmm // policy.efficiency_percent(zone)
    return min(zone.run_max_s, max(1, 3600 * ground_dmm // rate_dmm_h(zone, flow_ml_min)))


def net_cmm(zone, volume_ml: int) -> int:
    """Returns the depth at the roots of a volume, 0.01 mm: the inverse of `run_s`."""
    return volume_ml * policy.efficiency_percent(zone) // (10 * zone.area_dm2)


def plan_cycles(zone, flow_ml_min: int, total_s: int) -> CyclePlan:
    """Divides `total_s` of watering into equal cycles that do not run off."""
    rate, intake = rate_dmm_h(zone, flow_ml_min), intake_dmm_h(zone)
    if rate <= intake or total_s <= 0:
        return CyclePlan(total_s, total_s, 0)
    surface = surface_dmm(zone)
    longest_s = max(limits.CYCLE_S_MIN, 3600 * surface // (rate - intake))
    if total_s <= longest_s:
        return CyclePlan(total_s, total_s, 0)
    cycles = (total_s + longest_s - 1) // longest_s
    soak_s = min(limits.SOAK_S_MAX, max(limits.SOAK_S_MIN, 3600 * surface // max(1, intake)))
    return CyclePlan(total_s, (total_s + cycles - 1) // cycles, soak_s)


def _slope(zone):
    for steepest, percent, column in _SLOPES:
        if zone.slope_percent <= steepest:
            return (percent, column)
    return _STEEPEST


class WaterBalance:
    """Holds the balance of all zones, numbered from 1 as their channels are. `memory`: a memory.WateringMemory."""

    def __init__(self, watering, weather, memory):
        self._zones = watering.zones
        self._weather = weather
        self.closed_day = memory.closed_day
        self.et0_cmm = memory.et0_cmm
        self.rung = None
        self.depletion_cmm = []
        self.flows = []
        self.references = []
        self.irrigated_ml = []
        for i in range(len(self._zones)):
            zone, kept = self._zones[i], memory.zones[i]
            total = total_cmm(zone)
            depletion = kept.depletion_cmm
            if depletion is None:
                depletion = readily_cmm(zone, 400) // 2
            self.depletion_cmm.append(bounded(total, depletion))
            self.flows.append(list(kept.flows))
            self.references.append(kept.reference_percent)
            self._refer(i)
            self.irrigated_ml.append(kept.irrigated_dmm * zone.area_dm2)

    def zone(self, zone: int):
        return self._zones[zone - 1]

    def flow(self, zone: int) -> int:
        """Returns the usual flow of the zone, mL/min: as learned, but at most DRIFT_PERCENT from its reference."""
        reference = self.reference(zone)
        span = reference * limits.DRIFT_PERCENT // 100
        return min(reference + span, max(reference - span, self.learned(zone)))

    def learned(self, zone: int) -> int:
        """Returns the flow of the zone in its last clean runs, including its drift."""
        return flow.nominal(self.flows[zone - 1], self.reference(zone))

    def reference(self, zone: int) -> int:
        """Returns the flow of the zone when it was new, mL/min; the design until that is known."""
        return self._zones[zone - 1].flow_ml_min * (self.references[zone - 1] or 100) // 100

    def group(self, zone: int) -> int:
        return self._zones[zone - 1].group

    def close_days(self, local, directives) -> bool:
        """Brings the balance up to the last day that can be closed at a civil.Local time; returns True when there was
        one."""
        last = local.civil_day - (1 if local.second >= 3600 * limits.CLOSE_HOUR else 2)
        if self.closed_day == 0 or self.closed_day > last + 2:
            # The node is new, or a clock that was far ahead closed days: the balance restarts from here.
            self.closed_day = last
            return False
        if self.closed_day >= last:
            return False
        first = max(self.closed_day + 1, last - limits.DAYS_MISSED_MAX)
        for day in range(first, last):
            self._close(self._weather.climate_cmm(day), self._weather.fallen_cmm(day))
        self.et0_cmm, self.rung, rain_cmm = self._weather.close(last, directives)
        self._close(self.et0_cmm, rain_cmm)
        self.closed_day = last
        return True

    def lacking_cmm(self, zone: int) -> int:
        """Returns the depletion now.

        Rain since the last closed day is subtracted here, and booked when its day is closed. Each day is judged alone,
        as it will be when it is closed: two drizzles do not make a rain.
        """
        before_cmm, today_cmm = self._weather.open_rains_cmm(self.closed_day)
        fallen = effective_cmm(before_cmm, self.et0_cmm) + effective_cmm(today_cmm, self.et0_cmm)
        return max(0, self.depletion_cmm[zone - 1] - fallen)

    def trigger_cmm(self, zone: int) -> int:
        """Returns the depletion from which the zone is watered.

        At it, RAW would be passed before tomorrow's start if today is like the last day that was closed.
        """
        one = self.zone(zone)
        etc = crop_cmm(one, self.et0_cmm or 400)
        return max(0, readily_cmm(one, etc) - etc)

    def stressed(self, zone: int) -> bool:
        """Returns True once half of the water beyond RAW is used too: forecasts are then no longer believed."""
        one = self.zone(zone)
        readily = readily_cmm(one, crop_cmm(one, self.et0_cmm or 400))
        return 2 * (self.lacking_cmm(zone) - readily) >= total_cmm(one) - readily

    def _plan(self, zone: int, net_cmm: int):
        """Returns the CyclePlan of a run that brings `net_cmm` to the roots."""
        one, rate = self.zone(zone), self.flow(zone)
        return plan_cycles(one, rate, run_s(one, rate, net_cmm))

    def plan_for(self, program, zone: int):
        """Returns the CyclePlan of what a program would bring now."""
        return self._plan(zone, 10 * program.depth_dmm or self.lacking_cmm(zone))

    def zones_of(self, program) -> list:
        return [zone for zone in range(1, len(self._zones) + 1) if program.zones >> (zone - 1) & 1]

    def is_due(self, program, zone: int) -> bool:
        """Returns True if a program of the balance waters the zone.

        On a hot day in sand, one day takes more than RAW and the trigger is 0. A zone that lacks less than the water of
        the shortest cycle is not watered even then.
        """
        enough = self.lacking_cmm(zone) >= self.trigger_cmm(zone)
        return enough and self.plan_for(program, zone).total_s >= limits.CYCLE_S_MIN

    def planned_s(self, program, refuse, doubts, main_max_ml_min: int, moment) -> int:
        """Returns how long a program would take now, in s.

        It is the longest of its groups, its soaks, and the time that the main needs to feed it; then come the zones
        that run alone, one by one. `refuse` is that of runs.Runs.tick, `doubts` guard.PipeGuard's.
        """
        groups = {}
        longest = volume_ml = alone_s = 0
        for zone in self.zones_of(program):
            if program.depth_dmm or self.is_due(program, zone):
                refusal = refuse(zone, moment)[0]
                if refusal is not None and not refusal.holds:
                    continue
                plan, group = self.plan_for(program, zone), self.group(zone)
                beside_s = plan.total_s
                if doubts(zone):
                    beside_s, alone_s = 0, alone_s + plan.total_s
                groups[group] = groups.get(group, 0) + beside_s
                volume_ml += beside_s * self.flow(zone) // 60
                if plan.cycle_s:
                    cycles_count = (plan.total_s + plan.cycle_s - 1) // plan.cycle_s
                    longest = max(longest, beside_s + (cycles_count - 1) * plan.soak_s)
        for total_s in groups.values():
            longest = max(longest, total_s)
        return alone_s + max(longest, 60 * volume_ml // main_max_ml_min)

    def credit(self, zone: int, volume_ml: int) -> None:
        """Books water that the zone has received."""
        i = zone - 1
        one = self._zones[i]
        self.irrigated_ml[i] += volume_ml
        left = self.depletion_cmm[i] - net_cmm(one, volume_ml)
        self.depletion_cmm[i] = bounded(total_cmm(one), left)

    def learn(self, zone: int, flow_ml_min: int) -> None:
        """Learns from the flow of a clean run."""
        flow.remember(self.flows[zone - 1], flow_ml_min)
        self._refer(zone - 1)

    def _refer(self, i):
        """Makes the first clean runs the zone's reference, permanently.

        Other nozzles come with another flow in the policy, and the reference is a share of that flow.
        """
        design = self._zones[i].flow_ml_min
        if not self.references[i] and len(self.flows[i]) >= limits.CLEAN_RUNS_MIN:
            percent = (100 * flow.nominal(self.flows[i], design) + design // 2) // design
            self.references[i] = min(limits.REFERENCE_PERCENT_MAX, max(limits.REFERENCE_PERCENT_MIN, percent))

    def _close(self, et0_cmm, rain_cmm):
        for i in range(len(self._zones)):
            self.depletion_cmm[i] = after_day(self._zones[i], self.depletion_cmm[i], et0_cmm, rain_cmm)
