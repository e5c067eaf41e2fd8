"""Guards the pipe and the valves, while water runs and while it does not: reports faults and stops the water.

* A burst shuts zone and master, and nothing opens until a person acknowledges it at the node, by a lock that ends. The
  latch survives a power cut.
* A zone that passes too little or too much is stopped and tried again at its next start; its alarm ends with the first
  normal run. When several zones are open together the meter does not show which one is wrong: each then continues
  alone, as does a zone whose alarm is in force. A zone whose flow has drifted from that when it was new is reported,
  and still watered.
* Water behind shut valves is a leak. If its flow is that of a zone that has just been shut, that zone's valve has
  stuck: it is reported and pulsed shut again, three times. The same applies to a valve whose water is added to the next
  zone's: then everything is stopped. Without a master valve nothing else opens until the pipe has been at rest: another
  zone would hide the flow, and this way the technician finds it flowing.
* A coil that is open or shorted excludes its zone until a later pulse finds it sound.
"""

from watering import flow, limits, lockouts
from watering.valves import ABSENT, CHANGED, LATCHING, MASTER, OPEN_COIL, PUMP, coil_span_ma, judge_coil
from wire import event

_NO_FLOW, _STUCK, _DRIFT = "no-flow", "stuck-open", "drift"
_SILENT_SAMPLES = 5
# The samples in a row without water that show the pipe at rest; the share by which the water of a stuck valve may
# differ from the zone's usual flow, for two zones share what the main gives.
_REST_SAMPLES = 3
_ALIKE_PERCENT = 40
# From this bit of `faulty` on: zones that passed too much while they were open together.
_TOGETHER = 16
_CONTRADICTED = (event.VALVE_FAILURE, event.WATER_LEAK, event.SENSOR_FAILURE)


class PipeGuard:
    """Judges meter and coils after each sample. Events go into `report(code, active, detail)`.

    Its public fields go through a deep sleep or a power cut (watering.sleep_image, watering.memory).
    """

    def __init__(self, valves, balance, meter, main_max_ml_min, memory, report):
        self._valves = valves
        self._balance = balance
        self._meter = meter
        self._report = report
        self._run = flow.RunWatch(main_max_ml_min)
        self.leak = flow.LeakWatch()
        # For each output's coil, as in `judge_coil`: its usual current, and how often in a row it has drawn another.
        self.coils_ma = []
        for i in range(limits.OUTPUTS_MAX):
            least, most = coil_span_ma(valves.kinds[i])
            self.coils_ma.append(memory.coils[i] if least <= memory.coils[i] <= most else 0)
        self._coils_odd = bytearray(limits.OUTPUTS_MAX)  # upper four bits: pulses repeated since it was sound
        # A latched burst: (zone or 0, mL/min), or None.
        self.burst = None if memory.burst is None else (memory.burst, memory.burst_flow)
        # (code, zone, cause) of alarms in force, and bits of outputs whose valve cannot be used; the bits from
        # _TOGETHER on hold until the pipe is at rest.
        self.active = set()
        self.faulty = 0
        self._open = ()
        # Zones that have been open since the pipe was last at rest, and samples of rest.
        self.recent_zones = []
        self._rests = 0
        self.closings_repeated = 0
        self.silent_samples = 0
        if self.burst is not None:
            report(event.PIPE_BURST, True, (self.burst[0] or None, self.burst[1]))

    def meter_silent(self) -> bool:
        """Returns True while the meter is silent: water is then computed from time."""
        return (event.SENSOR_FAILURE, 0, "") in self.active

    def observe_open(self, zones, *, now_ms: int) -> None:
        """Observes that these zones are open now."""
        zones = tuple(zones)
        if zones == self._open:
            return
        if zones:
            self.recent_zones = [zone for zone in self.recent_zones if zone not in zones] + list(zones)
            self.leak.observe_open()
            self.closings_repeated = self._rests = 0
        self._open = zones
        self._meter.restart()
        self._run.begin(now_ms=now_ms)

    def acknowledge(self) -> None:
        """Ends the latch after a person has seen the burst."""
        if self.burst is None:
            return
        zone, flow_ml_min = self.burst
        self.burst = None
        self._report(event.PIPE_BURST, False, (zone or None, flow_ml_min))

    def refuses(self, zone: int):
        """Returns the Refusal of a zone because of broken equipment, or None."""
        if self.burst is not None:
            return lockouts.Refusal(lockouts.BURST, self.burst[1], False)
        if (self.faulty >> zone | self.faulty >> MASTER) & 1:
            return lockouts.Refusal(lockouts.VALVE, zone if self.faulty >> zone & 1 else MASTER, False)
        if self._valves.kinds[MASTER] == ABSENT:
            for code, stuck, cause in self.active:
                if cause == _STUCK and code == event.VALVE_FAILURE:
                    return lockouts.Refusal(lockouts.VALVE, stuck, False)
        return None

    def doubts(self, zone: int) -> bool:
        """Returns True while an alarm about the zone's flow is in force: only a run alone can end it."""
        return any(of == zone and cause in ("", _NO_FLOW) for _, of, cause in self.active)

    def is_sound(self) -> bool:
        """Returns True without water where none should be, and while valves and meter follow.

        A zone that passes too much or too little concerns the gardener and is not a fault of the node.
        """
        if self.burst is not None:
            return False
        return not any(code in _CONTRADICTED for code, _, _ in self.active)

    def new_start(self) -> None:
        """Clears, at the begin of a programme, which zones were excluded: a coil that is still bad shows it at once."""
        self.faulty &= -1 << _TOGETHER
        for output in range(limits.OUTPUTS_MAX):
            self._coils_odd[output] &= 15

    def sample(self, silent: bool, *, now_ms: int):
        """Judges after the meter's sample; returns None, or the (zone, why, value) for runs.Runs.stop."""
        if self._meter.present():
            self.silent_samples = self.silent_samples + 1 if silent else 0
            self._set(event.SENSOR_FAILURE, 0, self.silent_samples >= _SILENT_SAMPLES, ("meter", "silent"))
        stop = self._judge_coils()
        if self._open:
            return self._judge_run(now_ms) or stop
        if not self._valves.any_open():
            self._judge_leak(now_ms)
        return stop

    def observe_end(self, zone: int, complete: bool) -> None:
        """Observes the end of a zone's cycle: a normal one ends alarms, a clean one is learned from."""
        mean = self._run.clean_ml_min(limits.WRONG_FOR_S)
        if mean is None or zone not in self._open:
            return
        is_alone = self._open == (zone,)
        is_learned = is_alone and complete and self._run.clean_ml_min() is not None
        if is_learned:
            self._balance.learn(zone, mean)
        for one in (0, zone) if is_alone else (0,):
            for code in (event.FLOW_TOO_LOW, event.FLOW_TOO_HIGH):
                self._set(code, one, False, (one, mean, self._expected()))
            self._set(event.VALVE_FAILURE, one, False, (one, _NO_FLOW, None), _NO_FLOW)
        if not is_alone:
            return
        if is_learned:
            self._judge_drift(zone)
        # This zone has run alone, and no other zone's water was added to it.
        for stuck in range(1, limits.OUTPUTS_MAX):
            if stuck != zone:
                self._stuck(stuck, False)

    # --- inside ---------------------------------------------------------------------------------------------

    def _judge_run(self, now_ms):
        # A drip line that does not pass the meter hides nothing of the zones that run beside it.
        metered, expected = [zone for zone in self._open if self._balance.zone(zone).metered], self._expected()
        if not metered:
            return None
        verdict = self._run.sample(self._meter, expected, now_ms=now_ms)
        if verdict is None:
            return None
        what, rate = verdict
        zone = metered[0] if len(metered) == 1 else 0
        # Too much in a zone whose alarm is in force already is its own water, not that of a stuck neighbour.
        is_excess = what in (flow.BURST, flow.HIGH) and (event.FLOW_TOO_HIGH, zone or None, "") not in self.active
        stuck = self._alike(rate - expected) if is_excess else 0
        if stuck:
            self._stuck(stuck, True)
            if what == flow.HIGH:
                return (0, lockouts.VALVE, stuck)
        if what == flow.BURST:
            self.burst = (zone, rate)
            self._report(event.PIPE_BURST, True, (zone or None, rate))
            return (0, lockouts.BURST, rate)
        if not zone and what == flow.HIGH:
            # The present excess comes from these zones: when one of them runs alone, the others are not suspected.
            for one in self._open:
                self.faulty |= 1 << (_TOGETHER + one)
        if what == flow.NO_FLOW:
            self._set(event.VALVE_FAILURE, zone, True, (zone, _NO_FLOW, None), _NO_FLOW)
        else:
            code = event.FLOW_TOO_LOW if what == flow.LOW else event.FLOW_TOO_HIGH
            self._set(code, zone, True, (zone, rate, expected))
        return (zone or None, what, rate)

    def _expected(self):
        """Returns the flow that should pass the meter now, mL/min."""
        return sum([self._balance.flow(zone) for zone in self._open if self._balance.zone(zone).metered])

    def _judge_drift(self, zone):
        """Judges the last clean runs against the zone's reference: a leak or a clogging may be too slow for one run."""
        learned, reference = self._balance.learned(zone), self._balance.reference(zone)
        for code, over in ((event.FLOW_TOO_HIGH, learned - reference), (event.FLOW_TOO_LOW, reference - learned)):
            is_reported = (code, zone, _DRIFT) in self.active
            least = limits.DRIFT_OVER_PERCENT if is_reported else limits.DRIFT_PERCENT
            self._set(code, zone, 100 * over > least * reference, (zone, learned, reference), _DRIFT)

    def _judge_leak(self, now_ms):
        found = self.leak.sample(self._meter, now_ms=now_ms)
        if found is not None:
            self._set(event.WATER_LEAK, 0, found[0] == flow.LEAK, (found[1], found[2]))
        if self._meter.delta_ml is None or not self.leak.settled:
            return
        self._rests = 0 if self._meter.delta_ml else self._rests + 1
        if self._rests >= _REST_SAMPLES:
            self.recent_zones = []
            self.faulty &= (1 << _TOGETHER) - 1
            if self._valves.kinds[MASTER] == ABSENT:  # behind a shut master an open valve shows nothing
                for zone in range(1, limits.OUTPUTS_MAX):
                    self._stuck(zone, False)
        rate = self._meter.flow_ml_min()
        stuck = self._alike(rate) if rate else 0
        if stuck and self.closings_repeated < limits.CLOSE_AGAIN_MAX:
            # The valve did not shut at its pulse: pulse it again, and the master upstream of it.
            self.closings_repeated += 1
            self._valves.close_again(MASTER)
            self._stuck(stuck, True)

    def _alike(self, rate):
        """Returns the zone whose water this may be, 0: none.

        Candidates are the zones that have been shut since the pipe was last at rest, without those that passed too much
        together with the open ones. Of several equal candidates it is the zone that is reported already, else the last.
        """
        best, best_ml_min, together = 0, 0, 0
        for zone in self._open:
            if self.faulty >> (_TOGETHER + zone) & 1:
                together = self.faulty >> _TOGETHER
        for zone in self.recent_zones:
            if zone not in self._open and not together >> zone & 1 and self._balance.zone(zone).metered:
                usual = self._balance.flow(zone)
                off_ml_min = abs(rate - usual)
                if 100 * off_ml_min > _ALIKE_PERCENT * usual:
                    continue
                if (event.VALVE_FAILURE, zone, _STUCK) in self.active:
                    return zone
                if not best or off_ml_min <= best_ml_min:
                    best, best_ml_min = zone, off_ml_min
        return best

    def _stuck(self, zone, active):
        """Declares that a valve stays open in spite of its pulses, and pulses it shut once more."""
        if active:
            self._valves.close_again(zone)
        self._set(event.VALVE_FAILURE, zone, active, (zone, _STUCK, None), _STUCK)

    def _judge_coils(self):
        stop = None
        for output, current_ma in self._valves.drain_currents():
            if output == PUMP:
                continue  # a relay's contact: its coil belongs to the board
            again = self._coils_odd[output] >> 4
            word, self.coils_ma[output], odd = judge_coil(
                self._valves.kinds[output], self.coils_ma[output], self._coils_odd[output] & 15, current_ma
            )
            self._coils_odd[output] = again << 4 | odd
            if word is None:
                self._coils_odd[output] = odd
                self.faulty &= ~(1 << output)
                self._set(event.VALVE_FAILURE, output, False, (output, OPEN_COIL, current_ma), "coil")
                continue
            self._set(event.VALVE_FAILURE, output, True, (output, word, current_ma), "coil")
            if word == CHANGED:
                continue
            self.faulty |= 1 << output
            stop = (output, lockouts.VALVE, current_ma)
            # The repeats are limited: a short drains the store for seconds each time, and an open coil never moves.
            if self._valves.kinds[output] == LATCHING and again < limits.CLOSE_AGAIN_MAX:
                self._coils_odd[output] += 16
                self._valves.close_again(output)
        return stop

    def _set(self, code, zone, active, detail, cause=""):
        """Declares an alarm's begin or end.

        The alarm of a zone and code may have several causes, each with its own begin and end.
        """
        key = (code, zone, cause)
        if active == (key in self.active):
            return
        if active:
            self.active.add(key)
        else:
            self.active.discard(key)
        self._report(code, active, detail)
