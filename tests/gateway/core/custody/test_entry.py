"""What one journal position holds: back digit for digit, and a refusal for anything else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.custody import entry
from tests.support.gateway_world import NODE, alarm, payload, reading
from wire import record
from wire.faults import WireFault


@pytest.mark.parametrize("made", [reading(3), alarm(4)])
def test_a_record_comes_back_with_its_node(made):
    item = entry.decode(entry.encode(entry.Entry(NODE, record.encode(made))))
    assert (item.node, item.record) == (NODE, made)


def test_the_form_is_fixed_because_a_journal_outlives_the_agent():
    assert entry.encode(entry.Entry(NODE, b"record")) == b"\x01" + NODE + b"record"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01" + NODE,
        b"\x02" + NODE + record.encode(reading(1)),
        b"\x01" + NODE + payload(reading(1), reading(2)),
        b"\x01" + NODE + record.encode(reading(1))[:-1],
    ],
)
def test_another_version_two_records_or_a_cut_one_are_refused(data):
    with pytest.raises(WireFault):
        entry.decode(data)


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_the_one_fault(data):
    with suppress(WireFault):
        entry.decode(b"\x01" + data)
