"""SenML packs: back digit for digit, valid for an independent reader of RFC 8428, small, and safe when damaged.

Long because one table of broken packs is read as a whole.
"""

import re
import zlib
from decimal import Decimal

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from tools.bench import street
from wire import cbor, event, event_table, limits, quantity, quantity_table, record, senml
from wire.faults import WireFault
from wire.record import HOLDOVER, SYNCED, UNSET, EventBody, Record, Stamp
from wire.senml import Batch, Item

EPOCH = bytes.fromhex("9e3779b97f4a7c15")
GATEWAY = bytes.fromhex("0b0ca6e001000007")
NODE = bytes.fromhex("0b0ca6e001a1b2c3")
NOON_S = 1_763_377_200
SYNCED_NOON = Stamp(SYNCED, NOON_S, 3)
# RFC 8428 table 4, and section 4.4: other labels, which a reader skips unless they end in "_".
BASE_NAME, BASE_TIME, NAME, UNIT, VALUE, VALUE_BOOLEAN, VALUE_DATA = -2, -3, 0, 1, 2, 4, 8
STANDARD_LABELS = {-1, -2, -3, -4, -5, -6, *range(9)}
RELATIVE_TIME_MAX_S = 1 << 28  # RFC 8428 section 4.5.3: below, a time is relative to now

counts = st.integers(0, limits.SECONDS_MAX)
clocks = st.integers(RELATIVE_TIME_MAX_S, limits.SECONDS_MAX)
stamps = st.builds(Stamp, st.just(UNSET), counts, st.just(0)) | st.builds(
    Stamp, st.sampled_from((SYNCED, HOLDOVER)), clocks, st.integers(0, limits.UNCERTAINTY_S_MAX)
)
keys = st.one_of(
    st.integers(0, 256 * limits.CHANNELS_MAX - 1),
    st.builds(quantity.key, st.sampled_from(sorted(quantity_table.BY_CODE)), st.integers(0, limits.CHANNELS_MAX - 1)),
)
values = st.integers(-limits.READING_ABS_MAX, limits.READING_ABS_MAX)
readings = st.dictionaries(keys, values, min_size=1, max_size=limits.READINGS_MAX)
scalars = (
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=60) | st.text(max_size=10)
)
codes = st.integers(0, event.CODE_MAX).filter(lambda code: code not in (event.BOOT, event.ANCHOR, event.GAP))
events = st.builds(
    EventBody, codes, st.sampled_from((None, True, False)), st.none() | readings | st.lists(scalars, max_size=6)
)
records = st.builds(Record, counts, counts, stamps, readings | events)
items = st.builds(Item, st.binary(min_size=8, max_size=8), records)


@st.composite
def batches(draw):
    carried = draw(st.lists(items, max_size=6))
    first = draw(st.integers(0, 1 << 50))
    return Batch(
        draw(st.binary(min_size=8, max_size=8)),
        draw(st.binary(min_size=8, max_size=8)),
        draw(st.sampled_from(event.LANES)),
        first,
        first + len(carried) - 1,
        draw(st.integers(0, first)),
        draw(st.integers(0, 1 << 50)),
        carried,
    )


def batch_of(*carried, **fields):
    whole = Batch(GATEWAY, EPOCH, "event", 10, 9 + len(carried), 4, 0, [Item(NODE, one) for one in carried])
    return whole._replace(**fields)


def fault(pack):
    with pytest.raises(WireFault) as caught:
        senml.decode_pack(pack)
    return caught.value.reason


def entries_of(batch):
    return cbor2.loads(senml.encode_pack(batch))


def packed(entries):
    """CBOR of a pack changed by hand, in the deterministic order that our decoder asks for."""
    ordered = [
        dict(sorted(entry.items(), key=lambda pair: cbor2.dumps(pair[0]))) if isinstance(entry, dict) else entry
        for entry in entries
    ]
    return cbor2.dumps(ordered)


def deflated(pack):
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(pack) + compressor.flush()


# --- round trips ----------------------------------------------------------------------------------


@examples(times=3)
@given(batches())
def test_a_batch_comes_back_digit_for_digit(batch):
    pack = senml.encode_pack(batch)
    found = senml.decode_pack(pack)
    assert found == batch
    assert senml.encode_pack(found) == pack
    # The warehouse compares bodies as bytes.
    assert [record.encode(item.record) for item in found.items] == [record.encode(item.record) for item in batch.items]


@pytest.mark.parametrize(
    "body",
    [
        EventBody(event.BOOT, None, [7, 10427, "power", "streetlight", "0.1.0"]),
        EventBody(event.BOOT, None, [None, None, "power", "streetlight", "0.1.0"]),
        EventBody(event.ANCHOR, None, [None, 8, 60, NOON_S, 2]),
        EventBody(event.GAP, None, [NODE, 7, 10428, None, "reboot"]),
        EventBody(event.RAW, None, [NODE, "truncated", bytes(250)]),
        EventBody(event.LAMP_FAILURE, True, None),
        EventBody(event.LAMP_FAILURE, False, {quantity.POWER: 0}),
        EventBody(event.LAMP_FAILURE, None, {quantity.POWER: 0}),
        EventBody(event.LAMP_FAILURE, True, []),
        EventBody(event.LAMP_FAILURE, None, None),
        EventBody(77, None, [1]),
        {quantity.key(77, 2): -5},
    ],
)
def test_a_body_of_each_shape_comes_back(body):
    batch = batch_of(Record(7, 1, SYNCED_NOON, body))
    assert senml.decode_pack(senml.encode_pack(batch)) == batch


def test_the_largest_records_fit_the_buffer_of_the_encoder():
    widest = {quantity.key(code, 63): limits.READING_ABS_MAX for code in sorted(quantity_table.BY_CODE)[-24:]}
    raw = EventBody(event.RAW, None, [NODE, "w" * limits.TEXT_BYTES_MAX, bytes(900)])
    last = limits.SECONDS_MAX
    for body in (widest, EventBody(event.LAMP_UNEXPECTED_ON, None, widest), raw):
        for stamp in (Stamp(UNSET, last, 0), Stamp(HOLDOVER, last, limits.UNCERTAINTY_S_MAX)):
            batch = batch_of(*[Record(last, last, stamp, body)] * 3)
            assert senml.decode_pack(senml.encode_pack(batch)) == batch


def test_an_empty_batch_asks_for_the_prefix():
    batch = batch_of(first=0, last=-1, oldest=0)
    assert senml.decode_pack(senml.encode_pack(batch)) == batch


def test_a_batch_has_as_many_records_and_bytes_as_the_bounds_and_no_more():
    small = Record(1, 1, SYNCED_NOON, {quantity.POWER: 1})
    most = batch_of(*[small] * limits.BATCH_RECORDS_MAX)
    assert senml.decode_pack(senml.encode_pack(most)) == most
    assert fault(senml.encode_pack(batch_of(*[small] * (limits.BATCH_RECORDS_MAX + 1)))) == "records"
    raw = Record(1, 1, SYNCED_NOON, EventBody(event.RAW, None, [NODE, "x", bytes(900)]))
    with pytest.raises(WireFault, match="too-long"):
        senml.encode_pack(batch_of(*[raw] * 300))
    assert fault(bytes(limits.BATCH_BYTES_MAX + 1)) == "too-long"


# --- an independent reader of RFC 8428 ------------------------------------------------------------


def resolve(entries):
    """(name, time, unit, value) of each SenML record, by RFC 8428 section 4.6 and nothing of ours."""
    base_name, base_time = "", 0
    for entry in entries:
        assert isinstance(entry, dict)
        for label in entry:
            assert label in STANDARD_LABELS or (isinstance(label, str) and not label.endswith("_"))
        base_name, base_time = entry.get(BASE_NAME, base_name), entry.get(BASE_TIME, base_time)
        given_values = [label for label in (VALUE, 3, VALUE_BOOLEAN, VALUE_DATA) if label in entry]
        assert len(given_values) == 1
        name = base_name + entry.get(NAME, "")
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9:./_-]*", name)
        assert isinstance(base_time, int)
        yield name, base_time + entry.get(6, 0), entry.get(UNIT), entry[given_values[0]]


@given(batches())
def test_a_pack_is_valid_senml(batch):
    resolved = list(resolve(entries_of(batch)))
    assert resolved[0][0] == f"{batch.gateway.hex()}/batch"
    at = 1
    for item in batch.items:
        body, stamp = item.record.body, item.record.stamp
        expected_time = 0 if stamp.quality == UNSET else stamp.seconds
        told = body if isinstance(body, dict) else body.detail if isinstance(body.detail, dict) else {}
        if not isinstance(body, dict):
            name, time, unit, value = resolved[at]
            assert (name, time, unit) == (f"{item.node.hex()}/{event_table.label(body.code)}", expected_time, None)
            assert isinstance(value, bool | bytes)
            at += 1
        for key in sorted(told):
            name, time, unit, value = resolved[at]
            assert (name, time) == (f"{item.node.hex()}/{quantity_table.label(key)}", expected_time)
            check_value(key, told[key], unit, value)
            at += 1
    assert at == len(resolved)


def check_value(key, scaled, unit, value):
    entry = quantity_table.BY_CODE.get(key % quantity.CHANNEL_STEP)
    exponent = entry.exponent if entry else 0
    assert unit == (entry.unit if entry else None)
    assert isinstance(value, Decimal if exponent else int)
    assert value == Decimal((scaled < 0, Decimal(abs(scaled)).as_tuple().digits, exponent))


def test_the_pack_reads_plainly():
    batch = batch_of(
        Record(7, 42, SYNCED_NOON, {quantity.TEMPERATURE: 2137, quantity.key(quantity.TEMPERATURE, 1): -5}),
        Record(7, 43, SYNCED_NOON, EventBody(event.LAMP_FAILURE, True, {quantity.POWER: 0})),
        Record(8, 0, Stamp(UNSET, 93, 0), {quantity.ENERGY: 345678}),
    )
    name = "0b0ca6e001a1b2c3/"
    assert entries_of(batch) == [
        {-2: "0b0ca6e001000007/", 0: "batch", 8: cbor2.dumps([2, EPOCH, "event", 10, 12, 4, 0])},
        {-2: name, -3: NOON_S, 0: "temp", 1: "Cel", 2: Decimal("21.37"), "q": 7, "boot": 7, "seq": 42},
        {0: "temp.1", 1: "Cel", 2: Decimal("-0.05")},
        {-2: name, -3: NOON_S, 0: "lampFailure", 4: True, "q": 7, "boot": 7, "seq": 43},
        {0: "power", 1: "W", 2: Decimal("0.0")},
        {-2: name, -3: 0, 0: "energy", 1: "Wh", 2: 345678, "q": 0, "up": 93, "boot": 8, "seq": 0},
    ]


# --- size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 6))
def test_fifty_records_of_a_street_deflate_to_4_5_bytes_a_reading(seed):
    carried = street.street(seed=seed)
    batch = street.batch(carried)
    pack = senml.encode_pack(batch)
    small = deflated(pack)
    assert sum(len(item.record.body) for item in carried) == 400
    assert len(small) <= 4.5 * 400
    assert senml.decode_pack(zlib.decompress(small, -15)) == batch


def test_the_street_is_the_same_for_the_same_seed_and_no_two_lights_are_one():
    assert street.street(seed=3) == street.street(seed=3) != street.street(seed=4)
    nodes = {item.node for item in street.street()}
    assert len(nodes) == street.LAMPS and all(node[:4] == street.TERRITORY for node in nodes)


# --- damage ---------------------------------------------------------------------------------------

SMALL = batch_of(
    Record(7, 42, SYNCED_NOON, {quantity.TEMPERATURE: 2137, quantity.key(77, 1): 5}),
    Record(7, 43, Stamp(UNSET, 93, 0), EventBody(event.LAMP_FAILURE, None, ["été", 1])),
)


def check_damaged(pack):
    try:
        found = senml.decode_pack(pack)
    except WireFault as refused:
        assert refused.reason
        return 0
    # What is taken obeys the contract of records: it can be written, kept and read again.
    assert senml.decode_pack(senml.encode_pack(found)) == found
    return 1


@pytest.mark.slow
def test_every_change_of_one_byte_gives_a_batch_or_a_fault():
    pack = senml.encode_pack(SMALL)
    taken = 0
    for place in range(len(pack)):
        damaged = bytearray(pack)
        for change in range(1, 256):
            damaged[place] = pack[place] ^ change
            taken += check_damaged(bytes(damaged))
    assert 0 < taken < len(pack) * 255  # digits may change unseen: TLS and deflate's frame guard those


def test_every_cut_of_a_pack_is_a_fault():
    pack = senml.encode_pack(SMALL)
    assert not any(check_damaged(pack[:cut]) for cut in range(len(pack)))
    assert fault(pack + b"\x00") == "trailing"


@examples(times=6)
@given(st.binary(max_size=100))
def test_any_bytes_give_a_batch_or_a_fault(data):
    check_damaged(data)


anything = scalars | st.decimals(allow_nan=False, allow_infinity=False) | st.lists(scalars, max_size=3) | readings
texts = st.text(alphabet="temp.event0129q\u00b2\u0663/", max_size=8)
labels = st.sampled_from((BASE_NAME, BASE_TIME, NAME, UNIT, VALUE, VALUE_BOOLEAN, VALUE_DATA, "q", "up", "boot", "seq"))
inner = st.lists(anything | st.dictionaries(keys | st.text(max_size=3), anything, max_size=2), max_size=7).map(
    cbor2.dumps
)


@examples(times=12)
@given(st.integers(0, 3), labels, st.none() | anything | texts | inner, st.booleans())
def test_any_value_under_any_label_gives_a_batch_or_a_fault(place, label, value, drop):
    entries = entries_of(SMALL)
    if drop:
        entries[place].pop(label, None)
    else:
        entries[place][label] = value
    check_damaged(packed(entries))


def changed(place, label, value):
    entries = entries_of(SMALL)
    if value is ...:
        del entries[place][label]
    else:
        entries[place][label] = value
    return packed(entries)


def envelope(*fields):
    return changed(0, VALUE_DATA, cbor2.dumps(list(fields)))


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        (cbor2.dumps({}), "pack-shape"),
        (cbor2.dumps([]), "pack-shape"),
        (cbor2.dumps([1]), "pack-shape"),
        (changed(0, NAME, "other"), "envelope"),
        (changed(0, VALUE_DATA, ...), "envelope"),
        (changed(0, VALUE_DATA, "text"), "envelope"),
        (changed(0, VALUE_DATA, b""), "truncated"),
        (envelope(2, EPOCH, "event", 10, 11, 4), "envelope"),
        (envelope(2, EPOCH, "event", 10, 11, 4, -1), "envelope"),
        (envelope(1, EPOCH, "event", 10, 11, 4, 0), "envelope"),
        (envelope(True, EPOCH, "event", 10, 11, 4, 0), "envelope"),
        (envelope(2, EPOCH[1:], "event", 10, 11, 4, 0), "envelope"),
        (envelope(2, "eight...", "event", 10, 11, 4, 0), "envelope"),
        (envelope(2, EPOCH, "gossip", 10, 11, 4, 0), "envelope"),
        (envelope(2, EPOCH, ["event"], 10, 11, 4, 0), "envelope"),
        (envelope(2, EPOCH, "event", -1, 0, 0, 0), "envelope"),
        (envelope(2, EPOCH, "event", 10, -2, 4, 0), "envelope"),
        (envelope(2, EPOCH, "event", 10, None, 4, 0), "envelope"),
        (envelope(2, EPOCH, "event", 10, 11, "4", 0), "envelope"),
        (envelope(2, EPOCH, "event", 1 << 60, (1 << 60) + 1, 4, 0), "envelope"),
        (envelope(2, EPOCH, "event", 10, 11, 11, 0), "positions"),
        (envelope(2, EPOCH, "event", 10, 12, 4, 0), "positions"),
        (envelope(2, EPOCH, "event", 10, 10, 4, 0), "positions"),
        (packed(entries_of(SMALL)[:1]), "positions"),
        (changed(0, BASE_NAME, ...), "base-name"),
        (changed(0, BASE_NAME, "0B0CA6E001000007/"), "base-name"),
        (changed(1, BASE_NAME, "0b0ca6e001a1b2c3:"), "base-name"),
        (changed(1, BASE_NAME, "0b0ca6e001a1b2/"), "base-name"),
        (changed(1, BASE_NAME, "0b0ca6e001a1b2cx/"), "base-name"),
        (changed(1, BASE_NAME, "0b0ca6e001a1b2c\u0663/"), "base-name"),
        (changed(1, BASE_NAME, ...), "opening"),
        (packed([*entries_of(SMALL), 7]), "pack-shape"),
        (changed(1, -5, 100), "label"),  # base value
        (changed(2, 6, -60), "label"),  # time offset
        (changed(2, "must_", 1), "label"),
        (changed(1, "q", ...), "quality"),
        (changed(1, "q", -1), "quality"),
        (changed(1, "q", 2 * limits.UNCERTAINTY_S_MAX + 3), "quality"),
        (changed(1, BASE_TIME, ...), "seconds"),
        (changed(1, "boot", ...), "boot"),
        (changed(1, "boot", "7"), "boot"),
        (changed(1, "boot", 1 << 32), "boot"),
        (changed(1, "seq", -1), "sequence"),
        (changed(1, BASE_TIME, 1 << 32), "seconds"),
        (changed(3, "up", ...), "seconds"),
        (changed(1, NAME, ...), "name"),
        (changed(1, NAME, 6), "name"),
        (changed(1, NAME, "temperature"), "name"),
        (changed(2, NAME, "temp"), "name"),  # twice in one record
        (changed(2, NAME, "q77.\u00b2"), "name"),
        (changed(2, NAME, "q77.64"), "reading-key"),
        (changed(1, VALUE, 2137), "value"),
        (changed(1, VALUE, Decimal("2.137")), "exponent"),
        (changed(2, VALUE, Decimal("0.5")), "exponent"),
        (changed(2, VALUE, "5"), "value"),
        (changed(2, VALUE, 1 << 53), "reading-value"),
        (changed(2, VALUE, ...), "value"),
        (changed(3, NAME, "lampFailed"), "event-name"),
        (changed(3, VALUE_DATA, ...), "value"),
        (changed(3, VALUE_DATA, cbor2.dumps([None])), "value"),
        (changed(3, VALUE_DATA, cbor2.dumps([None, 5])), "value"),
        (changed(3, VALUE_DATA, cbor2.dumps([None, {1: 2}])), "value"),
        (changed(3, VALUE_DATA, cbor2.dumps([None, {1: 2, "a": 3}])), "value"),
        (changed(3, VALUE_DATA, cbor2.dumps([1, []])), "event-active"),
        (changed(3, VALUE_DATA, cbor2.dumps([None, [[]]])), "event-detail"),
        (changed(3, VALUE_BOOLEAN, 1), "event-active"),
    ],
)
def test_a_broken_contract_is_refused_with_its_reason(pack, reason):
    assert fault(pack) == reason


def test_a_stranger_may_add_labels_that_need_no_understanding():
    entries = entries_of(SMALL)
    entries[1]["colour"] = "red"
    assert senml.decode_pack(packed(entries)) == SMALL


def test_floats_never_pass():
    entries = entries_of(SMALL)
    entries[1][VALUE] = 21.37
    assert fault(packed(entries)) == "float"
    assert cbor.decode(cbor2.dumps(Decimal("21.37")), fractions=True) == cbor.DecimalFraction(-2, 2137)
