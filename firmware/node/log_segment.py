"""Defines a segment of a node's log on flash: entries one after the other, each with its length and a CRC-32.

An entry holds one encoded record, or a mark. Bytes that are no sound entry are the end of a segment, not an error: a
power cut may tear the last one. It handles bytes and names only; must not know files.
"""

import struct
from binascii import crc32

from wire import cbor, event
from wire.faults import WireFault

# A segment fills one erase block of the flash and never begins a second one.
SEGMENT_BYTES_MAX = 4096

# A log keeps each segment as a row, a list: in a week of silence there are sixty of them, and objects would be four
# times as large. Its items: the lane; the first and last file numbers it covers; how many times it was thinned; its
# sound bytes; where its first unacknowledged record begins; how many records wait; the set of starts of records that
# were acknowledged before earlier ones, or None.
LANE, FIRST, LAST, LEVEL, SIZE, START, COUNT, DONE = 0, 1, 2, 3, 4, 5, 6, 7

# The kind of an entry: MARK, or a record of a lane: from 1 on, in the order of event.LANES.
MARK = 16

_HEAD = "<BH"  # kind, bytes of the body
_HEAD_BYTES = 3
OVERHEAD_BYTES = _HEAD_BYTES + 4
# boot, 1 when a durable sequence is known, that sequence
_MARK = "<IBI"
MARK_BYTES = OVERHEAD_BYTES + 9

_RECORD = 0x85  # a CBOR array of five items
_NAME_CHARS = 15
# A file an hour for 1,900 years; the level of a segment that is thinned oftener stays at its highest.
NUMBER_MAX = 0xFFFFFF
LEVEL_MAX = 99


def entry(kind, body) -> bytes:
    """Returns the bytes of one entry."""
    data = struct.pack(_HEAD, kind, len(body)) + body
    return data + struct.pack("<I", crc32(data))


def of_lane(lane, body) -> bytes:
    """Returns the entry of an encoded record."""
    return entry(event.LANES.index(lane) + 1, body)


def mark(boot, durable_sequence) -> bytes:
    """Returns the entry of a mark: all records of `boot` up to `durable_sequence` (None: none) are held elsewhere or
    here, or reported lost."""
    known = durable_sequence is not None
    return entry(MARK, struct.pack(_MARK, boot, int(known), durable_sequence if known else 0))


def read_mark(body):
    """Returns (boot, durable sequence or None) of a mark, or None for a mark of a newer firmware."""
    if len(body) != MARK_BYTES - OVERHEAD_BYTES:
        return None
    boot, known, sequence = struct.unpack(_MARK, body)
    return boot, sequence if known else None


def entries_of(data) -> list:
    """Returns the sound entries at the beginning of `data`: [(kind, start, end, body)]; `end` is where the next
    begins."""
    found = []
    start = 0
    while start + OVERHEAD_BYTES <= len(data):
        kind, length = struct.unpack_from(_HEAD, data, start)
        end = start + OVERHEAD_BYTES + length
        if kind == 0 or end > len(data) or struct.unpack_from("<I", data, end - 4)[0] != crc32(data[start : end - 4]):
            break
        found.append((kind, start, end, data[start + _HEAD_BYTES : end - 4]))
        start = end
    return found


def identity(data):
    """Returns (boot, sequence) of an encoded record, or None for other bytes."""
    if not data or data[0] != _RECORD:
        return None
    try:
        reader = cbor.Reader(data[1:])
        boot, sequence = reader.value(), reader.value()
    except WireFault:
        return None
    if not cbor.is_integer(boot) or not cbor.is_integer(sequence):
        return None
    return boot, sequence


def row(lane, first, last, level) -> list:
    """Returns the row of an empty segment."""
    return [lane, first, last, level, 0, 0, 0, None]


def name(lane, first, last, level, *_) -> str:
    """Returns the file name of the segment of a lane that holds the numbers `first` to `last`, thinned `level`
    times."""
    return f"{lane[0]}{first:06x}{last:06x}{level:02d}"


def read_name(text):
    """Returns (lane, first, last, level) of a file name, or None for a name that is not a segment's."""
    for lane in event.LANES:
        if len(text) == _NAME_CHARS and text[0] == lane[0]:
            try:
                found = (lane, int(text[1:7], 16), int(text[7:13], 16), int(text[13:]))
            except ValueError:
                return None
            return found if name(*found) == text else None
    return None
