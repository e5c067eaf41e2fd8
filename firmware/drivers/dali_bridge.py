"""Drives a DALI bus behind a UART through the bridge AL-DALI-HAT of ATX LED, which keeps a timing that Python cannot.

Protocol (ATX LED, AL-DALI-HAT; as in its maker's published programs and python-dali's driver): 19200 baud 8N1, lines of
ASCII that end with a line feed, hexadecimal in capitals.

    to the bridge    hAACC      a frame of 16 bits: address byte, data byte
                     tAACC      the same twice, as configuration commands must come
                     d          ask for the state of the bus power
    from it          JXX        a gear answered XX
                     N          no gear answered; after `t` once for each frame
                     X…, Z…     framing error, collision: several answered, or another master spoke
                     HAACC      a frame of another master
                     D0…3       bus power lost, stuck high, good, not yet known

It never blocks: it runs one transaction at a time, and each ends within TIMEOUT_MS even if the bridge is silent. Must
not know what a frame means.
"""

from drivers.sensor import PENDING

# The outcome of a transaction other than the byte of a gear.
NO_ANSWER = "no-answer"
GARBLED = "garbled"
NO_BRIDGE = "no-bridge"

# Two frames of 16 bits with a pause of 100 ms between them (IEC 62386-101), their answers, and the lines themselves.
TIMEOUT_MS = 400
# The wait after the first N of a frame that is sent twice: a second N must not count as the answer to the next query.
SECOND_MS = 150
# The longest line is H and four digits; more without a line feed is noise.
LINE_MAX = 16
# No more than this of an answer can wait in the UART.
_READ_MAX = 64

# Broadcast of level 254: full light on every gear. A line feed first ends a line that was being written.
_EVERY_GEAR_FULL = b"\nhFEFE\n"


class DaliBridge:
    """Carries out one frame at a time. `uart` has `any`, `read`, `write` as in `machine.UART`. `counters`:
    transactions by outcome, frames of other masters, noise."""

    def __init__(self, uart):
        self._uart = uart
        self._line = b""
        self._lines = []
        self._started_ms = None
        self._twice_ms = None
        self._is_twice = False
        self.counters = {"answers": 0, "none": 0, "garbled": 0, "silent": 0, "others": 0, "noise": 0}

    def is_busy(self):
        """Returns whether a transaction is under way."""
        return self._started_ms is not None

    def start(self, step, *, now_ms):
        """Sends one frame: `step.frame` of 16 bits, twice when `step.twice`. Late answers to an earlier frame are
        discarded."""
        assert self._started_ms is None, "one transaction at a time"
        self._receive()
        for line in self._lines:
            self._aside(line)
        self._lines = []
        self._is_twice = step.twice
        self._twice_ms = None
        self._started_ms = now_ms
        self._uart.write(b"%s%04X\n" % (b"t" if step.twice else b"h", step.frame))

    def light_every_gear(self) -> None:
        """Sends full light to every gear, even during a transaction; no code reads the outcome."""
        self._uart.write(_EVERY_GEAR_FULL)

    def poll(self, *, now_ms):
        """Returns PENDING, the byte of a gear, NO_ANSWER, GARBLED, or NO_BRIDGE when no line came in time."""
        assert self._started_ms is not None, "start first"
        self._receive()
        while self._lines:
            outcome = self._outcome(self._lines.pop(0), now_ms)
            if outcome is not None:
                return self._end(outcome)
        if self._twice_ms is not None and now_ms - self._twice_ms >= SECOND_MS:
            return self._end(NO_ANSWER)
        if now_ms - self._started_ms >= TIMEOUT_MS:
            return self._end(NO_BRIDGE)
        return PENDING

    def _outcome(self, line, now_ms):
        first = line[:1]
        if first == b"J":
            answer = _hex(line[1:], 2)
            if answer is None:
                self.counters["noise"] += 1
            return answer
        if first in (b"X", b"Z"):
            return GARBLED
        if first != b"N":
            self._aside(line)
            return None
        if self._is_twice and self._twice_ms is None:
            self._twice_ms = now_ms
            return None
        return NO_ANSWER

    def _end(self, outcome):
        self._started_ms = self._twice_ms = None
        name = {NO_ANSWER: "none", GARBLED: "garbled", NO_BRIDGE: "silent"}.get(outcome, "answers")
        self.counters[name] += 1
        return outcome

    def _aside(self, line):
        """Notes a line that is no answer."""
        if line[:1] == b"H":
            self.counters["others"] += 1
        elif line[:1] != b"D":  # D: the power of the bus, which a silent gear tells as well
            self.counters["noise"] += 1

    def _receive(self):
        """Reads the UART and splits its bytes into whole lines; an endless line is noise."""
        waiting = self._uart.any()
        while waiting:
            self._line += self._uart.read(min(waiting, _READ_MAX)) or b""
            while True:
                end = self._line.find(b"\n")
                if end < 0:
                    break
                line = self._line[:end].strip()
                self._line = self._line[end + 1 :]
                if line:
                    self._lines.append(line)
            if len(self._line) > LINE_MAX:
                self.counters["noise"] += 1
                self._line = b""
            if len(self._lines) > LINE_MAX:
                self._lines.pop(0)
            waiting = self._uart.any()


def _hex(digits, width):
    """Returns the number of exactly `width` hexadecimal digits, else None."""
    if len(digits) != width:
        return None
    for digit in digits:
        if digit not in b"0123456789ABCDEFabcdef":
            return None
    return int(digits, 16)
