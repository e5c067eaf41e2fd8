"""Simulates the BL0942 at the level of its bytes: answers `0x58 0xAA` with a packet of the lamp's registers.

Facts from the data sheet (see firmware/drivers/bl0942.py) are written down a second time on purpose: a twin that used
the driver's own code would agree with its mistakes. Runs on MicroPython and, with a clock given, on CPython.
"""

from boards import streetlight as board

VOLTAGE_DV = 2310
FREQUENCY_CHZ = 5002
POWER_FACTOR_PERCENT = 95


def _default_clock():
    import utime

    return utime.ticks_ms()


class Twin:
    """Models the meter of a lamp. `lamp` has `power_dw()` and `fault()`. `count` is CF_CNT, a 24-bit counter."""

    def __init__(self, lamp, baudrate, *, ticks_ms=_default_clock, count=0):
        self._lamp = lamp
        self._ticks_ms = ticks_ms
        self._packet_ms = 23 * 10 * 1000 // baudrate + 1
        self._last_ms = ticks_ms()
        self._parts = 0  # of a CF count: 0.1 W times ms times counts per MWh
        self._asked = b""
        self._line = b""
        self._arrives_ms = 0
        self.count = count

    def write(self, data):
        """Accepts bytes from the host; a complete question starts the answer. Returns their count."""
        self._asked = (self._asked + data)[-2:]
        if self._asked == b"\x58\xaa" and self._lamp.fault() != "meter-silent":
            self._asked = b""
            self._line = self.packet()
            self._arrives_ms = self._ticks_ms() + self._packet_ms
        return len(data)

    def any(self):
        """Returns the number of bytes that have arrived: the packet arrives once it has been sent whole."""
        return len(self._line) if self._ticks_ms() >= self._arrives_ms else 0

    def read(self, count):
        """Reads at most `count` of them."""
        data = self._line[: min(count, self.any())]
        self._line = self._line[len(data) :]
        return data or None

    def packet(self):
        """Returns the 23 bytes of the lamp's present state."""
        volts, amperes, watts, energy = board.METER_CALIBRATION
        power_dw = self._lamp.power_dw()
        self._integrate(power_dw, energy)
        apparent_dva = power_dw * 100 // POWER_FACTOR_PERCENT
        current_ma = apparent_dva * 1000 // VOLTAGE_DV
        body = b"\x55"
        body += _le(current_ma * amperes // 1_000_000, 3)
        body += _le(VOLTAGE_DV * volts // 10_000, 3)
        body += _le(0, 3)
        body += _le((power_dw * watts // 10_000) & 0xFFFFFF, 3)
        body += _le(self.count, 3)
        body += _le(100_000_000 // FREQUENCY_CHZ, 2)
        body += bytes(4)
        return body + bytes((255 - (0x58 + sum(body)) % 256,))

    def _integrate(self, power_dw, per_megawatthour):
        now_ms = self._ticks_ms()
        self._parts += power_dw * (now_ms - self._last_ms) * per_megawatthour
        self._last_ms = now_ms
        whole = 10 * 1000 * 3600 * 1_000_000  # of these make one count
        self.count = (self.count + self._parts // whole) & 0xFFFFFF
        self._parts %= whole


def _le(value, width):
    return bytes([(value >> 8 * index) & 0xFF for index in range(width)])
