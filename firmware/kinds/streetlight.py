"""The streetlight: a relay, a 0-10 V output and an energy meter.

    site        [latitude, longitude] in 10^-4 degree
    lamp        [nominal power, standby power] in 0.1 W
    calendar    lighting calendar in plain form (policy.lighting_form); absent: lit from sunset to sunrise
"""

from collections import namedtuple

from kinds import PENDING
from node import settings, streetlight
from policy import lighting, lighting_form
from wire import quantity

KIND = "streetlight"
FIELDS = ("site", "lamp", "calendar")
BOARD_TEMPERATURE = quantity.TEMPERATURE

Own = namedtuple("Own", ("site", "lamp", "calendar"))


def decode(faults, plain):
    """Own, as far as it could be read."""
    site = settings.site(faults, plain.get("site"))
    lamp = settings.pair(faults, "lamp", plain.get("lamp"), (1, 0), (100000, 1000))
    return Own(site, lamp, _calendar(faults, plain.get("calendar")))


def make_trade(own, start):
    """The lighting trade of one lamp."""
    return streetlight.StreetlightTrade(own, start)


def _calendar(faults, value):
    if value is None:
        return lighting.DEFAULT_CALENDAR
    calendar, found = lighting_form.decode(value)
    for fault in found:
        faults.add("calendar." + fault.path, fault.problem, fault.remedy)
    return calendar


class Ports:
    """Relay and PWM, at the fail-safe level from their first instant on; the meter on its UART."""

    def __init__(self, own, board, machine, *, now_ms):
        from drivers import bl0942
        from drivers.dimmer import Dimmer, duty

        self._pending = bl0942.PENDING
        closed = board.RELAY_CLOSED_LEVEL
        relay = machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=closed)
        pwm = machine.PWM(
            machine.Pin(board.DIM_PIN),
            freq=board.DIM_HZ,
            duty_u16=duty(streetlight.FAIL_SAFE_PERCENT, board.DIM_INVERTED),
        )
        self._dimmer = Dimmer(relay, pwm, relay_closed_level=closed, inverted=board.DIM_INVERTED)
        self.safe()
        # Reads return at once with what there is.
        uart = machine.UART(
            board.METER_UART, baudrate=board.METER_BAUD, timeout=0, tx=board.METER_TX_PIN, rx=board.METER_RX_PIN
        )
        self._meter = bl0942.Meter(uart, bl0942.Calibration(*board.METER_CALIBRATION))

    def safe(self):
        self._dimmer.set_level(streetlight.FAIL_SAFE_PERCENT)

    def apply(self, outputs, *, now_ms):
        self._dimmer.set_level(outputs.level_percent)

    def begin_sample(self, *, now_ms):
        self._meter.request(now_ms=now_ms)

    def collect(self, *, now_ms):
        readings = self._meter.collect(now_ms=now_ms)
        return PENDING if readings is self._pending else readings
