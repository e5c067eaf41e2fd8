"""Judges the thermometers of a room: whether the room's reading is believed, and how cold it is outside.

The room's thermometer gives one reading a sample, or None where it is silent. Absent, stale, stuck and wild sensors
each have a word, declared within five minutes. A reading out of range, or faster than air can change, counts as none;
the allowed change grows with the time since the last good reading, so that a sensor that was moved is believed again by
itself, but only once its reading has moved from the first one that was doubted: one that is frozen elsewhere never does
(55 °C was believed for having been silent for half an hour, and the room was not heated for a day). A constant value is
no fault while the heating is low: rooms do that. It is one after three hours at more than half power (the false alarms
of Versatile Thermostat's users were of that kind), and after a day and night at any power: a sensor stuck at 20 °C
would let the room freeze without a demand.
"""

from heating import limits
from heating.boiler import OUTDOOR_KEY
from policy import civil
from wire import directive

SILENT = "silent"
RANGE = "range"
RATE = "rate"
STUCK = "stuck"
ABSENT = "absent"


class RoomThermometer:
    """Judges the room's readings.

    `temperature_ck`: the last good one, 0.01 °C, or None; `fault`: None, or the reason why it must not be acted upon.
    """

    def __init__(self, *, now_ms):
        self.temperature_ck = None
        self.fault = None
        self.faults = 0
        self._good_ms = now_ms
        self._why = ABSENT
        self._good_in_a_row = 0
        self._doubted_ck = None  # the first of the readings that are too far from the last good one
        self._still_ck = None
        self._still_since_ms = now_ms
        self._moved_ms = now_ms

    def sample(self, value_ck, duty_permille, *, now_ms) -> None:
        """Observes one reading, and the heating duty that was in force since the last one."""
        why = self._wrong(value_ck, now_ms)
        if why is not None:
            self._why = why if why != SILENT or self.temperature_ck is not None else ABSENT
            self._good_in_a_row = 0
            self.tick(now_ms=now_ms)
            return
        self.temperature_ck = value_ck
        if now_ms - self._good_ms >= limits.SENSOR_STALE_MS:
            self._moved_ms = now_ms  # how it moved in between is not known
        self._good_ms = now_ms
        self._good_in_a_row += 1
        moved = self._still_ck is None or abs(value_ck - self._still_ck) >= limits.SENSOR_STUCK_CK
        if moved:
            self._still_ck = value_ck
            self._moved_ms = now_ms
        if moved or (duty_permille <= limits.SENSOR_STUCK_PERMILLE and self.fault != STUCK):
            self._still_since_ms = now_ms
        rigid = now_ms - self._moved_ms >= limits.SENSOR_RIGID_MS
        if rigid or now_ms - self._still_since_ms >= limits.SENSOR_STUCK_MS:
            self._declare(STUCK)
        elif self.fault == STUCK:
            if moved:
                self.fault = None
        elif self.fault is not None and self._good_in_a_row >= limits.SENSOR_GOOD_SAMPLES:
            self.fault = None

    def tick(self, *, now_ms) -> None:
        """Declares a sensor that has been silent for too long; may be called with or without samples."""
        if now_ms - self._good_ms >= limits.SENSOR_STALE_MS:
            self._declare(self._why)

    def _wrong(self, value_ck, now_ms):
        if value_ck is None:
            return SILENT
        if not limits.SENSOR_LOW_CK <= value_ck <= limits.SENSOR_HIGH_CK:
            return RANGE
        if self.temperature_ck is None:
            return None
        minutes_c = (now_ms - self._good_ms) // 600
        allowed_ck = max(limits.SENSOR_RATE_FLOOR_CK, limits.SENSOR_RATE_CK_MIN * minutes_c // 100)
        change_ck = abs(value_ck - self.temperature_ck)
        if change_ck <= min(allowed_ck, limits.SENSOR_RATE_CK_MIN):
            self._doubted_ck = None
            return None
        if self._doubted_ck is None:
            self._doubted_ck = value_ck
        if change_ck > allowed_ck or abs(value_ck - self._doubted_ck) < limits.SENSOR_STUCK_CK:
            return RATE
        self._doubted_ck = None
        return None

    def _declare(self, why):
        if self.fault is None:
            self.faults += 1
        if self.fault != STUCK:
            self.fault = why


_WINTER_MONTHS = (11, 12, 1, 2, 3)


class OutdoorThermometer:
    """Gives the outdoor temperature: from the node's own sensor, else from the gateway.

    `seen`: (0.01 °C, when) of the own sensor, or None before its first reading.
    """

    def __init__(self):
        self.seen = None

    def sample(self, values, *, now_ms):
        if OUTDOOR_KEY in values:
            self.seen = (values[OUTDOOR_KEY], now_ms)

    def temperature_ck(self, moment):
        """Returns it in 0.01 °C, or None."""
        if self.seen is not None and moment.now_ms - self.seen[1] < limits.OUTDOOR_SILENT_MS:
            return self.seen[0]
        return moment.directives.get(directive.OUTDOOR_TEMPERATURE)


def is_winter(choice, moment):
    """Returns True in the winter months, and without a clock."""
    if choice.wanted is None:
        return True
    return civil.civil_from_days(moment.unix_s // civil.day_s)[1] in _WINTER_MONTHS
