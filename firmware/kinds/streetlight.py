"""Composes the streetlight, which drives a relay and a dimming output, or a DALI gear, and reads a meter, a photocell
and a detector.

Its settings are those of lighting.settings. They name the output that drives the lamp: "0-10v" is the board's dimming
pin, "relay" only the relay, "dali" the bridge that is fitted in the meter's place; the gear then measures itself.
"""

from drivers.sensor import PENDING
from lighting import inputs, trade
from lighting.settings import DALI, FIELDS, RELAY  # noqa: F401 - FIELDS is the kind's
from lighting.trade import FAIL_SAFE_PERCENT
from wire import quantity

KIND = "streetlight"
BOARD_TEMPERATURE = quantity.TEMPERATURE


def decode(faults, plain):
    """Returns a lighting.settings.Own, as far as it could be read; notes the faults."""
    from lighting import settings
    from node import settings as node_settings

    return settings.decode(faults, plain, node_settings.site(faults, plain.get("site")))


def make_trade(own, start):
    """Returns the lighting trade of one lamp."""
    return trade.Streetlight(own, start)


class Ports:
    """Owns the lamp's output, which is lit from the first instant on, meter or gear, photocell and detector. Drivers
    that this lamp does not need are not loaded."""

    def __init__(self, own, board, machine, *, now_ms):
        self._gear = _Gear(own, board, machine) if own.output == DALI else None
        self._source = self._gear or _Meter(board, machine)
        self._output = self._gear or _output(own, board, machine)
        self._cell = None if own.photocell is None else _cell(own.photocell.part, board, machine)
        self._detector = None if own.presence is None else _Detector(board, machine)
        self._values = PENDING
        self._lux = PENDING
        self._set_level(FAIL_SAFE_PERCENT, now_ms)

    @property
    def whole(self):
        """Returns the keys without which a sample does not show the lamp: a photocell alone is not enough. Five silent
        samples are an alarm, but at the slowest rate of the settings that takes five hours."""
        return self._source.whole

    def safe(self):
        if self._gear is None:
            self._output.set_level(FAIL_SAFE_PERCENT)
        else:
            self._gear.safe()

    def apply(self, outputs, *, now_ms):
        self._set_level(outputs.level_percent, now_ms)

    def _set_level(self, percent, now_ms):
        self._output.set_level(percent)
        if self._gear is not None:
            self._gear.turn(now_ms)

    def sense(self, *, now_ms):
        """Returns {OCCUPANCY: 1} while a person is present, else None; called every turn, between the samples."""
        return None if self._detector is None else self._detector.sense()

    def begin_sample(self, *, now_ms):
        self._values = PENDING
        self._lux = None if self._cell is None else PENDING
        self._source.begin(now_ms=now_ms)
        if self._cell is not None:
            self._cell.begin(now_ms=now_ms)

    def collect(self, *, now_ms):
        if self._values is PENDING:
            self._values = self._source.collect(now_ms=now_ms)
        if self._lux is PENDING and self._cell.waiting():
            self._lux = self._cell.collect(now_ms=now_ms)
        if self._values is PENDING or self._lux is PENDING:
            return PENDING
        values = self._values
        if self._lux is not None:
            values = values or {}
            values[quantity.ILLUMINANCE] = self._lux
        return values


def _output(own, board, machine):
    """Opens relay and dimming, at the fail-safe level from the start."""
    from drivers import dimmer

    closed = board.RELAY_CLOSED_LEVEL
    relay = machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=closed)
    if own.output == RELAY:
        return dimmer.Switch(relay, relay_closed_level=closed)
    duty = dimmer.duty(FAIL_SAFE_PERCENT, board.DIM_INVERTED)
    pwm = machine.PWM(machine.Pin(board.DIM_PIN), freq=board.DIM_HZ, duty_u16=duty)
    return dimmer.Dimmer(relay, pwm, relay_closed_level=closed, inverted=board.DIM_INVERTED)


class _Meter:
    """Wraps the energy meter on its UART."""

    whole = (quantity.POWER,)

    def __init__(self, board, machine):
        meter = board.open_meter(machine)
        self.begin = meter.begin
        self.collect = meter.collect


class _Gear:
    """Wraps a DALI gear behind its bridge, which is output and meter at once. Its mains stay on: the relay's coil is
    idle."""

    whole = (inputs.GEAR_STATUS,)  # not every gear has a meter

    def __init__(self, own, board, machine):
        from lighting import dali_gear

        machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=board.RELAY_CLOSED_LEVEL)
        self._bridge = board.open_dali(machine)
        gear = dali_gear.DaliGear(self._bridge, address=own.dali.address, curve=own.dali.curve)
        self._gear = gear
        self.set_level = gear.set_level

    def turn(self, now_ms):
        self._gear.turn(now_ms=now_ms)

    def safe(self):
        # The loop no longer turns, so one frame must be enough.
        self._bridge.light_every_gear()

    def begin(self, *, now_ms):
        self._gear.begin_round(now_ms=now_ms)

    def collect(self, *, now_ms):
        self._gear.turn(now_ms=now_ms)
        return self._gear.collect()


class _Detector:
    """Reads a presence detector on a pin."""

    def __init__(self, board, machine):
        pull = machine.Pin.PULL_UP if board.PRESENCE_PULL == "up" else None
        self._pin = machine.Pin(board.PRESENCE_PIN, machine.Pin.IN, pull)
        self._active_level = board.PRESENCE_ACTIVE_LEVEL

    def sense(self):
        return {quantity.OCCUPANCY: 1} if self._pin.value() == self._active_level else None


def _cell(part, board, machine):
    """Opens the photocell that the settings name."""
    from drivers.i2c_bus import open_bus

    bus = open_bus(machine, board)
    is_wide = part == board.PHOTOCELL_WIDE_PART
    return board.open_photocell_wide(bus) if is_wide else board.open_photocell(bus)
