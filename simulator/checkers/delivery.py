"""Checks that (invariant 1) what was acknowledged is stored exactly once and unaltered, or a gap explains it, and that
no stranger's gap, anchor or record counts.

Where a stranger deletes a file from a card, the gateway's record of the hole is the gap that explains its records.

Compares what each node reported (record made, record acknowledged: the bytes at the node) and what strangers deleted
with what the warehouse holds at the end. It does not observe what happened in between.
"""

from array import array
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple, Protocol

from wire import cbor, event, record

Identity = tuple[bytes, int, int]

# Faults that a verdict spells out; the others are counted.
_FAULTS_KEPT_MAX = 10


class Explanation(Protocol):
    """Names the node or gateway that declared that a record will not come."""

    @property
    def by(self) -> bytes: ...


class Store(Protocol):
    """Declares what the checker needs of a warehouse."""

    def bodies(self) -> Iterable[tuple[Identity, record.Stamp, bytes]]: ...
    def explained(self, node: bytes, boot: int, sequence: int) -> Explanation | None: ...
    def stated(self) -> Iterable[tuple[bytes, bytes]]: ...


class Verdict(NamedTuple):
    """Holds the figures of a run.

    `waiting`: still on its way when the run ends, which is no loss: in the outbox of a powered node, or made lately.
    `invented`: records of a node that it never made, and gaps and anchors about a node of another gateway.
    """

    made: int
    acknowledged: int
    delivered: int
    duplicated: int
    altered: int
    lost: int
    gaps_explained: int
    waiting: int
    invented: int
    first_faults: tuple[str, ...]


class JournalPlace(NamedTuple):
    """Is where a record lies in a gateway's journal."""

    epoch: bytes
    lane: str
    position: int


class _Hole(NamedTuple):
    """Names positions of a journal that a gateway reports as lost."""

    epoch: bytes
    lane: str
    first: int
    last: int

    def covers(self, place: JournalPlace) -> bool:
        return self[:2] == place[:2] and self.first <= place.position <= self.last


def _hole(body: bytes) -> _Hole | None:
    said = record.decode_body(body)
    if isinstance(said, record.EventBody) and said.code == event.HOLE:
        epoch, lane, first, last = said.detail[:4]
        return _Hole(bytes(epoch), lane, first, last)
    return None


_MADE, _ACKNOWLEDGED, _SEEN = 1, 2, 4


class _Life:
    """Holds the records of one boot by sequence: flags, a digest and a time, 17 bytes a record."""

    def __init__(self) -> None:
        self.flags = bytearray()
        self.digests = array("Q")
        self.made_ms = array("q")

    def reach(self, sequence: int) -> None:
        """Makes room up to `sequence`. A node counts from 0, so hardly any places stay unused."""
        more = sequence + 1 - len(self.flags)
        if more > 0:
            self.flags.extend(bytes(more))
            self.digests.extend([0] * more)
            self.made_ms.extend([0] * more)

    def has(self, sequence: int, flag: int) -> bool:
        return sequence < len(self.flags) and bool(self.flags[sequence] & flag)


class DeliveryChecker:
    """Collects what nodes report during the run; compares at the end. Keeps digests of records, not records."""

    def __init__(self) -> None:
        self._lives: dict[tuple[bytes, int], _Life] = {}
        self._gateways: dict[bytes, bytes] = {}  # by node
        self._acknowledged = 0
        self._stolen: dict[Identity, JournalPlace | None] = {}

    def adopted(self, node: bytes, gateway: bytes) -> None:
        """Notes which gateway a node has: no other may state anything about it."""
        self._gateways[node] = gateway

    def made(self, node: bytes, boot: int, sequence: int, data: bytes, *, now_ms: int) -> None:
        life = self._life(node, boot, sequence)
        assert not life.flags[sequence] & _MADE, f"a node used an identity twice: {(node, boot, sequence)}"
        life.flags[sequence] |= _MADE
        life.digests[sequence] = _digest(*_content(data))
        life.made_ms[sequence] = now_ms

    def acknowledged(self, node: bytes, boot: int, sequence: int) -> None:
        life = self._life(node, boot, sequence)
        if not life.flags[sequence] & _ACKNOWLEDGED:
            life.flags[sequence] |= _ACKNOWLEDGED
            self._acknowledged += 1

    def stolen(self, identity: Identity, place: JournalPlace | None) -> None:
        """Notes that a stranger has deleted the journal's file in which a record lies. `place` None: it was
        acknowledged in the last seconds before a power cut, of which the gateway need not know
        (`gateway/core/custody/inventory.py`), or not yet."""
        self._stolen[identity] = place

    def is_acknowledged(self, identity: Identity) -> bool:
        """Returns whether the node has the answer by which a record that it made is the gateway's."""
        return self._lives[identity[:2]].has(identity[2], _ACKNOWLEDGED)

    def acknowledged_count(self) -> int:
        return self._acknowledged

    def identities(self, *, acknowledged: bool = False) -> Iterator[Identity]:
        """Yields every record that was made, or only those that were acknowledged, by node, boot and sequence."""
        wanted = _ACKNOWLEDGED if acknowledged else _MADE
        for (node, boot), life in sorted(self._lives.items()):
            for sequence, flags in enumerate(life.flags):
                if flags & wanted:
                    yield node, boot, sequence

    def missing(self, held: Iterable[Identity]) -> list[Identity]:
        """Returns the acknowledged records that are not among `held`."""
        for identity in held:
            self._see(identity)
        found = [identity for identity in self.identities(acknowledged=True) if not self._seen(identity)]
        self._forget_seen()
        return found

    def next_sequence(self, node: bytes, boot: int) -> int:
        """Returns the number after the last record that a node has made in a boot."""
        life = self._lives.get((node, boot))
        return 0 if life is None else len(life.flags)

    def made_ms(self, identity: Identity) -> int | None:
        """Returns the instant at which a record was made, on the world's clock; None for records of gateways."""
        life = self._lives.get(identity[:2])
        return life.made_ms[identity[2]] if life is not None and life.has(identity[2], _MADE) else None

    def verdict(
        self,
        store: Store,
        still_waiting: set[Identity],
        *,
        given_up: Set[Identity] = frozenset(),
        lately_ms: int | None = None,
    ) -> Verdict:
        """Compares what was made with what is stored.

        `still_waiting`: identities that nodes hold in their outbox at this moment. `lately_ms`: what was made from this
        instant on may be on its way, acknowledged or not; None: everything has had its time. `given_up`: refused, and
        never sent again by their maker; they count only where they were stored all the same.
        """
        faults: list[str] = []
        holes: list[_Hole] = []
        duplicated, altered, invented = self._compare(store, faults, holes)
        made = delivered = lost = explained = waiting = 0
        for identity in self.identities():
            if identity in given_up and not self._seen(identity):
                continue
            made += 1
            if self._seen(identity):
                delivered += 1
                continue
            acknowledged = self._lives[identity[:2]].has(identity[2], _ACKNOWLEDGED)
            explanation = store.explained(*identity)
            # A node's gap covers only what the node alone held: once a gateway has acknowledged a record, no gap of the
            # node excuses its loss.
            is_explained = explanation is not None and not (acknowledged and explanation.by == identity[0])
            if is_explained or (identity in self._stolen and self._is_missed(self._stolen[identity], holes)):
                explained += 1
            elif (identity in still_waiting and not acknowledged) or self._is_late(identity, lately_ms):
                waiting += 1
            else:
                lost += 1
                _note(faults, "acknowledged, lost" if acknowledged else "lost", identity)
        self._forget_seen()
        return Verdict(
            made,
            self._acknowledged,
            delivered,
            duplicated,
            altered,
            lost,
            explained,
            waiting,
            invented,
            tuple(faults),
        )

    def _compare(self, store: Store, faults: list[str], holes: list[_Hole]) -> tuple[int, int, int]:
        """Compares every record of the warehouse with what nodes reported: (duplicated, altered, invented). Collects
        the holes that gateways report."""
        duplicated = altered = invented = 0
        for about, by in store.stated():
            if by not in (about, self._gateways.get(about, by)):
                invented += 1
                _note(faults, f"stated by a stranger, {by.hex()}, of", (about, 0, 0))
        nodes = {node for node, _ in self._lives}
        for identity, stamp, body in store.bodies():
            life = self._lives.get(identity[:2])
            if life is None or not life.has(identity[2], _MADE):
                if self._stolen and (hole := _hole(body)) is not None:
                    holes.append(hole)
                if identity[0] in nodes:
                    invented += 1
                    _note(faults, "invented", identity)
                continue
            duplicated += not self._see(identity)
            if life.digests[identity[2]] != _digest(stamp, body):
                altered += 1
                _note(faults, "altered", identity)
        return duplicated, altered, invented

    @staticmethod
    def _is_missed(place: JournalPlace | None, holes: list[_Hole]) -> bool:
        return place is None or any(hole.covers(place) for hole in holes)

    def _is_late(self, identity: Identity, lately_ms: int | None) -> bool:
        return lately_ms is not None and self._lives[identity[:2]].made_ms[identity[2]] >= lately_ms

    def _life(self, node: bytes, boot: int, sequence: int) -> _Life:
        life = self._lives.get((node, boot))
        if life is None:
            life = self._lives[node, boot] = _Life()
        if sequence >= len(life.flags):
            life.reach(sequence)
        return life

    def _see(self, identity: Identity) -> bool:
        """Marks a record that the warehouse holds; returns False when it was marked already."""
        life = self._lives.get(identity[:2])
        if life is None or identity[2] >= len(life.flags) or life.flags[identity[2]] & _SEEN:
            return False
        life.flags[identity[2]] |= _SEEN
        return True

    def _seen(self, identity: Identity) -> bool:
        return self._lives[identity[:2]].has(identity[2], _SEEN)

    def _forget_seen(self) -> None:
        keep = bytes(flags & ~_SEEN & 0xFF for flags in range(256))
        for life in self._lives.values():
            life.flags = life.flags.translate(keep)


def _content(data: bytes) -> tuple[record.Stamp, bytes]:
    """Returns the stamp and the body of a record as the node wrote it: an array of five, the body last."""
    reader = cbor.Reader(data)
    reader.offset = 1
    _, _, seconds, code = [reader.value() for _ in range(4)]
    return record.stamp_from_code(seconds, code), data[reader.offset :]


def _digest(stamp: record.Stamp, body: bytes) -> int:
    """Returns 64 bits of a record's content, Python's hash, for they are compared in this process: the chance that two
    different records agree is one in 10^19."""
    return hash((stamp, body)) & 0xFFFF_FFFF_FFFF_FFFF


def _note(faults: list[str], word: str, identity: Identity) -> None:
    if len(faults) < _FAULTS_KEPT_MAX:
        faults.append(f"{word} {_show(identity)}")


def _show(identity: Identity) -> str:
    node, boot, sequence = identity
    return f"{node.hex()} boot {boot} sequence {sequence}"
