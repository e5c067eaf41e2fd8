"""Drives the MCP4725, a 12-bit output, which an amplifier on the board turns into 0 to `full_mv`.

Microchip DS22039, I2C Serial Interface Communication: fast mode write (two bytes, power-down bits 00 and the code),
write of DAC and EEPROM (0x60, then the code in the upper 12 bits), read (status with bit 7 ready; code in the upper 12
bits of two bytes; EEPROM with its code in the lower 12). The EEPROM sets the chip's output at power-on: `prepare`
writes the safe voltage into it, once, and only when it holds another one (it bears a million writes, and a write takes
50 ms).
"""

from drivers.held_output import HeldOutput

CODE_MAX = 4095
WRITE_BOTH = 0x60
READY_BIT = 0x80


class Mcp4725(HeldOutput):
    """Drives the output by `set(mv, now_ms=)`. `bus` is a drivers.i2c_bus.Bus."""

    def __init__(self, bus, address, *, full_mv):
        super().__init__()
        self._bus = bus
        self._address = address
        self._full_mv = full_mv
        self._buffer = bytearray(5)

    def prepare(self, mv) -> bool:
        """Returns whether the chip's EEPROM holds `mv`; after False call again in 100 ms. When it has to write, it also
        sets the output."""
        if not self._bus.read_into(self._address, self._buffer) or not self._buffer[0] & READY_BIT:
            return False
        code = self._code(mv)
        # Power-down bits and the code: a chip that starts in power-down gives no voltage.
        if self._buffer[3] & 0x6F == code >> 8 and self._buffer[4] == code & 0xFF:
            return True
        self._bus.write(self._address, bytes((WRITE_BOTH, code >> 4, code << 4 & 0xF0)))
        self.held = None
        return False

    def _write(self, value):
        code = self._code(value)
        if not self._bus.write(self._address, bytes((code >> 8, code & 0xFF))):
            return False
        if not self._bus.read_into(self._address, self._buffer):
            return False
        return self._buffer[1] << 4 | self._buffer[2] >> 4 == code

    def _code(self, mv):
        assert 0 <= mv <= self._full_mv
        return (mv * CODE_MAX + self._full_mv // 2) // self._full_mv
