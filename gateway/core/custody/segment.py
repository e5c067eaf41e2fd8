"""Defines the journal's file format: a segment holds successive positions of one (epoch, lane).

Pure functions over bytes and a `fetch(offset, length)`; trusts no byte, opens no file, keeps no state.
Integers are big-endian.

    preamble  16 bytes, the same in every version to come
              magic "BOCAGE-J" · version u16 · header size u16 · CRC-32 of the 12 bytes before
    identity  32 bytes
              generation u32 · serial u32 · epoch 8 bytes · lane u8 · level u8 · zero 2 · first position u64 ·
              CRC-32 of the 28 before
    record    12 bytes, then the payload
              marker B0 CA · CRC-32 · length u16 · index u32 · payload;  position = first + index

The file is this long ahead of its records, and zero from the last one on: a flush inside a file changes neither its
length nor its extents, so it costs the pages of the records alone. Zeros are no damage; anything else behind the last
record is a torn tail. The version is 3; a file of another version is left as it is.

Level 0 is what is written as records come. A segment rewritten after some of its records were let go has a `level`
that counts how often (gateway/core/custody/thinning.py). It may also hold

    void run  a record whose length is 8004 and whose payload is a count u32: so many positions from `index`
              on were let go on purpose
    seal      a void run of count 0 after the last record: with it, and no damage before it, the file is
              whole. A file without a seal replaces no file that still exists.

and its indices may rise by any number without damage: a hole of the segment it replaces stays a hole.

A record's CRC covers length, index and payload and starts from a seed made of the identity (with level 0): it
holds only at its own position in its own segment. Therefore
* a copy, a stale block or the payload of another file is never taken for a record (node payloads cannot forge
  one by accident: the epoch is random and unknown to nodes);
* after damage the reader searches for the next marker whose CRC holds and whose index the skipped bytes could
  have reached, through JOURNAL_SKIP_BYTES_MAX at most: a sparse giant is not read to its end;
* the name repeats the identity, so a damaged header is rebuilt from the name, and the first good record
  proves it.

The name has the same layout in every version: `generation-serial-lane-epoch-first.seg`, in hexadecimal except for
the lane.
"""

import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from gateway.core.limits import (
    JOURNAL_MARK_RECORDS,
    JOURNAL_READ_BYTES,
    JOURNAL_RECORD_BYTES_MAX,
    JOURNAL_SKIP_BYTES_MAX,
    THINNING_STEP_RECORDS_MAX,
)

LANES = ("alarm", "event", "telemetry", "surplus")  # the order is the lane byte and must not change
VERSION = 3
EPOCH_SIZE = 8
DIGEST_SIZE = 16  # half a SHA-256: another file in the place of ours needs a second preimage
MARKER = b"\xb0\xca"

_MAGIC = b"BOCAGE-J"
_PREAMBLE = struct.Struct(">8sHH")
_IDENTITY = struct.Struct(">II8sBB2xQ")
_CRC = struct.Struct(">I")
_RECORD = struct.Struct(">2sIHI")
_COVERED = struct.Struct(">HI")
_COVERED_FROM = 6  # marker and CRC come before what the CRC covers
_VOID = 0x8000  # in the length of a record; a length proper stays below
_COUNT = struct.Struct(">I")

PREAMBLE_SIZE = _PREAMBLE.size + _CRC.size
HEADER_SIZE = PREAMBLE_SIZE + _IDENTITY.size + _CRC.size
RECORD_OVERHEAD = _RECORD.size
INDEX_MAX = 0xFFFF_FFFF
VOID_RUN_SIZE = RECORD_OVERHEAD + _COUNT.size

_NAME = re.compile(rf"([0-9a-f]{{8}})-([0-9a-f]{{8}})-({'|'.join(LANES)})-([0-9a-f]{{16}})-([0-9a-f]{{16}})\.seg")

Fetch = Callable[[int, int], bytes]


class VoidRun(NamedTuple):
    """Stands in place of a payload where so many successive positions were let go; 0: the seal."""

    positions: int


Content = bytes | VoidRun


class Identity(NamedTuple):
    """Identifies a segment: generation and serial give the order of writing, index 0 is position `first`."""

    generation: int
    serial: int
    epoch: bytes
    lane: str
    first: int

    @property
    def name(self) -> str:
        """Returns the file name that goes with this identity."""
        return f"{self.generation:08x}-{self.serial:08x}-{self.lane}-{self.epoch.hex()}-{self.first:016x}.seg"

    @property
    def seed(self) -> int:
        """Returns the value from which the CRC of every record in this segment starts."""
        return crc32(self._packed(0))

    def _packed(self, level: int) -> bytes:
        lane = LANES.index(self.lane)
        return _IDENTITY.pack(self.generation, self.serial, self.epoch, lane, level, self.first)


def encode_header(identity: Identity, level: int = 0) -> bytes:
    """Return the HEADER_SIZE bytes that open a segment; with a level, of one that may hold voids."""
    preamble = _PREAMBLE.pack(_MAGIC, VERSION, HEADER_SIZE)
    packed = identity._packed(level)
    return preamble + _CRC.pack(crc32(preamble)) + packed + _CRC.pack(crc32(packed))


def decode_version(data: bytes) -> int | None:
    """Return the format version announced by an intact preamble, or None."""
    if len(data) < PREAMBLE_SIZE or data[: len(_MAGIC)] != _MAGIC:
        return None
    if crc32(data[: _PREAMBLE.size]) != _CRC.unpack_from(data, _PREAMBLE.size)[0]:
        return None
    version: int = _PREAMBLE.unpack_from(data)[1]
    return version


def decode_header(data: bytes) -> tuple[Identity, int] | None:
    """Return the identity and the level in an intact header of our version, or None."""
    if len(data) < HEADER_SIZE or decode_version(data) != VERSION:
        return None
    packed = data[PREAMBLE_SIZE : HEADER_SIZE - _CRC.size]
    if crc32(packed) != _CRC.unpack_from(data, HEADER_SIZE - _CRC.size)[0]:
        return None
    generation, serial, epoch, lane, level, first = _IDENTITY.unpack(packed)
    if lane >= len(LANES):
        return None
    return Identity(generation, serial, epoch, LANES[lane], first), level


def parse_name(name: str) -> Identity | None:
    """Return the identity that a file name claims, or None. It is only a claim: a record has to prove it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    generation, serial, lane, epoch, first = match.groups()
    return Identity(int(generation, 16), int(serial, 16), bytes.fromhex(epoch), lane, int(first, 16))


def encode_record(seed: int, index: int, payload: bytes) -> bytes:
    """Return one record; `index` is its position minus the segment's first."""
    check = crc32(payload, crc32(_COVERED.pack(len(payload), index), seed))
    return _RECORD.pack(MARKER, check, len(payload), index) + payload


def encode_voids(seed: int, index: int, count: int) -> bytes:
    """Return a record meaning that `count` positions from `index` on were let go. Count 0 is the seal."""
    length, payload = _VOID | _COUNT.size, _COUNT.pack(count)
    check = crc32(payload, crc32(_COVERED.pack(length, index), seed))
    return _RECORD.pack(MARKER, check, length, index) + payload


def scan(
    fetch: Fetch, size: int, seed: int, *, offset: int = HEADER_SIZE, index: int = 0, voids: bool = False
) -> Iterator[tuple[int, int, Content]]:
    """Yield (index, offset, payload or void run) of each good record of a segment from `offset`, where `index` is due.

    Indices rise. A rise of more than one is a hole; an offset beyond the end of the record before is damage;
    what lies after the last record is a torn tail. `voids`: the segment may hold void runs, so that indices
    may rise by any number. Errors raised by `fetch` pass through.
    """
    buffer, base, at = b"", offset, 0
    good = offset  # where the last good record ended, in the file
    due = index
    while True:
        # The usual case, kept fast: exactly the record that is due, whole, in the buffer. (A void run is longer than
        # any.)
        begun, end = due, len(buffer)
        while at + RECORD_OVERHEAD <= end:
            marker, check, length, index = _RECORD.unpack_from(buffer, at)
            stop = at + RECORD_OVERHEAD + length
            if index != due or marker != MARKER or length > JOURNAL_RECORD_BYTES_MAX or stop > end:
                break
            if check != crc32(buffer[at + _COVERED_FROM : stop], seed):
                break
            yield index, base + at, buffer[at + RECORD_OVERHEAD : stop]
            due, at = index + 1, stop
        if due > begun:
            good = base + at
        complete = False
        if len(buffer) - at >= RECORD_OVERHEAD:
            marker, check, length, index = _RECORD.unpack_from(buffer, at)
            void = voids and length == _VOID | _COUNT.size
            stop = at + RECORD_OVERHEAD + (_COUNT.size if void else length)
            plausible = marker == MARKER and (void or length <= JOURNAL_RECORD_BYTES_MAX)
            # A record lost in the skipped bytes took RECORD_OVERHEAD of them at least; a lost void run may have
            # covered any number of positions.
            rise_max = INDEX_MAX if voids else (base + at - good) // RECORD_OVERHEAD
            plausible = plausible and 0 <= index - due <= rise_max
            complete = not plausible or stop <= len(buffer)
            if plausible and complete and check == crc32(buffer[at + _COVERED_FROM : stop], seed):
                payload = buffer[at + RECORD_OVERHEAD : stop]
                run = VoidRun(_COUNT.unpack(payload)[0]) if void else None
                yield index, base + at, payload if run is None else run
                due = index + (1 if run is None else run.positions)
                at, good = stop, base + stop
                continue
        if not complete and base + len(buffer) < size and base + at - good <= JOURNAL_SKIP_BYTES_MAX:
            base, at, buffer = base + at, 0, fetch(base + at, JOURNAL_READ_BYTES)
            if len(buffer) < JOURNAL_READ_BYTES:
                size = base + len(buffer)
            continue
        if len(buffer) - at < RECORD_OVERHEAD:
            return
        found = buffer.find(MARKER, at + 1)
        at = found if found >= 0 else len(buffer) - 1  # a marker may straddle the end of the buffer


class Segment:
    """Describes one file: the positions it answers for, how many good bytes it has, where some of its records start."""

    __slots__ = (
        "_hasher",
        "digest",
        "end",
        "first",
        "identity",
        "level",
        "mark_due",
        "mark_indices",
        "mark_offsets",
        "name",
        "read_failures",
        "seed",
        "size",
        "tried_drop",
        "tried_joining",
        "void_positions",
    )

    def __init__(self, name: str, identity: Identity, level: int = 0) -> None:
        self.name = name
        self.identity = identity
        self.level = level  # how often records were let go of it (gateway/core/custody/thinning.py)
        self.tried_drop = self.tried_joining = 0  # with how many segments at once it was not worth it
        self.void_positions = 0
        self.seed = identity.seed
        self.first = identity.first  # the first position it answers for, held or lost
        self.end = identity.first  # the position after the last one it answers for
        self.size = HEADER_SIZE  # good bytes; a torn tail lies beyond
        self.mark_indices = array("I")
        self.mark_offsets = array("I")
        self.mark_due = 0  # the index from which on the next one is noted
        self.read_failures = 0
        self._hasher = sha256()
        self.digest: bytes | None = None  # of header and records, once it is closed without an error

    def hash(self, data: bytes) -> None:
        """Count bytes that were written at the end into the digest."""
        self._hasher.update(data)

    def close(self) -> None:
        """Note that the file is whole: it will not be written again."""
        self.digest = self._hasher.digest()[:DIGEST_SIZE]

    def cut(self, end: int) -> None:
        """Let it answer for no position from `end` on: another file does, or its bytes there may be lost."""
        self.end = end
        self.digest = None

    def note(self, index: int, offset: int, content: Content) -> None:
        """Count the record or void run that lies at `offset`."""
        if index >= self.mark_due:
            self.mark_indices.append(index)
            self.mark_offsets.append(offset)
            self.mark_due = index - index % JOURNAL_MARK_RECORDS + JOURNAL_MARK_RECORDS
        if isinstance(content, VoidRun):
            self.void_positions += content.positions
            self.end = self.first + index + content.positions
            self.size = offset + VOID_RUN_SIZE
        else:
            self.end = self.first + index + 1
            self.size = offset + RECORD_OVERHEAD + len(content)

    def scan(self, fetch: Fetch, *, offset: int = HEADER_SIZE, index: int = 0) -> Iterator[tuple[int, int, Content]]:
        """Yield the records of the file, as `scan` of this module does."""
        return scan(fetch, self.size, self.seed, offset=offset, index=index, voids=self.level > 0)

    def near(self, position: int) -> tuple[int, int]:
        """Return (index, offset) of a record from which a scan finds `position`."""
        at = bisect_right(self.mark_indices, position - self.first) - 1
        return (self.mark_indices[at], self.mark_offsets[at]) if at >= 0 else (0, HEADER_SIZE)


def written(new: Segment, old: Segment, void: bytearray, contents: Iterable[tuple[int, Content]]) -> Iterator[bytes]:
    """Yield the bytes of `new` piece by piece, THINNING_STEP_RECORDS_MAX records each, and note them in it.

    `contents` are the (index, content) of `old`; `void` has a 1 at each of its indices where no record is to remain.
    Where `new` begins before `old`, all of both is void. Errors raised by `contents` pass through.
    """
    ahead = old.first - new.first
    data = encode_header(new.identity, new.level)
    if ahead:
        contents = []
        data += _put(new, 0, VoidRun(ahead + len(void)))
        void = bytearray()
    due = 0
    for number, (index, content) in enumerate(contents, 1):
        if number % THINNING_STEP_RECORDS_MAX == 0:
            new.hash(data)
            yield data
            data = b""
        if isinstance(content, VoidRun) or void[index]:
            continue
        for start, count in _runs(void, due, index):
            data += _put(new, start, VoidRun(count))
        data += _put(new, index, content)
        due = index + 1
    for start, count in _runs(void, due, len(void)):
        data += _put(new, start, VoidRun(count))
    data += _put(new, old.end - new.first, VoidRun(0))
    new.hash(data)
    new.close()
    yield data


def _put(new: Segment, index: int, content: Content) -> bytes:
    new.note(index, new.size, content)
    if isinstance(content, VoidRun):
        return encode_voids(new.seed, index, content.positions)
    return encode_record(new.seed, index, content)


def _runs(void: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (index, count) of the runs of ones."""
    at = void.find(1, start, end)
    while at >= 0:
        stop = void.find(0, at, end)
        stop = end if stop < 0 else stop
        yield at, stop - at
        at = void.find(1, stop, end)
