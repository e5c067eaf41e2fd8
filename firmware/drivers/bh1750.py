"""Drives the BH1750FVI ambient light sensor: one measurement on request, in whole lux.

ROHM BH1750FVI technical note 2011.11 Rev. D: Instruction Set Architecture (0x01 power on, 0x20 one time H-resolution
mode, after which it powers down by itself), Measurement Time (180 ms at most), and 1.2 counts per lx at the default
measurement time. 65535 counts are full scale: it does not distinguish brighter light.
"""

from drivers.sensor import Sensor

POWER_ON = b"\x01"
ONE_TIME_HIGH = b"\x20"


class Bh1750(Sensor):
    """Measures illuminance in lx, 0 to 54613. `bus` is a drivers.i2c_bus.Bus."""

    conversion_ms = 180

    def __init__(self, bus, address):
        super().__init__()
        self._bus = bus
        self._address = address
        self._buffer = bytearray(2)

    def _start(self):
        return self._bus.write(self._address, POWER_ON) and self._bus.write(self._address, ONE_TIME_HIGH)

    def _finish(self, now_ms):
        if not self._bus.read_into(self._address, self._buffer):
            return None
        counts = self._buffer[0] << 8 | self._buffer[1]
        return (10 * counts + 6) // 12
