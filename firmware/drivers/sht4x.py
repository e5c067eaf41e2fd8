"""Drives the SHT40, SHT41 and SHT45, which measure temperature and relative humidity, each value with a CRC of its own.

Sensirion SHT4x data sheet: Command Overview (0xFD measures with high precision and answers six bytes), Timing (8.3 ms
at most; a read before that is not acknowledged), Checksum Calculation, Conversion of Signal Output. Humidity beyond 0
and 100 % is cut, as the data sheet requires. The heater is not used.
"""

from drivers.crc import checked_words
from drivers.sensor import Sensor
from wire import quantity

MEASURE = b"\xfd"


class Sht4x(Sensor):
    """Measures temperature and humidity of the air. `bus` is a drivers.i2c_bus.Bus."""

    conversion_ms = 10

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
    """Converts counts to 0.1 %: -6 % and 125 % over the full scale, cut to 0 to 100 %."""
    return max(0, min(1000, -60 + (1250 * counts + 32767) // 65535))
