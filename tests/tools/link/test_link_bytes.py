"""What the decoder makes of datagrams: no exception for any bytes, and no memory without a bound."""

import io

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from tools.link import decode as link_decode
from tools.link.opener import REQUESTS_MAX, Opener
from tools.link.sources import Datagram, Sources
from wire import coap_message as messages

V4 = (("10.0.0.7", 40_001), ("10.0.0.1", 5683))
NS = 1_795_561_200_123_456_789


def test_a_time_that_is_no_date_is_seconds():
    assert link_decode.time_text(NS) == "2026-11-24T23:00:00.123456Z"
    assert link_decode.time_text((1 << 70) * 1_000_000_000) == f"{1 << 70} s"
    assert link_decode.time_text(-(1 << 90)).endswith(" s")


def test_requests_without_an_answer_are_forgotten_in_time():
    opener = Opener()
    for number in range(REQUESTS_MAX + 10):
        request = messages.Message(0, 1, number, number.to_bytes(4, "big"), (), b"")
        opener.show(Datagram(None, *V4, messages.encode(request)))
    assert len(opener._asked) == REQUESTS_MAX


# --- any bytes --------------------------------------------------------------------------------------------


@examples(times=30)
@given(st.binary(max_size=120))
def test_random_datagrams(data):
    opener = Opener()
    assert link_decode.line(opener.show(Datagram(None, None, None, data))).isprintable()
    message = messages.Message(0, 2, 1, b"t", ((messages.URI_PATH, data[:20]), (999, data)), data)
    encoded = messages.encode(message, 2000)
    assert link_decode.line(opener.show(Datagram(None, None, None, encoded))).isprintable()


@examples(times=10)
@given(st.binary(max_size=120))
def test_random_records(data):
    for path in (b"t", b"b"):
        encoded = messages.encode(messages.Message(0, 2, 1, b"t", ((messages.URI_PATH, path),), data), 2000)
        assert link_decode.line(Opener().show(Datagram(None, None, None, encoded))).isprintable()
    shown = next(link_decode.shown_of(iter([Datagram(None, None, None, data)]), Opener(), is_payload=True))
    assert link_decode.line(shown).isprintable()


def lines(data, *, serial=False):
    """Every line that these bytes of a text make; nothing may raise, and lines stay lines."""
    sources = Sources(port=5683, serial=serial)
    for shown in link_decode.shown_of(sources._text("x", b"", io.BytesIO(data)), Opener()):
        assert link_decode.line(shown).isprintable()


@examples(times=30)
@given(st.binary(max_size=300))
def test_random_bytes_as_a_text(data):
    lines(data)


@examples(times=10)
@given(st.text(alphabet="0123456789abcdefxX#: \t\r\nzé\0", max_size=200), st.booleans())
def test_random_lines(text, serial):
    lines(text.encode(), serial=serial)
