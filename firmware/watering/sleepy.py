"""An irrigation node on a battery: the same trade, which lets its chip sleep while nothing is open and nothing flows.

It wakes every quarter of an hour to look at weather and battery, LEAD_MS before the next start, by a tip of its rain
gauge, and by a pulse of its meter, which counts as one and is watched for a minute: water behind shut valves must be
found as on the mains. Where a leak is told already and runs, pulses wake nobody until it has been seen dry. While
anything is open it is awake; while all that is left of a programme soaks, or waits for the wind, it sleeps.

The capacitor that feeds the pulses is empty after a sleep, so it is charged before a start and looked at. A start waits
while the gateway is being asked what it has ordered meanwhile.
"""

import struct

from node.trade import PULSE, RAIN
from watering import limits, lockouts
from watering.trade import BALANCE, DEPTH, UNCERTAINTY_USABLE_S, WateringTrade
from watering.weather import ASLEEP_BYTES as WEATHER_BYTES

VERSION = 2
_RULES = (BALANCE, DEPTH)

# version, flags; seconds since the programmes are watched, mL beyond the litres, values refused by weather and meter,
# then mL of each zone since ever
_ASLEEP = "<BBIHHHIIIIIIII"
_LOW, _NO_TIME, _ODD, _COUNTS = 1, 2, 4, 8
_ZONES = 8


class SleepyTrade(WateringTrade):
    """See the module."""

    sleeps = True

    def __init__(self, own, start):
        super().__init__(own, start)
        self._next_ms = None

    @property
    def counts_asleep(self):
        """Whether a pulse of the meter is to wake the chip."""
        return self._meter.present() and not (self._guard.is_leaking() and self._meter.delta_ml)

    def decide(self, moment) -> None:
        super().decide(moment)
        next_ms = self._runs.rests_until_ms(moment.now_ms) if self._runs.jobs else self._next_ms
        if next_ms is not None:  # not while all that is left waits: each charge is the battery's
            self.outputs.prepares = next_ms - moment.now_ms <= limits.LEAD_MS

    def deadline_ms(self, now_ms):
        due_ms = super().deadline_ms(now_ms)
        charge_ms = None if self._next_ms is None else self._next_ms - limits.LEAD_MS
        return due_ms if charge_ms is None or charge_ms <= now_ms else min(due_ms, charge_ms)

    def wants_sample_ms(self, now_ms):
        wanted_ms = super().wants_sample_ms(now_ms)
        if self.outputs.prepares and self._own.battery.boost_mv and not self.outputs.any_open():
            charged_ms = self._sample_ms + limits.CHARGE_MS
            wanted_ms = charged_ms if wanted_ms is None else min(wanted_ms, charged_ms)
        return wanted_ms

    def may_sleep_until(self, moment):
        now_ms, outputs = moment.now_ms, self.outputs
        if outputs.any_open() or not outputs.ready() or outputs.wake_ms(now_ms) is not None:
            return None
        ready_ms = self._runs.rests_until_ms(now_ms)
        if ready_ms is None or moment.order_expected or not self._guard.is_settled():
            return None
        if self._meter.delta_ml and not self._guard.is_leaking():
            return None
        until_ms = now_ms + limits.SLEEP_MAX_MS
        if self._runs.jobs:
            until_ms = min(until_ms, ready_ms - limits.LEAD_MS)
        return until_ms if self._next_ms is None else min(until_ms, self._next_ms - limits.LEAD_MS)

    def asleep(self, now_ms):
        flags = (_LOW if self._energy.low else 0) | (_NO_TIME if self._clock.is_lost else 0)
        flags |= (_ODD if self._health_odd else 0) | (_COUNTS if self.counts_asleep else 0)
        irrigated = list(self._need.irrigated_ml)
        while len(irrigated) < _ZONES:
            irrigated.append(0)
        head = struct.pack(
            _ASLEEP,
            VERSION,
            flags,
            min(0x7FFFFFFF, self._starts.since_ms(now_ms) // 1000),
            self._meter.total_ml % 1000,
            min(0xFFFF, self._weather.refused),
            min(0xFFFF, self._meter.refused),
            *[volume_ml & 0xFFFFFFFF for volume_ml in irrigated],
        )
        guard = self._guard.asleep(now_ms)
        jobs = self._runs.asleep(_RULES, now_ms)
        return self.memory(now_ms), head + self._weather.asleep(now_ms) + bytes((len(guard),)) + guard + jobs

    def woken(self, rest, slept_ms, by, *, now_ms) -> None:
        self._events = []  # what was told before the sleep is known
        self.outputs.woken()
        size = struct.calcsize(_ASLEEP)
        at = size + WEATHER_BYTES + 1
        if len(rest) < at or rest[0] != VERSION:
            return
        values = struct.unpack(_ASLEEP, rest[:size])
        flags, counted = values[1], values[1] & _COUNTS == _COUNTS
        self._energy.low = flags & _LOW == _LOW
        self._health_odd = flags & _ODD == _ODD
        since_ms = 1000 * values[2] + slept_ms
        self._starts.woken(since_ms, now_ms=now_ms)
        self._clock.woken(since_ms, flags & _NO_TIME == _NO_TIME, now_ms=now_ms)
        self._meter.woken(values[3], slept_ms, int(by == PULSE) if counted else None, now_ms=now_ms)
        self._weather.refused, self._meter.refused = values[4], values[5]
        self._need.irrigated_ml = list(values[6 : 6 + len(self._need.irrigated_ml)])
        self._weather.woken(rest[size : at - 1], slept_ms, now_ms=now_ms)
        if by == RAIN:
            self._weather.tip()
        end = at + rest[at - 1]
        self._guard.woken(rest[at:end], slept_ms, counted, now_ms=now_ms)
        self._runs.woken(_RULES, rest[end:], slept_ms, now_ms=now_ms)

    def _slow(self, moment):
        if moment.order_expected:
            self._slow_ms = moment.now_ms + 1000
            return
        super()._slow(moment)
        self._next_ms = None
        if not lockouts.usable(moment, UNCERTAINTY_USABLE_S):
            return
        next_s = self._starts.next_s(moment.unix_s, self._planned_s, now_ms=moment.now_ms)
        if next_s is not None:
            self._next_ms = moment.now_ms + 1000 * (next_s - moment.unix_s)
            self._slow_ms = min(self._slow_ms, self._next_ms)
