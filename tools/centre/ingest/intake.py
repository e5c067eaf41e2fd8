"""Turns the bytes of one MQTT message into rows, and nothing else: no database, no clock.

A payload is a raw deflate of one SenML pack (`wire.senml`). `prepare` returns, for any bytes, a `PreparedBatch` with
rows, or a `RefusedMessage` with a stable reason and, where the envelope can still be read, the positions that it was
about. Inflating stops at the bound, so a zip bomb costs no more than a batch.

    class `t`   carries the lane telemetry
    class `e`   carries the lanes alarm and event

Events about other records become statements beside the rows:

    gap      of `[first, last]` of (about, boot), what is not held will not come; last None: open
    anchor   uptime `uptime_s` of (about, boot) was UTC `unix_s`, give or take `uncertainty_s`
    boot     names the previous boot and its last durable sequence: its tail is an open gap, reason `boot`
    doubt    a gateway holds the time in the record `sequence` of (about, boot) for impossible (`timeDoubtful`)
    placing  a technician has stated at a gateway which light a node serves (`nodePlaced`)

A node may state something about itself only; the gateway that carries the batch may state something about the nodes
that it serves, which only the warehouse knows (`tools.centre.ingest.nodes`): `abouts` names them. Other statements keep
their row and are counted as `statements_refused`.
"""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

from tools.centre.ingest import plain
from tools.centre.ingest.plain import Row
from tools.centre.limits import PEEK_BYTES_MAX, POSITION_MAX
from wire import cbor, event, event_table, limits, receipt, record, senml
from wire import topic as topics
from wire.faults import WireFault
from wire.receipt import CLASS

_LANES_OF_CLASS = {topics.TELEMETRY: (event.TELEMETRY, event.SURPLUS), topics.EVENT: (event.ALARM, event.EVENT)}


class Gap(NamedTuple):
    """Names records that will not come, as the record `by` (node, boot, sequence) states."""

    by: tuple[bytes, int, int]
    about: bytes
    boot: int
    first: int
    last: int | None
    why: str


class Anchor(NamedTuple):
    """Holds the UTC of an uptime, as the record `by` (node, boot, sequence) states."""

    by: tuple[bytes, int, int]
    about: bytes
    boot: int
    uptime_s: int
    unix_s: int
    uncertainty_s: int


class Doubt(NamedTuple):
    """Names a record whose time the gateway that made the record `by` doubts; `stated_s`: that time (Unix s)."""

    by: tuple[bytes, int, int]
    about: bytes
    boot: int
    sequence: int
    stated_s: int


class Placing(NamedTuple):
    """Names the light that a node serves, as a technician stated in the gateway's record `by`. light None: none."""

    by: tuple[bytes, int, int]
    about: bytes
    light: str | None
    street: str | None


class Envelope(NamedTuple):
    """Holds the positions that a batch is about."""

    gateway: bytes
    epoch: bytes
    lane: str
    first: int
    last: int
    oldest: int
    waiting: int  # beyond `last`, at the gateway

    def batch(self, payload: bytes) -> receipt.Batch:
        """Returns how a receipt names the batch with this envelope."""
        return receipt.Batch(self.first, self.last, receipt.digest_of(payload))

    def receipt(self, next_position: int, payload: bytes) -> receipt.Receipt:
        """Returns the answer of a warehouse that holds the stream up to `next_position`. A question has no batch."""
        batches = () if self.last < self.first else (self.batch(payload),)
        return receipt.Receipt(self.gateway, self.epoch, self.lane, next_position, batches)


class Contents(NamedTuple):
    """Holds rows, and what they state. `abouts`: the node that a row of the gateway itself is about."""

    rows: list[Row]
    gaps: list[Gap]
    anchors: list[Anchor]
    doubts: list[Doubt]
    placings: list[Placing]
    abouts: dict[Row, bytes]


class PreparedBatch(NamedTuple):
    """Holds a batch that can be accepted. `statements_refused` counts the statements that their sender may not make."""

    topic: topics.Topic
    envelope: Envelope
    contents: Contents
    statements_refused: int


class RefusedMessage(NamedTuple):
    """Holds a message that cannot be accepted; `topic` and `envelope` are None when they cannot be read."""

    topic: topics.Topic | None
    envelope: Envelope | None
    reason: str


def prepare(topic_text: str, payload: bytes) -> PreparedBatch | RefusedMessage:
    """Returns the rows and statements of one message, or why it is refused. Raises for no content of the bytes."""
    topic = None
    try:
        topic = topics.parse(topic_text)
        return _prepare(topic, inflate(payload))
    except WireFault as fault:
        return RefusedMessage(topic, peek(payload), fault.reason)
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        # A decoder that raises one of these has a defect. One such message must not stop the ingest of a territory: it
        # is refused like any other, and this reason shows the defect.
        return RefusedMessage(topic, peek(payload), "decoder-defect")


def inflate(payload: bytes) -> bytes:
    """Returns the pack that a raw deflate holds; WireFault when it is no deflate, is cut, has bytes after its end or
    passes the bound."""
    if len(payload) > limits.BATCH_BYTES_MAX:
        raise WireFault("too-long")
    inflater = zlib.decompressobj(-15)
    try:
        data = inflater.decompress(payload, limits.BATCH_BYTES_MAX + 1)
    except zlib.error:
        raise WireFault("deflate") from None
    if len(data) > limits.BATCH_BYTES_MAX:
        raise WireFault("too-long")
    if not inflater.eof:
        raise WireFault("deflate-truncated")
    if inflater.unused_data:
        raise WireFault("trailing")
    return data


def deflate(pack: bytes) -> bytes:
    """Returns the raw deflate of a pack; the inverse of `inflate`."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(pack) + compressor.flush()


def peek(payload: bytes) -> Envelope | None:
    """Returns the envelope, which comes first in a pack, without reading the rest; None when it is unreadable."""
    try:
        head = zlib.decompressobj(-15).decompress(payload, PEEK_BYTES_MAX)
        reader = cbor.Reader(head[plain.array_head_bytes(head) :])
        entry = reader.value()
        fields = cbor.decode(entry[8])
        envelope = Envelope(bytes.fromhex(entry[-2][:-1]), *fields[1:7])
    except (zlib.error, WireFault, TypeError, ValueError, LookupError, AttributeError):
        return None
    return envelope if fields[0] == 2 and entry.get(0) == "batch" and _sound(envelope) else None


def _sound(envelope: Envelope) -> bool:
    if len(envelope.gateway) != limits.NODE_ID_BYTES or envelope.lane not in event.BATCH_LANES:
        return False
    if not isinstance(envelope.epoch, bytes) or len(envelope.epoch) != 8:
        return False
    first, last, oldest, waiting = envelope[3:]
    if not all(cbor.is_integer(position) for position in (first, last, oldest, waiting)):
        return False
    # `last` of an empty batch is one below `first`, which may be 0.
    positions = (first, last + 1, oldest, waiting, last + 1 + waiting)
    return all(0 <= position <= POSITION_MAX for position in positions)


def _prepare(topic, pack) -> PreparedBatch:
    quick = plain.read(pack) if topic.kind == topics.TELEMETRY else None
    batch = senml.decode_pack(pack) if quick is None else quick
    envelope = Envelope(*batch[:7])
    if not _sound(envelope):
        raise WireFault("positions")
    if envelope.lane not in _LANES_OF_CLASS.get(topic.kind, ()):
        raise WireFault(CLASS)
    if quick is not None:
        return PreparedBatch(topic, envelope, Contents(quick.items, [], [], [], [], {}), 0)
    plain.learn(batch)
    writer = cbor.Writer(bytearray(limits.CBOR_BYTES_MAX))
    rows = ((_row(item, writer), item.record.body) for item in batch.items)
    return PreparedBatch(topic, envelope, *_contents(rows, envelope.gateway))


def contents_of(rows: Iterable[Row], gateway: bytes) -> Contents:
    """Returns rows that a gateway brought, with what they state."""
    return _contents(((row, record.decode_body(row.body)) for row in rows), gateway)[0]


def without(contents: Contents, identities: set[tuple[bytes, int, int]]) -> Contents:
    """Returns the contents without these records and what they state."""
    return contents._replace(
        rows=[row for row in contents.rows if row[:3] not in identities],
        gaps=[gap for gap in contents.gaps if gap.by not in identities],
        anchors=[anchor for anchor in contents.anchors if anchor.by not in identities],
        doubts=[doubt for doubt in contents.doubts if doubt.by not in identities],
        placings=[placing for placing in contents.placings if placing.by not in identities],
    )


def _contents(rows: Iterable[tuple[Row, dict | record.EventBody]], gateway: bytes) -> tuple[Contents, int]:
    """Returns rows (each with its body decoded) with what they state, and how many statements their sender may not
    make."""
    contents, refused = Contents([], [], [], [], [], {}), 0
    for row, body in rows:
        contents.rows.append(row)
        if not isinstance(body, dict) and not _keep_statement(contents, row, body, gateway):
            refused += 1
    return contents, refused


def _row(item, writer) -> Row:
    # As record.encode_body, with one buffer for the whole batch.
    writer.length = 0
    record.write_body(writer, item.record.body)
    stamp = item.record.stamp
    return Row(
        item.node,
        item.record.boot,
        item.record.sequence,
        stamp.seconds,
        stamp.quality,
        stamp.uncertainty_s,
        event.LANES.index(record.lane(item.record)),
        bytes(writer.view()),
    )


def _keep_statement(contents: Contents, row: Row, body: record.EventBody, gateway: bytes) -> bool:
    """Keeps the statement of an event, if it makes one; returns False when its sender may not make it or it makes no
    sense."""
    code, _, detail = body
    if not isinstance(detail, list):
        return True
    by = row[:3]
    about = _about(code, detail[0]) if detail else None
    if row.node == gateway and about not in (None, gateway):
        contents.abouts[row] = about
    if code == event.BOOT:
        previous, durable = detail[:2]
        if previous is None:
            return True
        if previous >= row.boot:
            return False
        contents.gaps.append(Gap(by, row.node, previous, 0 if durable is None else durable + 1, None, "boot"))
        return True
    if code == event.NODE_PLACED:
        placing = _placing(by, about, detail) if row.node == gateway and about not in (None, gateway) else None
        if placing is not None:
            contents.placings.append(placing)
        return placing is not None
    if code not in (event.GAP, event.ANCHOR, event.TIME_DOUBTFUL):
        return True
    if detail[:1] == [None]:
        about = row.node
    if about is None or (about != row.node and row.node != gateway):
        return False
    if code == event.ANCHOR:
        contents.anchors.append(Anchor(by, about, *detail[1:5]))
        return True
    if code == event.TIME_DOUBTFUL:
        said = detail[1:4]
        is_sound = len(said) == 3 and all(cbor.is_integer(one) and 0 <= one <= POSITION_MAX for one in said)
        if is_sound:
            contents.doubts.append(Doubt(by, about, *said))
        return is_sound
    boot, first, last, why = detail[1:5]
    if last is not None and last < first:
        return False
    contents.gaps.append(Gap(by, about, boot, first, last, why if isinstance(why, str) else repr(why)))
    return True


def _placing(by, about, detail) -> Placing | None:
    """Returns what a `nodePlaced` states; None when that is no text for a screen and a database."""
    light, street = detail[1:3] if len(detail) >= 3 else ("", "")
    is_sound = all(one is None or (isinstance(one, str) and one.isprintable() and one) for one in (light, street))
    return Placing(by, about, light, street) if is_sound else None


def _about(code, first) -> bytes | None:
    """Returns the node that an event names as what it is about, the first field of its detail; None when it names
    none."""
    entry = event_table.BY_CODE.get(code)
    names_one = entry is not None and entry.detail and entry.detail[0] == "about"
    return first if names_one and isinstance(first, bytes) and len(first) == limits.NODE_ID_BYTES else None
