"""The table of events: unique, in the range of its lane, and labels that lead back to their code."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wire import event, event_table


def test_codes_and_names_are_unique():
    assert len(event_table.BY_CODE) == len(event_table.BY_NAME) == len(event_table.TABLE)


@pytest.mark.parametrize("entry", event_table.TABLE, ids=lambda entry: entry.name)
def test_an_entry_is_sane(entry):
    assert 0 < entry.code <= event.CODE_MAX
    assert entry.name.isascii() and entry.name.isalpha() and entry.name[0].islower()
    assert entry.detail is None or len(set(entry.detail)) == len(entry.detail) > 0


def test_the_code_tells_the_lane_known_or_not():
    lanes = [event.lane(code) for code in range(event.CODE_MAX + 1)]
    assert lanes == [event.EVENT] * 64 + [event.ALARM] * 64 + [event.EVENT] * 128


def test_failures_are_alarms_and_housekeeping_is_not():
    for code in (event.LAMP_FAILURE, event.LAMP_UNEXPECTED_ON, event.METER_FAILURE, event.BEARER_FAILURE):
        assert event.lane(code) == event.ALARM
    for code in (event.BOOT, event.ANCHOR, event.GAP, event.RAW, event.HOLE, event.CONFLICT, event.TIME_DOUBTFUL):
        assert event.lane(code) == event.EVENT
    assert event.lane(event.CLOCK_STEPPED) == event.lane(event.BEARER_CHANGED) == event.EVENT


def test_alarms_come_first_among_the_lanes():
    assert event.LANES == ("alarm", "event", "telemetry")


def test_every_code_has_one_label_that_leads_back():
    labels = [event_table.label(code) for code in range(event.CODE_MAX + 1)]
    assert len(set(labels)) == len(labels)
    assert [event_table.code_from_label(label) for label in labels] == list(range(event.CODE_MAX + 1))
    assert event_table.label(event.LAMP_FAILURE) == "lampFailure"
    assert event_table.label(77) == "event77"


@pytest.mark.parametrize(
    "name",
    [
        *("", "event", "event1", "event077", "event256", "event-7", "Event77", "lampfailure", "temp"),
        *("event\u00b2", "event\u0667\u0667", "event" + "7" * 5000),
    ],
)
def test_a_label_of_nobody_is_none(name):
    assert event_table.code_from_label(name) is None


@given(st.text(alphabet="event0123456789\u00b2", max_size=9) | st.text())
@example("event255")
def test_any_text_is_the_label_of_its_code_or_of_none(name):
    code = event_table.code_from_label(name)
    assert code is None or event_table.label(code) == name
