"""Is the DS3231's twin: BCD registers that a quartz advances. Keeps time as days and seconds since 2000-01-01.

Faults: `absent`; `battery` (the supply failed and the cell is empty: the oscillator stops, and the flag shows it).
"""

_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Ds3231:
    """Models the clock chip. `temperature_quarters`: its own, in 0.25 K."""

    def __init__(self, ticks_ms):
        self._ticks_ms = ticks_ms
        self._pointer = 0
        self._set_ms = ticks_ms()
        self._time = [0] * 7
        self._time[3] = 1
        self._time[4] = self._time[5] = 1
        self.control = 0b00011100
        self.status = 0b10001000  # as delivered: the oscillator has not run
        self.temperature_quarters = 100
        self.fault = ""

    def lose_power(self):
        """Cuts supply and cell for a while."""
        self._move()
        self.status |= 0x80

    def write(self, data):
        """Accepts the pointer, and bytes from there on."""
        self._pointer = data[0]
        for byte in data[1:]:
            if self._pointer < 7:
                self._move()
                self._time[self._pointer] = byte
                self._set_ms = self._ticks_ms() if self._pointer == 0 else self._set_ms
            elif self._pointer == 0x0E:
                self.control = byte
            elif self._pointer == 0x0F:
                self.status = self.status & byte & 0x80 | byte & 0x08  # OSF can only be cleared
            self._pointer += 1
        return True

    def read(self, count):
        """Returns bytes from the pointer on."""
        self._move()
        quarters = self.temperature_quarters & 0x3FF
        image = bytes(self._time) + bytes(7) + bytes((self.control, self.status, 0, quarters >> 2, (quarters & 3) << 6))
        data = image[self._pointer : self._pointer + count]
        self._pointer += len(data)
        return data

    def _move(self):
        """Advances by the seconds since the last call, one by one as the chip's own chain of counters does."""
        passed = (self._ticks_ms() - self._set_ms) // 1000
        self._set_ms += 1000 * passed
        if self.status & 0x80 and self.fault == "battery":
            return
        for _ in range(passed):
            self._tick()

    def _tick(self):
        second, minute, hour = [_plain(self._time[at] & 0x7F) for at in range(3)]
        day, month, year = _plain(self._time[4]), _plain(self._time[5] & 0x1F), _plain(self._time[6])
        century = self._time[5] & 0x80
        second += 1
        if second == 60:
            second, minute = 0, minute + 1
        if minute == 60:
            minute, hour = 0, hour + 1
        if hour == 24:
            hour, day = 0, day + 1
            self._time[3] = self._time[3] % 7 + 1
        if day > _MONTHS[month - 1] + (1 if month == 2 and year % 4 == 0 else 0):
            day, month = 1, month + 1
        if month == 13:
            month, year = 1, year + 1
        if year == 100:
            year, century = 0, century ^ 0x80
        self._time[0:3] = [_digits(second), _digits(minute), _digits(hour)]
        self._time[4:7] = [_digits(day), _digits(month) | century, _digits(year)]


def _plain(byte):
    return byte // 16 * 10 + byte % 16


def _digits(value):
    return value // 10 * 16 + value % 10
