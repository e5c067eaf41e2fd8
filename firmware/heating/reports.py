"""Reports the events of one room: each begin and each end once. Keeps what was reported; decides nothing."""

from heating import limits
from heating.boiler import FAULT, FAULT_CODE_KEY, FAULT_FLAGS_KEY, STATUS_KEY
from heating.model import OPENTHERM, OUTPUT_SILENT
from heating.setpoint import PREHEAT, PROGRAMME
from wire import directive, event

# The word of wire.event for what a room runs on without its clock.
_BASIS = "safety"
# Detail of a silent valve converter: the room's only zone, the cause, no current.
_SILENT = (1, "silent", None)


class RoomReports:
    """Queues the events of one room for `drain`."""

    def __init__(self, model, *, now_ms):
        self._has_boiler = model.output == OPENTHERM
        self._events = []
        self._reported = {}  # {name: detail} of what is in force
        self._decided = (None, None)  # all that is reported of the last whole decision; the second is its ceiling
        self._setpoint = (model.no_time_ck, None, None)
        self._clock_ms = now_ms
        self._status_ms = now_ms

    def drain(self) -> list:
        """Returns [(event code, active, detail)] since the last call."""
        events = self._events
        self._events = []
        return events

    def report(self, code, active, detail) -> None:
        self._events.append((code, active, detail))

    def report_sample(self, values, outdoor, *, now_ms) -> None:
        """Reports from a sample: the boiler's state or the output's silence, and the outdoor sensor's."""
        silent = outdoor is not None and now_ms - outdoor[1] >= limits.OUTDOOR_SILENT_MS
        self._report_while("outdoor", event.SENSOR_FAILURE, silent, ("outdoor", "silent"))
        if not self._has_boiler:
            if OUTPUT_SILENT not in values:
                self._status_ms = now_ms
            silent = now_ms - self._status_ms >= limits.OUTPUT_SILENT_MS
            self._report_while(event.VALVE_FAILURE, event.VALVE_FAILURE, silent, _SILENT)
            return
        if STATUS_KEY in values:
            self._status_ms = now_ms
        self._report_while(
            event.BOILER_COMM_FAILURE,
            event.BOILER_COMM_FAILURE,
            now_ms - self._status_ms >= limits.OUTPUT_SILENT_MS,
            (),
        )
        if STATUS_KEY in values:
            detail = (values.get(FAULT_FLAGS_KEY, 0), values.get(FAULT_CODE_KEY, 0))
            self._report_while(event.BOILER_FAULT, event.BOILER_FAULT, values[STATUS_KEY] & FAULT != 0, detail)

    def report_meter(self, is_silent) -> None:
        """Reports a silent meter."""
        self._report_while(event.METER_FAILURE, event.METER_FAILURE, is_silent, ())

    def is_equipment_sound(self) -> bool:
        """Returns True while output and meter answer and a boiler reports no fault."""
        for code in (event.METER_FAILURE, event.VALVE_FAILURE, event.BOILER_COMM_FAILURE, event.BOILER_FAULT):
            if code in self._reported:
                return False
        return True

    def report_decision(self, decided, choice, frost, sensor, seen_by, late, moment) -> None:
        """Reports what differs in a whole decision from the last reports.

        `decided`: (set-point, rule, reason), without standby; `late`: (0.01 °C, its set-point, minutes of heat) of a
        room that was not warm when people came, or None.
        """
        shed_ck = moment.directives.get(directive.LOAD_SHED, 0)
        if choice.wanted is not None:
            self._clock_ms = moment.now_ms
        lost = moment.now_ms - self._clock_ms >= limits.FALLBACK_REPORTED_MS
        limit = choice.limit
        ceiling = None if limit is None else (choice.wished_ck, choice.setpoint_ck, limit.authority, limit.text)
        news = (decided, ceiling, frost, sensor.fault, seen_by, late, shed_ck, lost)
        if news == self._decided:
            return
        self._report_while(event.PREHEAT_FAILURE, event.PREHEAT_FAILURE, late is not None, late)
        setpoint_ck, rule, reason = decided
        previous_ck = self._setpoint[0]
        # The programme's reason changes with the day at midnight: that is no change of the set-point.
        which = (setpoint_ck, rule, None if rule in (PROGRAMME, PREHEAT) else reason)
        if which != self._setpoint:
            self._setpoint = which
            self.report(event.SETPOINT_CHANGED, None, (setpoint_ck, previous_ck, rule, reason))
        if ceiling is not None and ceiling != self._decided[1]:
            self.report(event.CEILING_APPLIED, None, (ceiling[0], ceiling[1], f"{ceiling[2]}, {ceiling[3]}"))
        self._report_while(event.FROST_PROTECTION, event.FROST_PROTECTION, frost, (sensor.temperature_ck,))
        self._report_while("room", event.SENSOR_FAILURE, sensor.fault is not None, ("room", sensor.fault))
        self._report_while(event.WINDOW_OPEN, event.WINDOW_OPEN, seen_by is not None, (seen_by,))
        self._report_while(event.LOAD_SHED, event.LOAD_SHED, shed_ck > 0, (shed_ck,))
        self._report_while(event.TIME_FALLBACK, event.TIME_FALLBACK, lost, (_BASIS,))
        self._decided = news

    def _report_while(self, name, code, active, detail):
        """Reports the begin, a new detail while it lasts (unless that is a temperature), and the end."""
        if active:
            known = self._reported.get(name)
            if known is None or (known != detail and code != event.FROST_PROTECTION):
                self._reported[name] = detail
                self.report(code, True, detail)
        elif name in self._reported:
            self.report(code, False, self._reported.pop(name))
