"""Drives the DS18B20, a thermometer on a 1-Wire bus of its own: one sensor a pin, so that its terminal identifies a
sensor and it is replaced without a setting. Two on one pin answer at once and break the CRC: that gives no value, never
a wrong one.

Data sheet 19-7487: DS18B20 Function Commands (0x44 converts, 0xBE reads nine bytes), ROM commands (0xCC addresses the
one sensor there), Memory (temperature, low byte first; byte 4 is the configuration, whose other bits are fixed),
conversion 750 ms at 12 bits. It refuses: a bad CRC; zeros only (a shorted line, whose CRC is right); exactly 85 °C, the
value at power-on of a sensor that lost its supply while converting (water at 85 °C only passes through that sixteenth
of a degree); values beyond -55 to 125 °C.
"""

from drivers.crc import crc8_onewire
from drivers.sensor import Sensor

SKIP_ROM = 0xCC
CONVERT = 0x44
READ = 0xBE
SCRATCHPAD_BYTES = 9
POWER_ON_COUNTS = 85 * 16
LOW_COUNTS = -55 * 16
HIGH_COUNTS = 125 * 16


class Ds18b20(Sensor):
    """Measures temperature in 0.01 °C. `wire` has `reset()` (True: a sensor is there), `writebyte`, `readbyte`, like
    `onewire.OneWire`. A call takes 8 ms at most, for its bits."""

    conversion_ms = 760

    def __init__(self, wire):
        super().__init__()
        self._wire = wire

    def _start(self):
        return self._command(CONVERT)

    def _finish(self, now_ms):
        if not self._command(READ):
            return None
        return decode(bytes([self._wire.readbyte() for _ in range(SCRATCHPAD_BYTES)]))

    def _command(self, code):
        if not self._wire.reset():
            return False
        self._wire.writebyte(SKIP_ROM)
        self._wire.writebyte(code)
        return True


def decode(data):
    """Returns the temperature of a scratchpad in 0.01 °C, or None when it is not sound."""
    configuration = data[4]
    if crc8_onewire(data[:8]) != data[8] or configuration & 0x9F != 0x1F:
        return None
    counts = data[0] | data[1] << 8
    if counts & 0x8000:
        counts -= 0x10000
    # At 9 to 11 bits the lowest ones are not defined.
    undefined = 3 - (configuration >> 5 & 3)
    counts = counts >> undefined << undefined
    if counts == POWER_ON_COUNTS or not LOW_COUNTS <= counts <= HIGH_COUNTS:
        return None
    # 6.25 hundredths a count, rounded half away from zero.
    return (abs(counts) * 25 + 2) // 4 * (1 if counts >= 0 else -1)
