"""Implements the polled RS-485 line: its frames (inside `wire.slip`), how long they take, and the node's end.

A body is one byte of kind, one byte of address, then the datagram, which may be empty. The kind is that of the sender:
the gateway asks (ASK, the token), the node with that address answers (ANSWER). Its low bits carry the number of the
question, counted for each address, by which a late answer is recognised; and, in an answer, whether more waits.

    kind    1 0 0 0 n n n 0   a question: the gateway's turn is over, the address may send once
            1 0 1 0 n n n m   the answer to question n; m: more waits

Address 0 belongs to no node: there is no broadcast, since no node could answer it.

**The node's end** sends only when it is asked, and once. An answer after the turnaround would collide with another
node's. So a question is answered only if it is the last frame that was received and cannot be older than the
turnaround: the shell passes the time of its last read of the line, since the question may have come right after it. The
answer is built at the end of the node's turn, so that the application's reply to the datagram in the question travels
in the same slot. The gateway's end is `wire.bus_master`. Neither end knows what a datagram means, and neither repeats
one.
"""

from collections import namedtuple

from wire import limits, slip
from wire.faults import WireFault

ASK = 0x80
ANSWER = 0xA0
_WHO = 0xF0
_NUMBER_SHIFT = 1
_NUMBER_MASK = 7
_MORE = 1
_HEAD_BYTES = 2
ADDRESS_MIN = 1
ADDRESS_MAX = 247  # as on Modbus lines, so that an installer has one rule
BODY_BYTES_MAX = _HEAD_BYTES + limits.DATAGRAM_BYTES_MAX
NUMBERS = _NUMBER_MASK + 1

# Every byte escaped; encrypted datagrams stay far below this.
FRAME_BYTES_MAX = 2 * (BODY_BYTES_MAX + 2) + 2
_BITS_PER_BYTE = 10  # 8N1

# A node waits at the line until its last bit has left (machine.UART has no RS-485 mode), and no call of its
# loop may take longer than 100 ms: at this rate the longest frame takes 90 ms.
BAUD_MIN = 57_600

# What a usual round takes, for CoAP's ACK_TIMEOUT: a loop that nothing delays answers within this (the port waits a
# whole tick of its system, 10 ms, and no byte wakes it: ports/esp32/mpconfigport.h); telemetry and its answer have
# these lengths; and the gateway flushes for up to a second before it answers.
_USUAL_TURNAROUND_MS = 30
_USUAL_BYTES = (34, 78)
_FLUSH_MS = 1000

# baud: bits a second. turnaround_ms: a node begins its answer within this time after the last bit of the question, or
# never; its loop's longest slice is 100 ms. latency_ms: what the gateway's adapter and system add, there and back (an
# FTDI adapter hands over its bytes every 16 ms). guard_ms: how long the line stays free after an answer, until the
# node's driver is off.
Line = namedtuple("Line", ("baud", "turnaround_ms", "latency_ms", "guard_ms"))

Frame = namedtuple("Frame", ("kind", "address", "number", "more", "datagram"))


def line(*, baud=115_200, turnaround_ms=120, latency_ms=40, guard_ms=3):
    """Returns the Line that suits nodes whose loop turns every 100 ms."""
    assert baud >= BAUD_MIN and turnaround_ms > 0 and latency_ms >= 0 and guard_ms > 0
    return Line(baud, turnaround_ms, latency_ms, guard_ms)


def encode(kind, address, number, datagram=b"", *, more=False) -> bytes:
    """Returns the SLIP frame of a question (ASK) or an answer (ANSWER)."""
    assert ADDRESS_MIN <= address <= ADDRESS_MAX and len(datagram) <= limits.DATAGRAM_BYTES_MAX
    head = kind | (number & _NUMBER_MASK) << _NUMBER_SHIFT | (_MORE if more else 0)
    return slip.encode(bytes((head, address)) + datagram)


def decode(body) -> Frame:
    """Returns the Frame of a body; raises WireFault: `short`, `kind`, `address`."""
    if len(body) < _HEAD_BYTES:
        raise WireFault("short")
    head, address = body[0], body[1]
    kind = head & _WHO
    if kind not in (ASK, ANSWER) or (kind == ASK and head & _MORE):
        raise WireFault("kind")
    if not ADDRESS_MIN <= address <= ADDRESS_MAX:
        raise WireFault("address")
    number = head >> _NUMBER_SHIFT & _NUMBER_MASK
    return Frame(kind, address, number, bool(head & _MORE), bytes(body[_HEAD_BYTES:]))


def airtime_ms(line, byte_count) -> int:
    """Returns how long `byte_count` bytes take on the line, rounded up."""
    return (1000 * _BITS_PER_BYTE * byte_count + line.baud - 1) // line.baud


def slot_ms(line, *, down_bytes=limits.DATAGRAM_BYTES_MAX, up_bytes=limits.DATAGRAM_BYTES_MAX) -> int:
    """Returns the longest time of one question and its answer, with datagrams of these lengths and the longest
    turnaround."""
    return _frames_ms(line, down_bytes, up_bytes) + line.turnaround_ms + line.latency_ms + line.guard_ms


def cycle_ms(line, count, *, down_bytes=limits.DATAGRAM_BYTES_MAX, up_bytes=limits.DATAGRAM_BYTES_MAX) -> int:
    """Returns the longest time between two turns of one of `count` answering nodes: each has its turn, every second
    slot is an extra one for a node that has more, and one silent address is tried."""
    return (2 * count + 1) * slot_ms(line, down_bytes=down_bytes, up_bytes=up_bytes)


def ack_timeout_ms(line, count) -> int:
    """Returns CoAP's ACK_TIMEOUT on this bearer: a cycle in which every node sends and receives one datagram, and a
    flush. If it were shorter, a street whose nodes all send at once would send everything twice; if it were as long as
    `cycle_ms`, a datagram that the line damaged would wait too long for its repetition."""
    slot = _frames_ms(line, *_USUAL_BYTES) + _USUAL_TURNAROUND_MS + line.latency_ms // 2 + line.guard_ms
    return max(limits.COAP_ACK_TIMEOUT_MIN_MS, (2 * count + 1) * slot + _FLUSH_MS)


def _frames_ms(line, down_bytes, up_bytes):
    """Returns the time of both frames on the line, allowing one escape in sixteen bytes (random bytes have one in
    128)."""
    overhead = _HEAD_BYTES + 2 + 2
    both = [overhead + length + (length + 15) // 16 for length in (down_bytes, up_bytes)]
    return airtime_ms(line, both[0]) + airtime_ms(line, both[1])


# --- the node's end -------------------------------------------------------------------------------------------

# Datagrams that wait for a turn. A node has two exchanges with its gateway; when the queue is full the oldest is
# dropped: CoAP sends it again.
QUEUE_MAX = 4
# A driver that switches off may leave a byte or two that no end sent; more bytes are another end's.
GLITCH_BYTES_MAX = 2


class BusNode:
    """Answers for one address. `counters`: questions, answers, questions not answered and why, and dropped
    datagrams."""

    def __init__(self, line, address):
        assert ADDRESS_MIN <= address <= ADDRESS_MAX
        self._line = line
        self._address = address
        self._decoder = slip.Decoder(BODY_BYTES_MAX)
        self._queue = []
        self._question = None  # the number of the question to answer
        self._until_ms = 0
        self.counters = {"asked": 0, "answered": 0, "too-late": 0, "malformed": 0, "overflow": 0, "too-long": 0}

    def send(self, datagram) -> bool:
        """Queues a datagram for our turns; False when it is empty or too long. A full queue drops its oldest."""
        if not 0 < len(datagram) <= limits.DATAGRAM_BYTES_MAX:
            self.counters["too-long"] += 1
            return False
        if len(self._queue) == QUEUE_MAX:
            self._queue.pop(0)
            self.counters["overflow"] += 1
        self._queue.append(bytes(datagram))
        return True

    def receive(self, data, *, since_ms) -> list:
        """Returns the datagrams in these bytes, which came after `since_ms`, the time at which the line was last read
        empty."""
        datagrams = []
        for body in self._decoder.feed(data):
            self.give_up()
            try:
                frame = decode(body)
            except WireFault:
                self.counters["malformed"] += 1
                continue
            if frame.kind == ASK and frame.address == self._address:
                self.counters["asked"] += 1
                self._question = frame.number
                self._until_ms = since_ms + self._line.turnaround_ms
                if frame.datagram:
                    datagrams.append(frame.datagram)
        if self._decoder.pending() > GLITCH_BYTES_MAX:
            self.give_up()
        return datagrams

    def answer(self, *, now_ms) -> bytes:
        """Returns the bytes to write at once; empty when there is no question or it is too old."""
        number, self._question = self._question, None
        if number is None:
            return b""
        if now_ms > self._until_ms:
            self.counters["too-late"] += 1
            return b""
        datagram = self._queue.pop(0) if self._queue else b""
        self.counters["answered"] += 1
        return encode(ANSWER, self._address, number, datagram, more=bool(self._queue))

    def give_up(self):
        """Drops the question: another end has sent since we were asked, so our turn is over."""
        if self._question is not None:
            self._question = None
            self.counters["too-late"] += 1

    def is_asked(self) -> bool:
        """Returns whether a question waits for `answer`."""
        return self._question is not None
