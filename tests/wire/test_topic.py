"""Topics and short lines of text: round trips, and everything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import topic
from wire.faults import WireFault
from wire.line import is_line


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


@examples(times=2)
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
