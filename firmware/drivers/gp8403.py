"""Drives the GP8403, two 0-10 V outputs of 12 bits on I2C.

The maker's data sheet is short; the registers are those of its library for the module DFR0971, which ESPHome confirms:
0x01 is the range (0x11: both outputs 0 to 10 V), 0x02 output 0 and 0x04 output 1, the code in the upper 12 of 16 bits,
low byte first. Nothing can be read back: an acknowledged write is the only evidence. The range is written with every
value, because a chip that restarted alone would give half of the voltage. A value is written when it changes, again
after a failure, and now and then in case the chip has restarted.
"""

# A chip that restarted alone has the right value again after this; a write takes half a millisecond.
REFRESH_MS = 10_000
RETRY_MS = 500
RANGE = 0x01
TEN_VOLTS = b"\x11"
OUTPUTS = (0x02, 0x04)
CODE_MAX = 4095
FULL_MV = 10_000


class Gp8403:
    """Drives one of the outputs, 0 or 1. `bus` is a drivers.i2c_bus.Bus; `faults` counts failed writes."""

    def __init__(self, bus, address, *, output):
        self.faults = 0
        self._held_mv = None  # what the chip holds, None: unknown
        self._due_ms = None
        self._bus = bus
        self._address = address
        self._register = OUTPUTS[output]

    def set(self, mv, *, now_ms) -> bool:
        """Writes the voltage when that is due; returns whether the chip holds it. It is cheap when nothing is due."""
        if mv == self._held_mv and now_ms < self._due_ms:
            return True
        if self._held_mv is None and self._due_ms is not None and now_ms < self._due_ms:
            return False
        is_written = self._write(mv)
        self._held_mv = mv if is_written else None
        self._due_ms = now_ms + (REFRESH_MS if is_written else RETRY_MS)
        if not is_written:
            self.faults += 1
        return is_written

    def force(self, mv) -> bool:
        """Writes now and remembers nothing: for the end of a program, where there is no clock any more."""
        self._held_mv = self._due_ms = None
        return self._write(mv)

    def _write(self, mv):
        assert 0 <= mv <= FULL_MV
        code = (mv * CODE_MAX + FULL_MV // 2) // FULL_MV << 4
        return self._bus.write_register(self._address, RANGE, TEN_VOLTS) and self._bus.write_register(
            self._address, self._register, bytes((code & 0xFF, code >> 8))
        )
