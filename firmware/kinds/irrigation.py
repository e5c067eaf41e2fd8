"""Composes the irrigation node, which drives eight zone valves, a master and a pump, and reads meter, rain gauge, air
and battery.

    site       [latitude, longitude] in 10^-4 degree
    watering, valves, supply, pulse, meter, battery, soil, weather, fitted, rain: see watering.settings

This board's valves latch: an open valve stays open when the mains fail. So a node without `battery` in its settings,
which is on the mains and stays awake, has the board's own cell as its store, and opens no valve that this cell could
not shut.

It only uses the drivers of the bridges, the selector and the sensors: `watering.valves` decides which pulse is due, so
that one machine owns deadlines, the closing at a boot and the order of pulses.
"""

from drivers import latching_valves, sensor
from drivers.analog import Analog
from drivers.i2c_bus import open_bus
from drivers.pulses import Pulses
from drivers.sensor import PENDING
from node.trade import HAND, PULSE, RAIN
from watering import inputs, limits
from watering.settings import FIELDS as _OWN_FIELDS
from watering.settings import RAIN_CONTACT, WIND
from watering.sleepy import SleepyTrade
from watering.trade import WateringTrade
from watering.valves import HELD, MASTER, PUMP
from wire import quantity

KIND = WateringTrade.kind
FIELDS = ("site",) + _OWN_FIELDS
# Channel 0 is the air; the board has the last channel, as on a thermostat.
BOARD_TEMPERATURE = quantity.key(quantity.TEMPERATURE, 15)

# A coil's current is measured at 50 ms: the INA226 takes 10 ms for its mean.
_CURRENT_AT_MS = 40
# How long a pulse waits for its capacitor; then it is given anyway: half a closing is better than none.
_CHARGE_MS = 10_000
_CHARGED_PERCENT = 90
_CHARGE_READ_MS = 20
# A selector that did not answer is tried again after this, with the next output whose pulse is due.
_AGAIN_MS = 100
# Phases of a pulse: its valve is being connected, has current, the measurement of its current was started, is done.
_SELECTING, _DRIVING, _ASKED, _MEASURED = range(4)
_WIND_DMS_PER_HZ = 7  # a cup anemometer of 0.7 m/s a pulse and second, the usual one


def decode(faults, plain):
    """Returns a watering.settings.Own, as far as it could be read; notes the faults."""
    from boards import irrigation as board
    from node import settings
    from watering import settings as own_settings

    own = own_settings.decode(faults, plain, settings.site(faults, plain.get("site")), _reserve(board))
    for output in range(PUMP):
        if own.kinds[output] == HELD:
            # Its machine would count as open, and no wire would have a voltage.
            faults.add(f"valves[{output}]", "is held", "this board has bridges only: use a latching valve, or 0")
    return own


def _reserve(board):
    """Returns (mAh, mJ a pulse, mV) of the board's own store. A pulse takes the energy in the capacitor, and as much
    again that the converter adds meanwhile or loses: twice C U^2 / 2."""
    boost_mv = board.BOOST_FULL_MV
    return (board.BATTERY_CAPACITY_MAH, board.CAPACITOR_MICROFARAD * boost_mv // 1000 * boost_mv // 1_000_000, boost_mv)


def make_trade(own, start):
    """Returns the trade of one irrigation node: a SleepyTrade when it has a store, whose charge must be watched, asleep
    or not."""
    if own.capacity_mah:
        return SleepyTrade(own, start)
    return WateringTrade(own, start)


def _counters(own, board, machine):
    """Returns {key: drivers.pulses.Pulses} of meter and rain gauge, and of the anemometer where one is fitted."""
    wired = [
        (inputs.METER_PULSES, board.FLOW_UNIT, board.FLOW_PIN, board.FLOW_HZ_MAX),
        (inputs.RAIN_TIPS, board.RAIN_UNIT, board.RAIN_PIN, board.RAIN_HZ_MAX),
    ]
    if WIND in own.fitted:
        wired.append((quantity.WIND_SPEED, board.WIND_UNIT, board.WIND_PIN, board.WIND_HZ_MAX))
    found = {}
    for name, unit, pin, hz_max in wired:
        counter = machine.Counter(unit, machine.Pin(pin, machine.Pin.IN))
        # Too fast pulses of water and wind are a burst and a storm; ten tips a second are no rain.
        found[name] = Pulses(counter, hz_max=hz_max, caps=name != inputs.RAIN_TIPS)
    return found


class Ports:
    """Drives the bridges, one pulse at a time, and the pump's relay, and reads the counters, contacts and sensors of
    `board`."""

    # A program that does not read these no longer waters, and nothing else shows it: is_sound checks only valves and
    # pipe.
    whole = (quantity.BATTERY, inputs.BOOST_MV, inputs.METER_PULSES)

    def __init__(self, own, board, machine, *, now_ms):
        self._own = own
        self._pump = machine.Pin(board.PUMP_PIN, machine.Pin.OUT, value=1 - board.PUMP_CLOSED_LEVEL)
        self._pump_closed = board.PUMP_CLOSED_LEVEL
        self._boost = machine.Pin(board.BOOST_PIN, machine.Pin.OUT, value=1 - board.BOOST_ACTIVE_LEVEL)
        self._boost_active = board.BOOST_ACTIVE_LEVEL
        bridges = []
        for in1, in2 in ((board.MASTER_IN1_PIN, board.MASTER_IN2_PIN), (board.ZONES_IN1_PIN, board.ZONES_IN2_PIN)):
            bridges.append(
                latching_valves.Bridge(
                    machine.Pin(in1, machine.Pin.OUT, value=0), machine.Pin(in2, machine.Pin.OUT, value=0)
                )
            )
        self._master_bridge, self._zone_bridge = bridges
        bus = open_bus(machine, board)
        self._selector = board.open_selector(bus)
        self._coil = board.open_coil(bus)
        self._sensors = {quantity.TEMPERATURE: board.open_air(bus)}
        battery = (board.BATTERY_PIN, board.BATTERY_UPPER_OHM, board.BATTERY_LOWER_OHM)
        capacitor = (board.CAPACITOR_PIN, board.CAPACITOR_UPPER_OHM, board.CAPACITOR_LOWER_OHM)
        self._sensors[quantity.BATTERY] = _analog(machine, battery)
        self._sensors[inputs.BOOST_MV] = _analog(machine, capacitor)
        probes = (
            (board.SOIL_1_PIN, board.SOIL_1_UPPER_OHM, board.SOIL_1_LOWER_OHM),
            (board.SOIL_2_PIN, board.SOIL_2_UPPER_OHM, board.SOIL_2_LOWER_OHM),
        )
        for i in range(len(own.soil)):
            self._sensors[inputs.SOIL_MV + i] = _analog(machine, probes[i])
        # A second reader for the pulses, which must not disturb a sample that is under way.
        self._capacitor = _analog(machine, capacitor)
        self._sensors.update(_counters(own, board, machine))
        self._flow_pin, self._rain_pin, self._button_pin = [
            machine.Pin(pin, machine.Pin.IN) for pin in (board.FLOW_PIN, board.RAIN_PIN, board.BUTTON_PIN)
        ]
        self._button_level = board.BUTTON_ACTIVE_LEVEL
        self._wet = None
        if RAIN_CONTACT in own.fitted:
            from drivers import contact

            self._wet = contact.Contact(
                machine.Pin(board.RAIN_CONTACT_PIN, machine.Pin.IN, machine.Pin.PULL_UP),
                active_level=board.RAIN_CONTACT_ACTIVE_LEVEL,
                settle_ms=1000 * own.rain_on_s,
            )
        self._pulse, self._begun_ms = None, now_ms
        self._phase = _SELECTING
        self._charging_ms = None  # since when a pulse waits for its capacitor
        self._wind = (None, now_ms)
        self._values = {}
        self._unread = ()
        self.safe()

    def wake_pins(self, trade):
        """Returns the wake inputs for `esp32.sleeping`: {word of node.trade: (pin, its active level)}. With a rain
        gauge no input is left for the button: the chip can distinguish only two."""
        pins = {HAND: (self._button_pin, self._button_level)}
        if self._own.tip_cmm:
            pins = {RAIN: (self._rain_pin, 0)}
        if trade.counts_asleep:
            pins[PULSE] = (self._flow_pin, 0)
        return pins

    def safe(self):
        """Takes the current off every coil and the pump. The following turns pulse latching valves shut."""
        self._master_bridge.coast()
        self._zone_bridge.coast()
        self._selector.release()
        self._pump.value(1 - self._pump_closed)
        self._boost.value(1 - self._boost_active)
        self._coil.rest()
        self._pulse = None

    def apply(self, outputs, *, now_ms):
        """Does one turn: switches the pump at once, and continues the pulse under way or begins the next."""
        drive = outputs.tick(now_ms=now_ms)
        self._pump.value(self._pump_closed if drive.held >> PUMP & 1 else 1 - self._pump_closed)
        # The capacitor is charged while any pulse is due or a valve is open, whose closing must not wait; also while a
        # run wants to open a valve, or is about to: that is refused until the capacitor is charged.
        charging = not outputs.ready() or outputs.any_open() or outputs.prepares
        self._boost.value(self._boost_active if charging else 1 - self._boost_active)
        if self._wet is not None:
            self._wet.poll(now_ms=now_ms)
        if self._pulse is None:
            if drive.pulse is not None:
                if self._is_charged(now_ms):
                    self._begin(outputs, drive.pulse, now_ms)
                else:
                    outputs.put_off(_CHARGE_READ_MS, now_ms=now_ms)
            return
        output, opens = self._pulse
        if self._phase == _SELECTING:
            if now_ms - self._begun_ms >= limits.SELECT_MS:
                self._drive(now_ms)
            return
        elapsed_ms = now_ms - self._begun_ms
        if self._phase != _MEASURED and elapsed_ms >= _CURRENT_AT_MS:
            self._current(outputs, output, now_ms)
        if elapsed_ms >= self._own.pulse_ms:
            self._end(outputs, output, opens, now_ms)

    def begin_sample(self, *, now_ms):
        self._values = {}
        self._unread = tuple(self._sensors)
        for one in self._sensors.values():
            one.begin(now_ms=now_ms)

    def collect(self, *, now_ms):
        """Returns PENDING until every sensor has a value or has failed, then the sample."""
        still = []
        for name in self._unread:
            value = self._sensors[name].collect(now_ms=now_ms)
            if value is PENDING:
                still.append(name)
            elif name != quantity.WIND_SPEED:
                sensor.note(self._values, name, value)
            elif value is not None:
                self._note_wind(value, now_ms)
        self._unread = tuple(still)
        if still:
            return PENDING
        if self._wet is not None:
            # A node that has just woken sleeps again before the level has lasted long enough.
            wet = self._wet.active
            self._values[inputs.RAIN_WET] = 1 if (self._wet.seen if wet is None else wet) else 0
        return self._values

    # --- inside ---------------------------------------------------------------------------------------------

    def _is_charged(self, now_ms):
        """Returns whether the capacitor can move a valve. After a cold start it is empty: its pulse would move nothing,
        and the valve would count as shut."""
        wanted_mv = self._own.boost_mv
        if not wanted_mv:
            return True
        if self._charging_ms is None:
            self._charging_ms = now_ms
        self._capacitor.begin(now_ms=now_ms)
        mv = self._capacitor.collect(now_ms=now_ms)
        waits = mv is None or 100 * mv < _CHARGED_PERCENT * wanted_mv
        if waits and now_ms - self._charging_ms < _CHARGE_MS:
            return False
        self._charging_ms = None
        return True

    def _begin(self, outputs, pulse, now_ms):
        """Begins a pulse: connects the valve by the selector; the master has a bridge of its own."""
        self._pulse, self._begun_ms, self._phase = pulse, now_ms, _SELECTING
        if pulse[0] == MASTER:
            self._drive(now_ms)
        elif not self._selector.select(pulse[0] - 1):
            # The selector is silent, or one of its lines is stuck: the pulse stays due, and the others continue. A
            # valve without a pulse draws no current, for which the guard raises an alarm, which also ends a run that
            # could not open.
            self._selector.release()
            self._pulse = None
            outputs.put_off(_AGAIN_MS, pulse[0], now_ms=now_ms)
            outputs.observe_current(pulse[0], 0)

    def _drive(self, now_ms):
        output, opens = self._pulse
        bridge = self._master_bridge if output == MASTER else self._zone_bridge
        bridge.drive(opens)
        self._begun_ms, self._phase = now_ms, _DRIVING

    def _current(self, outputs, output, now_ms):
        if self._phase != _ASKED:
            # This also restarts a measurement of the last pulse that was never collected: its value is another coil's.
            self._phase = _ASKED
            self._coil.begin(now_ms=now_ms)
            return
        value = self._coil.collect(now_ms=now_ms)
        if value is PENDING:
            return
        self._phase = _MEASURED
        if value is not None:
            outputs.observe_current(output, abs(value[quantity.CURRENT]))

    def _end(self, outputs, output, opens, now_ms):
        self._master_bridge.coast()
        self._zone_bridge.coast()
        if output != MASTER:
            self._selector.release()
        self._pulse = None
        outputs.observe_pulse(output, opens, now_ms=now_ms)

    def _note_wind(self, pulses, now_ms):
        before, at_ms = self._wind
        self._wind = (pulses, now_ms)
        if before is not None and now_ms > at_ms and pulses >= before:
            self._values[quantity.WIND_SPEED] = (pulses - before) * 1000 * _WIND_DMS_PER_HZ // (now_ms - at_ms)


def _analog(machine, wired):
    """Returns the Analog of `wired`: pin, upper and lower resistor of the divider."""
    return Analog(machine.ADC(machine.Pin(wired[0])), upper_ohm=wired[1], lower_ohm=wired[2])
