"""From a node's payload to the journal, and from the flush to the 2.04.

Takes payloads that a session has attributed to a node. Each record goes to the journal of its lane as it
came; the answer waits until every record of the payload is durable. What cannot be decoded is wrapped,
whole, in a `raw` record of the gateway's own and acknowledged like any other: the node did its part.
Duplicates that are remembered are not journaled again, yet are acknowledged only when the first copy is
durable. In doubt a record is forwarded: the warehouse decides.
"""

from collections import OrderedDict
from hashlib import sha256
from typing import NamedTuple, Protocol

from gateway.core import entry, limits
from gateway.core.journal import Journal, LaneEnd, Refused
from wire import event, quantity, record
from wire.faults import WireFault
from wire.record import EventBody, Record


class OwnRecords(Protocol):
    """Makes records of the gateway itself; returns where it stands, or why the journal refused it."""

    def __call__(self, body: EventBody) -> "tuple[str, int] | Refused": ...


class Waiting(NamedTuple):
    """A request whose answer waits for the flush: the last position it needs in each lane."""

    exchange: int
    ends: dict[str, int]


class Accepted(NamedTuple):
    """Outcome of a payload: what was decoded (for the registry), and whether an alarm asks for a flush at
    once."""

    records: list[Record]
    urgent: bool


class Inbox:
    """Joins payloads, journal and answers. `counters` only rise."""

    def __init__(self, journal: Journal, own: OwnRecords) -> None:
        self._journal = journal
        self._own = own
        self._durable: dict[str, int] = {}
        self._waiting: list[Waiting] = []
        self._seen: OrderedDict[bytes, OrderedDict[tuple[int, int], tuple[bytes, str, int]]] = OrderedDict()
        self.counters = {
            "payloads": 0,
            "records": 0,
            "duplicates": 0,
            "undecodable": 0,
            "out-of-range": 0,
            "journal-refused": 0,
        }

    def take(self, node: bytes, payload: bytes, exchange: int) -> Accepted | Refused:
        """Journal a payload; the exchange is answered by `settled` after the flush, or now if Refused."""
        self.counters["payloads"] += 1
        if len(self._waiting) >= limits.INBOX_WAITING_MAX:
            self.counters["journal-refused"] += 1
            return Refused.PENDING
        try:
            parts = record.split_payload(payload)
        except WireFault as fault:
            return self._take_raw(node, payload, fault.reason, exchange)
        ends: dict[str, int] = {}
        for made, data in parts:
            placed = self._place(node, made, data)
            if isinstance(placed, Refused):
                self.counters["journal-refused"] += 1
                return placed
            lane, position = placed
            ends[lane] = max(position, ends.get(lane, 0))
        self._waiting.append(Waiting(exchange, ends))
        return Accepted([made for made, _ in parts], urgent=event.ALARM in ends)

    def advance(self, ends: list[LaneEnd]) -> None:
        """Lanes that became durable further."""
        for lane, end in ends:
            self._durable[lane] = end

    def settled(self) -> list[int]:
        """The exchanges whose records are now all durable, in the order they came."""
        done = [waiting.exchange for waiting in self._waiting if self._is_durable(waiting)]
        if done:
            self._waiting = [waiting for waiting in self._waiting if not self._is_durable(waiting)]
        return done

    def _is_durable(self, waiting: Waiting) -> bool:
        return all(self._durable.get(lane, 0) > position for lane, position in waiting.ends.items())

    def _take_raw(self, node: bytes, payload: bytes, reason: str, exchange: int) -> Accepted | Refused:
        self.counters["undecodable"] += 1
        placed = self._own(EventBody(event.RAW, None, [node, reason, payload[: limits.RAW_BYTES_MAX]]))
        if isinstance(placed, Refused):
            self.counters["journal-refused"] += 1
            return placed
        self._waiting.append(Waiting(exchange, {placed[0]: placed[1]}))
        return Accepted([], urgent=False)

    def _place(self, node: bytes, made: Record, data: bytes) -> tuple[str, int] | Refused:
        """Where the record stands in the journal: newly appended, or where its first copy stands."""
        digest = sha256(data).digest()[:8]
        remembered = self._remembered(node)
        identity = (made.boot, made.sequence)
        known = remembered.get(identity)
        if known is not None and known[0] == digest:
            self.counters["duplicates"] += 1
            return known[1], known[2]
        lane = record.lane(made)
        position = self._journal.append(lane, entry.encode(entry.Entry(node, data)))
        if isinstance(position, Refused):
            return position
        self.counters["records"] += 1
        self._check_ranges(made)
        remembered[identity] = (digest, lane, position)
        if len(remembered) > limits.INBOX_REMEMBERED_PER_NODE_MAX:
            remembered.popitem(last=False)
        return lane, position

    def _remembered(self, node: bytes) -> OrderedDict[tuple[int, int], tuple[bytes, str, int]]:
        remembered = self._seen.get(node)
        if remembered is None:
            remembered = self._seen[node] = OrderedDict()
            if len(self._seen) > limits.INBOX_NODES_MAX:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(node)
        return remembered

    def _check_ranges(self, made: Record) -> None:
        readings = made.body if isinstance(made.body, dict) else made.body.detail
        if isinstance(readings, dict):
            for key, value in readings.items():
                if not quantity.in_range(key, value):
                    self.counters["out-of-range"] += 1
