"""The thermostat: one room, and a relay, a 0-10 V valve or a boiler that speaks OpenTherm.

Its settings are those of heating.settings.
"""

from heating import model, thermostat
from heating.settings import FIELDS, OPTIONS, Own  # noqa: F401 - FIELDS is the kind's, the others are its twins'
from kinds import PENDING
from wire import quantity

KIND = "thermostat"
# The room's temperature has channel 0.
BOARD_TEMPERATURE = quantity.key(quantity.TEMPERATURE, 15)


def decode(faults, plain):
    """heating.settings.Own, or None where it could not be read."""
    from heating import settings

    return settings.decode(faults, plain)


def make_trade(own, start):
    """The heating trade of one room."""
    return thermostat.Thermostat(own.model, start.memory, now_ms=start.now_ms)


class Ports:
    """The chip's side: no heat from the first instant on. What is not fitted is never asked."""

    def __init__(self, own, board, machine, *, now_ms):
        import time

        from drivers import ds18b20, i2c_bus, sensor, sht4x
        from drivers.contact import Contact
        from heating.boiler import FLOW_KEY, OUTDOOR_KEY, RETURN_KEY

        self._pending = sensor.PENDING
        self._closed = board.RELAY_CLOSED_LEVEL
        self._relay = machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=1 - self._closed)
        self._pump_closed = board.PUMP_CLOSED_LEVEL
        self._pump = machine.Pin(board.PUMP_PIN, machine.Pin.OUT, value=1 - self._pump_closed)
        self._applied = None
        bus = i2c_bus.open_bus(
            machine, scl=board.I2C_SCL_PIN, sda=board.I2C_SDA_PIN, hz=board.I2C_HZ, sleep_us=time.sleep_us
        )
        self._sensors = [(None, sht4x.Sht4x(bus, board.ROOM_ADDRESS))]
        for option, key, pin in (
            ("outdoor", OUTDOOR_KEY, board.OUTDOOR_PIN),
            ("flow", FLOW_KEY, board.FLOW_PIN),
            ("flow", RETURN_KEY, board.RETURN_PIN),
        ):
            if option in own.fitted:
                from onewire import OneWire  # frozen in the stock firmware

                self._sensors.append((key, ds18b20.Ds18b20(OneWire(machine.Pin(pin)))))
        if "meter" in own.fitted:
            self._sensors.append((quantity.ENERGY, _meter(board, machine)))
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
            from drivers.gp8403 import Gp8403

            self._valve = Gp8403(bus, board.VALVE_ADDRESS, 0)
        self._answers = self._valve is None
        self._bridge = None
        if own.model.output == model.OPENTHERM:
            self._bridge = _bridge(own, board, machine, now_ms)
        self._waiting = []
        self._values = {}

    def safe(self):
        """No heat. A valve is told: its chip holds a voltage through our restart. A boiler's lease runs out by itself
        within a minute."""
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
        if self._bridge is not None:
            self._bridge.boiler.want(outputs.on, outputs.flow_ck, now_ms=now_ms)
            self._bridge.poll(now_ms=now_ms)
        if self._window is not None:
            self._window.poll(now_ms=now_ms)

    def answered(self):
        """False while a converter does not take what it was told. A boiler's silence is told by the trade."""
        return self._answers

    def sense(self, *, now_ms):
        """{OCCUPANCY: 1} while somebody is there, else None: every turn. No sample has it: it stays in the node."""
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
        """One sensor a turn: a 1-Wire exchange takes 8 ms."""
        while self._waiting:
            key, part = self._waiting[0]
            value = part.collect(now_ms=now_ms)
            if value is self._pending:
                return PENDING
            self._waiting.pop(0)
            if key is None and value is not None:
                self._values[quantity.TEMPERATURE], self._values[quantity.HUMIDITY] = value
            elif key == quantity.ENERGY and value is not None:
                self._values[quantity.POWER], self._values[key] = value[quantity.POWER], value[key]
            elif value is not None:
                self._values[key] = value
            if self._waiting:
                return PENDING
        if not self._answers:
            self._values[model.OUTPUT_SILENT] = 1
        if self._window is not None and self._window.active is not None:
            self._values[quantity.WINDOW] = 1 if self._window.active else 0
        if self._bridge is not None:
            for key, value in self._bridge.boiler.readings(now_ms=now_ms).items():
                self._values.setdefault(key, value)  # a sensor of ours is nearer than the boiler's
        return self._values or None


def _uart(machine, number, baud, tx, rx):
    """Reads return at once with what there is."""
    return machine.UART(number, baudrate=baud, timeout=0, tx=tx, rx=rx)


def _meter(board, machine):
    from drivers.pzem004t import Pzem004t

    return Pzem004t(_uart(machine, board.METER_UART, board.METER_BAUD, board.METER_TX_PIN, board.METER_RX_PIN))


def _bridge(own, board, machine, now_ms):
    from drivers.opentherm_bridge import Bridge
    from heating.boiler import Boiler, BoilerModel

    uart = _uart(
        machine, board.OPENTHERM_UART, board.OPENTHERM_BAUD, board.OPENTHERM_TX_PIN, board.OPENTHERM_RX_PIN
    )
    return Bridge(uart, Boiler(BoilerModel(own.model.flow_max_ck, own.hot_water), now_ms=now_ms))
