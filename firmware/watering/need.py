"""What each zone needs: the water balance from day to day, what waters credit to it, and how long to run for it.

A civil day is closed once, some hours after its midnight, when the gateway's figures of it have come; days that
passed without a clock are made up for by climatology, so that weeks without a gateway end in a thirsty lawn being
watered and not in a forgotten one.
"""

from policy import civil
from watering import balance, cycles, flow, limits


class Need:
    """`memory`: a watering.memory.Memory. Zones are counted from 1, as their channels are."""

    def __init__(self, policy, weather, memory):
        self._zones = policy.zones
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
            total = balance.total_cmm(zone)
            depletion = kept.depletion_cmm
            if depletion is None:
                depletion = balance.readily_cmm(zone, 400) // 2
            self.depletion_cmm.append(balance.bounded(total, depletion))
            self.flows.append(list(kept.flows))
            self.references.append(kept.reference_percent)
            self._refer(i)
            self.irrigated_ml.append(kept.irrigated_dmm * zone.area_dm2)

    def zone(self, zone: int):
        return self._zones[zone - 1]

    def flow(self, zone: int) -> int:
        """What the zone usually passes, mL/min: as learned, but no further from its reference than DRIFT_PERCENT."""
        reference = self.reference(zone)
        span = reference * limits.DRIFT_PERCENT // 100
        return min(reference + span, max(reference - span, self.learned(zone)))

    def learned(self, zone: int) -> int:
        """The same, as far as it has drifted."""
        return flow.nominal(self.flows[zone - 1], self.reference(zone))

    def reference(self, zone: int) -> int:
        """What the zone passed when it was new, mL/min; the design until that is known."""
        return self._zones[zone - 1].flow_ml_min * (self.references[zone - 1] or 100) // 100

    def group(self, zone: int) -> int:
        return self._zones[zone - 1].group

    def close_days(self, unix_s: int, directives) -> bool:
        """Bring the balance up to the last day that can be closed; True when there was one."""
        local = civil.local_from_unix(civil.PARIS, unix_s)
        last = local.civil_day - (1 if local.second >= 3600 * limits.CLOSE_HOUR else 2)
        if self.closed_day == 0 or self.closed_day > last + 2:
            # New, or closed by a clock that was far ahead: the balance goes on from here.
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
        """Depletion now: what rain has fallen since the last closed day is taken off in thought, not booked."""
        fallen = balance.effective_cmm(self._weather.open_rain_cmm(self.closed_day), self.et0_cmm)
        return max(0, self.depletion_cmm[zone - 1] - fallen)

    def trigger_cmm(self, zone: int) -> int:
        """Depletion from which on the zone is watered: RAW would be passed before tomorrow's start, if today is like
        the last day that was closed."""
        one = self.zone(zone)
        etc = balance.crop_cmm(one, self.et0_cmm or 400)
        return max(0, balance.readily_cmm(one, etc) - etc)

    def stressed(self, zone: int) -> bool:
        """True once half of what is left beyond RAW is used too: a forecast has been believed for long enough."""
        one = self.zone(zone)
        readily = balance.readily_cmm(one, balance.crop_cmm(one, self.et0_cmm or 400))
        return 2 * (self.lacking_cmm(zone) - readily) >= balance.total_cmm(one) - readily

    def cut(self, zone: int, net_cmm: int):
        """cycles.Cut of a run that brings `net_cmm` to the roots."""
        one, rate = self.zone(zone), self.flow(zone)
        return cycles.cut(one, rate, cycles.run_s(one, rate, net_cmm))

    def cut_for(self, program, zone: int):
        """cycles.Cut of what a program would bring now."""
        return self.cut(zone, 10 * program.depth_dmm or self.lacking_cmm(zone))

    def zones_of(self, program) -> list:
        return [zone for zone in range(1, len(self._zones) + 1) if program.zones >> (zone - 1) & 1]

    def is_due(self, program, zone: int) -> bool:
        """Whether a program of the balance waters the zone. On a hot day in sand a day takes more than RAW and the
        trigger is 0: what lacks less than a least cycle's water needs no valve all the same."""
        enough = self.lacking_cmm(zone) >= self.trigger_cmm(zone)
        return enough and self.cut_for(program, zone).total_s >= limits.CYCLE_S_MIN

    def planned_s(self, program, refuse, doubts, main_max_ml_min: int) -> int:
        """How long a program would take now: of its groups the longest, of its soaks likewise, and what the main can
        feed; then those that run alone, one by one. `refuse` as of runs.Runs.tick, `doubts(zone)` of guard.Guard."""
        groups = {}
        longest = volume_ml = alone_s = 0
        for zone in self.zones_of(program):
            if program.depth_dmm or self.is_due(program, zone):
                refusal = refuse(zone)[0]
                if refusal is not None and not refusal.holds:
                    continue
                cut, group = self.cut_for(program, zone), self.group(zone)
                beside_s = cut.total_s
                if doubts(zone):
                    beside_s, alone_s = 0, alone_s + cut.total_s
                groups[group] = groups.get(group, 0) + beside_s
                volume_ml += beside_s * self.flow(zone) // 60
                if cut.cycle_s:
                    cycles_count = (cut.total_s + cut.cycle_s - 1) // cut.cycle_s
                    longest = max(longest, beside_s + (cycles_count - 1) * cut.soak_s)
        for total_s in groups.values():
            longest = max(longest, total_s)
        return alone_s + max(longest, 60 * volume_ml // main_max_ml_min)

    def credit(self, zone: int, volume_ml: int) -> None:
        """Water that the zone has had."""
        i = zone - 1
        one = self._zones[i]
        self.irrigated_ml[i] += volume_ml
        left = self.depletion_cmm[i] - cycles.net_cmm(one, volume_ml)
        self.depletion_cmm[i] = balance.bounded(balance.total_cmm(one), left)

    def learn(self, zone: int, flow_ml_min: int) -> None:
        """The flow of a clean run."""
        flow.remember(self.flows[zone - 1], flow_ml_min)
        self._refer(zone - 1)

    def _refer(self, i):
        """The first clean runs are the zone's reference, for good: other nozzles come with another flow in the policy,
        which the reference is a part of."""
        design = self._zones[i].flow_ml_min
        if not self.references[i] and len(self.flows[i]) >= limits.CLEAN_RUNS_MIN:
            percent = (100 * flow.nominal(self.flows[i], design) + design // 2) // design
            self.references[i] = min(limits.REFERENCE_PERCENT_MAX, max(limits.REFERENCE_PERCENT_MIN, percent))

    def _close(self, et0_cmm, rain_cmm):
        for i in range(len(self._zones)):
            self.depletion_cmm[i] = balance.after_day(self._zones[i], self.depletion_cmm[i], et0_cmm, rain_cmm)
