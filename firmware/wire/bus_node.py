"""A node's side of an RS-485 line: speaks when asked, once, and never by itself.

An answer that comes after the turnaround would meet another node's. So a question is answered only if it is
the last thing that was heard and cannot be older than the turnaround: the shell says since when it has not
looked at the line, and the question may have come right then.

The answer is taken at the end of the node's turn, so that what the application says to the datagram in the
question travels in the same slot. Must not know what a datagram means, and repeats nothing.
"""

from wire import bus_frame, limits, slip
from wire.faults import WireFault

# Datagrams that wait for a turn. A node has two exchanges with its gateway; when the queue is full the oldest
# goes, which CoAP sends again.
QUEUE_MAX = 4
# A driver that goes off may leave a byte or two that nobody sent; more is somebody speaking.
GLITCH_BYTES_MAX = 2


class BusNode:
    """One address. `counters`: what was asked, answered, not answered and why, and what was dropped."""

    def __init__(self, line, address):
        assert bus_frame.ADDRESS_MIN <= address <= bus_frame.ADDRESS_MAX
        self._line = line
        self._address = address
        self._decoder = slip.Decoder(bus_frame.BODY_BYTES_MAX)
        self._queue = []
        self._question = None  # the number of the question to answer
        self._until_ms = 0
        self.counters = {"asked": 0, "answered": 0, "too-late": 0, "malformed": 0, "overflow": 0, "too-long": 0}

    def send(self, datagram) -> bool:
        """Keep a datagram for a turn of ours."""
        if not 0 < len(datagram) <= limits.DATAGRAM_BYTES_MAX:
            self.counters["too-long"] += 1
            return False
        if len(self._queue) == QUEUE_MAX:
            self._queue.pop(0)
            self.counters["overflow"] += 1
        self._queue.append(bytes(datagram))
        return True

    def receive(self, data, *, since_ms) -> list:
        """The datagrams in these bytes, which came after `since_ms`, when the line was last seen empty."""
        datagrams = []
        for body in self._decoder.feed(data):
            self.give_up()
            try:
                frame = bus_frame.decode(body)
            except WireFault:
                self.counters["malformed"] += 1
                continue
            if frame.kind == bus_frame.ASK and frame.address == self._address:
                self.counters["asked"] += 1
                self._question = frame.number
                self._until_ms = since_ms + self._line.turnaround_ms
                if frame.datagram:
                    datagrams.append(frame.datagram)
        if self._decoder.pending() > GLITCH_BYTES_MAX:
            self.give_up()
        return datagrams

    def answer(self, *, now_ms) -> bytes:
        """The bytes to write at once, if we are asked and still may; empty otherwise."""
        number, self._question = self._question, None
        if number is None:
            return b""
        if now_ms > self._until_ms:
            self.counters["too-late"] += 1
            return b""
        datagram = self._queue.pop(0) if self._queue else b""
        self.counters["answered"] += 1
        return bus_frame.encode(bus_frame.ANSWER, self._address, number, datagram, more=bool(self._queue))

    def give_up(self):
        """Others have spoken since we were asked: it is not our turn any more."""
        if self._question is not None:
            self._question = None
            self.counters["too-late"] += 1

    def is_asked(self) -> bool:
        """Whether `answer` is awaited."""
        return self._question is not None
