"""Drives the SHT30, SHT31 and SHT35, which measure temperature and relative humidity, each value with a CRC of its own.

Sensirion SHT3x-DIS, I2C interface: 0x24 0x00 measures once with high repeatability and without clock stretching; it
takes 15.5 ms at most, and a read before that is not acknowledged; six bytes, of which the third and the sixth are CRCs.
The figures are those of the data sheet as commonly cited; the sheet itself was not read. The heater is not used.
"""

from drivers.crc import checked_words
from drivers.sensor import Sensor
from wire import quantity

MEASURE = b"\x24\x00"


class Sht31(Sensor):
    """Measures temperature and humidity of the air. `bus` is a drivers.i2c_bus.Bus."""

    # 15.5 ms, in whole milliseconds of a clock whose first millisecond may be nearly over.
    conversion_ms = 17

    def __init__(self, bus, address):
        super().__init__()
        self._bus = bus
        self._address = address
        self._buffer = bytearray(6)

    def _start(self):
        return self._bus.write(self._address, MEASURE)

    def _finish(self, now_ms):
        words = checked_words(self._buffer) if self._bus.read_into(self._address, self._buffer) else None
        if words is None:
            return None
        return {quantity.TEMPERATURE: temperature_ck(words[0]), quantity.HUMIDITY: humidity_permille(words[1])}


def temperature_ck(counts) -> int:
    """Converts counts to 0.01 °C: -45 °C and 175 K over the full scale."""
    return -4500 + (17500 * counts + 32767) // 65535


def humidity_permille(counts) -> int:
    """Converts counts to 0.1 %: 0 to 100 % over the full scale."""
    return (1000 * counts + 32767) // 65535
