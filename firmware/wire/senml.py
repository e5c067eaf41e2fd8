"""Encodes and decodes batches of records from a gateway to the centre: SenML in CBOR (RFC 8428), deflated.

A batch is one self-describing SenML pack. Its first SenML record names the gateway and carries the envelope: the
journal positions `[first, last]` of the (epoch, lane) that it covers, the oldest position that the gateway could send,
and how many positions wait there beyond `last`. Then come the Bocage records, each opened by a SenML record with base
name (`<node id in hex>/`) and base time, and the extra labels `boot`, `seq` and `q` (quality code, wire.record). Other
software may ignore the labels that do not end in `_`, and then reads plain names, units and decimal fractions. A batch
may have fewer records than positions: the others are *void* (thinned or dropped by the gateway, which has reported it
in a gap record), and the envelope states how many.

    readings   one SenML record a reading: name `temp.1`, unit, value as decimal fraction (tag 4) or integer
    event      name of the event; value true or false for begins or ends, else the detail as a data value (CBOR)
               with `act` = null; readings in the detail follow as ordinary readings
    no clock   base time 0 and the label `up` (uptime, s): a small base time would mean "relative to now"
"""

from binascii import hexlify, unhexlify
from collections import namedtuple

from wire import cbor, event, event_table, limits, quantity, quantity_table
from wire.faults import WireFault
from wire.record import (
    QUALITY_CODE_MAX,
    UNSET,
    check,
    quality_code,
)

Batch = namedtuple("Batch", ("gateway", "epoch", "lane", "first", "last", "oldest", "waiting", "items"))
# A record with the id of the node that made it.
Item = namedtuple("Item", ("node", "record"))

# RFC 8428 table 4: labels of SenML in CBOR are integers. Written in the order of wire.cbor: 0, 1, 2 ... -2, -3, texts.
_BASE_NAME, _BASE_TIME = -2, -3
_NAME, _UNIT, _VALUE, _VALUE_BOOLEAN, _VALUE_DATA = 0, 1, 2, 4, 8
_LABELS = (_BASE_NAME, _BASE_TIME, _NAME, _UNIT, _VALUE, _VALUE_BOOLEAN, _VALUE_DATA)
_BOOT, _SEQUENCE, _QUALITY, _UPTIME = "boot", "seq", "q", "up"
_ENVELOPE_VERSION = 2
_HEAD_BYTES_MAX = 256

# Expressions for integers up to 32 bits, each in the only form that wire.cbor accepts, for who copies them between
# records, packs and rows without decoding. A set by what it excludes is compiled in 0.6 of the time.
_TAIL_32 = rb"(?!\x00\x00)...."
UNSIGNED_32 = rb"(?:[\x00-\x17]|\x18[^\x00-\x17]|\x19[^\x00].|\x1a" + _TAIL_32 + rb")"
SIGNED_32 = rb"(?:[\x00-\x17\x20-\x37]|[\x18\x38][^\x00-\x17]|[\x19\x39][^\x00].|[\x1a\x3a]" + _TAIL_32 + rb")"


def encode_pack(batch: Batch) -> bytes:
    """Returns the SenML pack of a batch, not yet deflated; raises WireFault("too-long") above BATCH_BYTES_MAX."""
    writer = cbor.Writer(bytearray(_size_bound(batch)))
    entries = 0
    for item in batch.items:
        entries += _entries(item.record.body)
    _write_head(writer, batch, entries)
    for item in batch.items:
        _write_item(writer, item)
    if writer.length > limits.BATCH_BYTES_MAX:
        raise WireFault("too-long")
    return bytes(writer.view())


def encode_head(batch: Batch, entries: int) -> bytes:
    """Returns the first bytes of the pack of a batch whose records take `entries` SenML records (of `items` only the
    number counts)."""
    writer = cbor.Writer(bytearray(_HEAD_BYTES_MAX))
    _write_head(writer, batch, entries)
    return bytes(writer.view())


def encode_item(item: Item):
    """Returns one record as the bytes in a pack, and how many SenML records they are: (bytes, entries)."""
    writer = cbor.Writer(bytearray(_item_bound(item)))
    _write_item(writer, item)
    return bytes(writer.view()), _entries(item.record.body)


def _write_head(writer, batch, entries):
    writer.array(1 + entries)
    writer.map(3)
    _pair(writer, _NAME, "batch")
    _pair(writer, _VALUE_DATA, _envelope(batch))
    _pair(writer, _BASE_NAME, _name(batch.gateway))


def _envelope(batch):
    fields = [_ENVELOPE_VERSION, batch.epoch, batch.lane, batch.first, batch.last, batch.oldest, batch.waiting]
    void = batch.last - batch.first + 1 - len(batch.items)
    if void:
        fields.append(void)
    return cbor.encode(fields, 64)


def _size_bound(batch):
    total = _HEAD_BYTES_MAX
    for item in batch.items:
        total += _item_bound(item)
    return total


def _item_bound(item):
    # A reading takes up to 60 bytes (name, unit, fraction), a raw detail its own length, which is a record's at most: a
    # bound, which is checked.
    return 128 + 64 * _entries(item.record.body) + limits.CBOR_BYTES_MAX


def _entries(body):
    if isinstance(body, dict):
        return len(body)
    return 1 + (len(body.detail) if isinstance(body.detail, dict) else 0)


def _name(node):
    return hexlify(node).decode() + "/"


def _pair(writer, key, value):
    writer.value(key)
    writer.value(value)


def _write_item(writer, item):
    record = item.record
    body = record.body
    readings = body
    opening = True
    if not isinstance(body, dict):
        is_list = isinstance(body.detail, (list, tuple))
        writer.map(8 if record.stamp.quality == UNSET else 7)
        _pair(writer, _NAME, event_table.label(body.code))
        if body.active is not None and not is_list:
            _pair(writer, _VALUE_BOOLEAN, body.active)
        else:
            _pair(writer, _VALUE_DATA, _event_data(body))
        _write_opening(writer, item)
        readings = body.detail if isinstance(body.detail, dict) else {}
        opening = False
    for key in sorted(readings):
        _write_reading(writer, key, readings[key], item if opening else None)
        opening = False


def _write_opening(writer, item):
    record = item.record
    unset = record.stamp.quality == UNSET
    _pair(writer, _BASE_NAME, _name(item.node))
    _pair(writer, _BASE_TIME, 0 if unset else record.stamp.seconds)
    _pair(writer, _QUALITY, quality_code(record.stamp))
    if unset:
        _pair(writer, _UPTIME, record.stamp.seconds)
    _pair(writer, _SEQUENCE, record.sequence)
    _pair(writer, _BOOT, record.boot)


def _event_data(body):
    return cbor.encode([body.active, body.detail if isinstance(body.detail, (list, tuple)) else None])


def _write_reading(writer, key, value, opening_item):
    entry = quantity_table.BY_CODE.get(key % quantity.CHANNEL_STEP)
    count = 3 if entry else 2
    if opening_item is not None:
        count += 5 if opening_item.record.stamp.quality != UNSET else 6
    writer.map(count)
    _pair(writer, _NAME, quantity_table.label(key))
    if entry:
        _pair(writer, _UNIT, entry.unit)
    writer.integer(_VALUE)
    if entry and entry.exponent:
        writer.fraction(entry.exponent, value)
    else:
        writer.integer(value)
    if opening_item is not None:
        _write_opening(writer, opening_item)


def decode_pack(data) -> Batch:
    """Returns the batch of an inflated pack, digit for digit; raises WireFault with a stable reason when the pack
    breaks the contract."""
    entries = cbor.decode(
        data, fractions=True, bytes_max=limits.BATCH_BYTES_MAX, items_max=limits.BATCH_RECORDS_MAX * 26
    )
    if not isinstance(entries, list) or not entries:
        raise WireFault("pack-shape")
    for entry in entries[1:]:
        _check_labels(entry)
    batch, void = decode_head(entries[0])
    batch.items.extend(_decode_items(entries))
    if batch.last - batch.first + 1 != len(batch.items) + void:
        raise WireFault("positions")
    return batch


def decode_head(entry):
    """Returns what the first SenML record of a pack states: a Batch without items yet, and how many positions are
    void."""
    _check_labels(entry)
    if entry.get(_NAME) != "batch":
        raise WireFault("envelope")
    *envelope, void = _decode_envelope(entry.get(_VALUE_DATA))
    return Batch(_node(entry.get(_BASE_NAME)), *envelope, []), void


def _check_labels(entry):
    # A base value, a time offset or a label that ends in "_" changes the meaning (RFC 8428 section 4.4): never ignore
    # it.
    if not isinstance(entry, dict):
        raise WireFault("pack-shape")
    for label in entry:
        if label not in _LABELS and (not isinstance(label, str) or label[-1:] == "_"):
            raise WireFault("label")


def _decode_envelope(data):
    if not isinstance(data, bytes):
        raise WireFault("envelope")
    fields = cbor.decode(data)
    if not isinstance(fields, list) or len(fields) < 7 or not _is_version(fields[0]):
        raise WireFault("envelope")
    _, epoch, lane, first, last, oldest, waiting = fields[:7]
    if not isinstance(epoch, bytes) or len(epoch) != 8 or lane not in event.BATCH_LANES:
        raise WireFault("envelope")
    for position in (first, last + 1 if cbor.is_integer(last) else None, oldest, waiting):
        if not cbor.is_integer(position) or not 0 <= position <= limits.POSITION_MAX:
            raise WireFault("envelope")
    if oldest > first:
        raise WireFault("positions")
    void = fields[7] if len(fields) > 7 else 0
    if not cbor.is_integer(void) or not 0 <= void <= limits.POSITION_MAX:
        raise WireFault("envelope")
    return epoch, lane, first, last, oldest, waiting, void


def _is_version(value):
    return cbor.is_integer(value) and value == _ENVELOPE_VERSION


def _node(base_name):
    if not isinstance(base_name, str) or len(base_name) != 2 * limits.NODE_ID_BYTES + 1 or base_name[-1] != "/":
        raise WireFault("base-name")
    try:
        node = unhexlify(base_name[:-1])
    except ValueError:
        raise WireFault("base-name")
    if _name(node) != base_name:
        raise WireFault("base-name")
    return node


def _decode_items(entries):
    items = []
    index = 1
    while index < len(entries):
        opening = entries[index]
        if _BASE_NAME not in opening:
            raise WireFault("opening")
        end = index + 1
        while end < len(entries) and _BASE_NAME not in entries[end]:
            end += 1
        items.append(_decode_item(entries[index:end]))
        index = end
        if len(items) > limits.BATCH_RECORDS_MAX:
            raise WireFault("records")
    return items


def _decode_item(entries):
    opening = entries[0]
    node = _node(opening.get(_BASE_NAME))
    code = opening.get(_QUALITY)
    if not cbor.is_integer(code) or not 0 <= code <= QUALITY_CODE_MAX:
        raise WireFault("quality")
    seconds = opening.get(_UPTIME if code == 0 else _BASE_TIME)
    # Both links use the same check: the warehouse accepts exactly what a node may send.
    return Item(node, check([opening.get(_BOOT), opening.get(_SEQUENCE), seconds, code, _decode_body(entries)]))


def _decode_body(entries):
    first = entries[0]
    name = first.get(_NAME)
    if not isinstance(name, str):
        raise WireFault("name")
    if _VALUE in first:
        return _decode_readings(entries)
    code = event_table.code_from_label(name)
    if code is None:
        raise WireFault("event-name")
    readings = _decode_readings(entries[1:]) if len(entries) > 1 else None
    if _VALUE_BOOLEAN in first:
        return _plain_event(code, first[_VALUE_BOOLEAN], readings)
    data = first.get(_VALUE_DATA)
    if not isinstance(data, bytes):
        raise WireFault("value")
    fields = cbor.decode(data)
    if not isinstance(fields, list) or len(fields) != 2:
        raise WireFault("value")
    active, detail = fields
    if detail is None:
        return _plain_event(code, active, readings)
    if readings or not isinstance(detail, list):
        raise WireFault("value")
    return _plain_event(code, active, detail)


def _plain_event(code, active, detail):
    return [code, active] if detail is None else [code, active, detail]


def _decode_readings(entries):
    readings = {}
    for entry in entries:
        name = entry.get(_NAME)
        key = quantity_table.key_from_label(name) if isinstance(name, str) else None
        if key is None or key in readings:
            raise WireFault("name")
        readings[key] = _scaled(key, entry.get(_VALUE))
    return readings


def _scaled(key, value):
    entry = quantity_table.BY_CODE.get(key % quantity.CHANNEL_STEP)
    if isinstance(value, cbor.DecimalFraction):
        if entry is None or value.exponent != entry.exponent:
            raise WireFault("exponent")
        return value.mantissa
    if not cbor.is_integer(value) or (entry and entry.exponent):
        raise WireFault("value")
    return value
