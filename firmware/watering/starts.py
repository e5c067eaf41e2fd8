"""When a programme begins: once for each of its days, whatever the clock does.

A programme's day is a civil date. It is marked when it starts, or when it is too late for it, and marks survive a
restart: a clock that is put back, the double hour of October or a restart start nothing twice; a clock that is put
forward, or comes late, is made up for within LATE_S. What a wrong clock has marked in the far future is not believed;
that nothing starts twice then rests on the monotonic clock.
"""

from policy import civil
from policy import watering as policy
from watering import limits

_DAYS_KEPT = 4
_PLAN_MS = 300_000


class Starts:
    """`marks`: for each program the civil day that it was last begun for, 0: never."""

    def __init__(self, programs, site, marks, *, now_ms: int):
        self._programs = programs
        self._site = site
        self.marks = list(marks)
        # Bits of programmes (from 1) that were begun and are not over: their marks are not for flash yet.
        self.under_way = 0
        self._begun_ms = [None] * len(programs)
        # Since when this node has been watching its programmes: through sleeps, not through restarts.
        self.made_ms = now_ms
        # Of each program {civil day: instant, in seconds from the day's 00:00 UTC}: the sun is asked once a day.
        self._instants = [{} for _ in programs]
        # Of each program (when asked, seconds): what it would take changes by the hour, and costs a look at every zone.
        self._planned = [None] * len(programs)

    def due(self, unix_s: int, planned_s, *, now_ms: int) -> list:
        """[(program's index, seconds of it that are past already, True when it is too late)] at this instant, of
        several the first: whoever begins it asks again. Past, for the node may have run it before a power cut.
        `planned_s(index)`: how long the program would take now, for those that finish at their hour."""
        today = civil.local_from_unix(civil.PARIS, unix_s).civil_day
        for index in range(len(self._programs)):
            if self.marks[index] > today + limits.MARK_AHEAD_DAYS:
                self.marks[index] = today - 1
            # Yesterday's may be late; tomorrow's may have to begin before midnight.
            for day in (today - 1, today, today + 1):
                due = self._due_on(index, day, unix_s, planned_s, now_ms)
                if due is not None:
                    return [due]
        return []

    def next_s(self, unix_s: int, planned_s, *, now_ms: int):
        """Unix second of the next start after `unix_s` within two days, or None."""
        today = civil.local_from_unix(civil.PARIS, unix_s).civil_day
        soonest = None
        for index in range(len(self._programs)):
            program = self._programs[index]
            for day in (today, today + 1, today + 2):
                if self.marks[index] >= day or not policy.matches(program, day):
                    continue
                start_s = self._instant_s(index, program, day)
                if program.anchor == policy.FINISH:
                    start_s -= self._plan_s(index, planned_s, now_ms)
                if start_s > unix_s and (soonest is None or start_s < soonest):
                    soonest = start_s
                break
        return soonest

    def _plan_s(self, index, planned_s, now_ms):
        known = self._planned[index]
        if known is None or now_ms - known[0] >= _PLAN_MS:
            known = self._planned[index] = (now_ms, min(limits.PLANNED_S_MAX, planned_s(index)))
        return known[1]

    def _instant_s(self, index, program, day):
        known = self._instants[index]
        if day not in known:
            if len(known) >= _DAYS_KEPT:
                known.clear()
            known[day] = policy.instant_s(program, self._site, day) - civil.day_s * day
        return civil.day_s * day + known[day]

    def _due_on(self, index, day, unix_s, planned_s, now_ms):
        program = self._programs[index]
        if self.marks[index] >= day or not policy.matches(program, day):
            return None
        start_s = self._instant_s(index, program, day)
        if program.anchor == policy.FINISH:
            if start_s - unix_s > limits.PLANNED_S_MAX:
                return None
            start_s -= self._plan_s(index, planned_s, now_ms)
        if unix_s < start_s:
            return None
        first, self.marks[index] = self.marks[index] == 0, day
        late_s = unix_s - start_s
        if late_s > limits.LATE_S:
            # A node that is new missed nothing before it was there.
            return None if first else (index, 0, True)
        begun_ms = self._begun_ms[index]
        if begun_ms is not None and now_ms - begun_ms < limits.BETWEEN_STARTS_MS:
            return None
        self._begun_ms[index] = now_ms
        before_us = late_s > (now_ms - self.made_ms) // 1000
        return (index, late_s if before_us else 0, False)
