"""Simulates a D4i gear behind an AL-DALI-HAT at the level of the bridge's bytes: frames, answers, memory banks, flags.

Facts of the protocol and of the banks (IEC 62386-102, DiiA parts 251 to 253) are written down a second time on purpose:
a twin that used the node's own code would agree with its mistakes. The file `bench-fault` in the working folder makes
it misbehave, as it does the other twins: `gear-silent` (no gear answers), `bridge-silent`, `dead` (its lamp), `torn`
(another master moves the memory pointer), `collision`. Runs on MicroPython and, with a clock given, on CPython.
"""

FAULT_FILE = "bench-fault"
# A forward frame of 16 bits, a backward frame's wait and its 8 bits, and the lines at 19200 baud.
FRAME_MS = 22
ANSWER_MS = 20
TWICE_MS = 50


def _default_clock():
    import utime

    return utime.ticks_ms()


def default_banks():
    """Returns the banks {number: bytearray from location 0 on} of a gear of 36 W with its lamp at work."""
    energy = b"\x0f\x00\xff\x01\x00" + (123456).to_bytes(6, "big") + b"\xff" + (360).to_bytes(4, "big")
    gear = bytes((0x1C, 0, 0xFF, 1)) + (7_200_000).to_bytes(4, "big") + (321).to_bytes(3, "big")
    gear += (2312).to_bytes(2, "big") + bytes((50, 95)) + bytes(12) + bytes((60 + 41, 100))
    source = bytes((0x20, 0, 0xFF, 1)) + bytes(14) + (480).to_bytes(2, "big") + (700).to_bytes(2, "big")
    source += bytes(10) + b"\xff"
    ratings = bytes((7, 0, 0xFF, 1, 100, 60 + 65)) + (1000).to_bytes(2, "big")
    asset = bytes((0x77, 0, 0xFF)) + (3760123456789).to_bytes(6, "big") + (42).to_bytes(8, "big") + b"\x00\x03"
    asset += bytes((24, 12)) + (36).to_bytes(2, "big") + (6).to_bytes(2, "big")
    asset += (220).to_bytes(2, "big") + (240).to_bytes(2, "big") + (5400).to_bytes(3, "big")
    asset += bytes((80,)) + (2700).to_bytes(2, "big") + b"\x03"
    asset += _padded("gris 900 sable", 24) + _padded("Loire 36", 60)
    banks = {1: asset, 202: energy, 205: gear, 206: source, 207: ratings}
    return {number: bytearray(banks[number]) for number in banks}


def _padded(text, width):
    data = text.encode() + b"\x00"
    return data + b"\xff" * (width - len(data))


class Gear:
    """Models one control gear. `level` is its actual level; `status_bits` are added to its status."""

    def __init__(self, address=None, banks=None):
        self.address = address
        self.banks = default_banks() if banks is None else banks
        self.level = 254
        self.status_bits = 0
        self.lamp_dead = False
        self.tears = False
        self.writes = []
        self.latched = {}
        self.frames = []
        self._dtr0 = 0
        self._dtr1 = 0
        self._may_write = False

    def frame(self, value):
        """Accepts a forward frame; returns the byte of the answer, or None."""
        self.frames.append(value)
        first, second = value >> 8, value & 0xFF
        if first == 0xA3:
            self._dtr0 = second
            return None
        if first == 0xC3:
            self._dtr1 = second
            return None
        if first == 0xC9:
            self._write(second)
            return None
        mine = first >> 1 == 0x7F or (self.address is not None and first >> 1 == self.address)
        if not mine:
            return None
        if not first & 1:
            if second != 255:
                self.level = second
            return None
        return self._command(second)

    def _command(self, code):
        if code != 0x81 and code != 0x98:
            self._may_write = False
        if code == 0x00:
            self.level = 0
        elif code == 0x05:
            self.level = 254
        elif code == 0x81:
            self._may_write = True
        elif code == 0x90:
            lit = 4 if self.level and not self.lamp_dead else 0
            return self.status_bits | lit | (2 if self.lamp_dead else 0)
        elif code == 0x91:
            return 255
        elif code == 0x98:
            return self._dtr0
        elif code == 0xA0:
            return 255 if self.lamp_dead and self.level else self.level
        elif code == 0xC5:
            return self._read()
        return None

    def _read(self):
        bank = self.latched.get(self._dtr1) or self.banks.get(self._dtr1)
        at = self._dtr0
        if bank is None or at >= len(bank):
            return None
        # Location 1 does not exist; the pointer advances nevertheless.
        self._dtr0 = min(255, at + 1)
        if self.tears and at == 8:
            self._dtr0 = 3
        return None if at == 1 else bank[at]

    def _write(self, value):
        if not self._may_write:
            return
        self.writes.append((self._dtr1, self._dtr0, value))
        if self._dtr0 == 2 and value == 0xAA and self._dtr1 in self.banks:
            self.latched[self._dtr1] = bytearray(self.banks[self._dtr1])
        self._dtr0 = min(255, self._dtr0 + 1)


class Twin:
    """Models the bridge over its bus, which `gears` share.

    Bytes of the host go in; lines come back after the time that the bus needs.
    """

    def __init__(self, gears=None, *, ticks_ms=_default_clock):
        self.gears = [Gear()] if gears is None else gears
        self._ticks_ms = ticks_ms
        self._line = b""
        self._out = []  # (arrives ms, bytes)

    def write(self, data):
        """Accepts bytes from the host; returns their count."""
        self._line += data
        while b"\n" in self._line:
            end = self._line.find(b"\n")
            line, self._line = self._line[:end], self._line[end + 1 :]
            self._command(line)
        return len(data)

    def any(self):
        """Returns the number of bytes that have arrived."""
        now_ms = self._ticks_ms()
        return sum(len(data) for at_ms, data in self._out if at_ms <= now_ms)

    def read(self, count):
        """Reads at most `count` of them."""
        now_ms = self._ticks_ms()
        arrived = b""
        rest = []
        for at_ms, data in self._out:
            if at_ms > now_ms or len(arrived) == count:
                rest.append((at_ms, data))
                continue
            taken = data[: count - len(arrived)]
            arrived += taken
            if len(taken) < len(data):
                rest.append((at_ms, data[len(taken) :]))
        self._out = rest
        return arrived or None

    def say(self, data):
        """Sends a line that is no answer."""
        self._out.append((self._ticks_ms(), data))

    def _command(self, line):
        fault = _fault()
        if fault == "bridge-silent":
            return
        now_ms = self._ticks_ms()
        if line == b"d":
            self._out.append((now_ms + 5, b"D21\n"))
            return
        if line[:1] not in (b"h", b"t") or len(line) != 5:
            return
        value = int(line[1:].decode(), 16)
        is_twice = line[:1] == b"t"
        answers = []
        for gear in self.gears:
            gear.lamp_dead = fault == "dead"
            gear.tears = fault == "torn"
            if _must_come_twice(value) and not is_twice:
                continue
            answers.append(gear.frame(value))
        heard = [] if fault == "gear-silent" else [answer for answer in answers if answer is not None]
        due_ms = now_ms + FRAME_MS + (TWICE_MS if is_twice else 0)
        if len(heard) > 1 or fault == "collision":
            self._out.append((due_ms + ANSWER_MS, b"X\n"))
        elif heard:
            self._out.append((due_ms + ANSWER_MS, b"J%02X\n" % heard[0]))
        else:
            self._out.append((due_ms + ANSWER_MS, b"N\n"))
            if is_twice:
                self._out.append((due_ms + ANSWER_MS, b"N\n"))


def _must_come_twice(value):
    """Returns True for commands 32 to 129, which count only when sent twice; special commands are none of them."""
    first = value >> 8
    return first & 1 and first not in (0xA3, 0xC3, 0xC9) and 0x20 <= value & 0xFF <= 0x81


def _fault():
    """Returns the word in the fault file, or ""."""
    try:
        with open(FAULT_FILE) as file:
            return file.read().strip()
    except OSError:
        return ""
