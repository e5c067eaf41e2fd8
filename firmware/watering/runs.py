"""Runs the zones in cycles with soaks between them, with master valve and pump around them.

A job is the water that one zone must still receive. While one zone soaks another runs; zones of one hydraulic group
never run together, nor more zones together than the main can feed. Master and pump open before the first zone by their
lead and shut after the last by their lag, either of which may be negative. Every opening gives its duration to
`valves`, which shuts it MARGIN_S after the cycle's end even if nothing here ever runs again.

This module decides when a zone runs. Whether it may run is decided by `refuse(zone, moment)`, called every few seconds.
"""

from collections import namedtuple

from node.trade import TEST
from watering import limits
from watering.valves import MASTER, PUMP

# `what`: OPENED and SHUT of a valve (zone 0: the master), DONE and SKIPPED of a job. `why`: the cause of its end.
RunEvent = namedtuple("RunEvent", ("what", "zone", "job", "why", "value"))
OPENED, SHUT, DONE, SKIPPED = "opened", "shut", "done", "skipped"
COMPLETE = "complete"

MARGIN_S = 5
# Weather, law and orders are checked this often; windows of the law are widened by more (lockouts).
_CHECK_MS = 5000
# A run that waits (for wind, for the end of forbidden hours) is checked again after this time.
_HOLD_MS = 60_000
# A master or pump that is needed for longer than OPEN_S_MAX is opened anew when this much of that is over.
_RENEW_MS = 600_000
# A valve that could not open, because another is being pulsed shut, is tried again after this time.
_RETRY_MS = 200


class Job:
    """Holds the water that one zone (from 1) must still receive, and has received.

    `plan`: a balance.CyclePlan; `by`: (rule, reason), as its events carry them. Up to eight may wait at once; on a chip
    their instances have room for twelve fields, or for seventeen.
    """

    def __init__(self, zone, plan, by, *, ready_ms, give_up_ms):
        self.zone = zone
        self.by = by
        self.remaining_s = plan.total_s
        self.cycle_s = plan.cycle_s
        self.soak_s = plan.soak_s
        self.ready_ms = ready_ms
        self.give_up_ms = give_up_ms
        # Begin and end of a cycle that is planned or running.
        self.start_ms = None
        self.until_ms = None
        self.opened_ms = None
        self.open_ms = 0
        self.volume_ml = 0


class Runs:
    """Holds the jobs and switches the valves for them.

    `supplies`: of watering.settings.Own; `group(zone)`, `flow(zone)`: hydraulics of a zone. `jobs` and `alone` go
    through a deep sleep (watering.sleep_image).
    """

    def __init__(self, valves, supplies, group, flow, main_max_ml_min: int):
        self._valves = valves
        self._supplies = ((MASTER,) + supplies[0], (PUMP,) + supplies[1])
        self._group = group
        self._flow = flow
        self._main_max = main_max_ml_min
        self.jobs = []
        self._events = []
        self._ended_ms = None
        self._checked_ms = None
        # The time at which master or pump must next be switched.
        self._switch_ms = None
        # Bits of zones that run alone until their jobs end, so that the meter shows which one is wrong.
        self.alone = 0

    def add(self, job) -> bool:
        """Adds a job, or returns False when its zone has one already."""
        for other in self.jobs:
            if other.zone == job.zone:
                return False
        self.jobs.append(job)
        return True

    def open_zones(self) -> list:
        """Returns the zones that are open now."""
        return [job.zone for job in self.jobs if job.opened_ms is not None]

    def tick(self, refuse, moment) -> list:
        """Brings the valves up to date; returns [RunEvent].

        `refuse(zone, moment)` returns (Refusal or None, seconds that the zone may run).
        """
        now_ms = moment.now_ms
        self._notice(now_ms)
        check = self._checked_ms is None or now_ms - self._checked_ms >= _CHECK_MS
        if check:
            self._checked_ms = now_ms
        for job in list(self.jobs):
            if job.opened_ms is not None:
                self._run(job, refuse, check, moment)
            elif job.start_ms is not None:
                self._arranged(job, refuse, moment)
        if check:
            for job in list(self.jobs):
                if job.start_ms is None and now_ms >= job.ready_ms:
                    self._arrange(job, refuse, moment)
        self._supply(now_ms)
        return self.drain()

    def stop(self, zone: int, why: str, value: int, *, now_ms: int) -> None:
        """Ends the job of a zone; with `zone` 0, all jobs and the water.

        With None one of the open zones is wrong and the meter does not show which: each of them continues alone, and
        the waiting jobs wait for that much longer.
        """
        left_s = sum([job.remaining_s for job in self.jobs if job.opened_ms is not None])
        for job in list(self.jobs):
            if zone is None:
                job.give_up_ms += 1000 * left_s
                if job.opened_ms is not None:
                    self.alone |= 1 << job.zone
                    self._pause(job, 0, now_ms)
            elif zone in (0, job.zone):
                self._end(job, why, value, now_ms)
        if zone == 0:
            self._ended_ms = None
            for output in (PUMP, MASTER):
                self._shut_supply(output)

    def drain(self) -> list:
        """Returns [RunEvent] since the last call, with those of `stop`."""
        drained, self._events = self._events, []
        return drained

    def wake_ms(self, now_ms: int):
        """Returns when `tick` has something to do, or None."""
        if not self.jobs and self._ended_ms is None:
            return None
        wake_ms = now_ms if self._checked_ms is None else self._checked_ms + _CHECK_MS
        if self._switch_ms is not None:
            wake_ms = min(wake_ms, self._switch_ms)
        for job in self.jobs:
            if job.opened_ms is not None:
                wake_ms = min(wake_ms, job.until_ms)
            elif job.start_ms is not None:
                wake_ms = min(wake_ms, max(job.start_ms, now_ms + _RETRY_MS if now_ms >= job.start_ms else 0))
        return max(now_ms, wake_ms)

    # --- sleep ----------------------------------------------------------------------------------------------

    def rests_until_ms(self, now_ms: int):
        """Returns when the first job may continue, `now_ms` without any job, None while something runs.

        Nothing runs while all jobs wait (for their soil, for the wind) and nothing must be shut.
        """
        if self._ended_ms is not None:
            return None
        ready_ms = None
        for job in self.jobs:
            if job.start_ms is not None or job.ready_ms <= now_ms:
                return None
            ready_ms = job.ready_ms if ready_ms is None else min(ready_ms, job.ready_ms)
        return now_ms if ready_ms is None else ready_ms

    # --- one job --------------------------------------------------------------------------------------------

    def _arrange(self, job, refuse, moment):
        """Plans an instant for the job's next cycle, if nothing forbids it."""
        now_ms = moment.now_ms
        if now_ms >= job.give_up_ms:
            refusal = refuse(job.zone, moment)[0]
            self._end(job, refusal.why if refusal else "time", refusal.value if refusal else 0, now_ms)
            return
        if not self._room(job):
            return
        refusal, may_s = refuse(job.zone, moment)
        if refusal is not None:
            if refusal.holds:
                job.ready_ms = now_ms + _HOLD_MS
            else:
                self._end(job, refusal.why, refusal.value, now_ms)
            return
        lead_s = 0
        if self._ended_ms is None and not self.open_zones():
            for output, ahead_s, _ in self._supplies:
                if self._valves.kinds[output]:
                    lead_s = max(lead_s, ahead_s)
        cycle_s = min(job.remaining_s, job.cycle_s, may_s - lead_s - MARGIN_S)
        if cycle_s < min(job.remaining_s, limits.CYCLE_S_MIN):
            job.ready_ms = now_ms + _HOLD_MS  # forbidden hours begin shortly
            return
        job.start_ms = now_ms + 1000 * lead_s
        job.until_ms = job.start_ms + 1000 * cycle_s
        if not lead_s:
            self._arranged(job, refuse, moment)

    def _arranged(self, job, refuse, moment):
        """Opens the zone once its instant has come."""
        now_ms = moment.now_ms
        if now_ms < job.start_ms:
            return
        refusal, may_s = refuse(job.zone, moment)
        cycle_s = (job.until_ms - job.start_ms) // 1000
        if refusal is not None or may_s < cycle_s:
            job.start_ms = job.until_ms = None  # it is planned anew, or ended there
            return
        if not self._valves.open(job.zone, cycle_s + MARGIN_S, now_ms=now_ms):
            # A latching valve is being pulsed shut: try in the next turn, but not for ever.
            if now_ms >= job.give_up_ms:
                self._end(job, "valve", job.zone, now_ms)
            return
        job.opened_ms, job.until_ms = now_ms, now_ms + 1000 * cycle_s
        self._events.append(RunEvent(OPENED, job.zone, job, None, cycle_s + MARGIN_S))

    def _run(self, job, refuse, check, moment):
        now_ms = moment.now_ms
        if now_ms >= job.until_ms:
            self._pause(job, job.soak_s, now_ms)
            return
        if not check:
            return
        refusal = refuse(job.zone, moment)[0]
        if refusal is None:
            return
        if refusal.holds:
            self._shut(job, now_ms)
            job.ready_ms = now_ms + _HOLD_MS
        else:
            self._end(job, refusal.why, refusal.value, now_ms)

    def _pause(self, job, for_s, now_ms):
        """Begins the pause between two cycles; after the last cycle the job ends."""
        self._shut(job, now_ms)
        if job.remaining_s <= 0:
            self._end(job, COMPLETE, 0, now_ms)
            return
        job.ready_ms = now_ms + 1000 * for_s
        # The soak does not count as delay of the job.
        job.give_up_ms += 1000 * for_s

    def _shut(self, job, now_ms):
        self._valves.close(job.zone)
        ran_ms = now_ms - job.opened_ms
        job.open_ms += ran_ms
        job.remaining_s -= (ran_ms + 500) // 1000
        job.opened_ms = job.start_ms = job.until_ms = None
        self._ended_ms = now_ms
        self._events.append(RunEvent(SHUT, job.zone, job, None, ran_ms // 1000))

    def _end(self, job, why, value, now_ms):
        if job.opened_ms is not None:
            self._shut(job, now_ms)
        self.jobs.remove(job)
        self.alone &= ~(1 << job.zone)
        what = DONE if job.open_ms else SKIPPED
        self._events.append(RunEvent(what, job.zone, job, why, value))

    def _notice(self, now_ms):
        """Ends the cycle of a valve that its own deadline has shut."""
        for job in list(self.jobs):
            if job.opened_ms is not None and not self._valves.is_open(job.zone):
                job.until_ms = min(job.until_ms, now_ms)

    def _room(self, job) -> bool:
        flow = self._flow(job.zone)
        for other in self.jobs:
            if other.start_ms is not None:
                # In a test no zone runs beside another, even if the main could feed both.
                if job.by[0] == TEST or self._group(other.zone) == self._group(job.zone):
                    return False
                if (self.alone >> job.zone | self.alone >> other.zone) & 1:
                    return False
                flow += self._flow(other.zone)
        # One zone alone may always run: if it takes more than the main gives, the flow watch reports it.
        return flow <= self._main_max or flow == self._flow(job.zone)

    # --- master and pump ------------------------------------------------------------------------------------

    def _supply(self, now_ms):
        first_ms, last_ms = None, self._ended_ms
        for job in self.jobs:
            if job.start_ms is not None:
                begins_ms = job.start_ms if job.opened_ms is None else job.opened_ms
                first_ms = begins_ms if first_ms is None else min(first_ms, begins_ms)
                last_ms = job.until_ms if last_ms is None else max(last_ms, job.until_ms)
        self._switch_ms = None
        if last_ms is None:
            for output, _, _ in self._supplies:
                self._shut_supply(output)
            return
        over = first_ms is None
        for output, lead_s, lag_s in self._supplies:
            ends_ms = last_ms + 1000 * lag_s
            wanted = now_ms < ends_ms
            if over:
                wanted = wanted and self._valves.is_open(output)
            else:
                wanted = wanted and (now_ms >= first_ms - 1000 * lead_s or self._valves.is_open(output))
            begins_ms = None if over else first_ms - 1000 * lead_s
            for change_ms in (begins_ms, ends_ms):
                if change_ms is not None and change_ms > now_ms:
                    self._switch_ms = change_ms if self._switch_ms is None else min(self._switch_ms, change_ms)
            if wanted:
                self._feed(output, ends_ms, now_ms)
            else:
                self._shut_supply(output)
        if first_ms is None and not self._valves.is_open(MASTER) and not self._valves.is_open(PUMP):
            self._ended_ms = None

    def _feed(self, output, ends_ms, now_ms):
        deadline = self._valves.deadline_ms(output)
        # An opening beyond OPEN_S_MAX is renewed from time to time, not in every turn.
        if deadline is not None and deadline >= min(ends_ms, now_ms + 1000 * limits.OPEN_S_MAX - _RENEW_MS):
            return
        for_s = (ends_ms - now_ms) // 1000 + MARGIN_S
        if self._valves.open(output, for_s, now_ms=now_ms) and output == MASTER:
            self._events.append(RunEvent(OPENED, 0, None, None, min(for_s, limits.OPEN_S_MAX)))

    def _shut_supply(self, output):
        if self._valves.is_open(output):
            self._valves.close(output)
            if output == MASTER:
                self._events.append(RunEvent(SHUT, 0, None, None, 0))
