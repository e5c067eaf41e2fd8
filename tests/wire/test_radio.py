"""What gateway and concentrator say: every body comes back, and any other bytes are a fault with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import radio, slip
from wire.faults import WireFault

MACS = st.binary(min_size=6, max_size=6).map(lambda mac: bytes([mac[0] & 0xFE]) + mac[1:])
DATAGRAMS = st.binary(min_size=1, max_size=250)
NUMBERS = st.integers(0, 0xFFFF)
SESSIONS = st.integers(0, radio.SESSION_MAX)
CHANNELS = st.integers(radio.CHANNEL_MIN, radio.CHANNEL_MAX)
RSSIS = st.integers(-128, 127)
COUNTS = st.integers(0, 0xFFFF)


@given(MACS, RSSIS, DATAGRAMS, NUMBERS)
def test_datagrams_come_back(mac, rssi, datagram, number):
    assert radio.decode(radio.up(mac, rssi, datagram)) == (mac, rssi, datagram)
    assert radio.decode(radio.down(number, mac, datagram)) == (number, mac, datagram)
    assert len(radio.down(number, mac, datagram)) <= radio.BODY_BYTES_MAX


@given(SESSIONS, SESSIONS, CHANNELS, st.sampled_from(radio.CAUSES), NUMBERS)
def test_greetings_come_back(session, heard, channel, cause, number):
    assert radio.decode(radio.hello(session, heard, channel, cause, "0.1.0")) == (
        radio.VERSION,
        session,
        heard,
        channel,
        cause,
        "0.1.0",
    )
    assert radio.decode(radio.ask(session, number)) == (radio.VERSION, session, number)
    assert radio.decode(radio.channel(channel)) == (channel,)
    assert radio.decode(radio.credit(number, 7)) == (number, 7)


@given(
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=radio.HEALTH_VALUES_MAX),
    st.lists(st.tuples(MACS, RSSIS, COUNTS, COUNTS, COUNTS), max_size=radio.PEERS_MAX),
)
def test_health_and_peers_come_back_within_a_body(values, peers):
    assert radio.decode(radio.health(values)).values == values
    assert radio.decode(radio.peers(peers)).peers == peers
    assert max(len(radio.health(values)), len(radio.peers(peers))) <= radio.BODY_BYTES_MAX


@examples(times=2)
@given(st.one_of(st.binary(max_size=280), st.tuples(st.sampled_from(sorted(radio._READERS)), st.binary(max_size=280))))
def test_any_body_is_read_or_a_fault(body):
    if isinstance(body, tuple):
        body = bytes([body[0]]) + body[1]
    try:
        radio.decode(body)
    except WireFault as fault:
        assert fault.reason in ("short", "long", "kind", "mac", "channel")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "short"),
        (b"\x7f", "kind"),
        (radio.up(bytes(6), 0, b"x")[:-1], "short"),
        (radio.up(b"\xff" * 6, 0, b"x"), "mac"),
        (radio.down(0, b"\x01" * 6, b"x"), "mac"),
        (radio.up(bytes(6), 0, bytes(251)), "long"),
        (radio.credit(1, 2) + b"\x00", "long"),
        (radio.ask(1, 2)[:-1], "short"),
        (bytes((radio.CHANNEL, 14)), "channel"),
        (bytes((radio.HEALTH, 1)), "short"),
        (bytes((radio.PEERS, 1)), "short"),
    ],
)
def test_what_is_refused_has_a_reason(body, reason):
    with pytest.raises(WireFault) as caught:
        radio.decode(body)
    assert caught.value.reason == reason


def test_another_version_is_told_and_nothing_else_is_believed():
    assert radio.decode(bytes((radio.HELLO, 9)) + b"what it means is not known")[0] == 9
    assert radio.decode(bytes((radio.ASK, 9, 1)))[0] == 9


def test_a_firmware_name_is_safe_to_show():
    assert radio.decode(radio.hello(1, 2, 3, "soft", "a\x1b[2J\nb")).firmware == "a?[2J?b"


def test_numbers_wrap():
    assert radio.decode(radio.credit(0x1_0005, 3)).number == 5
    assert radio.decode(radio.health([1 << 32 | 7])).values == [7]


def test_the_longest_body_is_what_the_line_takes():
    body = radio.down(1, bytes(6), bytes(250))
    assert len(body) == radio.BODY_BYTES_MAX
    assert slip.Decoder(radio.BODY_BYTES_MAX).feed(slip.encode(body)) == [body]
