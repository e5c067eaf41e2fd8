"""Divides the chip's RTC memory, which survives every reset except a loss of power, into regions of bytes.

Each region holds one body with its length and a CRC-32, so that random bytes after a power-on are never accepted. Like
that of `slots`, the layout is a contract between programs of different age: this file is at the root of the file
system, never updated, and imports nothing that an update could change. Writing allocates no more than the CRC.

`machine.RTC().memory` (MicroPython's quick reference for the ESP32): 2048 bytes; since v1.22 kept over every reset but
a power-on. It reports a brown-out as a power-on, but a brown-out keeps the memory: see `guard.ended_by`.
"""

from binascii import crc32

GUARD = 0
CRUMBS = 1
LOG = 2
# The image of a node in deep sleep (node.sleep).
TRADE = 3

# The mark: one byte and its complement, written before each step of a loop, so without time for a CRC. Then the
# regions: first byte and size of each, its head of HEAD_BYTES included. The last one is in RAM only when it is used.
_MARK = 0
_PLACES = ((2, 32), (34, 96), (130, 224), (354, 1024))
SHORT_BYTES = 354
BYTES = 1378
HEAD_BYTES = 6


class Memory:
    """Reads and writes the regions. `chip`: a `machine.RTC()`, or an object with its `memory`; None keeps nothing."""

    def __init__(self, chip):
        self._chip = chip
        found = b"" if chip is None else chip.memory()
        self._bytes = bytearray(found if len(found) in (SHORT_BYTES, BYTES) else SHORT_BYTES)

    def get(self, region):
        """Returns the region's body, or None when it is not sound."""
        start, size = _PLACES[region]
        if not self._has(region):
            return None
        length = self._bytes[start] | self._bytes[start + 1] << 8
        if not 0 < length <= size - HEAD_BYTES:
            return None
        body = bytes(self._bytes[start + HEAD_BYTES : start + HEAD_BYTES + length])
        sum_ = int.from_bytes(self._bytes[start + 2 : start + HEAD_BYTES], "little")
        return body if crc32(body) == sum_ else None

    def _has(self, region):
        start, size = _PLACES[region]
        return start + size <= len(self._bytes)

    def mark(self, value):
        """Keeps one byte, the mark, cheaply: the whole memory is copied and nothing allocated."""
        self._bytes[_MARK] = value
        self._bytes[_MARK + 1] = 255 - value
        if self._chip is not None:
            self._chip.memory(self._bytes)

    def marked(self):
        """Returns the mark, or None."""
        value = self._bytes[_MARK]
        return value if self._bytes[_MARK + 1] == 255 - value else None

    def spoil(self, region):
        """Invalidates the region's body."""
        if not self._has(region):
            return
        start, _ = _PLACES[region]
        self._bytes[start] = self._bytes[start + 1] = 0
        if self._chip is not None:
            self._chip.memory(self._bytes)

    def put(self, region, body):
        """Keeps `body` in the region. A body that does not fit is our own bug: asserted."""
        start, size = _PLACES[region]
        length = len(body)
        assert 0 < length <= size - HEAD_BYTES
        if not self._has(region):
            self._bytes = self._bytes + bytearray(BYTES - SHORT_BYTES)
        self._bytes[start] = length & 0xFF
        self._bytes[start + 1] = length >> 8
        sum_ = crc32(body)
        for index in range(4):
            self._bytes[start + 2 + index] = sum_ >> 8 * index & 0xFF
        self._bytes[start + HEAD_BYTES : start + HEAD_BYTES + length] = body
        if self._chip is not None:
            self._chip.memory(self._bytes)
