"""The file format byte by byte, and what the scanner makes of damage."""

from binascii import crc32
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.custody import entry
from gateway.core.custody.segment import (
    HEADER_SIZE,
    RECORD_OVERHEAD,
    Identity,
    decode_header,
    decode_version,
    encode_header,
    encode_record,
    parse_name,
    scan,
)
from gateway.core.limits import JOURNAL_READ_BYTES
from tests.support.examples import examples
from tests.support.gateway_world import NODE, alarm, payload, reading
from wire import record
from wire.faults import WireFault

IDENTITY = Identity(3, 7, b"12345678", "event", 1000)
PAYLOADS = [b"alpha", b"", b"gamma" * 20, b"delta", b"\xb0\xca\xb0\xca marker inside", b"zeta"]


def image(payloads=PAYLOADS, identity=IDENTITY):
    records = [encode_record(identity.seed, index, payload) for index, payload in enumerate(payloads)]
    return encode_header(identity) + b"".join(records)


def scan_bytes(data, identity=IDENTITY):
    found = scan(lambda offset, length: data[offset : offset + length], len(data), identity.seed)
    return {index: payload for index, _, payload in found}


def test_the_header_is_laid_out_as_documented():
    header = encode_header(IDENTITY)
    assert header[:12].hex() == b"BOCAGE-J".hex() + "0003" + "0030"
    assert int.from_bytes(header[12:16], "big") == crc32(header[:12])
    numbers = "00000003" + "00000007" + b"12345678".hex() + "01" + "000000" + "00000000000003e8"
    assert header[16:44].hex() == numbers
    assert int.from_bytes(header[44:48], "big") == crc32(header[16:44])
    assert len(header) == HEADER_SIZE == 48


def test_a_record_is_laid_out_as_documented():
    seed = crc32(encode_header(IDENTITY)[16:44])
    record = encode_record(IDENTITY.seed, 5, b"payload")
    assert record[:2] == b"\xb0\xca"
    assert record[6:].hex() == "0007" + "00000005" + b"payload".hex()
    assert int.from_bytes(record[2:6], "big") == crc32(record[6:], seed)
    assert len(record) == RECORD_OVERHEAD + 7


def test_header_and_name_both_give_the_identity_back():
    assert decode_header(encode_header(IDENTITY)) == (IDENTITY, 0)
    assert decode_header(encode_header(IDENTITY, 3)) == (IDENTITY, 3)
    assert IDENTITY.name == "00000003-00000007-event-3132333435363738-00000000000003e8.seg"
    assert parse_name(IDENTITY.name) == IDENTITY


@pytest.mark.parametrize("name", ["", "x.seg", IDENTITY.name + "~", IDENTITY.name.replace("event", "other")])
def test_a_foreign_name_claims_nothing(name):
    assert parse_name(name) is None


def test_every_flipped_bit_of_the_header_is_seen():
    header = encode_header(IDENTITY)
    for bit in range(len(header) * 8):
        damaged = bytearray(header)
        damaged[bit // 8] ^= 1 << bit % 8
        assert decode_header(bytes(damaged)) is None
        assert decode_version(bytes(damaged)) in (None, 3), "damage is never taken for another version"


def test_a_flipped_bit_costs_its_own_record_and_no_other():
    data = image()
    whole = scan_bytes(data)
    assert whole == dict(enumerate(PAYLOADS))
    ends = [HEADER_SIZE]
    for one in PAYLOADS:
        ends.append(ends[-1] + RECORD_OVERHEAD + len(one))
    for bit in range(HEADER_SIZE * 8, len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        hit = next(index for index in range(len(PAYLOADS)) if bit // 8 < ends[index + 1])
        assert scan_bytes(bytes(damaged)) == {index: p for index, p in enumerate(PAYLOADS) if index != hit}


def test_a_cut_at_every_byte_keeps_the_whole_records_before_it():
    data = image()
    for cut in range(HEADER_SIZE, len(data)):
        kept = scan_bytes(data[:cut])
        assert list(kept.items()) == list(enumerate(PAYLOADS))[: len(kept)]
        used = HEADER_SIZE + sum(RECORD_OVERHEAD + len(payload) for payload in kept.values())
        assert used <= cut < used + RECORD_OVERHEAD + len(PAYLOADS[len(kept)])


def test_a_record_of_another_segment_or_position_is_never_taken():
    data = image()
    for other in (
        IDENTITY._replace(epoch=b"87654321"),
        IDENTITY._replace(lane="alarm"),
        IDENTITY._replace(first=1001),
        IDENTITY._replace(serial=8),
    ):
        assert scan_bytes(data, other) == {}
    record = encode_record(IDENTITY.seed, 40, b"from a stale block")
    stale = data[: HEADER_SIZE + 17] + record + data[HEADER_SIZE + 17 :]
    assert scan_bytes(stale) == dict(enumerate(PAYLOADS)), "40 records cannot have been in so few bytes"


def test_records_are_found_across_every_edge_of_a_read():
    for first in range(JOURNAL_READ_BYTES // 5 - RECORD_OVERHEAD * 2, JOURNAL_READ_BYTES // 5 + 3, 7):
        payloads = [bytes(first)] * 5 + [b"a", b"b", b"c"]
        assert scan_bytes(image(payloads)) == dict(enumerate(payloads))


def test_a_long_stretch_of_damage_is_crossed():
    payloads = [b"before", *[bytes(10_000)] * 20, b"after"]
    data = bytearray(image(payloads))
    start = HEADER_SIZE + RECORD_OVERHEAD + len(b"before")
    stop = len(data) - RECORD_OVERHEAD - len(b"after")
    data[start:stop] = b"\xb0" * (stop - start)
    assert scan_bytes(bytes(data)) == {0: b"before", 21: b"after"}


@pytest.mark.parametrize("made", [reading(3), alarm(4)])
def test_a_record_comes_back_with_its_node(made):
    item = entry.decode(entry.encode(entry.Entry(NODE, record.encode(made))))
    assert (item.node, item.record) == (NODE, made)


def test_the_form_is_fixed_because_a_journal_outlives_the_agent():
    assert entry.encode(entry.Entry(NODE, b"record")) == b"\x01" + NODE + b"record"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01" + NODE,
        b"\x02" + NODE + record.encode(reading(1)),
        b"\x01" + NODE + payload(reading(1), reading(2)),
        b"\x01" + NODE + record.encode(reading(1))[:-1],
    ],
)
def test_another_version_two_records_or_a_cut_one_are_refused(data):
    with pytest.raises(WireFault):
        entry.decode(data)


@examples(times=2)
@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_the_one_fault(data):
    with suppress(WireFault):
        entry.decode(b"\x01" + data)
