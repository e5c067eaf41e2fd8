"""Drives the VEML7700 ambient light sensor at its lowest gain: 0.5 lx to 120 klx in whole lux, without changing ranges.

Vishay VEML7700 data sheet 84286, Command Registers: 16-bit registers, low byte first; ALS_CONF_0 at 0x00 (gain bits
12:11, here 10 for 1/8; integration time bits 9:6, here 0000 for 100 ms; bit 0 shut down), ALS at 0x04. Application note
84323 of 2025-03-06: 0.0672 lx a count at gain 1 and 100 ms (earlier issues said 0.0576), and a polynomial of the fourth
degree above 1000 lx. Every `begin` writes the configuration again, so that a part that restarted alone does not measure
with another gain.
"""

from drivers.sensor import Sensor

CONFIGURATION = 0x00
LIGHT = 0x04
GAIN_EIGHTH_100_MS = b"\x00\x10"
# 0.0672 lx times 8, in 10^-4 lx.
COUNT_E4_LX = 5376
STRAIGHT_MAX_LX = 1000
# The polynomial's coefficients, in 10^-17, from the fourth degree down to the first.
POLYNOMIAL_E17 = (60_135, -939_240_000, 8_148_800_000_000, 100_230_000_000_000_000)
E17 = 10**17


class Veml7700(Sensor):
    """Measures illuminance in lx. `bus` is a drivers.i2c_bus.Bus."""

    # 2.5 ms to wake up, up to 100 ms for an integration that began before the write, and 100 ms for ours.
    conversion_ms = 230

    def __init__(self, bus, address):
        super().__init__()
        self._bus = bus
        self._address = address
        self._buffer = bytearray(2)

    def _start(self):
        return self._bus.write_register(self._address, CONFIGURATION, GAIN_EIGHTH_100_MS)

    def _finish(self, now_ms):
        if not self._bus.read_register(self._address, LIGHT, self._buffer):
            return None
        return lux(self._buffer[0] | self._buffer[1] << 8)


def lux(counts) -> int:
    """Converts counts at gain 1/8 and 100 ms to lx."""
    straight = (counts * COUNT_E4_LX + 5000) // 10_000
    if straight <= STRAIGHT_MAX_LX:
        return straight
    total = 0
    for factor in POLYNOMIAL_E17:
        total = (total + factor) * straight
    return (total + E17 // 2) // E17
