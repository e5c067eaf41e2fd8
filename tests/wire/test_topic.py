"""Topics: what is built is parsed, and nothing with a wildcard or a foreign shape is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import topic
from wire.faults import WireFault


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
