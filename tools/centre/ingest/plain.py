"""Reads batches of plain telemetry as `wire.senml` and `wire.record` do, but several times as fast.

CBOR has one encoding for one integer, so the integers of a pack are copied unchanged into the bodies of rows, as the
gateway has copied them out of records (`gateway.core.uplink.batch`). What stands before a value in a pack (name, unit,
exponent) is a constant of its key, *learnt* from what `wire.senml` writes for that key. Records with the same readings
have one *shape*: one expression that finds all their integers at once. The expressions below match only what
`wire.record` accepts: shortest integers, of 32 bits at most.

Everything else (events, readings that are not learnt yet or do not ascend, damage) is decoded by `wire.senml`, whose
WireFault tells what is wrong: `read` then returns None. It never returns rows of a pack that `wire.senml` refuses.
"""

import re
from binascii import unhexlify
from typing import NamedTuple

from tools.centre.limits import PLAIN_SHAPES_MAX
from wire import cbor, event, limits, record, senml
from wire.faults import WireFault
from wire.senml import SIGNED_32, UNSIGNED_32


class Row(NamedTuple):
    """Holds one record as columns: `quality` and `uncertainty_s` are those of its stamp, `body` its canonical bytes."""

    node: bytes
    boot: int
    sequence: int
    seconds: int
    quality: int
    uncertainty_s: int
    lane: int  # index in event.LANES
    body: bytes


# The quality code of a clock that is set.
_QUALITY = rb"(?:[\x01-\x17]|\x18[^\x00-\x17]|\x19[^\x00].)"
# Name and unit in ASCII, shorter than 60 bytes, and the exponent of a decimal fraction.
_BEFORE = rb"\x00[\x00-\x7f]{1,60}?\x02(?:\xc4\x82[\x00-\x37])?"
# The first reading of a record is one map with the node, the time and the number; without a clock this has one pair
# more. Each further reading has a map of its own.
_OPENING = re.compile(
    rb"([\xa7-\xa9])(%b)(%b)\x21\x71([0-9a-f]{16})/\x22" % (_BEFORE, SIGNED_32)
    + rb"(?:\x00\x61q\x00\x62up(%b)|(%b)\x61q(%b))\x63seq(%b)\x64boot(%b)"
    % (UNSIGNED_32, UNSIGNED_32, _QUALITY, UNSIGNED_32, UNSIGNED_32),
    re.DOTALL,
)
_READING = re.compile(rb"([\xa2\xa3]%b)(%b)" % (_BEFORE, SIGNED_32), re.DOTALL)
_READINGS = re.compile(rb"(?:[\xa2\xa3]%b%b)*" % (_BEFORE, SIGNED_32), re.DOTALL)
# As in an opening, with the readings of one shape around them; then comes another record, or the end.
_CLOCK = rb"(%b)\x61q(%b)" % (UNSIGNED_32, _QUALITY)
_NO_CLOCK = rb"\x00\x61q\x00\x62up(%b)" % UNSIGNED_32
_MIDDLE = rb"\x21\x71([0-9a-f]{16})/\x22%%b\x63seq(%b)\x64boot(%b)" % (UNSIGNED_32, UNSIGNED_32)
_END = rb"(?=[\xa7-\xa9]|\Z)"
_OPENING_PAIRS = 5
_ARRAY, _MAP = 0x80, 0xA0
_TELEMETRY = event.LANES.index(event.TELEMETRY)


class _Shape(NamedTuple):
    """Matches the records with the same readings, all with a clock or all without; `body` is filled in with their
    values."""

    record: re.Pattern[bytes]
    body: bytes
    entries: int
    has_clock: bool


# {what stands before a value, with the head of its map: (the key, the key in a body)}; as many as there are keys.
_known: dict[bytes, tuple[int, bytes]] = {}
# {whether there is a clock, what stands before each value}: the shapes that were met first, PLAIN_SHAPES_MAX at most.
_shapes: dict[tuple[bool, tuple[bytes, ...]], _Shape] = {}


def read(pack: bytes) -> senml.Batch | None:
    """Returns a batch with rows in place of its items; None where it is not plain."""
    reader = cbor.Reader(pack)
    try:
        start = reader.offset = array_head_bytes(pack)
        envelope, void = senml.decode_head(reader.value())
    except WireFault:
        return None
    rows: list[Row] = []
    entries, at = 1, reader.offset
    met: list[_Shape] = []  # in this batch: a cabinet's records have few shapes, and the commonest is soon among them
    while at < len(pack):
        for shape in met:
            found = shape.record.match(pack, at)
            if found is not None:
                break
        else:
            new = _shape_at(pack, at)
            found = new and new.record.match(pack, at)
            if new is None or found is None:
                return None
            met.append(shape := new)
        rows.append(_row(found.groups(), shape))
        entries += shape.entries
        at = found.end()
    batch = envelope._replace(items=rows)
    is_whole = pack[:start] == _head(_ARRAY, entries) and len(rows) == batch.last - batch.first + 1 - void
    return batch if is_whole and len(rows) <= limits.BATCH_RECORDS_MAX else None


def learn(batch: senml.Batch) -> None:
    """Notes the keys of the readings in a batch that `wire.senml` has decoded."""
    met = {key for item in batch.items if isinstance(item.record.body, dict) for key in item.record.body}
    for key in met - {key for key, _ in _known.values()}:
        alone = record.Record(0, 0, record.Stamp(record.SYNCED, 0, 0), {key: 0})
        opening = _OPENING.fullmatch(senml.encode_item(senml.Item(bytes(limits.NODE_ID_BYTES), alone))[0])
        if opening is not None:
            _known[_plain_head(opening[1], False) + opening[2]] = key, cbor.encode(key)


def array_head_bytes(pack: bytes) -> int:
    """Returns the number of bytes that open an array (RFC 8949 section 3); WireFault where there is none."""
    if not pack or pack[0] & 0xE0 != 0x80:
        raise WireFault("pack-shape")
    return {24: 2, 25: 3, 26: 5, 27: 9}.get(pack[0] & 0x1F, 1)


def _head(major: int, count: int) -> bytes:
    """Returns the shortest head of an array or a map; a pack has fewer than 65,536 entries of five bytes at least."""
    if count < 24:
        return bytes((major | count,))
    return bytes((major | 24, count)) if count < 256 else bytes((major | 25, *count.to_bytes(2, "big")))


def _plain_head(head: bytes, has_uptime: bool) -> bytes:
    """Returns the head of the map that a first reading would have as a further one."""
    return bytes((head[0] - _OPENING_PAIRS - has_uptime,))


def _shape_at(pack: bytes, at: int) -> _Shape | None:
    """Returns the shape of the record that begins here; None where it is not plain, or one shape too many."""
    opening = _OPENING.match(pack, at)
    more = opening and _READINGS.match(pack, opening.end())
    if opening is None or more is None:
        return None
    has_clock = opening[5] is None
    first = _plain_head(opening[1], not has_clock) + opening[2]
    constants = first, *(constant for constant, _ in _READING.findall(pack, more.start(), more.end()))
    shape = _shapes.get((has_clock, constants))
    if shape is None and len(_shapes) < PLAIN_SHAPES_MAX and (shape := _made(has_clock, constants)):
        _shapes[has_clock, constants] = shape
    return shape


def _made(has_clock: bool, constants: tuple[bytes, ...]) -> _Shape | None:
    """Returns a new shape; None unless all its keys are known, ascend, and are as many as a record may have."""
    known = [_known.get(constant, (-1, b"")) for constant in constants]
    keys = [key for key, _ in known]
    if min(keys) < 0 or keys != sorted(set(keys)) or len(keys) > limits.READINGS_MAX:
        return None
    head, first = constants[0][:1], constants[0][1:]
    opening = bytes((head[0] + _OPENING_PAIRS + (not has_clock),)) + first
    pattern = re.escape(opening) + b"(%b)" % SIGNED_32 + _MIDDLE % (_CLOCK if has_clock else _NO_CLOCK)
    for constant in constants[1:]:
        pattern += re.escape(constant) + b"(%b)" % SIGNED_32
    body = _head(_MAP, len(known)).replace(b"%", b"%%")
    for _, encoded in known:
        body += encoded.replace(b"%", b"%%") + b"%b"
    return _Shape(re.compile(pattern + _END, re.DOTALL), body, len(known), has_clock)


def _row(groups: tuple[bytes, ...], shape: _Shape) -> Row:
    if shape.has_clock:
        value, node, seconds, code, sequence, boot, *values = groups
        stamp = record.stamp_from_code(_number(seconds), _number(code))
    else:
        value, node, seconds, sequence, boot, *values = groups
        stamp = record.stamp_from_code(_number(seconds), 0)
    body = shape.body % (value, *values)
    return Row(unhexlify(node), _number(boot), _number(sequence), stamp[1], stamp[0], stamp[2], _TELEMETRY, body)


def _number(digits: bytes) -> int:
    return digits[0] if len(digits) == 1 else int.from_bytes(digits[1:], "big")
