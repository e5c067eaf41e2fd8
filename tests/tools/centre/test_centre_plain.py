"""Rows read straight from the bytes of a pack: the rows of wire.senml, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import EPOCH, GATEWAY, NODE, TELEMETRY_TOPIC, fact, reading, synced, unset
from tests.support.examples import examples
from tools.centre.ingest import intake, plain
from wire import event, limits, senml
from wire.faults import WireFault
from wire.record import HOLDOVER, SYNCED, Record, Stamp

SIZES = (0, 23, 24, 0xFF, 0x100, 0xFFFF, 0x10000, 0xFFFFFFFF)
COUNTERS = st.sampled_from(SIZES) | st.integers(0, 0xFFFFFFFF)
VALUES = st.sampled_from([*SIZES, *(-1 - size for size in SIZES), 1 << 32]) | st.integers(-300, 300)
KEYS = st.integers(1, 40) | st.integers(0, 256 * limits.CHANNELS_MAX - 1)
READINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=limits.READINGS_MAX)
STAMPS = st.builds(unset, COUNTERS) | st.builds(
    Stamp, st.sampled_from((SYNCED, HOLDOVER)), COUNTERS, st.integers(0, limits.UNCERTAINTY_S_MAX)
)
ITEMS = st.builds(
    senml.Item, st.binary(min_size=8, max_size=8), st.builds(Record, COUNTERS, COUNTERS, STAMPS, READINGS)
)
STREET = [reading(position, {1: 2301, 6: -2137, 6 + 256: 5, 4: 70_000}) for position in range(25)]


@pytest.fixture(autouse=True)
def shapes():
    """As many as in a process that has just begun."""
    plain._shapes.clear()


def pack(items, void=0):
    return senml.encode_pack(senml.Batch(GATEWAY, EPOCH, event.TELEMETRY, 3, 2 + len(items) + void, 3, 0, items))


def by_the_book(data):
    """What is prepared with wire.senml alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "read", lambda _pack: None)
        return intake.prepare(TELEMETRY_TOPIC, intake.deflate(data))


@examples(times=4)
@given(st.lists(ITEMS, max_size=12), st.integers(0, 3))
def test_any_telemetry_gives_the_rows_of_wire_senml(items, void):
    data = pack(items, void)
    wanted = by_the_book(data)
    assert len(wanted.contents.rows) == len(items)
    assert intake.prepare(TELEMETRY_TOPIC, intake.deflate(data)) == wanted
    found = plain.read(data)
    assert found is None or found.items == wanted.contents.rows


def test_telemetry_whose_keys_are_known_needs_no_wire_senml(monkeypatch):
    street = [*STREET, reading(25, {1: 0}, stamp=unset(77)), reading(26, {4: -1}, stamp=synced(0, 20_000))]
    wanted = by_the_book(pack(street, 2))
    monkeypatch.setattr(senml, "decode_pack", None)
    assert intake.prepare(TELEMETRY_TOPIC, intake.deflate(pack(street, 2))) == wanted


@pytest.mark.parametrize(
    "items",
    [
        [fact(0, event.GAP, [None, 1, 0, 5, "full"])],
        [*STREET, reading(25, {1: 1 << 32})],
        [reading(position) for position in range(limits.BATCH_RECORDS_MAX + 1)],
    ],
)
def test_what_is_not_plain_is_left_to_wire_senml(items):
    by_the_book(pack(STREET))
    assert plain.read(pack(items)) is None


def test_records_of_several_shapes_side_by_side_are_read_each_by_its_own(monkeypatch):
    # One set of readings begins another; a clock that is not set makes a third of each.
    shapes = ({1: 5}, {1: 5, 4: 6}, {1: 5, 4: 6, 6: 7})
    items = [
        reading(2 * turn + without, shapes[turn % 3], stamp=unset(turn) if without else synced(turn, 2))
        for turn in range(12)
        for without in range(2)
    ]
    wanted = by_the_book(pack(items))
    monkeypatch.setattr(senml, "decode_pack", None)
    assert intake.prepare(TELEMETRY_TOPIC, intake.deflate(pack(items))) == wanted
    assert len(plain._shapes) == 6


def test_a_stranger_who_invents_shapes_makes_only_so_many_be_compiled(monkeypatch):
    monkeypatch.setattr(plain, "PLAIN_SHAPES_MAX", 2)
    items = [reading(position, {1: 5, 6 + 256 * position: 1}) for position in range(1, 5)]
    wanted = by_the_book(pack(items))
    assert [intake.prepare(TELEMETRY_TOPIC, intake.deflate(pack(items))) for _ in range(2)] == [wanted] * 2
    assert len(plain._shapes) == 2


def test_a_changed_byte_never_gives_rows_that_wire_senml_does_not():
    data = pack([*STREET[:2], reading(2, {1: 300}, stamp=unset(9), node=NODE)])
    by_the_book(data)
    assert plain.read(data) is not None
    for index in range(len(data)):
        for change in (0x01, 0x02, 0x05, 0x20, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[index] ^= change
            check_damaged(bytes(damaged))
        check_damaged(data[:index])
        check_damaged(data[:index] + data[index : index + 1] + data[index:])


def check_damaged(data):
    found = plain.read(data)
    if found is None:
        return
    try:
        batch = senml.decode_pack(data)
    except WireFault as fault:
        raise AssertionError(f"read what wire.senml refuses: {fault.reason}") from None
    assert found[:7] == batch[:7] and found.items == by_the_book(data).contents.rows
