"""Waters on a cell: the same trade, which charges and reads its store before a start, and sleeps on a battery.

On a battery the chip sleeps while nothing is open and nothing flows; a node on the mains stays awake (`sleeps`). It
wakes every quarter of an hour to read weather and battery, LEAD_MS before the next start, and by a tip of its rain
gauge. A pulse of its meter wakes it too, counts as one and is watched for a minute: water behind shut valves must be
found as on the mains. While a reported leak continues, pulses do not wake the chip until the pipe has been dry. While
anything is open the node is awake; while all that is left of a programme soaks, or waits for the wind, it sleeps. A
valve that cannot be pulsed shut, because its selector is dead, is tried again at each waking.

The capacitor that feeds the pulses is empty after a sleep, so it is charged and read before a start.
"""

from watering import limits, sleep_image
from watering.trade import WateringTrade
from wire import event


class SleepyTrade(WateringTrade):
    """Runs the WateringTrade of a node with a store."""

    @property
    def sleeps(self):
        """Returns True on a battery (node.trade)."""
        return self.own.sleeps

    @property
    def counts_asleep(self):
        """Returns True while a pulse of the meter must wake the chip."""
        return self.meter.present() and not (self.guard.leak.leaking and self.meter.delta_ml)

    def decide(self, moment) -> None:
        super().decide(moment)
        next_ms = self.runs.rests_until_ms(moment.now_ms) if self.runs.jobs else self._next_ms
        if next_ms is not None:  # not while all jobs wait: each charge costs the battery
            self.outputs.prepares = next_ms - moment.now_ms <= limits.LEAD_MS
        if self.decided_until_ms is not None and self._next_ms is not None:
            self.decided_until_ms = min(self.decided_until_ms, self._next_ms - limits.LEAD_MS)

    def deadline_ms(self, now_ms):
        due_ms = super().deadline_ms(now_ms)
        charge_ms = None if self._next_ms is None else self._next_ms - limits.LEAD_MS
        return due_ms if charge_ms is None or charge_ms <= now_ms else min(due_ms, charge_ms)

    def wants_sample_ms(self, now_ms):
        wanted_ms = super().wants_sample_ms(now_ms)
        if self.outputs.prepares and self.own.boost_mv and not self.outputs.any_open():
            charged_ms = self._sample_ms + limits.CHARGE_MS
            wanted_ms = charged_ms if wanted_ms is None else min(wanted_ms, charged_ms)
        return wanted_ms

    def may_sleep_until(self, moment):
        now_ms, outputs, guard = moment.now_ms, self.outputs, self.guard
        if outputs.any_open():
            return None
        for output in range(limits.OUTPUTS_MAX):
            # A closing that could not be given and has been reported: the next waking tries again.
            is_reported = outputs.passed >> output & 1 and (event.VALVE_FAILURE, output, "coil") in guard.active
            if outputs.closing[output] and not is_reported:
                return None
        ready_ms = self.runs.rests_until_ms(now_ms)
        if ready_ms is None:
            return None
        # Sleep waits for a sample that shows either rest or a leak in the pipe behind shut valves.
        if self.meter.present() and not guard.meter_silent() and not guard.leak.settled:
            return None
        # A leak that has been reported is no longer watched by the minute.
        if self.meter.delta_ml and not guard.leak.leaking:
            return None
        until_ms = now_ms + limits.SLEEP_MAX_MS
        if self.runs.jobs:
            until_ms = min(until_ms, ready_ms - limits.LEAD_MS)
        return until_ms if self._next_ms is None else min(until_ms, self._next_ms - limits.LEAD_MS)

    def asleep(self, now_ms):
        rest = sleep_image.encode(self, now_ms)
        return self.memory(now_ms, sleeps=True), rest

    def woken(self, rest, slept_ms, by, *, now_ms) -> None:
        sleep_image.resume(self, rest, slept_ms, by, now_ms=now_ms)
