"""Drives the GP8403, two 0-10 V outputs of 12 bits on I2C.

The maker's data sheet is short; the registers are those of its library for the module DFR0971, which ESPHome confirms:
0x01 is the range (0x11: both outputs 0 to 10 V), 0x02 output 0 and 0x04 output 1, the code in the upper 12 of 16 bits,
low byte first. Nothing can be read back: an acknowledged write is the only evidence. The range is written with every
value, because a chip that restarted alone would give half of the voltage.
"""

from drivers.held_output import HeldOutput

RANGE = 0x01
TEN_VOLTS = b"\x11"
OUTPUTS = (0x02, 0x04)
CODE_MAX = 4095
FULL_MV = 10_000


class Gp8403(HeldOutput):
    """Drives one of the outputs, 0 or 1, by `set(mv, now_ms=)`. `bus` is a drivers.i2c_bus.Bus."""

    def __init__(self, bus, address, *, output):
        super().__init__()
        self._bus = bus
        self._address = address
        self._register = OUTPUTS[output]

    def _write(self, value):
        assert 0 <= value <= FULL_MV
        code = (value * CODE_MAX + FULL_MV // 2) // FULL_MV << 4
        return self._bus.write_register(self._address, RANGE, TEN_VOLTS) and self._bus.write_register(
            self._address, self._register, bytes((code & 0xFF, code >> 8))
        )
