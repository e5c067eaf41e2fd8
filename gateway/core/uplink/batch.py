"""Makes batches: gathers journal entries, writes their SenML pack byte for byte as `wire.senml` does, but faster, and
turns it into a publication.

A plain telemetry record needs no decoding. CBOR has one encoding for one integer, here and in the pack, so
its integers are copied unchanged into the bytes that `wire.senml` writes around them: a *template*, made
once for each shape (which readings, clock set or not) from what `wire.senml` itself writes for a record of
that shape. This module therefore knows nothing of SenML, and of a record only the expression
below, which matches only what `wire.record` accepts: shortest integers, ascending keys, no trailing bytes.

Everything else (events, integers of 64 bits, other versions, garbage) is decoded by `entry` and encoded by
`wire.senml`, whose WireFault tells the caller that a record cannot be read.
"""

import re
import zlib
from binascii import hexlify
from functools import lru_cache
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal
from gateway.core.custody.stream import Hole, Stream, Void
from wire import event, senml, topic
from wire import limits as wire_limits
from wire.faults import WireFault
from wire.record import SYNCED, UNSET, Record, Stamp
from wire.senml import SIGNED_32, UNSIGNED_32


class UnreadableRecord(NamedTuple):
    """Names a record that this version cannot read."""

    position: int
    payload: bytes
    reason: str


class GatheredBatch(NamedTuple):
    """Holds positions `first` to `last` as they appear in a pack, void ones included, and in `stop` what comes next if
    it cannot be sent. `last` is `first - 1` where nothing can; with `stop` None the disk has a transient error."""

    first: int
    last: int
    items: list[bytes]
    entries: int
    stop: Hole | UnreadableRecord | None


# CBOR integers up to 16 bits, and keys of readings (wire.record: below 256 · CHANNELS_MAX).
_SHORT = rb"(?:[\x00-\x17]|\x18[^\x00-\x17]|\x19[^\x00].)"
_KEY = rb"(?:[\x00-\x17]|\x18[^\x00-\x17]|\x19[\x01-\x3f].)"

# Entry: version 1, node; record: boot, sequence, seconds.
_HEAD = rb"\x01(.{8})\x85(%b)(%b)(%b)" % (UNSIGNED_32, UNSIGNED_32, UNSIGNED_32)
_PLAIN = re.compile(
    _HEAD + rb"(%b)([\xa1-\xb7]|\xb8\x18)((?:%b%b){1,24})" % (_SHORT, _KEY, SIGNED_32),  # quality code, readings
    re.DOTALL,
)
_READING = re.compile(rb"(%b)(%b)" % (_KEY, SIGNED_32), re.DOTALL)
_CLOCK_UNSET = b"\x00"

# Placeholders for what a template leaves open; none of them occurs in a label or a unit.
_NODE_MARK = b"\xee" * wire_limits.NODE_ID_BYTES
_QUALITY_MARK = 0x5A5B
_MARK = 0x5A5A5A00


class Template(NamedTuple):
    """Is filled in: `form % (first value, node hex, seconds, quality code unless unset, sequence, boot, other
    values…)`. `entry` matches the journal entries of this shape, with `_PLAIN`'s groups but a group for each value."""

    form: bytes
    entries: int
    entry: re.Pattern[bytes]


class Packer:
    """Writes batches."""

    def __init__(self) -> None:
        self._last: Template | None = None

    def convert(self, payload: bytes) -> tuple[bytes, int]:
        """Return one journal entry as it appears in a pack, and how many SenML records that is.

        WireFault when this version cannot read it, with the reason of `entry.decode`.
        """
        # Most records of a street have the shape of the one before.
        found = self._last and self._last.entry.fullmatch(payload)
        if found is None:
            self._last = _template_of(payload)
            found = self._last and self._last.entry.fullmatch(payload)
        if self._last is None or found is None:
            return senml.encode_item(entry.decode(payload))
        node, boot, sequence, seconds, quality, first, *others = found.groups()
        stamp = (seconds,) if quality == _CLOCK_UNSET else (seconds, quality)
        return self._last.form % (first, hexlify(node), *stamp, sequence, boot, *others), self._last.entries


def assemble(batch: senml.Batch, entries: int) -> bytes:
    """Return the pack of a batch with encoded items; `entries` is the sum of their SenML records."""
    pack = senml.encode_head(batch, entries) + b"".join(batch.items)
    if len(pack) > wire_limits.BATCH_BYTES_MAX:
        raise WireFault("too-long")
    return pack


def _template_of(payload: bytes) -> Template | None:
    """Return the template for a plain record; None for any other."""
    plain = _PLAIN.fullmatch(payload)
    if plain is None:
        return None
    quality, count, body = plain.groups()[4:]
    is_unset = quality == _CLOCK_UNSET
    return template(_CLOCK_UNSET if is_unset else b"", count, *(key for key, _ in _READING.findall(body)))


@lru_cache(limits.PACK_SHAPES_MAX)
def template(unset: bytes, count: bytes, *encoded: bytes) -> Template | None:
    """Return the template of a shape; None when `wire.record` would refuse it."""
    keys = [int.from_bytes(key[1:] or key, "big") for key in encoded]
    if len(keys) != (count[-1] if len(count) > 1 else count[0] & 0x1F) or keys != sorted(set(keys)):
        return None
    values = [_MARK + place for place in range(len(keys))]
    boot, sequence, seconds = (_MARK + len(keys) + place for place in range(3))
    stamp = Stamp(UNSET if unset else SYNCED, seconds, _QUALITY_MARK // 2)
    made = Record(boot, sequence, stamp, dict(zip(keys, values, strict=True)))
    form, entries = senml.encode_item(senml.Item(_NODE_MARK, made))
    marks = [_wide(values[0]), hexlify(_NODE_MARK), _wide(seconds)]
    marks += [] if unset else [b"\x19" + _QUALITY_MARK.to_bytes(2, "big")]
    marks += map(_wide, (sequence, boot, *values[1:]))
    assert sorted(marks, key=form.index) == marks and all(form.count(mark) == 1 for mark in marks)
    form = form.replace(b"%", b"%%")
    for mark in marks:
        form = form.replace(mark, b"%b")
    pattern = _HEAD + (b"(\\x00)" if unset else b"(?!\\x00)(%b)" % _SHORT) + re.escape(count)
    pattern += b"".join(re.escape(key) + b"(%b)" % SIGNED_32 for key in encoded)
    return Template(form, entries, re.compile(pattern, re.DOTALL))


def _wide(value: int) -> bytes:
    return b"\x1a" + value.to_bytes(4, "big")


def gather(journal: Journal, stream: Stream, packer: Packer, first: int, records_max: int) -> GatheredBatch:
    """Gather one batch from `first` on: `records_max` records at most, and the void positions among and
    after them, however many. With `records_max` 1 the record goes alone, so that a refusal shows which one is at
    fault."""
    alone = records_max == 1
    items: list[bytes] = []
    entries, position, used, has_void = 0, first, 0, True
    while has_void and len(items) < records_max and used < limits.UPLINK_BATCH_BYTES_MAX:
        # Voids count as items: where there are some, more items must be read for as many records.
        count_max = records_max if position == first else 2 * (records_max - len(items)) + 1
        found = journal.read(stream, position, count_max=count_max, bytes_max=limits.UPLINK_BATCH_BYTES_MAX - used)
        has_void = False
        for item in found:
            if isinstance(item, bytes):
                is_full = len(items) == records_max or used + len(item) > limits.UPLINK_BATCH_BYTES_MAX
                if (items and is_full) or (alone and position > first):
                    return GatheredBatch(first, position - 1, items, entries, None)
                try:
                    piece, count = packer.convert(item)
                except WireFault as fault:
                    return GatheredBatch(
                        first, position - 1, items, entries, UnreadableRecord(position, item, fault.reason)
                    )
                items.append(piece)
                entries += count
                used += len(item)
                position += 1
            elif isinstance(item, Void):
                if alone and items:
                    return GatheredBatch(first, position - 1, items, entries, None)
                has_void = True
                position = item.last + 1
            else:
                return GatheredBatch(first, position - 1, items, entries, item)
        if position >= journal.durable_end(stream):
            break
    return GatheredBatch(first, position - 1, items, entries, None)


# By then a question that waited longer in a broker's queue has been asked again.
_QUESTION_EXPIRY_S = 300


# A stored block without content (RFC 1951 section 3.2.4): it changes the bytes of a deflate, and so their digest, and
# not what they inflate to.
_EMPTY_BLOCK = b"\0\0\0\xff\xff"


class Publication(NamedTuple):
    """Publishes one MQTT message at QoS 1; `token` comes back with its PUBACK."""

    token: int
    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None  # the broker drops it then: for questions, never for records


class Publisher:
    """Turns a batch into one MQTT message, and counts the messages whose PUBACK is outstanding.

    Receive Maximum is the broker's bound on what one connection may have unacknowledged (MQTT 5 section 3.3.4); clients
    ignore it, so it is kept here. It must not decide what is sent or when. `gateway` is the 8-byte id in the envelope.
    """

    def __init__(self, gateway: bytes, insee: str, name: str) -> None:
        self._gateway = gateway
        self._topics = {lane: topic.build(_class_of(lane), insee, name) for lane in event.BATCH_LANES}
        self._token = 0
        self._receive_max = 0
        self._unacked: set[int] = set()

    def connected(self, receive_max: int) -> None:
        """Forget the messages of the last connection: their PUBACKs cannot come over a new one."""
        self._receive_max = receive_max
        self._unacked.clear()

    def has_room(self, window: int) -> bool:
        """Return whether one more may go: fewer than `window`, and than the broker's Receive Maximum, are
        unacknowledged."""
        return len(self._unacked) < min(window, self._receive_max)

    def is_idle(self) -> bool:
        """Return whether no PUBACK is outstanding."""
        return not self._unacked

    def acknowledged(self, token: int) -> None:
        """Note that the PUBACK of `token` has come."""
        self._unacked.discard(token)

    def give_up(self) -> None:
        """Stop counting PUBACKs that have not come: their places are needed."""
        self._unacked.clear()

    def publish(
        self, stream: Stream, oldest: int, gathered: GatheredBatch, waiting: int, given_again: int = 0
    ) -> Publication:
        """Return the message that carries a batch; without positions it is a question. `waiting`: positions that are
        durable beyond it; `given_again`: how often what
        was freed was held again, so that no receipt of before is about the bytes of now."""
        batch = senml.Batch(
            self._gateway, stream.epoch, stream.lane, gathered.first, gathered.last, oldest, waiting, gathered.items
        )
        body = _EMPTY_BLOCK * given_again + _deflate(assemble(batch, gathered.entries))
        self._token += 1
        self._unacked.add(self._token)
        expiry_s = None if gathered.last >= gathered.first else _QUESTION_EXPIRY_S
        return Publication(self._token, self._topics[stream.lane], body, expiry_s=expiry_s)


def _class_of(lane: str) -> str:
    return topic.EVENT if lane in (event.ALARM, event.EVENT) else topic.TELEMETRY


def _deflate(data: bytes) -> bytes:
    """Compresses by raw deflate (RFC 1951): the standard library has it at both ends, and it has no header to pay
    for."""
    # Level 6 of 9: a quarter of a drain's time; level 3 would take half of that and cost 8 % more bytes.
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()
