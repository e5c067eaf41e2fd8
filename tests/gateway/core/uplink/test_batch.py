"""Packing straight from journal entries: the same bytes as decoding and wire.senml, the same refusals, bounded."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.stream import Stream
from gateway.core.uplink import batch
from gateway.core.uplink.batch import GatheredBatch, Publisher
from tests.support.examples import examples
from tests.support.gateway_world import EPOCH, GATEWAY, INSEE, NAME, NODE, alarm, reading, unpack
from wire import event, record, senml
from wire import limits as wire_limits
from wire.faults import WireFault
from wire.record import HOLDOVER, SYNCED, UNSET, EventBody, Record, Stamp

SIZES = (0, 23, 24, 0xFF, 0x100, 0xFFFF, 0x10000, 0xFFFFFFFF)


def near(limit_values, low, high):
    """Integers of every encoded length, and any other."""
    edges = [edge for value in limit_values for edge in (value, -1 - value) if low <= edge <= high]
    return st.one_of(st.sampled_from(edges), st.integers(low, high), st.integers(max(low, -50), min(high, 300)))


READING_MAX = wire_limits.READING_ABS_MAX
VALUES = near((*SIZES, 1 << 32, READING_MAX - 1), -READING_MAX, READING_MAX)
COUNTERS = near(SIZES, 0, 0xFFFFFFFF)
KEYS = st.one_of(st.integers(1, 40), st.integers(0, 256 * wire_limits.CHANNELS_MAX - 1))
READINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=wire_limits.READINGS_MAX)
UNCERTAINTIES = st.one_of(st.integers(0, 200), st.integers(0, wire_limits.UNCERTAINTY_S_MAX))
STAMPS = st.one_of(
    st.builds(Stamp, st.just(UNSET), COUNTERS, st.just(0)),
    st.builds(Stamp, st.sampled_from((SYNCED, HOLDOVER)), COUNTERS, UNCERTAINTIES),
)
SCALARS = st.one_of(st.none(), st.booleans(), COUNTERS, st.binary(max_size=40), st.text(max_size=9))
DETAILS = st.one_of(st.none(), READINGS, st.lists(SCALARS, max_size=6))
OPEN_CODES = st.sampled_from((event.RAW, event.HOLE, event.LAMP_FAILURE, event.LEVEL_CHANGED, 77, 255))
EVENTS = st.builds(EventBody, OPEN_CODES, st.sampled_from((None, True, False)), DETAILS)
RECORDS = st.builds(Record, COUNTERS, COUNTERS, STAMPS, st.one_of(READINGS, READINGS, EVENTS))
ENTRIES = st.builds(
    lambda node, made: entry.encode(entry.Entry(node, record.encode(made))), st.binary(min_size=8, max_size=8), RECORDS
)


def packed(payloads, packer):
    """The pack as the uplink makes it."""
    converted = [packer.convert(payload) for payload in payloads]
    made = senml.Batch(GATEWAY, EPOCH, "telemetry", 7, 6 + len(payloads), 7, 0, [items for items, _ in converted])
    return batch.assemble(made, sum(entries for _, entries in converted))


def written(payloads):
    """The pack as wire.senml makes it from the records."""
    items = [entry.decode(payload) for payload in payloads]
    return senml.encode_pack(senml.Batch(GATEWAY, EPOCH, "telemetry", 7, 6 + len(payloads), 7, 0, items))


@examples(times=4)
@given(st.lists(ENTRIES, max_size=12))
def test_any_records_make_the_bytes_that_decoding_and_wire_senml_make(payloads):
    packer = batch.Packer()
    assert packed(payloads, packer) == written(payloads)
    assert packed(payloads, packer) == written(payloads), "a layout met before reads otherwise"


def outcome(convert, payload):
    """Bytes and count, or the reason of the refusal."""
    try:
        return convert(payload)
    except WireFault as fault:
        return fault.reason


def by_the_book(payload):
    return senml.encode_item(entry.decode(payload))


def of_items(*items):
    """An entry whose record is these encoded items, right or wrong."""
    return b"\x01" + NODE + bytes([0x80 | len(items)]) + b"".join(items)


HEAD = (b"\x01", b"\x02", b"\x03", b"\x04")
WRONG = {
    "boot not the shortest": of_items(b"\x18\x01", *HEAD[1:], b"\xa1\x01\x05"),
    "sequence not the shortest": of_items(b"\x01", b"\x19\x00\xff", *HEAD[2:], b"\xa1\x01\x05"),
    "seconds not the shortest": of_items(b"\x01", b"\x02", b"\x1a\x00\x00\xff\xff", b"\x04", b"\xa1\x01\x05"),
    "quality not the shortest": of_items(*HEAD[:3], b"\x18\x17", b"\xa1\x01\x05"),
    "quality beyond a day": of_items(*HEAD[:3], b"\x1a\x00\x02\xa3\x03", b"\xa1\x01\x05"),
    "value not the shortest": of_items(*HEAD, b"\xa1\x01\x38\x17"),
    "key not the shortest": of_items(*HEAD, b"\xa1\x18\x05\x05"),
    "key beyond the channels": of_items(*HEAD, b"\xa1\x19\x40\x00\x05"),
    "key negative": of_items(*HEAD, b"\xa1\x20\x05"),
    "keys that descend": of_items(*HEAD, b"\xa2\x02\x05\x01\x05"),
    "keys that repeat": of_items(*HEAD, b"\xa2\x02\x05\x02\x05"),
    "fewer readings than said": of_items(*HEAD, b"\xa3\x01\x05\x02\x05"),
    "more readings than said": of_items(*HEAD, b"\xa1\x01\x05\x02\x05"),
    "no readings": of_items(*HEAD, b"\xa0"),
    "count not the shortest": of_items(*HEAD, b"\xb8\x01\x01\x05"),
    "25 readings": of_items(*HEAD, b"\xb8\x19" + b"".join(bytes([0x18, 30 + key, 1]) for key in range(25))),
    "four items": of_items(*HEAD[:3], b"\xa1\x01\x05"),
    "two records": of_items(*HEAD, b"\xa1\x01\x05") * 2,
    "another version": b"\x02" + of_items(*HEAD, b"\xa1\x01\x05")[1:],
    "a value of 54 bits": of_items(*HEAD, b"\xa1\x01\x1b\x00\x20\x00\x00\x00\x00\x00\x00"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_wire_refuses_is_refused_with_the_same_reason(name):
    expected = outcome(by_the_book, WRONG[name])
    assert isinstance(expected, str)
    packer = batch.Packer()
    assert [outcome(packer.convert, WRONG[name]) for _ in range(2)] == [expected, expected]


@examples(times=12)
@given(ENTRIES, st.data())
def test_a_damaged_entry_is_read_or_refused_exactly_as_before(payload, data):
    damaged = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    assert outcome(batch.Packer().convert, bytes(damaged)) == outcome(by_the_book, bytes(damaged))


@examples(times=2)
@given(st.binary(max_size=60))
@example(b"")
def test_no_bytes_raise_anything_but_the_one_fault(data):
    payload = b"\x01" + data
    assert outcome(batch.Packer().convert, payload) == outcome(by_the_book, payload)


@pytest.mark.parametrize("kind", [SYNCED, HOLDOVER, UNSET])
def test_plain_telemetry_takes_the_short_way(kind, monkeypatch):
    made = Record(3, 70_000, Stamp(kind, 1_790_000_000, 0 if kind == UNSET else 3), {1: 4210, 258: -3, 77: 0})
    payload = entry.encode(entry.Entry(NODE, record.encode(made)))
    expected = by_the_book(payload)
    monkeypatch.delattr(entry, "decode")
    assert batch.Packer().convert(payload) == expected


def test_records_of_several_shapes_side_by_side_are_written_each_by_its_own(monkeypatch):
    stamps = Stamp(SYNCED, 1_800_000_000, 2), Stamp(UNSET, 77, 0)
    payloads = [
        entry.encode(entry.Entry(NODE, record.encode(Record(3, 10 * turn + number, stamp, readings))))
        for turn, readings in enumerate(({1: 5}, {1: 5, 4: 70_000}, {1: -5}))
        for stamp in stamps
        for number in range(2)
    ]
    wanted = written(payloads + payloads[::3])
    packer = batch.Packer()
    packed(payloads, packer)
    monkeypatch.setattr(batch.entry, "decode", None)
    assert packed(payloads + payloads[::3], packer) == wanted


def test_a_node_that_invents_shapes_costs_no_memory():
    packer = batch.Packer()
    for number in range(3 * limits.PACK_SHAPES_MAX):
        made = reading(number, body={number % 200 + 1: 1, 1000 + number: 2})
        payload = entry.encode(entry.Entry(NODE, record.encode(made)))
        assert packer.convert(payload) == by_the_book(payload)
        assert batch.template.cache_info().currsize <= limits.PACK_SHAPES_MAX


def test_a_pack_beyond_the_centres_bound_is_refused_as_wire_refuses_it():
    detail = [NODE, "reason", bytes(900)]
    raw = Record(1, 2, Stamp(SYNCED, 1_790_000_000, 1), EventBody(event.RAW, None, detail))
    payloads = [entry.encode(entry.Entry(NODE, record.encode(raw)))] * 300
    assert outcome(written, payloads) == outcome(lambda found: packed(found, batch.Packer()), payloads) == "too-long"


def test_an_alarm_among_telemetry_is_packed_in_its_place():
    payloads = [entry.encode(entry.Entry(NODE, record.encode(made))) for made in (reading(1), alarm(2), reading(3))]
    found = senml.decode_pack(packed(payloads, batch.Packer()))
    assert [item.record for item in found.items] == [reading(1), alarm(2), reading(3)]


QUESTION = GatheredBatch(7, 6, [], 0, None)


def test_telemetry_and_events_have_a_topic_each_and_every_message_its_own_token():
    post = Publisher(GATEWAY, INSEE, NAME)
    post.connected(100)
    sent = [post.publish(Stream(EPOCH, lane), 3, QUESTION, 40) for lane in event.LANES]
    assert [publication.topic for publication in sent] == [
        f"tc/1/e/{INSEE}/{NAME}",
        f"tc/1/e/{INSEE}/{NAME}",
        f"tc/1/t/{INSEE}/{NAME}",
    ]
    assert len({publication.token for publication in sent}) == 3
    question = unpack(sent[2])
    assert question[:7] == (GATEWAY, EPOCH, event.TELEMETRY, 7, 6, 3, 40) and question.items == []


@pytest.mark.parametrize("receive_max", [1, 5, 20])
def test_room_ends_at_the_smaller_of_window_and_receive_maximum(receive_max):
    post = Publisher(GATEWAY, INSEE, NAME)
    assert not post.has_room(10), "no connection yet"
    post.connected(receive_max)
    sent = []
    while post.has_room(10):
        sent.append(post.publish(Stream(EPOCH, event.ALARM), 0, QUESTION, 0))
    assert len(sent) == min(10, receive_max)
    post.acknowledged(sent[0].token)
    post.acknowledged(10**9)
    assert post.has_room(10) and post.is_idle() == (receive_max == 1)
    post.connected(receive_max)
    assert post.is_idle()
