"""wire.cbor against RFC 8949 Appendix A, against cbor2 as an independent peer, and against arbitrary bytes."""

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import cbor, limits
from wire.faults import WireFault

# RFC 8949 Appendix A, in its order: encoded bytes and the value. What we take.
APPENDIX_A_TAKEN = (
    ("00", 0),
    ("01", 1),
    ("0a", 10),
    ("17", 23),
    ("1818", 24),
    ("1819", 25),
    ("1864", 100),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("3bffffffffffffffff", -18446744073709551616),
    ("20", -1),
    ("29", -10),
    ("3863", -100),
    ("3903e7", -1000),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("40", b""),
    ("4401020304", bytes((1, 2, 3, 4))),
    ("60", ""),
    ("6161", "a"),
    ("6449455446", "IETF"),
    ("62225c", '"\\'),
    ("62c3bc", "\u00fc"),
    ("63e6b0b4", "\u6c34"),
    ("64f0908591", "\U00010151"),
    ("80", []),
    ("83010203", [1, 2, 3]),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(range(1, 26))),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("826161a161626163", ["a", {"b": "c"}]),
    ("a56161614161626142616361436164614461656145", {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}),
)

# The rest of Appendix A: encoded bytes and why we refuse.
APPENDIX_A_REFUSED = (
    ("c249010000000000000000", "tag"),  # 18446744073709551616
    ("c349010000000000000000", "tag"),  # -18446744073709551617
    ("f90000", "float"),
    ("f98000", "float"),
    ("f93c00", "float"),
    ("fb3ff199999999999a", "float"),
    ("f93e00", "float"),
    ("f97bff", "float"),
    ("fa47c35000", "float"),
    ("fa7f7fffff", "float"),
    ("fb7e37e43c8800759c", "float"),
    ("f90001", "float"),
    ("f90400", "float"),
    ("f9c400", "float"),
    ("fbc010666666666666", "float"),
    ("f97c00", "float"),
    ("f97e00", "float"),
    ("f9fc00", "float"),
    ("fa7f800000", "float"),
    ("fa7fc00000", "float"),
    ("faff800000", "float"),
    ("fb7ff0000000000000", "float"),
    ("fb7ff8000000000000", "float"),
    ("fbfff0000000000000", "float"),
    ("f7", "simple"),  # undefined
    ("f0", "simple"),
    ("f8ff", "simple"),
    ("c074323031332d30332d32315432303a30343a30305a", "tag"),
    ("c11a514b67b0", "tag"),
    ("c1fb41d452d9e8200000", "tag"),
    ("d74401020304", "tag"),
    ("d818456449455446", "tag"),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", "tag"),
    ("5f42010243030405ff", "indefinite"),
    ("7f657374726561646d696e67ff", "indefinite"),
    ("9fff", "indefinite"),
    ("9f018202039f0405ffff", "indefinite"),
    ("9f01820203820405ff", "indefinite"),
    ("83018202039f0405ff", "indefinite"),
    ("83019f0203ff820405", "indefinite"),
    ("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", "indefinite"),
    ("bf61610161629f0203ffff", "indefinite"),
    ("826161bf61626163ff", "indefinite"),
    ("bf6346756ef563416d7421ff", "indefinite"),
)

# Not well-formed, not the shortest, or beyond a bound: bytes and reason.
DAMAGED = (
    ("", "truncated"),
    ("18", "truncated"),
    ("1901", "truncated"),
    ("1b00000000000000", "truncated"),
    ("4201", "truncated"),
    ("5bffffffffffffffff00", "truncated"),
    ("6261", "truncated"),
    ("8201", "truncated"),
    ("9affffffff00", "truncated"),
    ("bbffffffffffffffff00", "truncated"),
    ("a101", "truncated"),
    ("1817", "not-shortest"),
    ("1900ff", "not-shortest"),
    ("1a0000ffff", "not-shortest"),
    ("1b00000000ffffffff", "not-shortest"),
    ("3817", "not-shortest"),
    ("580161", "not-shortest"),
    ("980101", "not-shortest"),
    ("1c", "reserved"),
    ("5d", "reserved"),
    ("de00", "reserved"),
    ("1f", "indefinite"),
    ("ff", "break"),
    ("fc", "simple"),
    ("f814", "simple"),
    ("61ff", "utf-8"),
    ("62c080", "utf-8"),  # overlong
    ("63e08080", "utf-8"),
    ("64f0808080", "utf-8"),
    ("63eda080", "utf-8"),  # surrogate
    ("64f4908080", "utf-8"),  # above U+10FFFF
    ("61c3", "utf-8"),  # cut in a character
    ("a201020103", "duplicate-key"),
    ("a203040102", "key-order"),
    ("a220010001", "key-order"),  # -1 sorts after 0
    ("a262616101616201", "key-order"),  # a longer text sorts after a shorter one
    ("a1f501", "key-type"),
    ("a14101f6", "key-type"),
    ("a18001", "depth"),  # an array as a key
    ("0000", "trailing"),
    ("81818181818181f6", "depth"),
    ("9841" + "00" * 65, "items"),
    ("b841" + "00" * 130, "items"),
    ("c48201186400", "tag"),  # decimal fractions are only taken on request
)

FRACTIONS_REFUSED = ("c400", "c4810a", "c483010203", "c482f500", "c482006161", "c5820001")

integers = st.integers(-(1 << 64), (1 << 64) - 1)
fractions = st.builds(cbor.DecimalFraction, st.integers(-20, 20), integers)
scalars = integers | st.binary(max_size=40) | st.text(max_size=20) | st.booleans() | st.none()
keys = integers | st.text(max_size=8)


def ordered(entries):
    """A dict in the order of the encoded keys, by cbor2's encoding and not ours."""
    return dict(sorted(entries.items(), key=lambda entry: cbor2.dumps(entry[0])))


def nested(leaves):
    """Values of at most four levels, small enough for the default bounds."""
    level = leaves
    for _ in range(4):
        level = leaves | st.lists(level, max_size=4) | st.dictionaries(keys, level, max_size=4).map(ordered)
    return level


def fault(data, **options):
    with pytest.raises(WireFault) as caught:
        cbor.decode(data, **options)
    return caught.value.reason


def as_peer(value):
    """What cbor2 gives for the same bytes: Decimal for a decimal fraction."""
    if isinstance(value, cbor.DecimalFraction):
        return cbor2.loads(cbor2.dumps(cbor2.CBORTag(4, [value.exponent, value.mantissa])))
    if isinstance(value, list):
        return [as_peer(element) for element in value]
    if isinstance(value, dict):
        return {key: as_peer(element) for key, element in value.items()}
    return value


def for_peer(value):
    """The same value in the types that cbor2 encodes."""
    if isinstance(value, cbor.DecimalFraction):
        return cbor2.CBORTag(4, [value.exponent, value.mantissa])
    if isinstance(value, list):
        return [for_peer(element) for element in value]
    if isinstance(value, dict):
        return {key: for_peer(element) for key, element in value.items()}
    return value


def same(left, right):
    """Equality that tells True from 1."""
    return left == right and repr(left) == repr(right)


@pytest.mark.parametrize(("encoded", "value"), APPENDIX_A_TAKEN)
def test_an_example_of_the_rfc_decodes_and_encodes_again(encoded, value):
    assert same(cbor.decode(bytes.fromhex(encoded)), value)
    assert cbor.encode(value).hex() == encoded


@pytest.mark.parametrize(("encoded", "reason"), APPENDIX_A_REFUSED)
def test_an_example_of_the_rfc_outside_the_subset_is_refused(encoded, reason):
    cbor2.loads(bytes.fromhex(encoded))  # the peer takes it: the refusal is ours, not a slip of the table
    assert fault(bytes.fromhex(encoded)) == reason


def test_a_key_of_indefinite_length_is_refused():
    assert fault(bytes.fromhex("a17f6161ff01")) == "indefinite"


@pytest.mark.parametrize(("encoded", "reason"), DAMAGED)
def test_damage_is_refused_with_its_reason(encoded, reason):
    assert fault(bytes.fromhex(encoded)) == reason


@pytest.mark.parametrize("encoded", FRACTIONS_REFUSED)
def test_what_is_no_decimal_fraction_is_refused_even_on_request(encoded):
    assert fault(bytes.fromhex(encoded), fractions=True) == "tag"


def test_the_decimal_fraction_example_of_the_rfc():
    encoded = bytes.fromhex("c48221196ab3")  # RFC 8949 section 3.4.4: 273.15
    assert cbor.decode(encoded, fractions=True) == cbor.DecimalFraction(-2, 27315)
    assert cbor.encode(cbor.DecimalFraction(-2, 27315)) == encoded


def test_fractions_compare_and_hash_by_their_digits():
    assert cbor.DecimalFraction(-1, 5) == cbor.DecimalFraction(-1, 5)
    assert cbor.DecimalFraction(-1, 5) != cbor.DecimalFraction(-2, 50)
    assert len({cbor.DecimalFraction(-1, 5), cbor.DecimalFraction(-1, 5)}) == 1
    assert repr(cbor.DecimalFraction(-1, 5)) == "DecimalFraction(-1, 5)"


@examples(times=3)
@given(nested(scalars))
def test_the_peer_reads_what_we_write(value):
    encoded = cbor.encode(value, 1 << 16)
    assert same(cbor2.loads(encoded), value)
    assert encoded == cbor2.dumps(value)


@examples(times=3)
@given(nested(scalars))
def test_we_read_what_the_peer_writes(value):
    assert same(cbor.decode(cbor2.dumps(value), bytes_max=1 << 16), value)


@given(nested(scalars | fractions))
def test_decimal_fractions_pass_both_ways(value):
    encoded = cbor2.dumps(for_peer(value))
    assert cbor.encode(value, 1 << 16) == encoded
    # The tag and its array are two levels more, hence the count of `nested` below CBOR_DEPTH_MAX.
    assert cbor.decode(encoded, fractions=True, bytes_max=1 << 16) == value
    assert cbor2.loads(encoded) == as_peer(value)


@given(st.dictionaries(keys, integers, max_size=8), st.randoms(use_true_random=False))
def test_a_map_has_one_encoding_whatever_its_order(entries, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    assert cbor.encode(dict(shuffled)) == cbor2.dumps(ordered(entries))


@examples(times=30)
@given(st.binary(max_size=64), st.booleans())
@example(b"\x9f" * 64, False)
@example(b"\x81" * 64, False)
@example(b"\xc4\x82" * 32, True)
@example(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x00", True)
def test_any_bytes_give_a_value_with_these_very_bytes_or_a_fault(data, with_fractions):
    try:
        value = cbor.decode(data, fractions=with_fractions)
    except WireFault as refused:
        assert refused.reason
        return
    assert cbor.encode(value) == data


@examples(times=10)
@given(nested(scalars | fractions), st.data())
def test_a_changed_byte_gives_another_value_or_a_fault(value, data):
    encoded = bytearray(cbor.encode(value, 1 << 16))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        other = cbor.decode(encoded, fractions=True, bytes_max=1 << 16)
    except WireFault:
        return
    assert cbor.encode(other, 1 << 16) == bytes(encoded)
    assert not same(other, value)


@examples(times=2)
@given(nested(scalars), st.data())
def test_a_cut_value_is_truncated(value, data):
    encoded = cbor.encode(value, 1 << 16)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    assert fault(encoded[:cut], bytes_max=1 << 16) in ("truncated", "utf-8")


@pytest.mark.parametrize("opening", [b"\x81", b"\xa1\x00", b"\x82\x00", b"\xc4\x82\x00"])
def test_nesting_ends_at_the_bound(opening):
    assert fault(opening * 300, fractions=True) in ("depth", "tag")
    # Far beyond any stack, when the caller allows the bytes.
    assert fault(opening * 100_000, fractions=True, bytes_max=1 << 20) in ("depth", "tag")


def test_as_deep_as_the_bound_and_no_deeper():
    deepest = b"\x81" * limits.CBOR_DEPTH_MAX + b"\x00"
    assert cbor.encode(cbor.decode(deepest)) == deepest
    assert fault(b"\x81" + deepest) == "depth"


def test_as_many_items_as_the_bound_and_no_more():
    most = list(range(limits.CBOR_ITEMS_MAX))
    assert cbor.decode(cbor.encode(most)) == most
    assert fault(cbor.encode([*most, 0])) == "items"
    assert cbor.decode(cbor.encode([*most, 0]), items_max=65) == [*most, 0]


def test_as_many_bytes_as_the_bound_and_no_more():
    most = bytes(limits.CBOR_BYTES_MAX - 3)
    assert cbor.decode(cbor.encode(most)) == most
    assert fault(b"\x59\x03\xfe" + bytes(1022)) == "too-long"


@pytest.mark.parametrize("room", range(9))
def test_an_item_without_room_is_refused_and_leaves_the_buffer_length(room):
    writer = cbor.Writer(bytearray(room))
    with pytest.raises(WireFault, match="too-long"):
        writer.integer(1 << 63)
    assert writer.length == 0


@pytest.mark.parametrize("value", ["abc", b"abc", [1, 2, 3], {1: 2}])
def test_a_value_without_room_is_refused(value):
    encoded = cbor.encode(value)
    assert cbor.encode(value, len(encoded)) == encoded
    for room in range(len(encoded)):
        with pytest.raises(WireFault, match="too-long"):
            cbor.encode(value, room)


@pytest.mark.parametrize("value", [1 << 64, -(1 << 64) - 1, [1 << 200]])
def test_integers_beyond_64_bits_are_not_written(value):
    with pytest.raises(WireFault, match="integer-range"):
        cbor.encode(value)


@pytest.mark.parametrize("value", [1.0, float("nan"), {1, 2}, object(), {1.5: 0}, {None: 0}, {b"a": 0}, {True: 0}])
def test_other_types_are_not_written(value):
    with pytest.raises(WireFault, match="type"):
        cbor.encode(value)


def test_tuples_and_views_are_written_as_arrays_and_bytes():
    assert cbor.encode((1, 2)) == cbor.encode([1, 2])
    assert cbor.encode(memoryview(b"ab")) == cbor.encode(bytearray(b"ab")) == cbor.encode(b"ab")


def test_a_view_is_decoded_like_bytes():
    encoded = cbor.encode({1: [b"a", "b", None], "k": -7})
    assert cbor.decode(memoryview(encoded)) == cbor.decode(bytearray(encoded)) == cbor.decode(encoded)


def test_a_reader_takes_a_sequence_item_by_item():
    reader = cbor.Reader(b"\x01\x82\x02\x03\xf6")
    values = []
    while not reader.at_end():
        values.append(reader.value())
    assert values == [1, [2, 3], None]


def test_a_kept_buffer_is_written_again_and_again():
    writer = cbor.Writer(bytearray(16))
    for value in (1 << 40, "text", [1, 2]):
        writer.length = 0
        writer.value(value)
        assert bytes(writer.view()) == cbor2.dumps(value)


def test_booleans_are_no_integers():
    assert cbor.is_integer(0) and cbor.is_integer(-(1 << 70))
    assert not any(cbor.is_integer(value) for value in (True, False, None, "1", b"1", 1.0))
