"""Replaces the chip's `machine` on the bare machine: the twins of the kind's board, whose pins print what they do; and
a real reset, watchdog and kept memory. Runs on the bare machine only.

`bare_kind` of the image says the kind. A pin that a program drives prints `pin NUMBER LEVEL`: an onlooker at the serial
line sees what comes before what. The gateway's line is the console's: a SLIP frame begins and ends with a byte that no
text has.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import io
import select
import struct
import sys
import time

import bare_kind
import uctypes
from umachine import PWRON_RESET, SOFT_RESET, WDT_RESET, mem32, reset, reset_cause  # noqa: F401

DEEPSLEEP_RESET = 4
_MTIMECMP, _MTIME, _TICKS_PER_MS = 0x02004000, 0x0200BFF8, 10_000
_KEPT, _KEPT_BYTES = 0x81001010, 2048
# Of the stream protocol.
_POLL, _READABLE, _WRITABLE = 3, 1, 4
# What a sound board has: an empty capacitor, a flat battery or an open cable would be other tests.
_MILLIVOLTS = {"BATTERY": 3600, "CAPACITOR": 24_000, "SOIL_1": 1500, "SOIL_2": 1500}
_made = []
_levels = {}


def _twins():
    """Returns the board's twins; they are made when a part is first used, so that boot.py needs none of them."""
    if not _made:
        from simulator.twins.board import Machine

        facts = _facts()
        _made.append(Machine(facts, time.ticks_ms))
        parts = _made[0].parts
        for name in _MILLIVOLTS:
            if name in parts:
                parts[name].millivolts = _MILLIVOLTS[name]
        for name in parts:
            if hasattr(parts[name], "move") and getattr(facts, name + "_ACTIVE_LEVEL", 0) == 1:
                parts[name].move(True)
        for number in _levels:
            _made[0].Pin(number).value(_levels[number])
    return _made[0]


def _facts():
    return __import__("boards." + bare_kind.NAME, None, None, ("KIND",))


class Pin:
    """Is a pin of the board."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1

    def __init__(self, number, mode=None, pull=None, *, value=None):
        self.number = number
        if mode == Pin.OUT and value is not None:
            self.value(value)

    def value(self, level=None):
        """Reads the level, or drives it."""
        if level is None:
            return _twins().Pin(self.number).value()
        if level != _levels.get(self.number):
            _levels[self.number] = level
            print("pin", self.number, level)
        if _made:
            _made[0].Pin(self.number).value(level)
        return None

    def wire(self):
        """Returns the wire that `onewire.OneWire` finds here."""
        return _twins().Pin(self.number).wire()


def __getattr__(name):
    """Returns what the board's twins have of `machine`: ADC, Counter, PWM, SoftI2C."""
    return getattr(_twins(), name)


def UART(number, **facts):  # noqa: N802 - the chip's name
    """Returns the line to the gateway, or the part on that UART."""
    if number == _facts().BUS_UART:
        return Line()
    try:
        return _twins().UART(number, **facts)
    except ValueError:
        return Silence()


class Silence:
    """Is a UART whose part does not answer."""

    def any(self):
        """Returns 0, for nothing arrives."""
        return 0

    def read(self, _count):
        """Returns None, as the chip's UART without bytes."""

    def write(self, data):
        """Accepts all bytes."""
        return len(data)


class Line(io.IOBase):
    """Is the UART of the gateway's line: the one that the machine has."""

    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._arrived = bytearray()

    def any(self):
        """Returns the number of bytes that have arrived."""
        while self._poll.poll(0):
            self._arrived.extend(sys.stdin.buffer.read(1))
        return len(self._arrived)

    def read(self, count):
        """Reads at most `count` bytes that have arrived, None when none has."""
        self.any()
        data = bytes(self._arrived[:count])
        self._arrived = self._arrived[count:]
        return data or None

    def write(self, data):
        """Puts bytes onto the line."""
        return sys.stdout.buffer.write(data)

    def txdone(self):
        """Returns True: `write` waits for the line."""
        return True

    def ioctl(self, request, flags):
        """States what is ready, for `select`."""
        return flags & (_WRITABLE | (_READABLE if self.any() else 0)) if request == _POLL else 0


class WDT:
    """Is the machine's watchdog: the timer's alarm, which resets it (tools/bare/board.c). Nothing disarms it again."""

    _ms = 0

    def __init__(self, *, timeout):
        WDT._ms = timeout
        self.feed()

    def feed(self):
        """Puts the alarm off."""
        high, low = mem32[_MTIME + 4], mem32[_MTIME]
        if mem32[_MTIME + 4] != high:
            high, low = high + 1, 0
        at = ((high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF) + WDT._ms * _TICKS_PER_MS
        mem32[_MTIMECMP + 4] = 0xFFFFFFFF
        mem32[_MTIMECMP] = at & 0xFFFFFFFF
        mem32[_MTIMECMP + 4] = at >> 32


class RTC:
    """Is memory that survives a reset, not a loss of power: its length, then its bytes."""

    def __init__(self):
        self._bytes = uctypes.bytearray_at(_KEPT, 4 + _KEPT_BYTES)

    def memory(self, data=None):
        """Reads the memory, or writes it whole."""
        if data is None:
            return bytes(self._bytes[4 : 4 + min(struct.unpack("<I", self._bytes)[0], _KEPT_BYTES)])
        self._bytes[4 : 4 + len(data)] = data
        self._bytes[:4] = struct.pack("<I", len(data))
        return None
