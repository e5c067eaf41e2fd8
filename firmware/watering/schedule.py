"""Decides when a watering programme begins, once for each of its days, and whether the node's clock may be relied on.

A programme's day is a civil date. It is marked when the programme starts, or when it is too late for it, and marks
survive a restart: a clock that is put back, the double hour of October or a restart start nothing twice. If a clock is
put forward, or comes late, the start is made up for within LATE_S. A mark in the far future comes from a wrong clock
and is not believed; the monotonic clock then ensures that nothing starts twice.
"""

from policy import civil
from policy import watering as policy
from watering import limits
from wire import event

_DAYS_KEPT = 4
_PLAN_MS = 300_000
# A node that starts gets its time within minutes; a longer wait is worth a visit to the site.
_NO_CLOCK_MS = 600_000
# A clock that moved by more than this against the monotonic one was set: what depends on it is decided anew.
_STEP_S = 5


class Schedule:
    """Holds the starts of all programmes.

    `marks`: for each program the civil day for which it was last begun, 0: never. `marks`, `under_way` and `made_ms` go
    through a deep sleep (watering.sleep_image).
    """

    def __init__(self, programs, site, marks, *, now_ms: int):
        self._programs = programs
        self._site = site
        self.marks = list(marks)
        # Bits of programmes (from 1) that have begun and not ended: their marks must not go to flash yet.
        self.under_way = 0
        self._begun_ms = [None] * len(programs)
        # When this node began to watch its programmes: kept through sleeps, not through restarts.
        self.made_ms = now_ms
        # For each program {civil day: start, in seconds from the day's 00:00 UTC, or None for a day without one}: the
        # calendar is asked and the sun computed once a day.
        self._instants = [{} for _ in programs]
        # For each program (when computed, seconds): its duration changes by the hour, and takes a check of every zone.
        self._planned = [None] * len(programs)

    def due(self, today, moment, planned_s):
        """Returns (the program's index, seconds of it that are past already, True when it is too late), or None.

        If several are due it is the first: after its begin the next call gives the next. Seconds are past where the
        node may have run it before a power cut. `today`: the civil day of `moment`. `planned_s(index, moment)`: how
        long the program would take now, for programs that finish at their hour.
        """
        for index in range(len(self._programs)):
            if self.marks[index] > today + limits.MARK_AHEAD_DAYS:
                self.marks[index] = today - 1
            # Yesterday's may be late; tomorrow's may have to begin before midnight.
            for day in (today - 1, today, today + 1):
                due = self._due_on(index, day, moment, planned_s)
                if due is not None:
                    return due
        return None

    def next_s(self, today, moment, planned_s):
        """Returns the Unix second of the next start after `moment` within two days, or None."""
        soonest = None
        for index in range(len(self._programs)):
            program = self._programs[index]
            for day in (today, today + 1, today + 2):
                start_s = None if self.marks[index] >= day else self._instant_s(index, program, day)
                if start_s is None:
                    continue
                if program.anchor == policy.FINISH:
                    start_s -= self._planned_s(index, planned_s, moment)
                if start_s > moment.unix_s and (soonest is None or start_s < soonest):
                    soonest = start_s
                break
        return soonest

    def _planned_s(self, index, planned_s, moment):
        known = self._planned[index]
        if known is None or moment.now_ms - known[0] >= _PLAN_MS:
            lasts_s = min(limits.PLANNED_S_MAX, planned_s(index, moment))
            known = self._planned[index] = (moment.now_ms, lasts_s)
        return known[1]

    def _instant_s(self, index, program, day):
        known = self._instants[index]
        if day not in known:
            if len(known) >= _DAYS_KEPT:
                known.clear()
            is_one = policy.matches(program, day)
            known[day] = policy.instant_s(program, self._site, day) - civil.day_s * day if is_one else None
        return None if known[day] is None else civil.day_s * day + known[day]

    def _due_on(self, index, day, moment, planned_s):
        program, unix_s, now_ms = self._programs[index], moment.unix_s, moment.now_ms
        start_s = None if self.marks[index] >= day else self._instant_s(index, program, day)
        if start_s is None:
            return None
        if program.anchor == policy.FINISH:
            if start_s - unix_s > limits.PLANNED_S_MAX:
                return None
            start_s -= self._planned_s(index, planned_s, moment)
        if unix_s < start_s:
            return None
        first, self.marks[index] = self.marks[index] == 0, day
        late_s = unix_s - start_s
        if late_s > limits.LATE_S:
            # A new node missed nothing before it was installed.
            return None if first else (index, 0, True)
        begun_ms = self._begun_ms[index]
        if begun_ms is not None and now_ms - begun_ms < limits.BETWEEN_STARTS_MS:
            return None
        self._begun_ms[index] = now_ms
        before_us = late_s > (now_ms - self.made_ms) // 1000
        return (index, late_s if before_us else 0, False)


class ClockWatch:
    """Detects that the clock was set, and reports when it has long been unusable, and when it is usable again.

    Events go into `report(code, active, detail)`. `started_ms` and `is_lost` go through a deep sleep
    (watering.sleep_image).
    """

    def __init__(self, report, *, now_ms: int):
        self._report = report
        self.started_ms = now_ms
        self._seen = None  # (Unix s, now_ms) at the last `observe`
        self.is_lost = False

    def has_stepped(self, moment) -> bool:
        """Returns True if the clock was set, lost or found since the last `observe`."""
        if self._seen is None:
            return moment.unix_s is not None
        if moment.unix_s is None:
            return True
        expected_s = self._seen[0] + (moment.now_ms - self._seen[1]) // 1000
        return abs(moment.unix_s - expected_s) > _STEP_S

    def observe(self, moment, is_usable: bool) -> None:
        self._seen = (moment.unix_s, moment.now_ms) if moment.unix_s is not None else None
        is_lost = not is_usable and moment.now_ms - self.started_ms >= _NO_CLOCK_MS
        if is_lost != self.is_lost:
            self.is_lost = is_lost
            self._report(event.TIME_FALLBACK, is_lost, ("none",))
