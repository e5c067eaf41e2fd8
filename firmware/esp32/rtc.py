"""Shares out the chip's RTC memory, which every reset leaves alone but the loss of power, by regions of bytes.

Each region holds one body with its length and a CRC-32, so that what a power-on left there is never believed. The
layout is a contract between programs of different age, as is that of `slots`: never updated, at the root of the file
system, and importing nothing that an update could change. Writing allocates no more than the CRC.

`machine.RTC().memory` (MicroPython's quick reference for the ESP32): 2048 bytes; since v1.22 kept over every reset but
a power-on. A brown-out is told as a power-on there, but keeps the memory: see `guard.ended_by`.
"""

from binascii import crc32

GUARD = 0
CRUMBS = 1
LOG = 2
# A kind's own: what a node that sleeps deeply must know when it wakes.
TRADE = 3

# One byte and its complement, written before each step of a loop, so without room for a CRC; then the regions: first
# byte and size of each, the head of HEAD_BYTES in it. The last one is in RAM only where something is kept there.
_MARK = 0
_PLACES = ((2, 32), (34, 96), (130, 224), (354, 1024))
SHORT_BYTES = 354
BYTES = 1378
HEAD_BYTES = 6


class Memory:
    """Reads and writes the regions. `chip`: a `machine.RTC()`, or anything with its `memory`; None keeps nothing."""

    def __init__(self, chip):
        self._chip = chip
        found = b"" if chip is None else chip.memory()
        self._bytes = bytearray(found if len(found) in (SHORT_BYTES, BYTES) else SHORT_BYTES)

    def get(self, region):
        """Returns the region's body, or None when nothing sound is there."""
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
        """Keeps one byte, cheaply: all is copied and nothing allocated."""
        self._bytes[_MARK] = value
        self._bytes[_MARK + 1] = 255 - value
        if self._chip is not None:
            self._chip.memory(self._bytes)

    def marked(self):
        """Returns that byte, or None."""
        value = self._bytes[_MARK]
        return value if self._bytes[_MARK + 1] == 255 - value else None

    def spoil(self, region):
        """Makes what is there unsound from now on."""
        if not self._has(region):
            return
        start, _ = _PLACES[region]
        self._bytes[start] = self._bytes[start + 1] = 0
        if self._chip is not None:
            self._chip.memory(self._bytes)

    def put(self, region, body):
        """Keeps `body` there from now on; it fits, or this is our own bug."""
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
