"""Lists in the state folder what the journal's folder must hold, so that what a card or a stranger takes is noticed.

For each stream: the first position that is not freed, the end of what is durable, and of each closed segment its size
and a digest of its bytes. A start compares (`gateway/core/custody/recovery.py`). The journal alone cannot know that its
first or last file is gone, or that another whole one stands in the place of one.

Two files, `inventory-0` and `inventory-1`, are written in turn and in place, so a save costs the pages of the list and
no change of length, and a power cut leaves one of them. It is saved when a segment is closed, before one is deleted,
when an alarm or a stream's first record has become durable, and every JOURNAL_CHECK_EVERY_MS where something has moved:
of the other lanes, the last ten seconds before a cut may be missing in it. Positions that it does not list are held all
the same. It states as freed only what the journal has freed, so that is not sent again.

A stranger who can write to the whole card can write this list too: it shows accidents, and files that a hand took or
replaced without that.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from gateway.core import limits
from gateway.core.custody.disk import Disk, Ticket
from gateway.core.custody.segment import DIGEST_SIZE, LANES
from gateway.core.custody.stream import Stream

NAMES = ("inventory-0", "inventory-1")
_MAGIC = b"BOCAGE-I"
_VERSION = 1
# A save each ten seconds reaches it after 680 years; a higher number is a stranger's, and the next would not fit.
_NUMBER_MAX = 1 << 31
_HEAD = struct.Struct(">8sHIII")  # magic, version, number of the save, bytes of the list, their CRC-32
_STREAM = struct.Struct(">8sBIQQI")  # epoch, lane, generation, first, end, count of segments
_SEGMENT = struct.Struct(f">II{DIGEST_SIZE}s")  # serial, size, digest


class ListedSegment(NamedTuple):
    """Describes a closed segment: the bytes of its header and records, and half a SHA-256 of them."""

    size: int
    digest: bytes


class ListedStream(NamedTuple):
    """Describes one stream: positions `first` to before `end` must be held. `segments` by serial."""

    generation: int
    first: int
    end: int
    segments: Mapping[int, ListedSegment]


Listing = dict[Stream, ListedStream]


class Inventory:
    """Keeps the list on a disk. `found` is what the last start left. Disk failures are counted, never raised: the list
    must not keep a record from being stored or freed."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._number = 0
        self._under_way: Ticket | None = None
        self._saved: bytes | None = None  # the last list that was begun
        self.counters = {"saves": 0, "disk-errors": 0, "unlisted": 0}
        self.found: Listing = {}
        for name in NAMES:
            self._restore(name)

    @property
    def is_busy(self) -> bool:
        """Returns True while a save is under way."""
        return self._under_way is not None

    def save(self, listing: Iterable[tuple[Stream, ListedStream]]) -> bool:
        """Start making a list durable, unless it is the last one; return False where the disk refuses it."""
        assert not self.is_busy
        body = self._encode(listing)
        if body == self._saved:
            return True
        self._number += 1
        head = _HEAD.pack(_MAGIC, _VERSION, self._number, len(body), crc32(body))
        name = NAMES[self._number % 2]
        try:
            self._disk.write(name, 0, head + body)
        except OSError:
            self.counters["disk-errors"] += 1
            return False
        self._saved = body
        self._under_way = Ticket("inventory", self._number)
        self._disk.sync([name], self._under_way)
        return True

    def on_synced(self, ticket: Ticket, error: str | None) -> bool:
        """Process the outcome of a sync; return True where it ends the save that was under way, well or not."""
        if ticket != self._under_way:
            return False
        self._under_way = None
        self.counters["saves"] += 1
        if error is not None:
            self.counters["disk-errors"] += 1
            self._saved = None
        return True

    # --- inside -------------------------------------------------------------------------------------------------

    def _restore(self, name: str) -> None:
        try:
            data = self._disk.read(name, 0, _HEAD.size + limits.INVENTORY_BYTES_MAX)
        except FileNotFoundError:
            return
        except OSError:
            self.counters["disk-errors"] += 1
            return
        if len(data) < _HEAD.size:
            return
        magic, version, number, length, check = _HEAD.unpack_from(data)
        body = data[_HEAD.size : _HEAD.size + length]
        if (magic, version) != (_MAGIC, _VERSION) or len(body) < length or crc32(body) != check:
            return
        if self._number < number <= _NUMBER_MAX:
            self._number, self.found = number, _decode(body)

    def _encode(self, listing: Iterable[tuple[Stream, ListedStream]]) -> bytes:
        """Return the list, the newest streams first: beyond half of INVENTORY_BYTES_MAX without digests, beyond the
        whole not at all."""
        body, unlisted = b"", 0
        for stream, listed in reversed(list(listing)):
            epoch, lane = stream
            head = (epoch, LANES.index(lane), listed.generation, listed.first, listed.end, len(listed.segments))
            part = _STREAM.pack(*head) + b"".join(
                _SEGMENT.pack(serial, *segment) for serial, segment in sorted(listed.segments.items())
            )
            if len(body) + len(part) > limits.INVENTORY_BYTES_MAX // 2:
                part = _STREAM.pack(*head[:-1], 0)  # without digests
                unlisted += 1
            if len(body) + len(part) <= limits.INVENTORY_BYTES_MAX:
                body += part
        self.counters["unlisted"] = unlisted
        return body


def _decode(body: bytes) -> Listing:
    found: Listing = {}
    at = 0
    while at + _STREAM.size <= len(body):
        epoch, lane, generation, first, end, count = _STREAM.unpack_from(body, at)
        at += _STREAM.size
        stop = min(len(body), at + count * _SEGMENT.size)
        segments = {serial: ListedSegment(*rest) for serial, *rest in _SEGMENT.iter_unpack(body[at:stop])}
        at = stop
        if lane < len(LANES) and first <= end:
            found[Stream(epoch, LANES[lane])] = ListedStream(generation, first, end, segments)
    return found
