"""Heats one room as the application's trade: decides set-point, duty and outputs, watches the heating, and reports.

Composes the machines of this package. The outputs are recomputed from clock, programme and temperature at every
decision, never restored. Precedence (ARCHITECTURE.md), from the top:

    locked        by a technician at the node: no heat at all, for a hand may be in the valve. If the room gets as cold
                  as frost meanwhile, that is reported, not heated. Tested by a technician: heat, for two minutes
    frost         forced at 5 °C, released at 7 °C, above window and load shed
    sensor        at fault: the safe duty, which is never 0 in winter, given in full in spite of a relay's minimum
                  times; a boiler's curve then aims at the temperature that the duty keeps
    window        open: no heat
    set-point     of `heating.setpoint`: programme, no-time; load shed and ceilings lower it, and so does
                  standby, after an hour of the programme's occupied hours without a detection
    exercise      of the valve, once a week, when nothing else needs it

This gives a duty, and `heating.actuators` turns it into a relay's cycle, a valve's 0-10 V, or a boiler's flow
set-point. Every edge is a deadline, and a whole decision holds for some seconds: a call that is 8 s late costs 8 s of
heat and no more. Presence stays in the node: no event reports standby, whose begin and end would tell the minute at
which a person left or came; the set-point in the readings of a quarter hour shows an absence of an hour or more.

Long because the machines of a room meet here; each is a module of its own.
"""

from collections import namedtuple

from heating import actuators, limits, memory, regulator
from heating.actuators import OPENING, RelayCycle, ValveExercise
from heating.model import OPENTHERM, OUTPUT_SILENT, RELAY, VALVE, dead_s
from heating.preheat import Preheat
from heating.reports import RoomReports
from heating.setpoint import CEILING, EARLY_STOP, PREHEAT, PROGRAMME, SetpointLadder
from heating.thermometers import OutdoorThermometer, RoomThermometer, is_winter
from heating.watch import HeatingWatch
from heating.window import WindowWatch
from node.trade import LOCK, TEST, Trade
from policy import civil, heating
from wire import directive, event, quantity

# on: relay, pump or CH enable. valve_percent: 0 to 100. flow_ck: of a boiler, 0.01 °C. attempt: a new number has all
# outputs driven anew though nothing else has changed.
Outputs = namedtuple("Outputs", ("on", "valve_percent", "flow_ck", "attempt"))
SAFE = Outputs(False, 0, limits.FLOW_MIN_CK, 0)

FROST = "frost"
SENSOR = "safe-duty"
WINDOW = "window"
STANDBY = "standby"

ROOM_KEY = quantity.key(quantity.TEMPERATURE)
# Keys of a sample that no record carries: private (presence), or the meter's own register.
_INSIDE = (quantity.OCCUPANCY, quantity.ENERGY, OUTPUT_SILENT)


class Thermostat(Trade):
    """Runs the heating of one room.

    `model`: heating.model.HeatingModel; `remembered`: bytes of `memory` from before the restart, b"" at first.
    """

    kind = "thermostat"
    directives = (directive.OUTDOOR_TEMPERATURE, directive.LOAD_SHED, directive.EXCEPTION, directive.OCCUPIED)

    # Fields of the class until one is set: few rooms have a meter, or a heating that does not follow.
    _meter = None
    _kick_until_ms = 0

    def __init__(self, model, remembered, *, now_ms):
        self._model = model
        self.counters = {"memory": 0}
        kept = memory.decode(remembered)
        if kept is None:
            self.counters["memory"] += len(remembered) > 0
            kept = memory.fresh(dead_s(model))
        self._kept = kept
        self._sensor = RoomThermometer(now_ms=now_ms)
        # A valve or a boiler modulates: its room has no cycle of half an hour.
        cycle_ms = model.timing.cycle_ms if model.output == RELAY else actuators.ELECTRIC_CYCLE.cycle_ms
        self._window = WindowWatch(cycle_ms, model.window_slope, now_ms=now_ms)
        self._regulator = regulator.Regulator()
        self._cycle = RelayCycle(model.timing, now_ms=now_ms, is_relay=model.output != OPENTHERM)
        self._preheat = Preheat(kept.learned, model.span_ck)
        self._ladder = SetpointLadder(model, self._preheat)
        self._watch = HeatingWatch(
            limits.WATCH_WATER_MS if model.is_water else limits.WATCH_ELECTRIC_MS,
            model.timing.cycle_ms,
            model.span_ck,
        )
        self._exercise = ValveExercise(1000 * model.stroke_s, kept.exercise_day, now_ms=now_ms)
        self._reports = RoomReports(model, now_ms=now_ms)
        if model.has_meter:
            from heating.meter import HeaterMeter

            self._meter = HeaterMeter(kept.energy_wh, kept.meter_wh, model.heater_w, now_ms=now_ms)
        # A valve answers at once; a relay or a boiler may have to complete its least time off first.
        self.test_ms = limits.TEST_MS + (0 if model.output == VALVE else model.timing.min_off_ms)
        self.outputs = SAFE
        self.duty_permille = 0
        self.setpoint_ck = model.no_time_ck
        self._rule = None
        self._choice = None
        self._frost = False
        self._was_running = False  # True if at the last decision a preheat was running
        self._openings = 0
        self._values = {}
        self._outdoors = OutdoorThermometer()
        self._sampled_ms = now_ms
        self._decided_for = None  # (Moment, local)
        self._seen_ms = now_ms  # time of the last detection, or of the last hours that need none
        self._is_fresh = False  # True for a whole decision that the outputs have not followed yet

    # --- in -------------------------------------------------------------------------------------------------

    def sample(self, values, moment):
        now_ms = moment.now_ms
        self._sampled_ms = now_ms
        self._values = values or {}
        self._sensor.sample(self._values.get(ROOM_KEY), self.duty_permille, now_ms=now_ms)
        self._outdoors.sample(self._values, now_ms=now_ms)
        room_ck, outdoor_ck = self._room_ck(), self._outdoors.temperature_ck(moment)
        is_new = room_ck is not None and ROOM_KEY in self._values
        timing, valve = self._model.timing, self._model.output == VALVE
        # The heat of a relay is felt after some time, which is long where its least time is.
        felt = valve or now_ms - self._cycle.edge_ms > 2 * timing.min_on_ms
        heats = felt and self.outputs.on and self.duty_permille > 0
        held_ck = self.setpoint_ck if self.duty_permille and not self._preheat.is_running else None
        contact = self._values.get(quantity.WINDOW)
        dead_ck_h = None
        full_ms = limits.SLOPE_FULL_MS + 1000 * dead_s(self._model)
        if is_new and heats and self._model.output == RELAY and now_ms - self._cycle.edge_ms >= full_ms:
            dead_ck_h = -self._preheat.fall_ck_h(room_ck, outdoor_ck) * 5 // 4
        self._window.sample(room_ck if is_new else None, contact, heats, held_ck, dead_ck_h=dead_ck_h, now_ms=now_ms)
        self._reports.report_sample(self._values, self._outdoors.seen, now_ms=now_ms)
        if self._meter is not None:
            self._meter.sample(self._values, self._closed_ms(room_ck, now_ms), now_ms=now_ms)
            self._reports.report_meter(self._meter.is_silent)
        if is_new:
            self._learn(room_ck, outdoor_ck, now_ms)
        self._decide(moment)
        self._watch_heating(room_ck, outdoor_ck, now_ms)

    def sense(self, values, moment):
        if values.get(quantity.OCCUPANCY):
            self._seen_ms = moment.now_ms

    def decide(self, moment):
        last = None if self._decided_for is None else self._decided_for[0]
        if last is not moment and (
            last is None or not 0 <= moment.now_ms - last.now_ms < limits.DECIDE_MS or self._differs(moment)
        ):
            self._decide(moment)
        self._apply(moment)

    # --- out ------------------------------------------------------------------------------------------------

    def drain_events(self):
        return self._reports.drain()

    def readings(self, moment):
        readings = {}
        for key, value in self._values.items():
            # A reading that is not believed is not recorded as the room's temperature.
            if key not in _INSIDE and (key != ROOM_KEY or self._sensor.fault is None):
                readings[key] = value
        readings[quantity.SETPOINT] = self.setpoint_ck
        readings[quantity.HEATING_DUTY] = self.duty_permille // 10
        if self._model.output == VALVE:
            readings[quantity.VALVE_POSITION] = self.outputs.valve_percent
        return readings

    def health(self, moment):
        found = {
            quantity.VALVE_OPENINGS: self._kept.openings + self._openings,
            quantity.SENSOR_FAULTS: self._sensor.faults,
        }
        if self._model.heater_w or self._meter is not None:
            found[quantity.ENERGY] = self._energy_wh()
        return found

    def deadline_ms(self, now_ms):
        deadline_ms = self._cycle.deadline_ms(now_ms)
        stroke_ms = self._exercise.deadline_ms()
        if stroke_ms is not None:
            deadline_ms = min(deadline_ms, stroke_ms)
        if self._kick_until_ms > now_ms:
            deadline_ms = min(deadline_ms, self._kick_until_ms)
        return min(deadline_ms, now_ms + limits.SAMPLE_MS)

    def wants_sample_ms(self, now_ms):
        return self._sampled_ms + limits.SAMPLE_MS

    def memory(self, now_ms):
        return memory.encode(
            memory.RoomMemory(
                self._preheat.learned,
                self._exercise.last_day,
                self._kept.openings + self._openings,
                self._energy_wh(),
                self._kept.on_s + self._cycle.on_ms // 1000,
                None if self._meter is None else self._meter.last_wh,
            )
        )

    def is_sound(self, moment):
        return self._sensor.fault is None and not self._watch.active and self._reports.is_equipment_sound()

    def may_restart(self, moment):
        return self._exercise.phase is None

    # --- the decision ---------------------------------------------------------------------------------------

    def _decide(self, moment):
        """Decides the present set-point, rule and duty."""
        now_ms = moment.now_ms
        self._is_fresh = True
        self._decided_for = (moment, self.local)
        self._sensor.tick(now_ms=now_ms)
        room_ck, outdoor_ck = self._room_ck(), self._outdoors.temperature_ck(moment)
        choice = self._choice = self._ladder.decide(moment, room_ck, outdoor_ck)
        self._frost = room_ck is not None and room_ck < (
            limits.FROST_OFF_CK if self._frost else limits.FROST_ON_CK
        )
        setpoint_ck, rule, reason = choice.setpoint_ck, choice.rule, choice.reason
        if self.local is not None:
            setpoint_ck, rule, reason = limits.FROST_ON_CK if self.local == LOCK else setpoint_ck, self.local, 0
        elif self._frost:
            setpoint_ck, rule, reason = max(setpoint_ck, limits.FROST_OFF_CK), FROST, 0
        elif self._sensor.fault is not None:
            rule, reason = SENSOR, self._sensor.fault
        elif self._window.seen_by is not None:
            rule, reason = WINDOW, self._window.seen_by
        reported = setpoint_ck, rule, reason
        if self._is_standby(choice, now_ms) and rule not in (LOCK, FROST):
            setpoint_ck -= self._model.standby_ck
            rule = STANDBY if rule == choice.rule else rule
        was_ck, was_rule = self.setpoint_ck, self._rule
        self.setpoint_ck, self._rule = setpoint_ck, rule
        was_running = self._was_running
        self._follow_preheat(choice, was_rule, room_ck, outdoor_ck, now_ms)
        self._was_running = self._preheat.is_running
        if self._was_running != was_running or abs(setpoint_ck - was_ck) > limits.COMFORT_CK:
            self._window.begin_anew(now_ms=now_ms)
        self.duty_permille = self._duty(choice, room_ck, outdoor_ck, moment)
        self._reports.report_decision(
            reported, choice, self._frost, self._sensor, self._window.seen_by, self._preheat.late, moment
        )

    def _is_standby(self, choice, now_ms):
        """Returns True after STANDBY_MS without a detection, in hours that are occupied by the programme alone."""
        waits = choice.is_plain and choice.wanted.kind == heating.OCCUPIED and choice.rule != EARLY_STOP
        if not waits or not self._model.standby_ck:
            self._seen_ms = now_ms
        return now_ms - self._seen_ms >= limits.STANDBY_MS

    def _differs(self, moment):
        """Returns True if directives or clock differ from those of the last whole decision."""
        last, local = self._decided_for
        return (
            self.local != local
            or moment.directives != last.directives
            or (moment.unix_s is None) != (last.unix_s is None)
        )

    def _duty(self, choice, room_ck, outdoor_ck, moment):
        """Returns the duty in 1/1000, by the rule in force."""
        model = self._model
        if self._rule == LOCK:
            return 0
        if self._rule in (FROST, TEST):
            return 1000
        if self._sensor.fault is not None:
            winter = is_winter(choice, moment)
            return regulator.safe_permille(
                model.safe_permille, outdoor_ck, self._sensor.temperature_ck, winter, model.span_ck
            )
        rests = self._rule == WINDOW or self._preheat.is_running
        if room_ck is None:
            return 0
        duty = self._regulator.step(
            self.setpoint_ck,
            room_ck if model.is_water else self._ahead_ck(room_ck),
            outdoor_ck,
            rests=rests,
            is_full=self._is_full(),
            now_ms=moment.now_ms,
        )
        if self._rule == WINDOW:
            return 0
        return 1000 if self._preheat.is_running else duty

    def _follow_preheat(self, choice, was_rule, room_ck, outdoor_ck, now_ms):
        """Follows a preheat while the programme alone decides, and beyond its hour if it came too late."""
        if self._rule == PREHEAT and was_rule != PREHEAT and choice.is_plain and not self._preheat.is_running:
            self._preheat.begin(
                choice.setpoint_ck, room_ck, outdoor_ck, choice.wanted.empty_s >= limits.COLD_MASS_S, now_ms=now_ms
            )
        elif self._preheat.is_running:
            is_due = choice.is_plain and self._rule in (PROGRAMME, CEILING)
            is_late = is_due and choice.wanted.kind == heating.OCCUPIED
            if self._watch.active or not (self._rule == PREHEAT or is_due):
                self._preheat.abandon()
            elif self._preheat.overshoots(choice.setpoint_ck) or (is_due and not is_late):
                self._report_lesson(self._preheat.end(room_ck, now_ms=now_ms))
            elif is_late and was_rule == PREHEAT:
                self._preheat.people_came(room_ck, now_ms=now_ms)

    def _learn(self, room_ck, outdoor_ck, now_ms):
        """Learns from this sample: the end of a preheat, the cooling of a room."""
        if self._preheat.is_running:
            self._report_lesson(self._preheat.observe(room_ck, self._ahead_ck(room_ck), now_ms=now_ms))
        if self.duty_permille == 0 and self._rule != WINDOW:
            self._preheat.observe_cooling(room_ck, outdoor_ck, now_ms=now_ms)
        else:
            self._preheat.end_cooling()

    def _report_lesson(self, lesson):
        if lesson is not None:
            self._reports.report(event.HEATING_LEARNED, None, tuple(lesson))

    def _is_full(self):
        """Returns True while the output gives its maximum: a boiler by its flow, also while it is driven anew."""
        if self._model.output == OPENTHERM:
            return self._cycle.is_on and self.outputs.flow_ck >= self._model.flow_max_ck
        return self.duty_permille >= 1000

    def _watch_heating(self, room_ck, outdoor_ck, now_ms):
        """Watches whether the room follows.

        A test is not judged as heating or cooling, and a lock shows nothing of a heating that failed before it.
        """
        watch = self._watch
        if self.local == TEST or (self.local == LOCK and event.HEATING_FAILURE in watch.active):
            watch.disturb(now_ms=now_ms)
            return
        changes = watch.step(self._watched_permille(room_ck), room_ck, self.setpoint_ck, outdoor_ck, now_ms=now_ms)
        if self._meter is not None:
            changes += watch.observe_meter(self._meter.is_idle)
        for code, begins, rise_ck in changes:
            self._reports.report(code, begins, (self.duty_permille // 10, rise_ck))
        if watch.attempts != self.outputs.attempt and event.HEATING_FAILURE in watch.active:
            # The room does not follow: drive the outputs anew; a relay is opened first.
            self._kick_until_ms = now_ms + max(limits.KICK_MS, self._model.timing.min_off_ms)

    def _watched_permille(self, room_ck):
        """Returns the share of full heat whose effect on the room is judged; of an open window it is neither full nor
        none. A boiler's is what radiators give by its flow set-point."""
        if self._rule == WINDOW:
            return limits.WATCH_FULL_PERMILLE - 1
        if self._model.output != OPENTHERM or not self.duty_permille or room_ck is None:
            return self.duty_permille
        return max(1, 1000 * (self.outputs.flow_ck - room_ck) // limits.RADIATOR_CK) if self._cycle.is_on else 1

    # --- the outputs ----------------------------------------------------------------------------------------

    def _apply(self, moment):
        """Brings `outputs` to the duty in force. Allocates a new value only for a change."""
        now_ms = moment.now_ms
        model = self._model
        demand = self.duty_permille
        if model.output == OPENTHERM:
            demand = 1000 if demand >= 50 else 0  # the boiler modulates; its least times are the cycle's
        if self.local is not None:
            self._exercise.abandon()
        elif self._is_fresh or self._exercise.phase is not None:
            self._is_fresh = False
            self._run_exercise(moment)
        at_once = self._rule in (FROST, LOCK)
        is_blind = self._rule == SENSOR
        is_on = self._cycle.step(demand, now_ms=now_ms, at_once=at_once, anew=self._rule == TEST, blind=is_blind)
        valve = 0
        flow_ck = limits.FLOW_MIN_CK
        if model.output == VALVE:
            valve = actuators.valve_percent(self.duty_permille, self.outputs.valve_percent, is_blind)
            is_on = valve > 0
        elif model.output == OPENTHERM and is_on:
            flow_ck = self._flow_ck(moment)
        if self._exercise.phase is not None:
            is_on = self._exercise.phase == OPENING
            valve = 100 if is_on else 0
        if now_ms < self._kick_until_ms:
            is_on, valve = False, 0
        last = self.outputs
        if (is_on, valve, flow_ck, self._watch.attempts) == last:
            return
        self._openings += is_on and not last.on
        self.outputs = Outputs(is_on, valve, flow_ck, self._watch.attempts)

    def _flow_ck(self, moment):
        model = self._model
        if self._rule == TEST:
            return min(model.flow_max_ck, limits.TEST_FLOW_CK)
        room_ck, outdoor_ck = self._room_ck(), self._outdoors.temperature_ck(moment)
        if self._rule == FROST or self._preheat.is_running:
            return model.flow_max_ck
        if room_ck is not None:
            offset_ck = self._regulator.offset_ck
            flow_ck = actuators.flow_ck(
                self.setpoint_ck, offset_ck, room_ck, outdoor_ck, model.curve_percent, model.flow_max_ck
            )
        else:
            if outdoor_ck is None and is_winter(self._choice, moment):
                outdoor_ck = limits.SAFE_OUTDOOR_CK
            flow_ck = actuators.blind_flow_ck(self.duty_permille, outdoor_ck, model.curve_percent, model.flow_max_ck)
        # A boiler moves in whole degrees: a smaller step would be sent without effect.
        held = self.outputs.flow_ck
        return held if abs(flow_ck - held) < 50 and held != limits.FLOW_MIN_CK else flow_ck

    def _run_exercise(self, moment):
        exercise = self._exercise
        is_idle = self.duty_permille == 0 and self._sensor.fault is None and not self._frost
        wanted = self._choice.wanted
        if exercise.phase is None and not (is_idle and exercise.stroke_s()):
            return
        day = None
        if wanted is not None:
            day = civil.local_from_unix(self._model.zone, moment.unix_s).civil_day
        if exercise.phase is not None:
            if not is_idle:
                exercise.abandon()
            elif exercise.step(day, now_ms=moment.now_ms):
                self._reports.report(event.VALVE_EXERCISED, None, (exercise.stroke_s(),))
            return
        is_free = wanted is not None and wanted.kind != heating.OCCUPIED and (
            wanted.next_s is None or wanted.next_s - moment.unix_s >= limits.EXERCISE_CLEAR_S
        )
        if exercise.is_due(day, is_free and self._rule == PROGRAMME, now_ms=moment.now_ms):
            exercise.begin(now_ms=moment.now_ms)

    # --- what is known --------------------------------------------------------------------------------------

    def _room_ck(self):
        """Returns the room's temperature if it is believed, else None."""
        return None if self._sensor.fault is not None else self._sensor.temperature_ck

    def _ahead_ck(self, room_ck):
        """Returns what the thermometer will show once it and the heater have followed, at the present slope.

        Without this a light room swings around its set-point, the more the slower its thermometer is. The dead time is
        that of the kind of heating: the learned one is the shorter, the faster the air of a light room rises.
        """
        ahead_ck = (self._window.slope.ck_h or 0) * dead_s(self._model) // 3600
        return room_ck + max(-limits.AHEAD_MAX_CK, min(limits.AHEAD_MAX_CK, ahead_ck))

    def _closed_ms(self, room_ck, now_ms):
        """Returns how long the relay has been closed on electric heaters that must draw.

        It is 0 in a room that is nearly warm, where their own thermostats may have opened.
        """
        model = self._model
        is_cold = room_ck is not None and room_ck < self.setpoint_ck - limits.COMFORT_CK
        if model.output != RELAY or model.is_water or not self.outputs.on or not is_cold:
            return 0
        return now_ms - self._cycle.edge_ms

    def _energy_wh(self):
        if self._meter is not None:
            return self._meter.wh
        return self._kept.energy_wh + self._model.heater_w * (self._cycle.on_ms // 1000) // 3600
