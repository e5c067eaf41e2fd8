"""Waters one green space: composes policy, weather, water balance, schedule, runs, valves and guard (`node.trade`).

`outputs` is the `valves.Valves` itself: the ports call its `tick` each turn, and it shuts what is past its deadline
whether or not `decide` ever runs again. Precedence: a lock at the node > what is broken (a latched burst, a bad coil) >
a test at the node > the law > dry hours that a person ordered > the programme. A person cannot order water: outside
the programme it would have neither depth nor window.

Without a usable clock no programme begins and a run under way ends, for its hour may be a forbidden one; a lawn may
wait. Durations are measured by the monotonic clock. After a start all valves are shut.

Long because the machines of a green space meet here; each is a module of its own.
"""

from node.trade import TEST, Trade
from policy import civil
from policy import watering as policy
from watering import inputs, limits, lockouts, memory, runs, technician
from watering.balance import WaterBalance
from watering.flow import WaterMeter
from watering.guard import PipeGuard
from watering.lockouts import BatteryStore
from watering.schedule import ClockWatch, Schedule
from watering.valves import MASTER, Valves
from watering.weather import Weather
from wire import directive, event, quantity

KIND = "irrigation"

# Rules that open a valve, as its event carries them; the reason is the program's number from 1.
BALANCE, DEPTH = "balance", "depth"
DEADLINE = "deadline"

# What changes slowly is brought up to date in the turn of a sample; a programme begins at its second.
_SLOW_MS = limits.IDLE_MS
# With a clock that is good enough it changes with a day, with the hour at which one is closed, and with a programme.
_REST_MS = 5 * limits.IDLE_MS


class WateringTrade(Trade):
    """Runs one irrigation node. `own`: watering.settings.Own; `start`: kinds.Start.

    Its machines are public for the parts of the trade that are loaded for a task only: `technician`, `sleep_image`.
    """

    kind = KIND
    directives = (
        directive.OUTDOOR_TEMPERATURE, directive.TEMPERATURE_MIN_6H, directive.EVAPOTRANSPIRATION, directive.RAIN_DAY,
        directive.RAIN_FORECAST, directive.WIND_SPEED, directive.DROUGHT_LEVEL, directive.WEATHER_DAY, directive.DRY,
    )  # fmt: skip

    def __init__(self, own, start):
        kept, now_ms = memory.decode(start.memory), start.now_ms
        self.own = own
        # From before this start: litres, then openings of master and zones; and zones that this policy does not have.
        self._before = (kept.volume_l, kept.master_openings) + tuple([zone.openings for zone in kept.zones])
        self._other_zones = kept.zones[len(own.policy.zones) :]
        self._events = []
        self.weather = Weather(own, kept.rain_cmm, kept.rain_day or None)
        # When the rain sensor's delay ends by UTC, if it began before this start; 0 once the time is known.
        self._dry_until_s = kept.dry_until
        if kept.dry_until < memory.RELATIVE_S:
            self.weather.restore_wet(kept.dry_until, now_ms=now_ms)
            self._dry_until_s = 0
        self.balance = WaterBalance(own.policy, self.weather, kept)
        self._drought = kept.drought  # last known level, perhaps from before this start; None: no level has come yet
        self.schedule = Schedule(own.policy.programs, own.site, kept.marks[: len(own.policy.programs)], now_ms=now_ms)
        self.battery = BatteryStore(own)
        self.outputs = Valves(own.kinds, gap_ms=own.gap_ms, now_ms=now_ms)
        self.meter = WaterMeter(own.pulse_ul, len(own.policy.zones), now_ms=now_ms)
        main_max = own.main_max_ml_min
        self.guard = PipeGuard(self.outputs, self.balance, self.meter, main_max, kept, self._report)
        self.runs = runs.Runs(self.outputs, own.supplies, self.balance.group, self.balance.flow, main_max)
        # The longest lead of master and pump before the first zone.
        self.lead_s = max(0, own.supplies[0][0], own.supplies[1][0])
        self.test_ms = technician.test_ms(len(own.policy.zones), self.lead_s)
        self.followed = None  # the value of `local` that has been acted upon
        self._slow_ms = now_ms
        self._next_ms = None  # when the next programme begins
        self.clock = ClockWatch(self._report, now_ms=now_ms)
        self._sample_ms = now_ms
        self._latest = {}
        self._soil = {}  # for zones with a probe: (moisture, when, moisture from which on nothing is lacking)
        self._last = None  # the Moment of the last sample or turn: `memory` is called without one
        self.health_odd = False

    # --- events in ------------------------------------------------------------------------------------------

    def sample(self, values, moment) -> None:
        now_ms = moment.now_ms
        values = values or {}
        kept = self.keeps
        self._last = moment
        self._sample_ms = now_ms
        self._latest = values
        self._expose(now_ms)
        pulses = values.get(inputs.METER_PULSES)
        self.meter.sample(pulses, now_ms=now_ms)
        self.keeps += self.weather.sample(
            values, wet_key=inputs.RAIN_WET, tips_key=inputs.RAIN_TIPS, now_ms=now_ms
        )
        self._sample_soil(values, now_ms)
        battery_mv = values.get(quantity.BATTERY)
        if (low := self.battery.sample(battery_mv, values.get(inputs.BOOST_MV), now_ms=now_ms)) is not None:
            self._report(event.BATTERY_LOW, low, (battery_mv,))
        stop = self.guard.sample(pulses is None, now_ms=now_ms)
        if stop is not None:
            self.runs.stop(stop[0], stop[1], stop[2], now_ms=now_ms)
            self._report_runs(self.runs.drain(), now_ms)
        if self.decided_until_ms is not None and self._slow_ms - now_ms <= _SLOW_MS:
            self._slow_ms = now_ms  # in the turn of this sample, and not in one of its own soon after
        if now_ms >= self._slow_ms or self._events or self.keeps != kept or not self._is_at_rest(now_ms):
            self.decided_until_ms = None

    def decide(self, moment) -> None:
        now_ms = moment.now_ms
        self._last = moment
        if self.local != self.followed:
            technician.follow(self, now_ms=now_ms)
        self._report_runs(self.runs.drain(), now_ms)
        last = self._drought
        self._drought_level(moment)
        self.keeps += self._drought != last
        if self.outputs.overrun:
            self._overrun()
        if now_ms >= self._slow_ms or self.clock.has_stepped(moment):
            self._slow_ms = now_ms + _SLOW_MS - (now_ms - self._sample_ms) % _SLOW_MS
            self._slow(moment)
        if self.runs.jobs or self.outputs.any_open():
            self._report_runs(self.runs.tick(self.refuse, moment), now_ms)
        self.outputs.prepares = bool(self.runs.jobs)
        starts, under_way = self.schedule, 0
        if starts.under_way:
            for job in self.runs.jobs:
                under_way |= 1 << job.by[1]
            if starts.under_way & ~under_way:
                starts.under_way &= under_way
                self.keeps += 1
        holds = self.local is None and self._is_at_rest(now_ms)
        self.decided_until_ms = self._slow_ms if holds else None

    # --- effects out ----------------------------------------------------------------------------------------

    def drain_events(self) -> list:
        drained, self._events = self._events, []
        return drained

    def readings(self, moment) -> dict:
        found = {}
        for code in (quantity.TEMPERATURE, quantity.HUMIDITY, quantity.WIND_SPEED, quantity.BATTERY):
            if code in self._latest:
                found[code] = self._latest[code]
        for zone in self._soil:
            if moment.now_ms - self._soil[zone][1] <= limits.READING_MAX_MS:
                found[quantity.key(quantity.SOIL_MOISTURE, zone)] = self._soil[zone][0]
        if self.meter.present():
            found[quantity.WATER_VOLUME] = self._volume_l()
            rate = self.meter.flow_ml_min()
            if rate is not None:
                found[quantity.WATER_FLOW] = rate // 60
        if self.own.tip_cmm:
            found[quantity.RAIN] = self.weather.today.rain_cmm // 10
        for zone in range(1, len(self.own.policy.zones) + 1):
            found[quantity.key(quantity.ROOT_DEPLETION, zone)] = self.balance.depletion_cmm[zone - 1] // 10
        return found

    def health(self, moment) -> dict:
        """Returns irrigation and valve openings in turn: both at once do not fit a record."""
        found = {quantity.EVAPOTRANSPIRATION: self.balance.et0_cmm}
        found[quantity.SENSOR_FAULTS] = self.weather.refused + self.meter.refused
        self.health_odd = not self.health_odd
        for zone in range(1, len(self.own.policy.zones) + 1):
            if self.health_odd:
                found[quantity.key(quantity.WATER_APPLIED, zone)] = self._irrigated_dmm(zone)
            else:
                found[quantity.key(quantity.VALVE_OPENINGS, zone)] = self._openings(zone)
        if not self.health_odd:
            found[quantity.key(quantity.VALVE_OPENINGS, 0)] = self._openings(MASTER)
        return found

    def deadline_ms(self, now_ms):
        due_ms = self._slow_ms
        for other_ms in (self.outputs.wake_ms(now_ms), self.runs.wake_ms(now_ms)):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    def wants_sample_ms(self, now_ms):
        # A closing that cannot be given is reported soon: its valve may be open.
        if self.outputs.any_open() or not self.outputs.ready():
            return self._sample_ms + limits.WATCH_MS
        # A job may wait for the wind to drop, or for the capacitor: readings at the usual period come too late for it.
        watched = self.meter.present() or self.runs.jobs
        return self._sample_ms + limits.IDLE_MS if watched else None

    def is_sound(self, moment) -> bool:
        return self.guard.is_sound()

    def may_restart(self, moment) -> bool:
        return not self.runs.jobs and not self.outputs.any_open() and self.outputs.ready()

    def may_write(self, now_ms) -> bool:
        return self.outputs.tick(now_ms=now_ms).pulse is None

    def memory(self, now_ms, sleeps=False) -> bytes:
        """Returns the bytes of node.trade.

        `sleeps`: the jobs go through a sleep beside it, so a programme that has begun is marked.
        """
        zones, balance = [], self.balance
        for i in range(len(self.own.policy.zones)):
            had = (balance.depletion_cmm[i], tuple(balance.flows[i]), self._irrigated_dmm(i + 1), self._openings(i + 1))
            zones.append(memory.ZoneMemory(*had, balance.references[i]))
        # A programme that is under way is not marked on flash: if it is cut off, it waters what is left
        # (`Schedule.due`).
        under_way = 0 if sleeps else self.schedule.under_way
        marks = [mark - (under_way >> (i + 1) & 1) for i, mark in enumerate(self.schedule.marks)]
        while len(marks) < memory.PROGRAMS:
            marks.append(0)
        burst, today = self.guard.burst, self.weather.today
        return memory.encode(
            memory.WateringMemory(
                tuple(zones) + self._other_zones, self._volume_l(), self._openings(MASTER), balance.closed_day,
                today.civil_day or 0, sum(self.weather.open_rains_cmm(balance.closed_day)), self._drought,
                None if burst is None else burst[0], 0 if burst is None else burst[1], tuple(marks),
                self.guard.coils_ma, balance.et0_cmm, self._dry_until(now_ms),
            )
        )  # fmt: skip

    # --- inside ---------------------------------------------------------------------------------------------

    def _slow(self, moment):
        """Brings up to date what changes slowly: the day, the balance, the programmes."""
        usable = lockouts.usable(moment)
        self.clock.observe(moment, usable)
        self._next_ms = None
        if not usable:
            return
        self.weather.restore_wet(self._dry_until_s - moment.unix_s, now_ms=moment.now_ms)
        self._dry_until_s = 0
        local = civil.local_from_unix(civil.PARIS, moment.unix_s)
        self.weather.turn_to(local.civil_day)
        self.balance.close_days(local, moment.directives)
        due = None
        if self.local != TEST:  # a programme that is due begins after the test
            due = self.schedule.due(local.civil_day, moment, self._planned_s)
            if due is not None:
                self._begin(due[0], due[1], due[2], moment)
                self._slow_ms = moment.now_ms  # another that is due begins in the next turn
        if due is None and self._is_at_rest(moment.now_ms):
            closing_s = 3600 * limits.CLOSE_HOUR
            day_ms = 1000 * ((closing_s if local.second < closing_s else civil.day_s) - local.second)
            self._slow_ms = moment.now_ms + min(_REST_MS, day_ms) + _SLOW_MS
        next_s = self.schedule.next_s(local.civil_day, moment, self._planned_s)
        if next_s is not None:
            self._next_ms = moment.now_ms + 1000 * (next_s - moment.unix_s)
            self._slow_ms = min(self._slow_ms, self._next_ms)

    def _is_at_rest(self, now_ms) -> bool:
        """Returns whether nothing is open, is to be shut, or waits to be opened."""
        return self.outputs.wake_ms(now_ms) is None and self.runs.wake_ms(now_ms) is None

    def _begin(self, index, elapsed_s, is_missed, moment):
        """Makes a job for each zone of a program that needs one; reports why the others get none."""
        program = self.own.policy.programs[index]
        self.guard.new_start()
        self.schedule.under_way |= 1 << (index + 1)
        # The time that other programs still need on the same main does not make this one late.
        before_s = sum([job.remaining_s for job in self.runs.jobs])
        planned_s, known = None, {}
        by = (DEPTH if program.depth_dmm else BALANCE, index + 1)

        def refuse(zone, moment):  # keeps one answer for each zone: the plan asks again
            if zone not in known:
                known[zone] = self.refuse(zone, moment)
            return known[zone]

        for zone in self.balance.zones_of(program):
            refusal = lockouts.Refusal(lockouts.TIME, index + 1, False) if is_missed else None
            if refusal is None:
                refusal = self._unneeded(program, zone, moment)
            if refusal is None:
                refusal = refuse(zone, moment)[0]
                refusal = None if refusal is not None and refusal.holds else refusal
            if refusal is not None:
                self._report(event.WATERING_SKIPPED, None, (zone, refusal.why, refusal.value))
                continue
            plan = self.balance.plan_for(program, zone)
            had_s = min(elapsed_s, plan.total_s)
            elapsed_s -= had_s
            if plan.total_s - had_s < min(plan.total_s, limits.CYCLE_S_MIN):
                self._report(event.WATERING_SKIPPED, None, (zone, lockouts.TIME, index + 1))
                continue
            if planned_s is None:
                planned_s = self._planned_s(index, moment, refuse)
            give_up_ms = moment.now_ms + 1000 * (limits.HOLD_S + before_s + planned_s)
            job = runs.Job(zone, plan, by, ready_ms=moment.now_ms, give_up_ms=give_up_ms)
            job.remaining_s -= had_s
            if not self.runs.add(job):  # another program waters it
                self._report(event.WATERING_SKIPPED, None, (zone, lockouts.TIME, index + 1))
            elif self.guard.doubts(zone):
                self.runs.alone |= 1 << zone

    def _unneeded(self, program, zone, moment):
        """Returns the Refusal of a zone for which a program has nothing to do, or None."""
        lacking = self.balance.lacking_cmm(zone)
        if not program.depth_dmm and not self.balance.is_due(program, zone):
            return lockouts.Refusal(lockouts.SATISFIED, lacking // 10, False)
        fallen = lockouts.by_rain(self.weather, moment) if program.depth_dmm else None
        if fallen is not None:
            return fallen
        if self.balance.stressed(zone):
            return None  # a forecast and a probe are believed for a limited time only
        known = self._soil.get(zone, (0, 0, 1))
        if known[0] >= known[2] and moment.now_ms - known[1] <= limits.READING_MAX_MS:
            return lockouts.Refusal(lockouts.SATISFIED, known[0], False)
        return lockouts.by_forecast(self.weather, moment)

    def refuse(self, zone, moment):
        """Returns (Refusal or None, seconds that the zone may run)."""
        one = self.balance.zone(zone)
        if self.local is not None:
            return technician.refuses(self, zone, now_ms=moment.now_ms)
        refusal = self.guard.refuses(zone)
        if refusal is not None:
            return (refusal, 0)
        if not lockouts.usable(moment):
            return (lockouts.Refusal(lockouts.TIME, 0, False), 0)
        level = self._drought_level(moment)
        free_s = lockouts.lawful_s(self.own.policy, one, level, moment)
        refusal = None if free_s else lockouts.by_law(self.own.policy, one, level, moment)
        if refusal is None and lockouts.kept_dry(moment):
            refusal = lockouts.Refusal(lockouts.ORDER, 0, False)
        if refusal is None:
            refusal = lockouts.by_weather(self.weather, one, moment)
        if refusal is None:
            refusal = lockouts.by_energy(self.battery, self.outputs, zone, now_ms=moment.now_ms)
        if refusal is not None:
            return (refusal, 0)
        return (None, free_s)

    def _drought_level(self, moment) -> int:
        """Returns the drought level that binds now. The directive is a lease; the last level is kept beyond it."""
        level = moment.directives.get(directive.DROUGHT_LEVEL)
        if level is not None and policy.NONE <= level <= policy.CRISE:
            self._drought = level
        else:
            level = None
        return policy.level_in_force(level, self._drought)

    def _planned_s(self, index, moment, refuse=None):
        """Returns how long a program would take now. `refuse`: `self.refuse`, or a function that keeps its answers."""
        program, main_max_ml_min = self.own.policy.programs[index], self.own.main_max_ml_min
        refuse = refuse or self.refuse
        return self.lead_s + self.balance.planned_s(program, refuse, self.guard.doubts, main_max_ml_min, moment)

    def _report_runs(self, happened, now_ms):
        """Turns RunEvents into events for the centre, and books the water."""
        for one in happened:
            if one.what in (runs.OPENED, runs.SHUT):
                self._switched(one, now_ms)
            elif one.what == runs.DONE:
                self._done(one)
            elif one.job.by[0] != TEST or one.why in (lockouts.BURST, lockouts.VALVE, lockouts.ENERGY):
                self._report(event.WATERING_SKIPPED, None, (one.zone, one.why, one.value))

    def _switched(self, one, now_ms):
        opened, job = one.what == runs.OPENED, one.job
        if job is not None:
            self._expose(now_ms, job, opened)
            if not opened:
                self.guard.observe_end(job.zone, job.remaining_s <= 0 or one.value >= limits.CLEAN_S_MIN)
            self.guard.observe_open(self.runs.open_zones(), now_ms=now_ms)
        rule, reason = (BALANCE, 0) if job is None else job.by
        if self.local is not None:
            rule, reason = self.local, 0
        self._report(event.VALVE_SWITCHED, None, (one.zone, opened, rule, reason, one.value if opened else 0))
        if not opened and job is not None:
            self._credit(job, one.value)

    def _credit(self, job, ran_s):
        """Books what the cycle has brought: measured where there is a meter, else by its usual flow."""
        one = self.balance.zone(job.zone)
        if self.meter.present() and one.metered and not self.guard.meter_silent():
            # Water between the last sample and the closing counts with the zone's next cycle.
            volume_ml = self.meter.drain_zone_ml(job.zone - 1)
        else:
            volume_ml = self.balance.flow(job.zone) * ran_s // 60
        job.volume_ml += volume_ml
        self.balance.credit(job.zone, volume_ml)

    def _done(self, one):
        job, zone = one.job, self.balance.zone(one.zone)
        metered = self.meter.present() and zone.metered
        depth_dmm = job.volume_ml // zone.area_dm2
        volume = job.volume_ml if metered else None
        self._report(event.WATERING_DONE, None, (one.zone, job.open_ms // 1000, volume, depth_dmm, one.why))

    def _expose(self, now_ms, job=None, opened=False):
        """Gives the meter the zones that were open until now, when this job's zone has just been opened or shut."""
        zones = self.runs.open_zones()
        if job is not None:
            zones = [zone for zone in zones if zone != job.zone] + ([] if opened else [job.zone])
        flows = {zone - 1: self.balance.flow(zone) for zone in zones if self.balance.zone(zone).metered}
        self.meter.expose(flows, now_ms=now_ms)

    def _overrun(self):
        """Reports valves that were shut by their own deadline, because the scheduler was late."""
        over, self.outputs.overrun = self.outputs.overrun, 0
        for output in range(len(self.own.policy.zones) + 1):
            if over >> output & 1:
                self._report(event.VALVE_SWITCHED, None, (output, False, DEADLINE, 0, 0))

    def _sample_soil(self, values, now_ms):
        for i, probe in enumerate(self.own.soil):
            mv = values.get(inputs.SOIL_MV + i)
            permille = None if mv is None else lockouts.soil_permille(probe, mv)
            if permille is not None:
                self._soil[probe.zone] = (permille, now_ms, probe.enough_permille)
            elif mv is not None:
                self.weather.refused += 1

    def _dry_until(self, now_ms):
        """Returns `dry_until` of memory.WateringMemory."""
        left_s, moment = self.weather.wet_for_s(now_ms), self._last
        if self._dry_until_s or not left_s or moment is None or moment.unix_s is None:
            return self._dry_until_s or left_s
        return moment.unix_s + (now_ms - moment.now_ms) // 1000 + left_s

    def _irrigated_dmm(self, zone):
        return self.balance.irrigated_ml[zone - 1] // self.own.policy.zones[zone - 1].area_dm2

    def _openings(self, output):
        return self._before[1 + output] + self.outputs.openings[output]

    def _volume_l(self):
        return self._before[0] + self.meter.total_ml // 1000

    def _report(self, code, active, detail):
        self.keeps += code == event.PIPE_BURST  # a burst has begun or ended: the memory goes to flash at once
        self._events.append((code, active, detail))
