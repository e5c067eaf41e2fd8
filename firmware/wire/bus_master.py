"""Decides, at the gateway's end of an RS-485 line, which node may send, and when. Half duplex, polled, without
collisions.

**Turns.** A round gives each address that answers one turn, in order. After each of these turns comes an extra one,
also in order, for an address that reported that more waits or that a datagram is waiting for, if there is one. At the
beginning of a round one silent address is tried, so that dead nodes cost one slot a round however many there are; each
address is tried less and less often. When a silent address answers, the next silent one is tried at once, for nodes
seldom come back alone: a feeder has power again. When no node has anything to send or receive, the line rests until
ROUND_MIN_MS after the round's start.

**The states of the line.** FREE: we may send. ASKED: the question is out, no answer has begun (an adapter may receive
its own question); this ends with the turnaround, so a dead node costs little. HEARING: bytes arrive. It ends with the
answer, or when the line has been silent for GAP_MS, which is longer than any pause within a frame. Neither ends while
an answer may still come: a slow node has until the end of its turnaround, and a frame that has begun is received to its
end. After either the line is SETTLING for the guard time, then FREE.

An answer counts for the question that its address and number name; any other is late, and dropped. Nothing is repeated
here and nothing is acknowledged: CoAP has the custody, and recognises what a node sends twice. A datagram leaves its
queue when it is sent.

Must not know what a datagram means.
"""

from wire import bus, limits, slip
from wire.faults import WireFault

# Datagrams that wait for one address. CoAP has two exchanges with a node at most, and repeats a message after seconds:
# when a queue is full the oldest is dropped, since a newer copy of it exists or will come.
QUEUE_MAX = 4
# A datagram that waited so long has been sent again by CoAP.
WAIT_MAX_MS = 15_000
# An address is silent after this many questions in a row without the beginning of an answer: noise destroys one, hardly
# four.
MISSES_MAX = 4
# A silent address is tried again after this delay, which doubles.
TRY_FIRST_MS = 1_000
TRY_LAST_MS = 60_000
# The least time from the start of one round to the next: an idle line of few nodes need not be polled 100 times a
# second.
ROUND_MIN_MS = 100
# The longest pause within a frame: an adapter hands over its bytes every 16 ms, a busy system later.
GAP_MS = 60

FREE = "free"
ASKED = "asked"
HEARING = "hearing"
SETTLING = "settling"

_COUNTERS = ("asked", "answered", "empty", "missed", "garbled", "late", "echo", "malformed", "babble")
_QUEUE_COUNTERS = ("down", "up", "overflow", "expired", "unknown-address", "too-long")


class _Station:
    """Holds what the gateway knows of one address."""

    def __init__(self, now_ms):
        self.number = 0
        self.misses = MISSES_MAX  # silent until it has answered
        self.try_ms = now_ms
        self.try_delay_ms = TRY_FIRST_MS
        self.more = False
        self.waiting = []  # [(datagram, since_ms)]

    def is_silent(self):
        return self.misses >= MISSES_MAX


class BusMaster:
    """Polls the line. `addresses`: the nodes that may be on it; one that does not answer is tried ever less often.
    `counters`: what happened; `round_ms`: how long the last round took, `round_longest_ms`: the longest."""

    def __init__(self, line, addresses, *, now_ms):
        for address in addresses:
            assert bus.ADDRESS_MIN <= address <= bus.ADDRESS_MAX
        self._line = line
        self._order = sorted(addresses)
        self._stations = {address: _Station(now_ms) for address in self._order}
        self._decoder = slip.Decoder(bus.BODY_BYTES_MAX)
        self._state = SETTLING
        # A program that ran before us may have asked something.
        self._due_ms = now_ms + self._answer_max_ms()
        self._turn_ms = self._due_ms  # until then the node that is asked may begin
        self._last_ms = self._due_ms  # no answer to this question comes after it
        self._asked = None  # the address whose answer we wait for
        self._faults_before = 0
        self._round = []  # addresses that have not had their turn
        self._round_began_ms = None
        self._round_is_open = False
        self._extra_is_next = False
        self._try_is_next = False
        self._last_extra = 0
        self._last_tried = 0
        self.round_ms = 0
        self.round_longest_ms = 0
        self.counters = dict.fromkeys(_COUNTERS + _QUEUE_COUNTERS, 0)

    def send(self, address, datagram, *, now_ms) -> bool:
        """Queues a datagram for the next turn of its address; False when no node can have that address."""
        station = self._stations.get(address)
        if station is None or not 0 < len(datagram) <= limits.DATAGRAM_BYTES_MAX:
            self.counters["unknown-address" if station is None else "too-long"] += 1
            return False
        if len(station.waiting) == QUEUE_MAX:
            station.waiting.pop(0)
            self.counters["overflow"] += 1
        station.waiting.append((bytes(datagram), now_ms))
        return True

    def receive(self, data, *, now_ms) -> list:
        """Receives bytes of the line; returns [(address, datagram)] when they complete an answer with a datagram, else
        []."""
        if not data:
            return []
        arrived = []
        if self._state == ASKED:
            self._state = HEARING
        for body in self._decoder.feed(data):
            try:
                frame = bus.decode(body)
            except WireFault:
                self.counters["malformed"] += 1
                continue
            self._accept(frame, arrived, now_ms)
        if self._state == HEARING:
            self._due_ms = max(self._turn_ms, now_ms + GAP_MS)
            if self._faults() == self._faults_before and not self._decoder.pending():
                # Nothing but our own echo, or late answers of others: no answer has begun.
                self._state, self._due_ms = ASKED, self._turn_ms
        return arrived

    def poll(self, *, now_ms) -> bytes:
        """Returns the bytes to write now; empty when we may not send, or there is no node to ask."""
        if self._state != FREE and now_ms >= self._deadline_ms():
            self._pass(now_ms)
        if self._state != FREE:
            return b""
        address = self._next(now_ms)
        return b"" if address is None else self._ask(address, now_ms)

    def deadline_ms(self):
        """Returns when `poll` may have something to do; None only on a line without addresses."""
        if self._state != FREE:
            return self._deadline_ms()
        if self._wanting():
            return self._due_ms
        silent = self.silent()
        if len(silent) < len(self._order):
            return self._round_due_ms()
        if not silent:
            return None
        return max(self._round_due_ms(), min([self._stations[address].try_ms for address in silent]))

    def reopened(self, *, now_ms):
        """Observes that the port was reopened: the question is lost, and its answer may still be on the line."""
        self._decoder.reset()
        self._asked = None
        self._state = SETTLING
        self._due_ms = now_ms + self._answer_max_ms()
        self._last_ms = self._due_ms

    def silent(self) -> list:
        """Returns the addresses that do not answer, in order."""
        return [address for address in self._order if self._stations[address].is_silent()]

    def waiting(self) -> int:
        """Returns how many datagrams wait for their turn."""
        return sum([len(station.waiting) for station in self._stations.values()])

    # --- the line ---------------------------------------------------------------------------------------------

    def _deadline_ms(self):
        """Returns the end of the state; a babbling line is ignored once it can no longer hold an answer."""
        return min(self._due_ms, self._last_ms) if self._state == HEARING else self._due_ms

    def _faults(self):
        """Returns how many frames of the line were faulty."""
        counters = self._decoder.counters
        return counters["crc"] + counters["short"] + counters["long"] + counters["escape"] + self.counters["malformed"]

    def _answer_max_ms(self):
        whole_ms = bus.airtime_ms(self._line, bus.FRAME_BYTES_MAX)
        return self._line.turnaround_ms + self._line.latency_ms + whole_ms + GAP_MS

    def _ask(self, address, now_ms):
        station = self._stations[address]
        station.number = (station.number + 1) % bus.NUMBERS
        datagram = station.waiting.pop(0)[0] if station.waiting else b""
        data = bus.encode(bus.ASK, address, station.number, datagram)
        left_ms = now_ms + bus.airtime_ms(self._line, len(data))
        self._asked = address
        self._state = ASKED
        self._due_ms = self._turn_ms = left_ms + self._line.turnaround_ms + self._line.latency_ms
        self._last_ms = left_ms + self._answer_max_ms()
        self._decoder.reset()
        self._faults_before = self._faults()
        self.counters["asked"] += 1
        if datagram:
            self.counters["down"] += 1
        return data

    def _accept(self, frame, arrived, now_ms):
        if frame.kind == bus.ASK:
            self.counters["echo"] += 1  # an adapter that receives its own bytes
            return
        station = self._stations.get(self._asked)
        if station is None or frame.address != self._asked or frame.number != station.number:
            self.counters["late"] += 1
            return
        self._asked = None
        if station.is_silent():
            self._found(now_ms)
        station.misses = 0
        station.try_delay_ms = TRY_FIRST_MS
        station.more = frame.more
        self.counters["answered"] += 1
        self._settle(now_ms)
        if frame.datagram:
            self.counters["up"] += 1
            arrived.append((frame.address, frame.datagram))
        else:
            self.counters["empty"] += 1

    def _found(self, now_ms):
        self._try_is_next = True
        for address in self.silent():
            self._stations[address].try_ms = now_ms

    def _settle(self, now_ms):
        self._state = SETTLING
        self._due_ms = now_ms + self._line.guard_ms

    def _pass(self, now_ms):
        """Ends the state whose time is over: the answer has not come, or the line has settled."""
        if self._state == SETTLING:
            self._state = FREE
            return
        if self._state == HEARING and now_ms < self._due_ms:
            self.counters["babble"] += 1
        station = self._stations[self._asked]
        self._asked = None
        station.more = False
        if self._state == ASKED:
            self.counters["missed"] += 1
            station.misses += 1
            if station.is_silent():
                station.try_ms = now_ms + station.try_delay_ms
                station.try_delay_ms = min(2 * station.try_delay_ms, TRY_LAST_MS)
        else:
            self.counters["garbled"] += 1  # a node is there, but its answer was damaged
        self._decoder.reset()
        self._settle(now_ms)
        self._state = FREE if now_ms >= self._due_ms else SETTLING

    # --- whose turn ---------------------------------------------------------------------------------------------

    def _next(self, now_ms):
        self._expire(now_ms)
        if not self._round and self._round_is_open:
            self._round_is_open = False
            self.round_ms = now_ms - self._round_began_ms
            self.round_longest_ms = max(self.round_longest_ms, self.round_ms)
        if self._extra_is_next:
            self._extra_is_next = False
            address = self._extra()
            if address is not None:
                return address
        if not self._round and now_ms >= self._round_due_ms():
            self._begin_round(now_ms)
        if self._try_is_next:
            self._try_is_next = False
            address = self._try(now_ms)
            if address is not None:
                return address
        while self._round:
            address = self._round.pop(0)
            if not self._stations[address].is_silent():
                self._extra_is_next = True
                return address
        return self._extra()

    def _begin_round(self, now_ms):
        """Starts again from the first address."""
        self._round_began_ms = now_ms
        self._round_is_open = True
        self._try_is_next = True
        self._round = [address for address in self._order if not self._stations[address].is_silent()]

    def _try(self, now_ms):
        """Returns the next silent address whose try is due, or None."""
        due = [address for address in self.silent() if now_ms >= self._stations[address].try_ms]
        if not due:
            return None
        self._last_tried = _after(due, self._last_tried)
        return self._last_tried

    def _round_due_ms(self):
        """Returns when a turn of the round, or the next round, is due."""
        if self._round or self._round_began_ms is None:
            return self._due_ms
        return max(self._due_ms, self._round_began_ms + ROUND_MIN_MS)

    def _wanting(self):
        """Returns the addresses that have something to send or receive, in order."""
        wanting = []
        for address in self._order:
            station = self._stations[address]
            if not station.is_silent() and (station.more or station.waiting):
                wanting.append(address)
        return wanting

    def _extra(self):
        wanting = self._wanting()
        if not wanting:
            return None
        self._last_extra = _after(wanting, self._last_extra)
        return self._last_extra

    def _expire(self, now_ms):
        for station in self._stations.values():
            while station.waiting and now_ms - station.waiting[0][1] > WAIT_MAX_MS:
                station.waiting.pop(0)
                self.counters["expired"] += 1


def _after(addresses, last):
    """Returns the first of these ascending addresses above `last`, or else the first of all."""
    for address in addresses:
        if address > last:
            return address
    return addresses[0]
