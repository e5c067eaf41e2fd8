"""Odd records are counted, noted and said within bounds; a record is never the worse for it."""

import pytest

from gateway.core import limits
from gateway.core.inbox.plausibility import HourlyLimit, PlausibilityCheck
from gateway.core.wallclock import WallClock
from tests.support.gateway_world import NODE, OTHER, alarm, level, made_known_nodes, reading
from wire import event, record
from wire.record import HOLDOVER, SYNCED, UNSET, EventBody, Record, Stamp

NOW_S = 1_790_000_000
BEHIND_S = limits.NODE_HOLD_S_MAX + limits.TIME_BEHIND_MARGIN_S


class Bench:
    def __init__(self, *, good=True, uncertainty_s=2):
        self.clock = WallClock(started_ms=0)
        if good:
            self.clock.observe(1000 * NOW_S, uncertainty_s, now_ms=0)
        self.known_nodes = made_known_nodes()
        self.said = []
        self.refuses = False
        self.check = PlausibilityCheck(self.clock, self.known_nodes, self.own)

    def own(self, body, *, now_ms):
        if self.refuses:
            return None
        self.said.append(body)
        return "event", 0

    def take(self, made, *, node=NODE, now_ms=0):
        self.check.observe(node, made, now_ms=now_ms)

    def at(self, seconds, *, quality=SYNCED, uncertainty_s=1, boot=1, sequence=4, **where):
        self.take(Record(boot, sequence, Stamp(quality, seconds, uncertainty_s), {6: 2000}), **where)

    def is_odd(self, node=NODE):
        known = self.known_nodes.nodes().get(node)
        return known is not None and known.is_odd


# --- ranges and codes ---


def test_a_sound_record_leaves_no_trace():
    bench = Bench()
    for made in (reading(1), level(2), alarm(3)):
        bench.take(made)
    assert bench.said == [] and not any(bench.check.counters.values()) and not bench.is_odd()


@pytest.mark.parametrize("body", [{6: 99_999, 4: 1}, EventBody(event.LAMP_FAILURE, True, {6: 99_999, 4: 1})])
def test_a_reading_out_of_range_is_noted_for_its_node(body):
    bench = Bench()
    bench.take(reading(1, body={262: -9999}))
    bench.take(Record(1, 2, Stamp(UNSET, 5, 0), body))
    assert bench.check.counters["out-of-range"] == 2 and bench.is_odd() and not bench.is_odd(OTHER)


@pytest.mark.parametrize("value", [-5000, 12_500])
def test_the_ends_of_a_range_are_within_it(value):
    bench = Bench()
    bench.take(reading(1, body={6: value}))
    assert not bench.is_odd()


def test_codes_that_the_tables_do_not_know_are_counted():
    bench = Bench()
    bench.take(reading(1, body={6: 1, 77: 5}))
    bench.take(Record(1, 2, Stamp(UNSET, 5, 0), EventBody(127, None, None)))
    assert bench.is_odd()
    assert (bench.check.counters["unknown-quantities"], bench.check.counters["unknown-events"]) == (1, 1)


# --- time ---


@pytest.mark.parametrize("quality", [SYNCED, HOLDOVER])
@pytest.mark.parametrize(
    ("ahead_s", "kind"),
    [
        (0, None),
        (3 + limits.TIME_MARGIN_S, None),
        (4 + limits.TIME_MARGIN_S, "time-ahead"),
        (-BEHIND_S - 3, None),
        (-BEHIND_S - 4, "time-behind"),
        (-NOW_S, "time-behind"),
    ],
)
def test_a_time_that_cannot_be_is_noted_and_said(quality, ahead_s, kind):
    bench = Bench()
    bench.at(NOW_S + ahead_s, quality=quality)
    if kind is None:
        assert bench.said == [] and not bench.is_odd()
        return
    detail = [NODE, 1, 4, NOW_S + ahead_s, NOW_S, 3]
    assert bench.said == [EventBody(event.TIME_DOUBTFUL, None, detail)]
    assert bench.is_odd() and bench.check.counters[kind] == 1


def test_what_the_node_admits_is_not_held_against_it():
    bench = Bench()
    bench.at(NOW_S + 3000, uncertainty_s=3000)
    assert bench.said == []


def test_an_uptime_is_no_time_and_without_a_clock_of_ours_nobody_is_judged():
    bench = Bench()
    bench.at(5, quality=UNSET)
    unset = Bench(good=False)
    unset.at(NOW_S + 10**6)
    assert bench.said == [] and unset.said == []


def test_it_is_said_once_for_each_node_boot_and_kind_and_counted_each_time():
    bench = Bench()
    for sequence in range(5):
        bench.at(NOW_S + 9999, sequence=sequence)
        bench.at(1, sequence=sequence)
    bench.at(NOW_S + 9999, boot=2)
    bench.at(NOW_S + 9999, node=OTHER)
    assert len(bench.said) == 4
    assert (bench.check.counters["time-ahead"], bench.check.counters["time-behind"]) == (7, 5)


def test_a_district_in_doubt_says_so_a_bounded_number_of_times_an_hour():
    bench = Bench()
    names = [number.to_bytes(8, "big") for number in range(300)]
    for now_ms in (0, 3_599_000):
        for node in names:
            bench.at(NOW_S + 9999, node=node, now_ms=now_ms)
    assert len(bench.said) == limits.DOUBTS_PER_HOUR_MAX
    assert bench.check.counters["unsaid"] == 2 * (300 - limits.DOUBTS_PER_HOUR_MAX) and len(names) == 300
    for node in names:
        bench.at(NOW_S + 99_999, node=node, now_ms=3_600_000)
    assert len(bench.said) == 2 * limits.DOUBTS_PER_HOUR_MAX
    assert len({body.detail[0] for body in bench.said}) == 2 * limits.DOUBTS_PER_HOUR_MAX, "others get their turn"


def test_what_is_remembered_as_said_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "DOUBTS_REMEMBERED_MAX", 3)
    bench = Bench()
    for boot in (1, 2, 3, 4, 4, 1):
        bench.at(NOW_S + 9999, boot=boot)
    assert [body.detail[1] for body in bench.said] == [1, 2, 3, 4, 1]


def test_what_the_journal_refuses_is_said_with_the_next_record():
    bench = Bench()
    bench.refuses = True
    bench.at(NOW_S + 9999)
    bench.refuses = False
    bench.at(NOW_S + 9999, sequence=5)
    assert [body.detail[2] for body in bench.said] == [5]


def test_what_is_said_fits_the_gate_of_both_links():
    bench = Bench()
    bench.at(NOW_S + 9999)
    made = Record(1, 0, Stamp(SYNCED, NOW_S, 1), bench.said[0])
    assert record.decode_payload(record.encode(made)) == [made]


# --- conflicts ---


def test_a_conflict_names_its_identity_and_conflicts_are_bounded():
    bench = Bench()
    for sequence in range(100):
        bench.check.conflict(NODE, reading(sequence), now_ms=0)
    assert bench.said[0] == EventBody(event.CONFLICT, None, [NODE, 1, 0])
    assert len(bench.said) == limits.CONFLICTS_PER_HOUR_MAX and bench.check.counters["conflicts"] == 100


def test_an_hour_begins_with_its_first():
    hourly = HourlyLimit(1)
    assert hourly.allows(now_ms=10**7)
    hourly.note(now_ms=10**7)
    assert not hourly.allows(now_ms=10**7 + 3_599_999) and hourly.allows(now_ms=10**7 + 3_600_000)
