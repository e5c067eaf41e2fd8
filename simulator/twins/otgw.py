"""Is the twin of an OpenTherm Gateway in stand-alone operation, with a boiler behind it: a UART of ASCII lines.

As in its manual and its firmware (6.5): a frame a second to the boiler in a fixed round, by the gateway itself; each is
reported (`R` asked, `B` answered); `CS=` holds for just over a minute; `CH=` counts while CS is held; `SH=` stays. A
command is answered `XX: value`, an unknown one `SE`. A value of id 57 that its boiler calls invalid becomes 0. Knows no
code under test.
"""

# "Stand-alone operation", the order of messages; None: from the list of alternatives, which is empty here: id 0.
ROUND = (0, 25, 1, None, 17, 27, 28, 14, None, 0, 25, 1, 56, 57, None, 18)
LEASE_MS = 65_000
_READ, _WRITE, _READ_ACK, _WRITE_ACK, INVALID, UNKNOWN = 0, 1, 4, 5, 6, 7
_WRITTEN = (1, 14, 56, 57)
FRAME_MS = 1000


class Otgw:
    """Models the gateway and its boiler. Call `advance` before `any`.

    `read_id(id)` is the boiler's answer to a reading (16 bits, or None: it does not know it). `control_setpoint` (1/256
    °C), `ch_enabled`, `max_ch`: the last values sent to the boiler. `refused`: the boiler's answer to a writing of
    these ids instead of an acknowledgement, INVALID or UNKNOWN.
    """

    def __init__(self, read_id):
        self._read_id = read_id
        self._in = b""
        self._out = b""
        self._place = 0
        self._next_ms: int | None = None
        self._lease_ms: int | None = None
        self._setpoint = 0
        self._ch = 1
        self._priority: list[int] = []
        self.max_ch = 90 * 256
        self.control_setpoint = 0
        self.ch_enabled = False
        self.frames_ms: list[int] = []
        self.commands: list[str] = []
        self.is_dead = False
        self.boiler_silent = False
        self.refused: dict[int, int] = {}
        self.unreported: tuple[int, ...] = ()  # ids that are left out of the round

    def any(self) -> int:
        return len(self._out)

    def read(self, count: int) -> bytes:
        data, self._out = self._out[:count], self._out[count:]
        return data

    def write(self, data: bytes) -> int:
        self._in += data
        return len(data)

    def advance(self, now_ms: int) -> None:
        """Lets the gateway's own time pass: its frames fall due without the node."""
        if self.is_dead:
            self._in = b""
            return
        if self._next_ms is None:
            self._next_ms = now_ms
            self._line("OpenTherm Gateway 6.5")
        while self._next_ms <= now_ms:
            at_ms = self._next_ms
            self._next_ms += FRAME_MS
            self._commands(at_ms)
            self._exchange(at_ms)
        self._commands(now_ms)

    def _commands(self, now_ms: int) -> None:
        while b"\r" in self._in:
            line, _, self._in = self._in.partition(b"\r")
            text = line.decode(errors="replace")
            self.commands.append(text)
            name, _, value = text.partition("=")
            if name == "CS":
                self._setpoint = round(float(value) * 256)
                self._lease_ms = now_ms
            elif name == "CH":
                self._ch = int(value)
            elif name == "SH":
                self.max_ch = round(float(value) * 256)
            elif name == "PM":
                self._priority.append(int(value))
            elif name not in ("PS", "GW", "MM", "HW"):
                self._line("SE")
                continue
            self._line(f"{name}: {value}")

    def _exchange(self, now_ms: int) -> None:
        held = self._lease_ms is not None and now_ms - self._lease_ms <= LEASE_MS and self._setpoint > 0
        self.control_setpoint = self._setpoint if held else 0
        self.ch_enabled = held and self._ch == 1
        if self._priority:
            number = self._priority.pop(0)
        else:
            number = ROUND[self._place] or 0
            number = 0 if number in self.unreported else number
            self._place = (self._place + 1) % len(ROUND)
        value = self._written(number)
        self.frames_ms.append(now_ms)
        self._report("R", _WRITE if number in _WRITTEN else _READ, number, value)
        if self.boiler_silent:
            return
        if number in _WRITTEN:
            kind = self.refused.get(number, _WRITE_ACK)
            self._report("B", kind, number, value)
            if number == 57 and kind == INVALID:
                self.max_ch = 0
            return
        answer = self._read_id(number)
        if answer is None:
            self._report("B", UNKNOWN, number, 0)
        else:
            self._report("B", _READ_ACK, number, (value & 0xFF00 if number == 0 else 0) | answer)

    def _written(self, number: int) -> int:
        if number == 0:
            return 0x100 if self.ch_enabled else 0
        return {1: self.control_setpoint, 14: 100 * 256, 56: 55 * 256, 57: self.max_ch}.get(number, 0)

    def _report(self, letter: str, kind: int, number: int, value: int) -> None:
        frame = kind << 28 | number << 16 | value
        frame |= (frame.bit_count() & 1) << 31
        self._line(f"{letter}{frame:08X}")

    def _line(self, text: str) -> None:
        self._out += text.encode() + b"\r\n"
