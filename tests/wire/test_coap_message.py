"""The CoAP codec: vectors, round trips, any bytes at all, and agreement with an independent peer."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import coap_message as messages
from wire import limits
from wire.coap_message import ACK, CON, NON, RST, Fault, Message

REQUEST_CODES = (1, 2, 3, 4, 5)
RESPONSE_CODES = (0x41, 0x44, 0x45, 0x80, 0x84, 0xA0, 0xA3)


@st.composite
def good_messages(draw, payload_bytes_max=60):
    code = draw(st.sampled_from(REQUEST_CODES + RESPONSE_CODES))
    kinds = (CON, NON) if code < 32 else (CON, NON, ACK)
    numbers = st.one_of(st.sampled_from((11, 12, 15, 23, 252)), st.integers(0, 0xFFFF))
    lengths = st.one_of(st.integers(0, 14), st.sampled_from((254, 255)))
    count = draw(st.integers(0, 5))
    options = [(draw(numbers), bytes(draw(lengths))) for _ in range(count)]
    return Message(
        draw(st.sampled_from(kinds)),
        code,
        draw(st.integers(0, 0xFFFF)),
        draw(st.binary(max_size=8)),
        tuple(sorted(options, key=lambda option: option[0])),
        draw(st.binary(max_size=payload_bytes_max)),
    )


def test_every_vector_decodes_as_written_and_encodes_back():
    script = Path(__file__).parent.parent / "portable" / "coap_vectors.py"
    assert runpy.run_path(str(script))["failures"] == []


def test_every_reason_for_a_fault_has_a_vector():
    lines = (Path(__file__).parent.parent / "vectors" / "coap.txt").read_text().splitlines()
    shown = {
        line.split("=> fault ")[1].split()[0] for line in lines if "=> fault " in line and line[0] != "#"
    }
    assert shown == set(messages.REASONS)


@given(good_messages())
def test_what_is_encoded_decodes_to_the_same_fields(message):
    datagram = messages.encode(message, limits.COAP_UDP_DATAGRAM_BYTES_MAX * 2)
    assert messages.decode(datagram, limits.COAP_UDP_DATAGRAM_BYTES_MAX * 2) == message


@examples(times=2)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_named_fault(datagram):
    result = messages.decode(datagram)
    if isinstance(result, Fault):
        assert result.reason in messages.REASONS
    else:
        assert len(datagram) <= limits.DATAGRAM_BYTES_MAX and len(result.options) <= limits.COAP_OPTIONS_MAX


@examples(times=2)
@given(good_messages(payload_bytes_max=10), st.data())
def test_a_damaged_good_datagram_never_raises(message, data):
    damaged = bytearray(messages.encode(message, 4096))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    result = messages.decode(bytes(damaged), 4096)
    assert isinstance(result, Message) or result.reason in messages.REASONS


@examples(times=2)
@given(good_messages(payload_bytes_max=10), st.data())
def test_a_cut_datagram_never_gains_content(message, data):
    whole = messages.encode(message, 4096)
    result = messages.decode(whole[: data.draw(st.integers(0, len(whole) - 1))], 4096)
    if isinstance(result, Message):
        assert result.options == message.options[: len(result.options)]
        assert message.payload.startswith(result.payload)


def test_a_message_that_exceeds_the_datagram_is_a_fault_not_a_truncation():
    message = Message(CON, messages.POST, 1, b"", (), bytes(245))
    assert len(messages.encode(message)) == 250
    fault = messages.encode(Message(CON, messages.POST, 1, b"", (), bytes(246)))
    assert fault == Fault("too-long", CON, 1)


def test_options_out_of_order_are_our_own_bug():
    with pytest.raises(AssertionError):
        messages.encode(Message(CON, messages.GET, 1, b"", ((15, b""), (11, b"")), b""))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(ACK, "6000abcd"), (RST, "7000abcd"), (CON, "4000abcd")],
    ids=["ack", "rst", "ping"],
)
def test_an_empty_message_is_four_bytes(kind, expected):
    assert messages.empty(kind, 0xABCD).hex() == expected


def test_an_inserted_option_goes_behind_its_equals():
    options = [(11, b"a"), (12, b"")]
    messages.insert_option(options, 11, b"b")
    messages.insert_option(options, 3, b"host")
    messages.insert_option(options, 252, b"echo")
    assert options == [(3, b"host"), (11, b"a"), (11, b"b"), (12, b""), (252, b"echo")]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, ""), (1, "01"), (255, "ff"), (256, "0100"), (65536, "010000")]
)
def test_an_integer_takes_the_fewest_bytes(value, expected):
    assert messages.uint_bytes(value).hex() == expected


def test_content_format_is_ignored_when_longer_than_two_bytes():
    assert messages.content_format(((12, b""),)) == 0
    assert messages.content_format(((12, b"\x01\x0d"),)) == 269
    assert messages.content_format(((12, b"\x00\x00\x3c"),)) is None
    assert messages.content_format(((11, b"t"),)) is None


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (((11, b"t"), (12, b"<"), (15, b"a")), None),
        (((3, b"host"), (7, b"\x16\x33"), (11, b"t"), (11, b"u")), None),
        (((252, b"echo"), (65534, b"elective")), None),
        (((9, b""),), 9),  # OSCORE, not yet
        (((11, b"t"), (23, b"\x02")), 23),  # Block2, not yet
        (((27, b"\x08"),), 27),  # Block1, not yet
        (((65535, b""),), 65535),
        (((1, b""),), 1),  # If-Match
        (((17, b"\x00\x00\x00"),), 17),  # Accept out of its bounds counts as unknown
        (((3, b""),), 3),
        (((7, b"\x01"), (7, b"\x01")), 7),  # not repeatable
    ],
)
def test_the_first_critical_option_that_is_not_understood_is_found(options, refused):
    assert messages.refused_option(options) == refused


def test_a_layer_above_may_take_care_of_an_option():
    assert messages.refused_option(((9, b"\x09\x01"), (27, b"\x08")), handled=(9, 27)) is None


@pytest.mark.filterwarnings("ignore:Initializing messages with:DeprecationWarning")
@given(good_messages())
def test_aiocoap_reads_what_we_write(message):
    aiocoap = pytest.importorskip("aiocoap")
    theirs = aiocoap.Message.decode(messages.encode(message, 4096))
    assert (int(theirs.mtype), int(theirs.code), theirs.mid) == (
        message.type,
        message.code,
        message.message_id,
    )
    assert (theirs.token, theirs.payload) == (message.token, message.payload)
    options = [(int(option.number), option.encode()) for option in theirs.opt.option_list()]
    assert [number for number, _ in options] == [number for number, _ in message.options]
    exact = (11, 15, 252)  # it holds integer options as integers, so leading zeros are lost there
    assert [o for o in options if o[0] in exact] == [o for o in message.options if o[0] in exact]


@pytest.mark.filterwarnings("ignore:Initializing messages with:DeprecationWarning")
@given(
    st.sampled_from((1, 2, 3, 4)),
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    st.lists(st.text(max_size=20), max_size=4),
    st.lists(st.text(max_size=20), max_size=4),
    st.one_of(st.none(), st.integers(0, 0xFFFF)),
    st.binary(max_size=80),
)
def test_we_read_what_aiocoap_writes(code, mid, token, path, query, content_format, payload):
    aiocoap = pytest.importorskip("aiocoap")
    theirs = aiocoap.Message(code=code, mid=mid, mtype=aiocoap.CON, token=token, payload=payload)
    theirs.opt.uri_path = path
    theirs.opt.uri_query = query
    theirs.opt.content_format = content_format
    ours = messages.decode(theirs.encode(), 4096)
    assert (ours.type, ours.code, ours.message_id) == (CON, code, mid)
    assert (ours.token, ours.payload) == (token, payload)
    assert messages.option_values(ours.options, messages.URI_PATH) == tuple(s.encode() for s in path)
    assert messages.option_values(ours.options, messages.URI_QUERY) == tuple(s.encode() for s in query)
    assert messages.content_format(ours.options) == content_format
    assert messages.encode(ours, 4096) == theirs.encode()
