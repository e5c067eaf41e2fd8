"""Which records of a node came lately, so that what it sends twice is not journaled twice. Memory only.

Two byte strings a node instead of objects: 24 bytes a record, 3 kB a node, 15 MB for the most nodes a gateway
remembers. A ring: beyond INBOX_REMEMBERED_PER_NODE_MAX the oldest goes, and what is no longer remembered is new.
"""

from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from gateway.core import limits
from wire import event

_IDENTITY = Struct(">II")
_PLACE = Struct(">8sQ")
_LANE_BITS = 2


class Match(NamedTuple):
    """What is remembered of an identity: where this very body stands (lane, position), and whether other
    bodies came under it."""

    place: tuple[str, int] | None
    others: int


NEW = Match(None, 0)


class Remembered:
    """The latest identities of one node, each with a digest of its body and where it stands in the journal."""

    __slots__ = ("_identities", "_next", "_places")

    def __init__(self) -> None:
        self._identities = bytearray()
        self._places = bytearray()
        self._next = 0  # the slot that is written next, once the ring is full

    def find(self, boot: int, sequence: int, digest: bytes) -> Match:
        """What is known of this identity."""
        identity = _IDENTITY.pack(boot, sequence)
        found = self._identities.find(identity)
        if found < 0:
            return NEW
        others = 0
        while found >= 0:
            # Four bytes of one identity and four of the next may look like it.
            if found % _IDENTITY.size == 0:
                known, place = _PLACE.unpack_from(self._places, 2 * found)
                if known == digest:
                    return Match((event.LANES[place & 3], place >> _LANE_BITS), others)
                others += 1
            found = self._identities.find(identity, found + 1)
        return Match(None, others)

    def add(self, boot: int, sequence: int, digest: bytes, lane: str, position: int) -> None:
        """It stands there now."""
        identity = _IDENTITY.pack(boot, sequence)
        place = _PLACE.pack(digest, position << _LANE_BITS | event.LANES.index(lane))
        if len(self._identities) < limits.INBOX_REMEMBERED_PER_NODE_MAX * _IDENTITY.size:
            self._identities += identity
            self._places += place
            return
        at = self._next * _IDENTITY.size
        self._identities[at : at + _IDENTITY.size] = identity
        self._places[2 * at : 2 * at + _PLACE.size] = place
        self._next = (self._next + 1) % limits.INBOX_REMEMBERED_PER_NODE_MAX


def digest_of(data: bytes) -> bytes:
    """Eight bytes of SHA-256: two bodies of one identity that share them would need a deliberate search."""
    return sha256(data).digest()[:8]
