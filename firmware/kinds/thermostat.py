"""Composes the thermostat, which heats one room by a relay, a 0-10 V valve or an OpenTherm boiler.

Its settings are those of heating.settings.
"""

from drivers import sensor
from drivers.sensor import PENDING
from heating import model, trade
from heating.settings import FIELDS, OPTIONS, Own  # noqa: F401 - FIELDS is the kind's, the others are its twins'
from wire import quantity

KIND = "thermostat"
# The room's temperature has channel 0.
BOARD_TEMPERATURE = quantity.key(quantity.TEMPERATURE, 15)


def decode(faults, plain):
    """Returns a heating.settings.Own, or None when it could not be read; notes the faults."""
    from heating import settings

    return settings.decode(faults, plain)


def make_trade(own, start):
    """Returns the heating trade of one room."""
    return trade.Thermostat(own.model, start.memory, now_ms=start.now_ms)


class Ports:
    """Owns the outputs, without heat from the first instant on, and the sensors. Parts that are not fitted are never
    read."""

    def __init__(self, own, board, machine, *, now_ms):
        from drivers.contact import Contact
        from drivers.i2c_bus import open_bus
        from heating.boiler import FLOW_KEY, OUTDOOR_KEY, RETURN_KEY

        self._closed = board.RELAY_CLOSED_LEVEL
        self._relay = machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=1 - self._closed)
        self._pump_closed = board.PUMP_CLOSED_LEVEL
        self._pump = machine.Pin(board.PUMP_PIN, machine.Pin.OUT, value=1 - self._pump_closed)
        self._applied = None
        bus = open_bus(machine, board)
        self._sensors = [(quantity.TEMPERATURE, board.open_room(bus))]
        for option, key, open_sensor in (
            ("outdoor", OUTDOOR_KEY, board.open_outdoor),
            ("flow", FLOW_KEY, board.open_flow),
            ("flow", RETURN_KEY, board.open_return),
        ):
            if option in own.fitted:
                self._sensors.append((key, open_sensor(machine)))
        if "meter" in own.fitted:
            self._sensors.append((quantity.ENERGY, board.open_meter(machine)))
        contacts = []
        for option, pin, level in (
            ("window", board.WINDOW_PIN, board.WINDOW_ACTIVE_LEVEL),
            ("presence", board.PRESENCE_PIN, board.PRESENCE_ACTIVE_LEVEL),
        ):
            pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP) if option in own.fitted else None
            contacts.append(None if pin is None else Contact(pin, active_level=level))
        self._window, self._detector = contacts
        self._valve = None
        if own.model.output == model.VALVE:
            self._valve = board.open_valve(bus)
        self._answers = self._valve is None
        self._bridge = self._boiler = None
        if own.model.output == model.OPENTHERM:
            from heating.boiler import BoilerLink, BoilerModel

            self._bridge = board.open_opentherm(machine)
            self._boiler = BoilerLink(BoilerModel(own.model.flow_max_ck, own.hot_water), now_ms=now_ms)
        self._waiting = []
        self._values = {}

    def safe(self):
        """Ends all heat. A valve must be shut by a command, since its chip holds its voltage through our restart. A
        boiler's lease expires within a minute."""
        self._relay.value(1 - self._closed)
        self._pump.value(1 - self._pump_closed)
        if self._valve is not None:
            self._valve.force(0)
        self._applied = None

    def apply(self, outputs, *, now_ms):
        if outputs != self._applied:
            self._applied = outputs
            self._relay.value(self._closed if outputs.on else 1 - self._closed)
            self._pump.value(self._pump_closed if outputs.on else 1 - self._pump_closed)
        if self._valve is not None:
            self._answers = self._valve.set(100 * outputs.valve_percent, now_ms=now_ms)
        if self._boiler is not None:
            self._boiler.demand(outputs.on, outputs.flow_ck, now_ms=now_ms)
            self._bridge.exchange(self._boiler, now_ms=now_ms)
        if self._window is not None:
            self._window.poll(now_ms=now_ms)

    def answered(self):
        """Returns whether the converter holds its last value. The trade reports a boiler's silence."""
        return self._answers

    def sense(self, *, now_ms):
        """Returns {OCCUPANCY: 1} while a person is present, else None; called every turn. It is in no sample, so it
        never leaves the node."""
        if self._detector is None:
            return None
        self._detector.poll(now_ms=now_ms)
        return {quantity.OCCUPANCY: 1} if self._detector.active else None

    def begin_sample(self, *, now_ms):
        self._values = {}
        self._waiting = list(self._sensors)
        for _, part in self._sensors:
            part.begin(now_ms=now_ms)

    def collect(self, *, now_ms):
        """Collects one sensor a turn, since a 1-Wire exchange takes 8 ms."""
        while self._waiting:
            key, part = self._waiting[0]
            value = part.collect(now_ms=now_ms)
            if value is PENDING:
                return PENDING
            self._waiting.pop(0)
            if key == quantity.ENERGY and value is not None:  # no other quantity of the meter leaves the node
                value = {quantity.POWER: value[quantity.POWER], key: value[key]}
            sensor.note(self._values, key, value)
            if self._waiting:
                return PENDING
        if not self._answers:
            self._values[model.OUTPUT_SILENT] = 1
        if self._window is not None and self._window.active is not None:
            self._values[quantity.WINDOW] = 1 if self._window.active else 0
        if self._boiler is not None:
            for key, value in self._boiler.readings(now_ms=now_ms).items():
                self._values.setdefault(key, value)  # our own sensor precedes the boiler's
        return self._values or None

