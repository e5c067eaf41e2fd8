"""The journal's file format: a segment holds successive positions of one (epoch, lane).

Pure functions over bytes and a `fetch(offset, length)`; trusts no byte, opens no file, keeps no state.
Integers are big-endian.

    preamble  16 bytes, the same in every version to come
              magic "BOCAGE-J" · version u16 · header size u16 · CRC-32 of the 12 bytes before
    identity  32 bytes
              generation u32 · serial u32 · epoch 8 bytes · lane u8 · zero 3 · first position u64 · CRC-32 of
              the 28 before
    record    12 bytes, then the payload
              marker B0 CA · CRC-32 · length u16 · index u32 · payload;  position = first + index

A record's CRC covers length, index and payload and starts from a seed made of the whole identity: it holds
only at its own position in its own segment. Hence
* a copy, a stale block or the payload of another file is never taken for a record (node payloads cannot forge
  one by accident: the epoch is random and unknown to nodes);
* after damage the reader looks for the next marker whose CRC holds and whose index the skipped bytes could
  have reached;
* the name repeats the identity, so a damaged header is rebuilt from the name, and the first good record
  proves it.

The name keeps its layout in every version: `generation-serial-lane-epoch-first.seg`, in hexadecimal but for
the lane.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple
from zlib import crc32

from gateway.core.limits import JOURNAL_READ_BYTES, JOURNAL_RECORD_BYTES_MAX

LANES = ("alarm", "event", "telemetry")  # the order is the lane byte and must not change
VERSION = 1
EPOCH_SIZE = 8
MARKER = b"\xb0\xca"

_MAGIC = b"BOCAGE-J"
_PREAMBLE = struct.Struct(">8sHH")
_IDENTITY = struct.Struct(">II8sB3xQ")
_CRC = struct.Struct(">I")
_RECORD = struct.Struct(">2sIHI")
_COVERED = struct.Struct(">HI")
_COVERED_FROM = 6  # marker and CRC come before what the CRC covers

PREAMBLE_SIZE = _PREAMBLE.size + _CRC.size
HEADER_SIZE = PREAMBLE_SIZE + _IDENTITY.size + _CRC.size
RECORD_OVERHEAD = _RECORD.size
INDEX_MAX = 0xFFFF_FFFF

_NAME = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-(alarm|event|telemetry)-([0-9a-f]{16})-([0-9a-f]{16})\.seg")

Fetch = Callable[[int, int], bytes]


class Identity(NamedTuple):
    """What a segment is: generation and serial give the order of writing, index 0 is position `first`."""

    generation: int
    serial: int
    epoch: bytes
    lane: str
    first: int

    @property
    def name(self) -> str:
        """The file name that goes with this identity."""
        return f"{self.generation:08x}-{self.serial:08x}-{self.lane}-{self.epoch.hex()}-{self.first:016x}.seg"

    @property
    def seed(self) -> int:
        """The value from which the CRC of every record in this segment starts."""
        return crc32(self._packed())

    def _packed(self) -> bytes:
        lane = LANES.index(self.lane)
        return _IDENTITY.pack(self.generation, self.serial, self.epoch, lane, self.first)


def encode_header(identity: Identity) -> bytes:
    """Return the HEADER_SIZE bytes that open a segment."""
    preamble = _PREAMBLE.pack(_MAGIC, VERSION, HEADER_SIZE)
    packed = identity._packed()
    return preamble + _CRC.pack(crc32(preamble)) + packed + _CRC.pack(crc32(packed))


def decode_version(data: bytes) -> int | None:
    """Return the format version announced by an intact preamble, or None."""
    if len(data) < PREAMBLE_SIZE or data[: len(_MAGIC)] != _MAGIC:
        return None
    if crc32(data[: _PREAMBLE.size]) != _CRC.unpack_from(data, _PREAMBLE.size)[0]:
        return None
    version: int = _PREAMBLE.unpack_from(data)[1]
    return version


def decode_header(data: bytes) -> Identity | None:
    """Return the identity in an intact header of this version, or None."""
    if len(data) < HEADER_SIZE or decode_version(data) != VERSION:
        return None
    packed = data[PREAMBLE_SIZE : HEADER_SIZE - _CRC.size]
    if crc32(packed) != _CRC.unpack_from(data, HEADER_SIZE - _CRC.size)[0]:
        return None
    generation, serial, epoch, lane, first = _IDENTITY.unpack(packed)
    if lane >= len(LANES):
        return None
    return Identity(generation, serial, epoch, LANES[lane], first)


def parse_name(name: str) -> Identity | None:
    """Return the identity a file name claims, or None. A claim only: a record has to prove it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    generation, serial, lane, epoch, first = match.groups()
    return Identity(int(generation, 16), int(serial, 16), bytes.fromhex(epoch), lane, int(first, 16))


def encode_record(seed: int, index: int, payload: bytes) -> bytes:
    """Return one record; `index` is its position minus the segment's first."""
    check = crc32(payload, crc32(_COVERED.pack(len(payload), index), seed))
    return _RECORD.pack(MARKER, check, len(payload), index) + payload


def scan(
    fetch: Fetch, size: int, seed: int, *, offset: int = HEADER_SIZE, index: int = 0
) -> Iterator[tuple[int, int, bytes]]:
    """Yield (index, offset, payload) of each good record of a segment from `offset`, where `index` is due.

    Indices rise. A rise of more than one is a hole; an offset beyond the end of the record before is damage;
    what lies after the last record is a torn tail. Errors raised by `fetch` pass through.
    """
    buffer, base, at = b"", offset, 0
    good = offset  # where the last good record ended, in the file
    due = index
    while True:
        complete = False
        if len(buffer) - at >= RECORD_OVERHEAD:
            marker, check, length, index = _RECORD.unpack_from(buffer, at)
            plausible = marker == MARKER and length <= JOURNAL_RECORD_BYTES_MAX
            stop = at + RECORD_OVERHEAD + length
            # A record lost in the skipped bytes took RECORD_OVERHEAD of them at least.
            plausible = plausible and 0 <= index - due <= (base + at - good) // RECORD_OVERHEAD
            complete = not plausible or stop <= len(buffer)
            if plausible and complete and check == crc32(buffer[at + _COVERED_FROM : stop], seed):
                yield index, base + at, buffer[at + RECORD_OVERHEAD : stop]
                due, at, good = index + 1, stop, base + stop
                continue
        if not complete and base + len(buffer) < size:
            base, at, buffer = base + at, 0, fetch(base + at, JOURNAL_READ_BYTES)
            if len(buffer) < JOURNAL_READ_BYTES:
                size = base + len(buffer)
            continue
        if len(buffer) - at < RECORD_OVERHEAD:
            return
        found = buffer.find(MARKER, at + 1)
        at = found if found >= 0 else len(buffer) - 1  # a marker may straddle the end of the buffer
