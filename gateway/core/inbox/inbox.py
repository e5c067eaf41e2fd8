"""From a node's payload to the journal, and from the flush to the 2.04.

Takes payloads that a session has attributed to a node. Each record goes to the journal of its lane as it
came, in the order of arrival; the answer waits until every record of the payload is durable. What cannot be
decoded is wrapped, whole, in a `raw` record of the gateway's own and acknowledged like any other: the node
did its part. Duplicates that are remembered are not journaled again, yet are acknowledged only when the first
copy is durable. One identity with another body is no duplicate: both go up, and the witness is told once. In
doubt a record is forwarded: the warehouse decides.
"""

from collections import OrderedDict
from typing import NamedTuple, Protocol

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, LaneEnd, Refused
from gateway.core.inbox.answers import Answers
from gateway.core.inbox.remembered import Remembered, digest_of
from wire import event, record
from wire.faults import WireFault
from wire.record import EventBody, Record


class OwnRecords(Protocol):
    """Makes records of the gateway itself; returns where it stands, or why the journal refused it."""

    def __call__(self, body: EventBody) -> "tuple[str, int] | Refused": ...


class Witness(Protocol):
    """Hears of every record that is journaled, once; `conflicts`: the second body of its identity."""

    def __call__(self, node: bytes, made: Record, conflicts: bool) -> None: ...


class Accepted(NamedTuple):
    """Outcome of a payload: what was decoded (for the registry), and whether an alarm asks for a flush at
    once."""

    records: list[Record]
    urgent: bool


class Inbox:
    """Joins payloads, journal and answers. `counters` only rise."""

    def __init__(self, journal: Journal, own: OwnRecords, witness: Witness) -> None:
        self._journal = journal
        self._own = own
        self._witness = witness
        self._answers = Answers()
        self._seen: OrderedDict[bytes, Remembered] = OrderedDict()
        self.counters = {
            "payloads": 0,
            "records": 0,
            "duplicates": 0,
            "undecodable": 0,
            "journal-refused": 0,
        }

    def take(self, node: bytes, payload: bytes, exchange: int) -> Accepted | Refused:
        """Journal a payload; the exchange is answered by `settled` after the flush, or now if Refused."""
        self.counters["payloads"] += 1
        if len(self._answers) >= limits.INBOX_WAITING_MAX:
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
        self._answers.wait(exchange, ends)
        return Accepted([made for made, _ in parts], urgent=event.ALARM in ends)

    def advance(self, ends: list[LaneEnd]) -> None:
        """Lanes that became durable further."""
        for lane, end in ends:
            self._answers.advance(lane, end)

    def settled(self) -> list[int]:
        """The exchanges whose records are now all durable, in the order they came."""
        return self._answers.take_ready()

    def waiting(self) -> int:
        """Requests that have no answer yet."""
        return len(self._answers)

    def _take_raw(self, node: bytes, payload: bytes, reason: str, exchange: int) -> Accepted | Refused:
        self.counters["undecodable"] += 1
        placed = self._own(EventBody(event.RAW, None, [node, reason, payload[: limits.RAW_BYTES_MAX]]))
        if isinstance(placed, Refused):
            self.counters["journal-refused"] += 1
            return placed
        self._answers.wait(exchange, {placed[0]: placed[1]})
        return Accepted([], urgent=False)

    def _place(self, node: bytes, made: Record, data: bytes) -> tuple[str, int] | Refused:
        """Where the record stands in the journal: newly appended, or where its first copy stands."""
        remembered = self._remembered(node)
        digest = digest_of(data)
        match = remembered.find(made.boot, made.sequence, digest)
        if match.place is not None:
            self.counters["duplicates"] += 1
            return match.place
        lane = record.lane(made)
        position = self._journal.append(lane, entry.encode(entry.Entry(node, data)))
        if isinstance(position, Refused):
            return position
        self.counters["records"] += 1
        remembered.add(made.boot, made.sequence, digest, lane, position)
        self._witness(node, made, match.others == 1)
        return lane, position

    def _remembered(self, node: bytes) -> Remembered:
        remembered = self._seen.get(node)
        if remembered is None:
            remembered = self._seen[node] = Remembered()
            if len(self._seen) > limits.INBOX_NODES_MAX:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(node)
        return remembered
