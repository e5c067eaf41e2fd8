"""Topics, short lines of text and watermarks: round trips, and everything else is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import cbor, event, topic, watermark
from wire.faults import WireFault
from wire.line import is_line
from wire.watermark import Rejected, Watermark


@pytest.mark.parametrize("insee", ["49007", "2A004", "2B033", "97105"])
def test_what_is_built_is_parsed(insee):
    for kind in topic.KINDS:
        assert topic.parse(topic.build(kind, insee, "cab-12")) == (kind, insee, "cab-12")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tc/1/t/49007",
        "tc/1/t/49007/cab/x",
        "tc/2/t/49007/cab",
        "tc/1/z/49007/cab",
        "tc/1/t/+/cab",
        "tc/1/t/49007/#",
        "tc/1/t/49007/Cab",
        "tc/1/t/49007/-cab",
        "tc/1/t/4900/cab",
        "tc/1/t/2C004/cab",
        "tc/1/t/²²²²²/cab",
        "tc/1/t/49007/" + "a" * 33,
    ],
)
def test_what_is_not_ours_is_refused(text):
    with pytest.raises(WireFault):
        topic.parse(text)


@given(st.text())
def test_any_text_is_a_topic_or_a_wire_fault(text):
    try:
        parts = topic.parse(text)
    except WireFault:
        return
    assert topic.build(*parts) == text


@pytest.mark.parametrize("text", ["a", "Délibération 2026-41", "x" * 24, "é" * 12, "水の", "a  b"])
def test_a_line_is_taken(text):
    assert is_line(text, 24)


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "x" * 25, "é" * 13, "a\nb", "a\tb", "a\x00", "a\x7f", "a\x85b", "a\u2028b", "a\u202eb", "\ud800",
     b"a", None, 1, True, ["a"]],
)  # fmt: skip
def test_anything_else_is_not(value):
    assert not is_line(value, 24)


EPOCH = bytes(range(8))
POSITIONS = st.integers(0, (1 << 53) - 1)


@given(st.binary(min_size=8, max_size=8), st.sampled_from(event.LANES), POSITIONS)
def test_a_watermark_comes_back(epoch, lane, position):
    message = Watermark(epoch, lane, position)
    assert watermark.decode(watermark.encode(message)) == message


@given(st.sampled_from(event.LANES), POSITIONS, POSITIONS)
def test_a_rejection_comes_back(lane, one, other):
    message = Rejected(EPOCH, lane, min(one, other), max(one, other), "quality")
    assert watermark.decode(watermark.encode(message)) == message


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [1, EPOCH, "alarm"],
        [3, EPOCH, "alarm", 1],
        [1, EPOCH[:7], "alarm", 1],
        [1, "epoch", "alarm", 1],
        [1, EPOCH, "urgent", 1],
        [1, EPOCH, "alarm", -1],
        [1, EPOCH, "alarm", None],
        [1, EPOCH, "alarm", True],
        [2, EPOCH, "alarm", 5, 4, "why"],
        [2, EPOCH, "alarm", 4, 5],
        [2, EPOCH, "alarm", 4, 5, 6],
    ],
)
def test_what_breaks_the_form_is_refused(fields):
    with pytest.raises(WireFault):
        watermark.decode(cbor.encode(fields))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_wire_fault(data):
    with contextlib.suppress(WireFault):
        assert isinstance(watermark.decode(data), (Watermark, Rejected))
