"""Encodes and decodes records (ARCHITECTURE, section 3) as compact CBOR, the form in which a node sends them.

A record is `[boot, sequence, seconds, quality, body]`. With the node's id, which the session knows, `(node,
boot, sequence)` is its identity from the lamp to the warehouse. `seconds` is Unix time when the node's
clock is synchronised or in holdover, else the uptime within this boot. `body` is a map of readings or a
list `[code, active, detail]`, an event.

    quality   0: unset (seconds is an uptime);  1 + 2u: synchronised ± u s;  2 + 2u: holdover ± u s

A node sends a payload of one or more records, one after the other (a CBOR sequence, RFC 8742). This module encodes into
a buffer that its caller keeps, and decodes with every bound checked; a refusal is a WireFault with a stable reason.
"""

from collections import namedtuple

from wire import cbor, event, limits
from wire.faults import WireFault

Record = namedtuple("Record", ("boot", "sequence", "stamp", "body"))
Stamp = namedtuple("Stamp", ("quality", "seconds", "uncertainty_s"))
EventBody = namedtuple("EventBody", ("code", "active", "detail"))
# A gateway's answer: its UTC, or None while its own clock is not good enough, and ± s; the seconds left of the lease
# that overrides need, or None; how many orders wait for this node.
Answer = namedtuple("Answer", ("unix_s", "uncertainty_s", "lease_s", "waiting"))
# Uri-Query in the messages of a node that sleeps between them: nothing is posted to it.
SLEEPS = b"z"

UNSET = 0
SYNCED = 1
HOLDOVER = 2
_KEY_MAX = 256 * limits.CHANNELS_MAX - 1
QUALITY_CODE_MAX = 2 * limits.UNCERTAINTY_S_MAX + 2


def quality_code(stamp: Stamp) -> int:
    """Returns one small integer for quality and uncertainty; a synchronised clock within ± 11 s takes one byte."""
    quality, _, uncertainty_s = stamp
    if quality == UNSET:
        return 0
    return 2 * min(uncertainty_s, limits.UNCERTAINTY_S_MAX) + (1 if quality == SYNCED else 2)


def stamp_from_code(seconds: int, code: int) -> Stamp:
    """Returns the stamp of `seconds` and a quality code."""
    if code == 0:
        return Stamp(UNSET, seconds, 0)
    return Stamp(SYNCED if code & 1 else HOLDOVER, seconds, (code - 1) // 2)


def write(writer: cbor.Writer, record: Record) -> None:
    """Appends one record. Keys of readings are written in ascending order, so one record has one encoding."""
    write_head(writer, record)
    write_body(writer, record.body)


def write_head(writer: cbor.Writer, record: Record) -> None:
    """Appends all but the body."""
    boot, sequence, stamp, _ = record
    writer.array(5)
    writer.integer(boot)
    writer.integer(sequence)
    writer.integer(stamp.seconds)
    writer.integer(quality_code(stamp))


def write_body(writer: cbor.Writer, body) -> None:
    """Appends only the body: a map of readings, or an event."""
    if isinstance(body, dict):
        _write_readings(writer, body)
        return
    has_detail = body.detail is not None
    writer.array(3 if has_detail else 2)
    writer.integer(body.code)
    writer.value(body.active)
    if isinstance(body.detail, dict):
        _write_readings(writer, body.detail)
    elif has_detail:
        writer.value(body.detail)


def _write_readings(writer, readings):
    writer.map(len(readings))
    for key in sorted(readings):
        writer.integer(key)
        writer.integer(readings[key])


def encode(record: Record) -> bytes:
    """Returns one record as bytes; it allocates, so it is not for the hot path of a node."""
    writer = cbor.Writer(bytearray(limits.CBOR_BYTES_MAX))
    write(writer, record)
    return bytes(writer.view())


def encode_body(body) -> bytes:
    """Returns one body as bytes: the form in which the warehouse keeps and compares it."""
    writer = cbor.Writer(bytearray(limits.CBOR_BYTES_MAX))
    write_body(writer, body)
    return bytes(writer.view())


def decode_payload(payload) -> list:
    """Returns all records of a payload; raises WireFault when any byte breaks the contract: a payload is accepted whole
    or not at all."""
    return [record for record, _ in split_payload(payload)]


def split_payload(payload) -> list:
    """Returns all records of a payload, each with its own bytes as received: [(Record, bytes)]."""
    if len(payload) > limits.CBOR_BYTES_MAX:
        raise WireFault("too-long")
    reader = cbor.Reader(payload)
    records = []
    while not reader.at_end():
        if len(records) == limits.RECORDS_PER_PAYLOAD_MAX:
            raise WireFault("records")
        start = reader.offset
        record = check(reader.value())
        records.append((record, bytes(payload[start : reader.offset])))
    if not records:
        raise WireFault("empty")
    return records


def decode_body(data):
    """Returns a body from its bytes, as `encode_body` made them."""
    return _body(cbor.decode(data))


def lane(record: Record) -> str:
    """Returns the lane of a record."""
    if isinstance(record.body, dict):
        return event.TELEMETRY
    return event.lane(record.body.code)


def encode_answer(answer: Answer) -> bytes:
    """Returns the payload of a 2.04: `[unix_s | null, ± s, lease_s | null, waiting]`."""
    return cbor.encode([answer.unix_s, answer.uncertainty_s, answer.lease_s, answer.waiting], 32)


def decode_answer(payload) -> Answer:
    """Returns the Answer of a payload. An answer of two elements, as the first gateways sent it, has no lease and no
    waiting orders; elements that a newer gateway appends are ignored."""
    items = cbor.decode(payload)
    if not isinstance(items, list) or len(items) < 2:
        raise WireFault("answer")
    if items[0] is not None:
        _bounded(items[0], limits.SECONDS_MAX, "answer")
    _bounded(items[1], limits.UNCERTAINTY_S_MAX, "answer")
    lease_s = items[2] if len(items) > 2 else None
    waiting = items[3] if len(items) > 3 else 0
    if lease_s is not None:
        _bounded(lease_s, limits.LEASE_S_MAX, "answer")
    _bounded(waiting, limits.WAITING_MAX, "answer")
    return Answer(items[0], items[1], lease_s, waiting)


def check(items) -> Record:
    """Returns the Record of five plain items; both links check here. Raises WireFault with the first reason found."""
    if not isinstance(items, list) or len(items) != 5:
        raise WireFault("record-shape")
    boot, sequence, seconds, code, body = items
    _bounded(boot, limits.BOOT_MAX, "boot")
    _bounded(sequence, limits.SEQUENCE_MAX, "sequence")
    _bounded(seconds, limits.SECONDS_MAX, "seconds")
    _bounded(code, QUALITY_CODE_MAX, "quality")
    return Record(boot, sequence, stamp_from_code(seconds, code), _body(body))


def _body(body):
    if isinstance(body, dict):
        return _readings(body)
    if not isinstance(body, list) or not 2 <= len(body) <= 3:
        raise WireFault("body-shape")
    code, active = body[0], body[1]
    detail = body[2] if len(body) == 3 else None
    _bounded(code, event.CODE_MAX, "event-code")
    if active is not None and active is not True and active is not False:
        raise WireFault("event-active")
    if isinstance(detail, dict):
        return EventBody(code, active, _readings(detail))
    if isinstance(detail, list):
        return EventBody(code, active, _detail(code, detail))
    if len(body) == 3:
        raise WireFault("event-detail")
    return EventBody(code, active, None)


def _readings(readings):
    if not 0 < len(readings) <= limits.READINGS_MAX:
        raise WireFault("readings")
    # Each reading is checked once: a gateway spends most of its time here.
    value_max = limits.READING_ABS_MAX
    for key, value in readings.items():
        if type(key) is not int or not 0 <= key <= _KEY_MAX:
            raise WireFault("reading-key")
        if type(value) is not int or not -value_max <= value <= value_max:
            raise WireFault("reading-value")
    return readings


def _detail(code, detail):
    """Checks the detail, a list of scalars: of a GAP, an ANCHOR and a BOOT, the fields that others compute with must
    have the right type."""
    for item in detail:
        if isinstance(item, (list, dict)) or (isinstance(item, str) and len(item.encode()) > limits.TEXT_BYTES_MAX):
            raise WireFault("event-detail")
    if code == event.GAP:
        _check_fields(detail, (1, 2), (3,))
        _check_about(detail[0])
    elif code == event.ANCHOR:
        _check_fields(detail, (1, 2, 3, 4), ())
        _check_about(detail[0])
    elif code == event.BOOT:
        _check_fields(detail, (), (0, 1))
    return detail


def _check_fields(detail, integers, integers_or_null):
    if len(detail) < 5:
        raise WireFault("event-detail")
    for index in integers:
        _bounded(detail[index], limits.SECONDS_MAX, "event-detail")
    for index in integers_or_null:
        if detail[index] is not None:
            _bounded(detail[index], limits.SECONDS_MAX, "event-detail")


def _check_about(about):
    if about is not None and (not isinstance(about, bytes) or len(about) != limits.NODE_ID_BYTES):
        raise WireFault("event-detail")


def _bounded(value, high, reason):
    if type(value) is not int or not 0 <= value <= high:
        raise WireFault(reason)
