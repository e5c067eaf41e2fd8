"""The thermostat: one room, and a relay, a 0-10 V valve or a boiler that speaks OpenTherm.

    output       "relay", "valve" or "opentherm"
    water        true where water carries the heat; absent: all but a relay
    control      ["tpi", Kint, Kext] in 1/100 per K, or ["pi", preset] (heating.regulator); absent: ["pi", "medium"]
    cycle        [cycle, least on, least off] in s; absent: 600, 30, 30 for electric heat, 1800, 300, 300 for water
    programme    heating programme in plain form (policy.heating_form); absent: weekdays from 8:00 to 18:00 at 19 °C
    fallback_ck  set-point without a clock, 0.01 °C; absent: 17 °C
    safe_percent the least duty when nobody knows how warm it is; absent: 10
    span_k       room less outdoors at full power in the coldest hour, K; absent: 30
    heater_w     rated power behind the relay, W: energy is then counted by its on-time
    flow_max_ck, curve_percent   of a boiler: highest flow temperature (id 57), heating curve; absent: 70 °C, 120
    hot_water    true or false: whether the boiler may make hot water; absent: as it likes
    exercise_s   weekly stroke of the valve, each way; 0: none
    fitted       which options the board carries: "outdoor", "flow", "window", "presence"
"""

from collections import namedtuple

from heating import boiler, cycle, limits, model, regulator, thermostat
from kinds import PENDING
from policy import heating_form
from policy import limits as policy_limits
from wire import quantity

KIND = "thermostat"
FIELDS = (
    "output",
    "water",
    "control",
    "cycle",
    "programme",
    "fallback_ck",
    "safe_percent",
    "span_k",
    "heater_w",
    "flow_max_ck",
    "curve_percent",
    "hot_water",
    "exercise_s",
    "fitted",
)
# The room's temperature has channel 0.
BOARD_TEMPERATURE = quantity.key(quantity.TEMPERATURE, 15)

OPTIONS = ("outdoor", "flow", "window", "presence")
# name: (lowest, highest)
_NUMBERS = {
    "fallback_ck": (policy_limits.setpoint_min_ck, 1900),
    "safe_percent": (5, 50),
    "span_k": (15, 60),
    "heater_w": (0, 100_000),
    "flow_max_ck": (3000, limits.FLOW_MAX_CK),
    "curve_percent": (20, 350),
    "exercise_s": (0, 600),
}

Own = namedtuple("Own", ("model", "hot_water", "fitted"))


def decode(faults, plain):
    """Own, or None where it could not be read."""
    output = plain.get("output")
    if output not in model.OUTPUTS:
        faults.add("output", "is not known", "give relay, valve or opentherm")
        return None
    water = _truth(faults, plain, "water")
    numbers = {}
    for name in sorted(_NUMBERS):
        value = plain.get(name)
        if value is not None and faults.integer(name, value, _NUMBERS[name][0], _NUMBERS[name][1]):
            numbers[name] = value
    known = model.default(output, water)
    made = model.Model(
        output=output,
        is_water=known.is_water,
        control=_control(faults, plain.get("control"), known.control),
        timing=_timing(faults, plain.get("cycle"), known.timing),
        programme=_programme(faults, plain.get("programme"), known.programme),
        zone=known.zone,
        no_time_ck=numbers.get("fallback_ck", known.no_time_ck),
        safe_permille=10 * numbers["safe_percent"] if "safe_percent" in numbers else known.safe_permille,
        span_ck=100 * numbers["span_k"] if "span_k" in numbers else known.span_ck,
        heater_w=numbers.get("heater_w", known.heater_w),
        curve_percent=numbers.get("curve_percent", known.curve_percent),
        flow_max_ck=numbers.get("flow_max_ck", known.flow_max_ck),
        stroke_s=numbers.get("exercise_s", known.stroke_s),
    )
    return Own(made, _truth(faults, plain, "hot_water"), _fitted(faults, plain.get("fitted", [])))


def make_trade(own, start):
    """The heating trade of one room."""
    return thermostat.Thermostat(own.model, start.memory, now_ms=start.now_ms)


def _truth(faults, plain, name):
    value = plain.get(name)
    if value not in (None, True, False):
        faults.add(name, "is not true or false", "give one of them, or leave it out")
    return value


def _control(faults, value, known):
    if value is None:
        return known
    if isinstance(value, list) and len(value) == 3 and value[0] == "tpi":
        if faults.integer("control[1]", value[1], 5, 300) and faults.integer("control[2]", value[2], 0, 20):
            return regulator.Control(value[1], value[2], None)
        return known
    if isinstance(value, list) and value[:1] == ["pi"] and value[1:] in [[name] for name in regulator.PRESETS]:
        return regulator.Control(known.kint, known.kext, regulator.PRESETS[value[1]])
    words = ", ".join(sorted(regulator.PRESETS))
    faults.add("control", "is not known", 'give ["tpi", 60, 1] or ["pi", one of ' + words + "]")
    return known


def _timing(faults, value, known):
    if value is None or not faults.sequence("cycle", value, 3, 3):
        return known
    sound = faults.integer("cycle[0]", value[0], 120, 7200)
    for index in (1, 2):
        # Half of the cycle each, or no duty would be left between them.
        high = value[0] // 2 if sound else 3600
        sound = faults.integer(f"cycle[{index}]", value[index], 10, high) and sound
    return cycle.Timing(1000 * value[0], 1000 * value[1], 1000 * value[2]) if sound else known


def _programme(faults, value, known):
    if value is None:
        return known
    programme, found = heating_form.decode(value)
    for fault in found:
        faults.add("programme." + fault.path, fault.problem, fault.remedy)
    return programme


def _fitted(faults, value):
    if not faults.sequence("fitted", value, 0, len(OPTIONS)):
        return ()
    for index in range(len(value)):
        if value[index] not in OPTIONS:
            faults.add(f"fitted[{index}]", "is not known", "give of outdoor, flow, window, presence")
    return tuple(value)


class Ports:
    """The chip's side: no heat from the first instant on. What is not fitted is never asked."""

    def __init__(self, own, board, machine, *, now_ms):
        import time

        from drivers import ds18b20, i2c_bus, sensor, sht4x
        from drivers.contact import Contact

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
            ("outdoor", boiler.OUTDOOR_KEY, board.OUTDOOR_PIN),
            ("flow", boiler.FLOW_KEY, board.FLOW_PIN),
            ("flow", boiler.RETURN_KEY, board.RETURN_PIN),
        ):
            if option in own.fitted:
                from onewire import OneWire  # frozen in the stock firmware

                self._sensors.append((key, ds18b20.Ds18b20(OneWire(machine.Pin(pin)))))
        self._contacts = []
        for option, key, pin, level in (
            ("window", quantity.WINDOW, board.WINDOW_PIN, board.WINDOW_ACTIVE_LEVEL),
            ("presence", quantity.OCCUPANCY, board.PRESENCE_PIN, board.PRESENCE_ACTIVE_LEVEL),
        ):
            if option in own.fitted:
                contact = Contact(machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP), active_level=level)
                self._contacts.append((key, contact))
        self._valve = None
        if own.model.output == model.VALVE:
            from drivers.gp8403 import Gp8403

            self._valve = Gp8403(bus, board.VALVE_ADDRESS, 0)
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
            self._valve.set(100 * outputs.valve_percent, now_ms=now_ms)
        if self._bridge is not None:
            self._bridge.boiler.want(outputs.on, outputs.flow_ck, now_ms=now_ms)
            self._bridge.poll(now_ms=now_ms)
        for _, contact in self._contacts:
            contact.poll(now_ms=now_ms)

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
            elif value is not None:
                self._values[key] = value
            if self._waiting:
                return PENDING
        for key, contact in self._contacts:
            if contact.active is not None:
                self._values[key] = 1 if contact.active else 0
        if self._bridge is not None:
            for key, value in self._bridge.boiler.readings(now_ms=now_ms).items():
                self._values.setdefault(key, value)  # a sensor of ours is nearer than the boiler's
        return self._values or None


def _bridge(own, board, machine, now_ms):
    from drivers.opentherm_bridge import Bridge

    uart = machine.UART(
        board.OPENTHERM_UART,
        baudrate=board.OPENTHERM_BAUD,
        timeout=0,
        tx=board.OPENTHERM_TX_PIN,
        rx=board.OPENTHERM_RX_PIN,
    )
    return Bridge(uart, boiler.Boiler(boiler.BoilerModel(own.model.flow_max_ck, own.hot_water), now_ms=now_ms))
