"""Is the INA226's twin: a pointer, 16-bit registers high byte first; one measurement of shunt and bus on request.

Faults: `absent`; `never-ready` (the ready flag stays low).
"""

_TIMES_US = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
_AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)


class Ina226:
    """Models the power meter. `voltage_mv` and `current_ma` are the supply's, `shunt_microohm` the board's."""

    def __init__(self, ticks_ms, shunt_microohm, voltage_mv=0, current_ma=0):
        self._ticks_ms = ticks_ms
        self._shunt_microohm = shunt_microohm
        self._registers = {0: 0x4127, 1: 0, 2: 0, 6: 0, 0xFE: 0x5449, 0xFF: 0x2260}
        self._pointer = 0
        self._ready_ms = None
        self.voltage_mv = voltage_mv
        self.current_ma = current_ma
        self.fault = ""

    def write(self, data):
        """Accepts the pointer, and optionally a word."""
        self._pointer = data[0]
        if len(data) == 3:
            value = data[1] * 256 + data[2]
            self._registers[self._pointer] = value
            if self._pointer == 0 and value % 8 == 3:  # triggered, shunt and bus
                average = _AVERAGES[value >> 9 & 7]
                spent_us = average * (_TIMES_US[value >> 6 & 7] + _TIMES_US[value >> 3 & 7])
                self._ready_ms = self._ticks_ms() + spent_us // 1000 + 1
                self._registers[6] &= 0xFFF7
        return True

    def read(self, count):
        """Returns the word under the pointer; reading the flags clears the ready one."""
        if self._ready_ms is not None and self._ticks_ms() >= self._ready_ms and self.fault != "never-ready":
            self._ready_ms = None
            # nV over the shunt are mA times uOhm; 2500 make a count.
            counts = self.current_ma * self._shunt_microohm // 2500
            self._registers[1] = max(-32768, min(32767, counts)) & 0xFFFF
            self._registers[2] = min(32767, self.voltage_mv * 100 // 125)
            self._registers[6] |= 8
        value = self._registers.get(self._pointer, 0)
        if self._pointer == 6:
            self._registers[6] &= 0xFFF7
        return bytes((value >> 8, value & 255))[:count]
