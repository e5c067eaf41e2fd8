"""Is the MCP4725's twin: DAC register, EEPROM, status. `output_code` is what its pin gives.

Faults: `absent`; `stuck` (the output register accepts nothing).
"""


class Mcp4725:
    """Models the D/A converter. `eeprom` is (power-down bits, code); a new chip has 0x800."""

    def __init__(self, ticks_ms, eeprom=(0, 0x800)):
        self._ticks_ms = ticks_ms
        self._busy_until_ms = ticks_ms()
        self.eeprom = eeprom
        self.eeprom_writes = 0
        self.output_code = 0
        self.fault = ""
        self.power_cycle()

    def power_cycle(self):
        """Resets the part, as when its supply comes back: the EEPROM is the output."""
        self._down, self.output_code = self.eeprom

    def write(self, data):
        """Accepts fast mode by the two upper bits, or the command of the three upper bits."""
        if self._busy() or self.fault == "stuck":
            return True  # acknowledged, and not accepted
        if data[0] & 0xC0 == 0:
            for at in range(0, len(data) - 1, 2):
                self._down = data[at] >> 4 & 3
                self.output_code = (data[at] & 15) * 256 + data[at + 1]
        elif data[0] >> 5 in (2, 3) and len(data) >= 3:
            self._down = data[0] >> 1 & 3
            self.output_code = data[1] * 16 + data[2] // 16
            if data[0] >> 5 == 3:
                self.eeprom = (self._down, self.output_code)
                self.eeprom_writes += 1
                self._busy_until_ms = self._ticks_ms() + 50
        return True

    def read(self, count):
        """Returns status, register and EEPROM."""
        down, code = self.eeprom
        status = (0 if self._busy() else 0x80) | 0x40 | self._down << 1
        register = self.output_code << 4
        return bytes((status, register >> 8, register & 255, down << 5 | code >> 8, code & 255))[:count]

    def _busy(self):
        return self._ticks_ms() < self._busy_until_ms
