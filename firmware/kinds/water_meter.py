"""Composes the water meter in a pit, which turns pulses into litres, flow and three alarms. Its trade is in this file
too, since no other module uses it.

    meter       [millilitres a pulse, greatest flow in mL/min that the site can use]
    dial_l      reading of the meter's dial when the node was fitted, litres; 0 when left out
    battery     true: it runs on its cell and sleeps; absent: it is supplied from outside and stays awake
    leak_ml_h   least flow in every night hour that is a leak, mL/h; 2000 when left out; at least two
                pulses, for one may belong to the hour before

The reported volume never goes back, over any number of power cuts; a cut loses at most the pulses since the last hourly
checkpoint. For that each checkpoint holds the highest volume that may be reported until the next one, and after a cut
the reported volume stays there until the count has reached it. The volume moves from the first checkpoint on, an hour
after fitting.

A leak is water that flows in every one of the night hours; a burst is more flow than the site can use, for a minute;
both alarms end by themselves with the flow. An open cable loop is reported at once: the cable was cut, or the emitter
removed. The node declines orders; a technician's lock or test is reported but does not stop the counting.
"""

import struct
from collections import namedtuple

from drivers.sensor import PENDING
from node.trade import HAND, PULSE, Trade
from policy import civil
from wire import event, quantity

KIND = "water_meter"
FIELDS = ("meter", "dial_l", "leak_ml_h", "battery")
BOARD_TEMPERATURE = quantity.key(quantity.TEMPERATURE, 15)

Own = namedtuple("Own", ("pulse_ml", "flow_max_ml_min", "dial_l", "leak_ml_h", "sleeps"))

# Key of the ports' sample beside the quantities of the wire: pulses since the start.
PULSES = "pulses"

# Emitters give a pulse for 0.1 L to 1000 L (cyclometers, and large flanged meters); a DN 300 main carries 20 m3/min.
_PULSE_ML = (100, 1_000_000)
_FLOW_ML_MIN = (1000, 20_000_000)
_LEAK_ML_H = (100, 10_000_000)
_LITRES_MAX = 0xFFFFFFFF  # of wire.quantity: four million cubic metres
# Civil hours in which a town sleeps: water that flows in each of them is not used, but paid for.
_NIGHT_HOURS = (2, 3, 4)
_BURST_S = 60
_JUDGE_MS = 10_000
# A lithium cell at 3.0 V has a tenth left; it recovers a little when it rests.
_BATTERY_LOW_MV, _BATTERY_GOOD_MV = 3000, 3200
# Between two checkpoints the reported volume may rise by this many minutes of the greatest flow, or by twice the last
# hour's volume.
_SHOWN_MIN = 6
# A pulse wakes the chip, which needs two seconds to count again: faster ones would be lost.
_PULSES_ASLEEP_MIN = 20
# The longest sleep: it checks cable and cell at least this often.
_SLEEP_MAX_MS = 900_000
# After a pulse it stays awake this long for the next one.
_WATCH_MS = 10_000
# mL counted, mL reported, mL that may be reported, mL at the last checkpoint; faults; ms since the sample; hour (0:
# none), its mL, whether it was watched whole; night hours; mV
_ASLEEP = "<QQQQBIIQBBH"
_MEMORY = "<QQB"  # mL counted, mL that may be reported, faults in force


def decode(faults, plain):
    """Returns an Own, as far as it could be read; notes the faults."""
    meter = plain.get("meter")
    if faults.sequence("meter", meter, 2, 2):
        sound = faults.integer("meter[0]", meter[0], _PULSE_ML[0], _PULSE_ML[1])
        if faults.integer("meter[1]", meter[1], _FLOW_ML_MIN[0], _FLOW_ML_MIN[1]) and sound:
            _refuse_fast(faults, meter[0], meter[1])
    else:
        meter = (0, 0)
    sleeps = plain.get("battery", False)
    if not isinstance(sleeps, bool):
        faults.add("battery", "is not true or false", "give true for a node that runs on its cell")
    if sleeps is True and faults.count() == 0 and meter[1] > _PULSES_ASLEEP_MIN * meter[0]:
        remedy = f"take an emitter of {-(-meter[1] // _PULSES_ASLEEP_MIN)} mL or more: each pulse wakes the chip"
        faults.add("battery", f"sleeps through more than {_PULSES_ASLEEP_MIN} pulses a minute", remedy)
    dial_l, leak_ml_h = plain.get("dial_l", 0), plain.get("leak_ml_h", 2000)
    faults.integer("dial_l", dial_l, 0, _LITRES_MAX)
    faults.integer("leak_ml_h", leak_ml_h, _LEAK_ML_H[0], _LEAK_ML_H[1])
    return Own(meter[0], meter[1], dial_l, leak_ml_h, sleeps is True)


def _refuse_fast(faults, pulse_ml, flow_max_ml_min):
    """Refuses an emitter that is too fine for the board, which must be able to count twice the greatest flow, or a
    burst would not be seen."""
    from boards import water_meter as board

    least_ml = -(-2 * flow_max_ml_min // (60 * board.METER_HZ_MAX))
    if pulse_ml < least_ml:
        remedy = f"the board counts {board.METER_HZ_MAX} a second: take an emitter of {least_ml} mL or more"
        faults.add("meter[0]", "is too little for twice the greatest flow", remedy)


def make_trade(own, start):
    """Returns the metering trade of one pipe."""
    return MeterTrade(own, start)


class MeterTrade(Trade):
    """Counts the water through one pipe, and judges burst, leak, cable and cell."""

    kind = KIND

    def __init__(self, own, start):
        self._own = own
        self.sleeps = own.sleeps
        self._total_ml = 0
        self._active = set()
        self._shown_ml = self._ceiling_ml = 0
        if len(start.memory) == struct.calcsize(_MEMORY):
            self._total_ml, self._ceiling_ml, flags = struct.unpack(_MEMORY, start.memory)
            self._shown_ml = self._ceiling_ml  # the volume reported before the cut is not above it
            self._active = {code for bit, code in enumerate(_CONDITIONS) if flags >> bit & 1}
        self._noted_ml = self._total_ml
        self._pulses = None
        self._at_ms = start.now_ms
        self._flow_ml_min = None
        self._watch_until_ms = start.now_ms
        self._over_since_ms = None
        # A burst is judged over this time, in which the greatest flow gives two pulses: one pulse alone shows no flow.
        self._judge_ms = max(_JUDGE_MS, 2 * 60_000 * own.pulse_ml // own.flow_max_ml_min)
        self._judged_ms = self._judged_ml = 0
        self._battery_mv = None
        self._hour = None  # (hours of the civil calendar, mL so far, whether watched from its begin on)
        self._night = 0  # night hours in a row with a leak's flow
        self._events = []

    def sample(self, values, moment):
        if values is None:
            self._flow_ml_min = None
            self._set(event.METER_FAILURE, True, {})
            return
        now_ms = moment.now_ms
        pulses = values.get(PULSES)
        self._set(event.METER_FAILURE, pulses is None, {})
        volume_ml = 0
        if pulses is not None and self._pulses is not None and pulses >= self._pulses:
            volume_ml = (pulses - self._pulses) * self._own.pulse_ml
        elapsed_ms, self._at_ms = now_ms - self._at_ms, now_ms
        if pulses is not None:
            self._total_ml += volume_ml
            if volume_ml:
                self._watch_until_ms = now_ms + _WATCH_MS
            self._shown_ml = max(self._shown_ml, min(self._total_ml, self._ceiling_ml))
            self._flow_ml_min = volume_ml * 60_000 // elapsed_ms if self._pulses is not None and elapsed_ms else None
            self._pulses = pulses
        self._watch_burst(volume_ml, elapsed_ms, now_ms)
        self._watch_night(volume_ml, moment.unix_s)
        is_cut = values.get(quantity.SENSOR_FAULTS)
        if is_cut is not None:
            self._set(event.SENSOR_FAILURE, is_cut != 0, ("meter", "cable"))
        self._watch_battery(values.get(quantity.BATTERY))

    def drain_events(self):
        events = self._events
        self._events = []
        return events

    def readings(self, moment):
        readings = {quantity.WATER_VOLUME: self._litres()}
        if self._flow_ml_min is not None:
            readings[quantity.WATER_FLOW] = (self._flow_ml_min + 30) // 60  # mL/s are 10^-6 m3/s
        return readings

    def health(self, moment):
        return {} if self._battery_mv is None else {quantity.BATTERY: self._battery_mv}

    def declines(self, moment):
        return "no-output"

    def is_sound(self, moment):
        """Returns whether the node counts. A leak, a burst and a weak cell are not the program's fault: no program
        mends them."""
        return event.METER_FAILURE not in self._active and event.SENSOR_FAILURE not in self._active

    def wants_sample_ms(self, now_ms):
        """Returns when a sample is wanted: sooner than usual while a burst is judged, and before a sleep with unread
        pulses."""
        if self._over_since_ms is not None:
            return self._at_ms + _JUDGE_MS
        return self._watch_until_ms if self.sleeps and self._watch_until_ms > self._at_ms else None

    def memory(self, now_ms):
        hour_ml, self._noted_ml = self._total_ml - self._noted_ml, self._total_ml
        ahead_ml = max(2 * hour_ml, _SHOWN_MIN * self._own.flow_max_ml_min)
        self._ceiling_ml = max(self._ceiling_ml, self._total_ml + ahead_ml)
        self._shown_ml = max(self._shown_ml, self._total_ml)
        flags = 0
        for bit, code in enumerate(_CONDITIONS):
            flags |= (code in self._active) << bit
        return struct.pack(_MEMORY, self._total_ml, self._ceiling_ml, flags)

    @property
    def counts_asleep(self):
        """Returns True: a pulse always wakes the chip."""
        return True

    def may_sleep_until(self, moment):
        """Allows sleep between two pulses, unless more flows than the site can use."""
        if self._pulses is None or self._over_since_ms is not None or moment.now_ms < self._watch_until_ms:
            return None
        return moment.now_ms + _SLEEP_MAX_MS

    def asleep(self, now_ms):
        """Returns all of the state: `memory` would raise the volume that may be reported, and a sleep image is not on
        flash."""
        flags = 0
        for bit, code in enumerate(_CONDITIONS):
            flags |= (code in self._active) << bit
        hour = self._hour or (0, 0, False)
        return b"", struct.pack(
            _ASLEEP, self._total_ml, self._shown_ml, self._ceiling_ml, self._noted_ml, flags,
            min(0x7FFFFFFF, now_ms - self._at_ms), hour[0], hour[1], hour[2], self._night, self._battery_mv or 0,
        )  # fmt: skip

    def woken(self, rest, slept_ms, by, *, now_ms):
        if len(rest) != struct.calcsize(_ASLEEP):
            return
        (self._total_ml, self._shown_ml, self._ceiling_ml, self._noted_ml, flags, age_ms, hour, hour_ml, whole,
         self._night, battery_mv) = struct.unpack(_ASLEEP, rest)  # fmt: skip
        self._active = {code for bit, code in enumerate(_CONDITIONS) if flags >> bit & 1}
        self._at_ms = now_ms - slept_ms - age_ms
        self._hour = (hour, hour_ml, whole == 1) if hour else None
        self._battery_mv = battery_mv or None
        self._pulses = -1 if by == PULSE else 0
        if by == PULSE:
            self._watch_until_ms = now_ms + _WATCH_MS

    def _litres(self):
        return min(self._own.dial_l + self._shown_ml // 1000, _LITRES_MAX)

    def _watch_burst(self, volume_ml, elapsed_ms, now_ms):
        """Reports a burst when more flows than the site can use for _BURST_S."""
        if self._flow_ml_min is None:
            self._over_since_ms = None
            self._judged_ms = self._judged_ml = 0
            return
        self._judged_ms += elapsed_ms
        self._judged_ml += volume_ml
        if self._judged_ms < self._judge_ms:
            return
        flow = self._judged_ml * 60_000 // self._judged_ms
        self._judged_ms = self._judged_ml = 0
        if flow <= self._own.flow_max_ml_min:
            self._over_since_ms = None
            self._set(event.PIPE_BURST, False, (None, flow))
            return
        if self._over_since_ms is None:
            self._over_since_ms = now_ms
        elif now_ms - self._over_since_ms >= 1000 * _BURST_S:
            self._set(event.PIPE_BURST, True, (None, flow))

    def _watch_night(self, volume_ml, unix_s):
        """Counts the night hours in a row with a leak's flow that were watched whole; without a clock there is no
        night."""
        if unix_s is None:
            self._hour, self._night = None, 0
            return
        local = civil.local_from_unix(civil.PARIS, unix_s)
        hour = 24 * local.civil_day + local.second // 3600
        before = self._hour
        if before is None or before[0] != hour:
            follows = before is not None and before[0] == hour - 1
            if follows and before[2]:
                self._close_hour(before)
            else:
                self._night = 0
            # The hour of a start was not watched whole: it may neither begin nor end a leak.
            before = (hour, 0, follows)
        self._hour = (hour, before[1] + volume_ml, before[2])

    def _close_hour(self, closed):
        if closed[0] % 24 not in _NIGHT_HOURS:
            self._night = 0
            return
        if closed[1] < max(self._own.leak_ml_h, 2 * self._own.pulse_ml):
            self._night = 0
            self._set(event.WATER_LEAK, False, (closed[1], 3600))
            return
        self._night += 1
        if self._night == len(_NIGHT_HOURS):
            self._set(event.WATER_LEAK, True, (closed[1], 3600))

    def _watch_battery(self, battery_mv):
        if battery_mv is None:
            return
        self._battery_mv = battery_mv
        if battery_mv < _BATTERY_LOW_MV:
            self._set(event.BATTERY_LOW, True, (battery_mv,))
        elif battery_mv >= _BATTERY_GOOD_MV:
            self._set(event.BATTERY_LOW, False, (battery_mv,))

    def _set(self, code, is_active, detail):
        if is_active == (code in self._active):
            return
        if is_active:
            self._active.add(code)
        else:
            self._active.discard(code)
        self._events.append((code, is_active, detail))


# Conditions that outlive a restart, by their bit in memory.
_CONDITIONS = (
    event.METER_FAILURE,
    event.PIPE_BURST,
    event.WATER_LEAK,
    event.SENSOR_FAILURE,
    event.BATTERY_LOW,
)


class Ports:
    """Reads a counter, a contact and a voltage; drives nothing."""

    whole = (quantity.BATTERY,)  # without pulses is_sound returns False

    def __init__(self, own, board, machine, *, now_ms):
        from drivers.analog import Analog
        from drivers.pulses import Pulses

        pin = self._pin = machine.Pin(board.METER_PIN, machine.Pin.IN)
        self._button, self._button_level = machine.Pin(board.BUTTON_PIN, machine.Pin.IN), board.BUTTON_ACTIVE_LEVEL
        self._pulses = Pulses(machine.Counter(board.METER_UNIT, pin), hz_max=board.METER_HZ_MAX, caps=True)
        self._cable = machine.Pin(board.CABLE_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
        self._cut_level = board.CABLE_ACTIVE_LEVEL
        self._battery = Analog(
            machine.ADC(machine.Pin(board.BATTERY_PIN)),
            upper_ohm=board.BATTERY_UPPER_OHM,
            lower_ohm=board.BATTERY_LOWER_OHM,
        )

    def wake_pins(self, trade):
        """Returns the wake inputs for `esp32.sleeping`: the meter's pulse and the button."""
        return {PULSE: (self._pin, 0), HAND: (self._button, self._button_level)}

    def safe(self):
        """Does nothing: there is no output."""

    def apply(self, outputs, *, now_ms):
        """Does nothing: there is no output."""

    def begin_sample(self, *, now_ms):
        self._pulses.begin(now_ms=now_ms)
        self._battery.begin(now_ms=now_ms)

    def collect(self, *, now_ms):
        values = {quantity.SENSOR_FAULTS: 1 if self._cable.value() == self._cut_level else 0}
        pulses = self._pulses.collect(now_ms=now_ms)
        battery_mv = self._battery.collect(now_ms=now_ms)
        if PENDING in (pulses, battery_mv):
            return PENDING
        if pulses is not None:
            values[PULSES] = pulses
        if battery_mv is not None:
            values[quantity.BATTERY] = battery_mv
        return values
