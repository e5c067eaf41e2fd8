"""Messages of class `a`: round trips, and everything else is a WireFault."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import cbor, event, watermark
from wire.faults import WireFault
from wire.watermark import Rejected, Watermark

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
