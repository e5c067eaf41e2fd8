"""Brings a node's payload to the journal, and answers with 2.04 after the flush.

Accepts payloads that a session has attributed to a node. Each record goes to the journal of its lane unchanged,
in the order of arrival; the answer waits until every record of the payload is durable. What cannot be
decoded is wrapped, whole, in a `raw` record of the gateway's own and acknowledged like any other: the node
has done its part. Duplicates that are remembered are not journaled again, yet are acknowledged only when the first
copy is durable. One identity with another body is no duplicate: both are sent, and the witness is called once. In
doubt a record is forwarded: the warehouse decides. What is beyond its node's fair use goes to the lane `surplus`, and
from some times that on it is refused (`fair_use`).
"""

from collections import OrderedDict
from hashlib import sha256
from heapq import heappop, heappush
from struct import Struct
from typing import Literal, NamedTuple, Protocol

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, LaneEnd, Refused
from gateway.core.inbox.fair_use import FairUse, NodeUse, Use
from wire import event, record
from wire.faults import WireFault
from wire.record import EventBody, Record

_IDENTITY = Struct(">II")
_PLACE = Struct(">8sQ")
_LANE_BITS = 2


class Match(NamedTuple):
    """Holds what is remembered of an identity: where this very body is in the journal (lane, position), and how many
    other bodies came under it."""

    place: tuple[str, int] | None
    others: int


NEW = Match(None, 0)


class Remembered:
    """Remembers the latest identities of one node, so that a record sent twice is not journaled twice.

    Uses two byte strings per node instead of objects: 24 bytes a record, 3 kB a node, 15 MB for the most nodes a
    gateway remembers. A ring: beyond INBOX_REMEMBERED_PER_NODE_MAX the oldest goes, and a forgotten identity is new
    again.
    """

    __slots__ = ("_identities", "_next", "_places")

    def __init__(self) -> None:
        self._identities = bytearray()
        self._places = bytearray()
        self._next = 0  # the slot that is written next, once the ring is full

    def find(self, boot: int, sequence: int, digest: bytes) -> Match:
        """Return what is known of this identity."""
        identity = _IDENTITY.pack(boot, sequence)
        found = self._identities.find(identity)
        if found < 0:
            return NEW
        others = 0
        while found >= 0:
            # The second half of one identity and the first half of the next may equal it.
            if found % _IDENTITY.size == 0:
                known, place = _PLACE.unpack_from(self._places, 2 * found)
                if known == digest:
                    return Match((event.BATCH_LANES[place & 3], place >> _LANE_BITS), others)
                others += 1
            found = self._identities.find(identity, found + 1)
        return Match(None, others)

    def add(self, boot: int, sequence: int, digest: bytes, lane: str, position: int) -> None:
        """Remember where the record is in the journal."""
        identity = _IDENTITY.pack(boot, sequence)
        place = _PLACE.pack(digest, position << _LANE_BITS | event.BATCH_LANES.index(lane))
        if len(self._identities) < limits.INBOX_REMEMBERED_PER_NODE_MAX * _IDENTITY.size:
            self._identities += identity
            self._places += place
            return
        at = self._next * _IDENTITY.size
        self._identities[at : at + _IDENTITY.size] = identity
        self._places[2 * at : 2 * at + _PLACE.size] = place
        self._next = (self._next + 1) % limits.INBOX_REMEMBERED_PER_NODE_MAX


def digest_of(data: bytes) -> bytes:
    """Return 8 bytes of SHA-256: two bodies of one identity with the same 8 would need a deliberate search."""
    return sha256(data).digest()[:8]


class _Waiting:
    """Holds a request whose answer waits until `lanes` lanes are durable as far as it needs."""

    __slots__ = ("exchange", "lanes")

    def __init__(self, exchange: int, lanes: int) -> None:
        self.exchange = exchange
        self.lanes = lanes


class Answers:
    """Holds requests whose answers wait until their records are durable. Its length is the count of those not returned
    yet.

    A flush costs only as much as it settles, not as much as waits: each lane has a heap of the positions waited for.
    """

    def __init__(self) -> None:
        self._durable = dict.fromkeys(event.BATCH_LANES, 0)
        # By lane, the requests that wait for a position; a heap, because a duplicate waits for an older position.
        self._heaps: dict[str, list[tuple[int, int, _Waiting]]] = {lane: [] for lane in event.BATCH_LANES}
        self._ready: list[tuple[int, int]] = []
        self._serial = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def wait(self, exchange: int, ends: dict[str, int]) -> None:
        """Add a request. `ends`: the last position it needs in each lane."""
        self._serial += 1
        self._count += 1
        open_ends = [(lane, position) for lane, position in ends.items() if position >= self._durable[lane]]
        if not open_ends:
            self._ready.append((self._serial, exchange))
            return
        waiting = _Waiting(exchange, len(open_ends))
        for lane, position in open_ends:
            heappush(self._heaps[lane], (position, self._serial, waiting))

    def advance(self, lane: str, end: int) -> None:
        """Note that all positions of the lane before `end` are durable."""
        self._durable[lane] = end
        heap = self._heaps[lane]
        while heap and heap[0][0] < end:
            _, serial, waiting = heappop(heap)
            waiting.lanes -= 1
            if waiting.lanes == 0:
                self._ready.append((serial, waiting.exchange))

    def drain_ready(self) -> list[int]:
        """Return the requests that need not wait any more, in the order they came; each once."""
        ready, self._ready = sorted(self._ready), []
        self._count -= len(ready)
        return [exchange for _, exchange in ready]


class AppendOwn(Protocol):
    """Appends a record of the gateway itself; returns its (lane, position), or why the journal refused it."""

    def __call__(self, body: EventBody, *, now_ms: int) -> "tuple[str, int] | Refused": ...


class RecordObserver(Protocol):
    """Observes every record within fair use that is journaled, once; `conflicts`: it is the second body of its
    identity."""

    def __call__(self, node: bytes, made: Record, conflicts: bool, *, now_ms: int) -> None: ...


class AcceptedPayload(NamedTuple):
    """Is the outcome of a payload: the decoded records (for `known_nodes`), and whether an alarm asks for a flush at
    once."""

    records: list[Record]
    urgent: bool


class Inbox:
    """Brings payloads to the journal and settles their answers. `counters` only rise."""

    def __init__(self, journal: Journal, own: AppendOwn, witness: RecordObserver, fair_use: FairUse) -> None:
        self._journal = journal
        self._own = own
        self._witness = witness
        self._fair_use = fair_use
        self._answers = Answers()
        self._seen: OrderedDict[bytes, Remembered] = OrderedDict()
        self.counters = {
            "payloads": 0,
            "records": 0,
            "duplicates": 0,
            "undecodable": 0,
            "journal-refused": 0,
        }

    def accept(
        self, node: bytes, payload: bytes, exchange: int, *, now_ms: int
    ) -> AcceptedPayload | Refused | Literal[Use.REFUSED]:
        """Journal a payload; `drain_settled` returns the exchange after the flush. Refused, by the journal or for too
        much use: answer it now."""
        self.counters["payloads"] += 1
        if len(self._answers) >= limits.INBOX_WAITING_MAX:
            self.counters["journal-refused"] += 1
            return Refused.PENDING
        try:
            parts = record.split_payload(payload)
        except WireFault as fault:
            return self._accept_raw(node, payload, fault.reason, exchange, now_ms)
        ends: dict[str, int] = {}
        use = self._fair_use.of(node, now_ms=now_ms)
        for made, data in parts:
            placed = self._place(use, made, data, now_ms)
            if not isinstance(placed, tuple):
                self.counters["journal-refused"] += placed is not Use.REFUSED
                return placed
            lane, position = placed
            ends[lane] = max(position, ends.get(lane, 0))
        self._answers.wait(exchange, ends)
        return AcceptedPayload([made for made, _ in parts], urgent=event.ALARM in ends)

    def advance(self, ends: list[LaneEnd]) -> None:
        """Note which lanes became durable further."""
        for lane, end in ends:
            self._answers.advance(lane, end)

    def drain_settled(self) -> list[int]:
        """Return the exchanges whose records are now all durable, in the order they came; each once."""
        return self._answers.drain_ready()

    def waiting(self) -> int:
        """Return how many requests have no answer yet."""
        return len(self._answers)

    def _accept_raw(
        self, node: bytes, payload: bytes, reason: str, exchange: int, now_ms: int
    ) -> AcceptedPayload | Refused | Literal[Use.REFUSED]:
        self.counters["undecodable"] += 1
        # Its record would be ours, and no record of ours is surplus.
        use = self._fair_use.of(node, now_ms=now_ms)
        if self._fair_use.judge(use, None, event.EVENT) is not Use.WITHIN:
            self._fair_use.note(use, None, event.EVENT, len(payload), Use.REFUSED, now_ms=now_ms)
            return Use.REFUSED
        body = EventBody(event.RAW, None, [node, reason, payload[: limits.RAW_BYTES_MAX]])
        placed = self._own(body, now_ms=now_ms)
        if isinstance(placed, Refused):
            self.counters["journal-refused"] += 1
            return placed
        self._fair_use.note(use, None, event.EVENT, len(payload), Use.WITHIN, now_ms=now_ms)
        self._answers.wait(exchange, {placed[0]: placed[1]})
        return AcceptedPayload([], urgent=False)

    def _place(
        self, use: NodeUse, made: Record, data: bytes, now_ms: int
    ) -> tuple[str, int] | Refused | Literal[Use.REFUSED]:
        """Return where the record is in the journal: newly appended, or where its first copy is."""
        remembered = self._remembered(use.node)
        digest = digest_of(data)
        match = remembered.find(made.boot, made.sequence, digest)
        if match.place is not None:
            self.counters["duplicates"] += 1
            return match.place
        kind, size = record.lane(made), len(data)
        judged = self._fair_use.judge(use, made.boot, kind)
        lane = event.SURPLUS if judged is Use.BEYOND else kind
        position = None
        if judged is not Use.REFUSED:
            position = self._journal.append(lane, entry.encode(entry.Entry(use.node, data)))
        if isinstance(position, Refused) and lane != event.SURPLUS:
            return position
        if position is None or isinstance(position, Refused):  # without room, a surplus is too much
            self._fair_use.note(use, made.boot, kind, size, Use.REFUSED, now_ms=now_ms)
            return Use.REFUSED
        self._fair_use.note(use, made.boot, kind, size, judged, now_ms=now_ms)
        self.counters["records"] += 1
        remembered.add(made.boot, made.sequence, digest, lane, position)
        if judged is Use.WITHIN:  # what it makes us report would be as much as the record
            self._witness(use.node, made, match.others == 1, now_ms=now_ms)
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
