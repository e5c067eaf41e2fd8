"""Drives the DS3231 clock, which keeps UTC through a power cut and measures its own temperature. After it has stopped
it gives no time.

Data sheet 19-5170, Timekeeping Registers (0x00 to 0x06, BCD; hours with bit 6 for 12-hour mode; bit 7 of the month is
the century), Control Register 0x0E (bit 7: oscillator stopped on battery), Status Register 0x0F (bit 7 OSF: the
oscillator has stopped, the time is invalid), Temperature Registers 0x11 and 0x12 (signed, quarters of a degree). The
years are 2000 to 2199 here: the century bit stands for the second hundred.
"""

from drivers.sensor import Sensor
from policy import civil

CONTROL = 0x0E
STATUS = 0x0F
STOPPED = 0x80
STOP_ON_BATTERY = 0x80
TWELVE_HOURS = 0x40
REGISTERS = 0x13
FIRST_YEAR = 2000
YEARS = 200


class Ds3231(Sensor):
    """Reads the time in Unix seconds. `temperature_ck` is the chip's, None before the first sound read. `bus` is a
    drivers.i2c_bus.Bus."""

    def __init__(self, bus, address):
        super().__init__()
        self._bus = bus
        self._address = address
        self._buffer = bytearray(REGISTERS)
        self.temperature_ck = None

    def _finish(self, now_ms):
        self.temperature_ck = None
        if not self._bus.read_register(self._address, 0, self._buffer):
            return None
        whole = self._buffer[0x11] - 256 if self._buffer[0x11] & 0x80 else self._buffer[0x11]
        self.temperature_ck = 100 * whole + 25 * (self._buffer[0x12] >> 6)
        if self._buffer[STATUS] & STOPPED:
            return None
        return decode(self._buffer)

    def set(self, unix_s) -> bool:
        """Sets the clock, and lets it run on battery from now on. Returns False when the chip did not acknowledge all
        of it: it then counts as stopped."""
        data = bytearray(1)
        if not self._bus.write_register(self._address, 0, encode(unix_s)):
            return False
        for register, bit in ((CONTROL, STOP_ON_BATTERY), (STATUS, STOPPED)):
            if not self._bus.read_register(self._address, register, data):
                return False
            data[0] &= ~bit & 0xFF
            if not self._bus.write_register(self._address, register, data):
                return False
        return True


def decode(data):
    """Returns the Unix seconds of the seven timekeeping registers, or None when they hold no date."""
    digits = [_from_bcd(data[at] & mask) for at, mask in ((0, 0x7F), (1, 0x7F), (4, 0x3F), (5, 0x1F), (6, 0xFF))]
    hour = _hour(data[2])
    if None in digits or hour is None:
        return None
    second, minute, day, month, year = digits
    year += FIRST_YEAR + (100 if data[5] & 0x80 else 0)
    if second > 59 or minute > 59 or not civil.is_date(year, month, day):
        return None
    return civil.days_from_civil(year, month, day) * civil.day_s + 3600 * hour + 60 * minute + second


def encode(unix_s) -> bytes:
    """Returns the seven timekeeping registers, in 24-hour mode; day of the week 1 is Monday."""
    civil_day, second = unix_s // civil.day_s, unix_s % civil.day_s
    year, month, day = civil.civil_from_days(civil_day)
    assert FIRST_YEAR <= year < FIRST_YEAR + YEARS
    years = year - FIRST_YEAR
    return bytes(
        (
            _bcd(second % 60),
            _bcd(second // 60 % 60),
            _bcd(second // 3600),
            civil.weekday(civil_day) + 1,
            _bcd(day),
            _bcd(month) | (0x80 if years >= 100 else 0),
            _bcd(years % 100),
        )
    )


def _hour(register):
    """Returns the hour, 0 to 23, even from a clock in 12-hour mode; None when it is no hour."""
    if not register & TWELVE_HOURS:
        hour = _from_bcd(register & 0x3F)
        return hour if hour is not None and hour < 24 else None
    hour = _from_bcd(register & 0x1F)
    if hour is None or not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if register & 0x20 else 0)


def _from_bcd(byte):
    tens, ones = byte >> 4, byte & 0x0F
    return 10 * tens + ones if tens < 10 and ones < 10 else None


def _bcd(value):
    return value // 10 << 4 | value % 10
