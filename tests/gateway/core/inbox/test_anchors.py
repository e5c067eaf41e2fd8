"""When did each boot begin? The bound, its honest width, one anchor a boot, and a clock that is corrected."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.inbox.anchors import BootAnchors
from gateway.core.wallclock import WallClock
from tests.support.gateway_world import NODE, OTHER, reading
from wire import event
from wire import limits as wire_limits
from wire.record import EventBody, Record, Stamp

NOON_S = 1_790_000_000
HOUR_S = 3600
GRACE_S = limits.TIMEMAP_GRACE_MS // 1000
SILENT_S = limits.TIMEMAP_SILENT_MS // 1000


class Bench:
    """A time map whose world is in seconds; the truth is that monotonic 0 is NOON_S."""

    def __init__(self):
        self.clock = WallClock(started_ms=0)
        self.said = []
        self.refuses = False
        self.now_ms = 0
        self.map = BootAnchors(
            self.clock, self.own, lambda body, now_ms: self.own(body, now_ms=now_ms) is not None, boot=9
        )

    def own(self, body, *, now_ms):
        if self.refuses:
            return None
        self.said.append((body.code, body.detail))
        return "event", len(self.said)

    def hear(self, at_s, uptime_s, *, boot=1, node=NODE, body=None):
        made = Record(boot, 0, Stamp(0, uptime_s, 0), body or {6: 1})
        self.now_ms = 1000 * at_s
        self.map.observe(node, made, now_ms=self.now_ms)

    def hear_anchor(self, at_s, about, boot, *, node=NODE):
        stamp = Stamp(1, NOON_S + at_s, 1)
        body = EventBody(event.ANCHOR, None, [about, boot, 5, NOON_S, 1])
        self.map.observe(node, Record(boot, 1, stamp, body), now_ms=1000 * at_s)

    def good(self, at_s, *, wrong_s=0, uncertainty_s=1):
        self.now_ms = 1000 * at_s
        self.clock.observe(1000 * (NOON_S + at_s + wrong_s), uncertainty_s, now_ms=1000 * at_s)

    def poll(self, at_s):
        """Anchors about nodes that are made now, after a poll at every deadline on the way."""
        before = len(self.said)
        while (due_ms := self.map.deadline_ms()) is not None and due_ms <= 1000 * at_s:
            self.now_ms = max(self.now_ms, due_ms)
            self.map.poll(now_ms=self.now_ms)
            again_ms = self.map.deadline_ms()
            assert again_ms is None or again_ms > self.now_ms, "the agent would spin"
        self.now_ms = 1000 * at_s
        self.map.poll(now_ms=self.now_ms)
        return [detail for code, detail in self.said[before:] if code == event.ANCHOR and detail[0] is not None]

    def codes(self):
        return [code for code, _ in self.said]


def began_s(anchor):
    """Where an anchor puts the beginning of its boot, on the world's scale."""
    return anchor[3] - anchor[2] - NOON_S


# --- the bound ---


def test_of_all_records_of_a_boot_the_one_that_waited_least_gives_the_bound():
    bench = Bench()
    for at_s, uptime_s in ((1000, 5), (1001, 700), (1600, 1495), (2500, 2391)):  # began at 100, waits 895, 201, 5, 9
        bench.hear(at_s, uptime_s)
    bench.good(3000)
    (found,) = bench.poll(3000 + GRACE_S)
    assert found[:2] == [NODE, 1] and began_s(found) == 105


@pytest.mark.parametrize("seed", range(20))
def test_the_truth_lies_within_the_uncertainty_that_is_stated(seed):
    """Whatever the node's waits, as long as one record in reach of another went through unheld."""
    random = Random(seed)
    bench, began = Bench(), random.randrange(0, 5000)
    drift_ppm = random.randrange(-90, 91)
    for number in range(random.randrange(2, 40)):
        made_s = began + 900 * number + 5
        wait_s = random.choice((0, 1, 2, 6, random.randrange(0, 50_000)))
        uptime_s = (made_s - began) * (1_000_000 + drift_ppm) // 1_000_000
        bench.hear(made_s + wait_s, uptime_s)
    bench.good(200_000)
    (found,) = bench.poll(200_000 + GRACE_S)
    assert abs(began_s(found) - began) <= found[4]


def test_records_that_went_through_unheld_prove_a_narrow_bound_and_a_single_one_proves_nothing():
    bench = Bench()
    bench.hear(105, 5)
    bench.hear(1005, 904)
    bench.hear(500, 10, node=OTHER)
    bench.good(1100)
    found = {anchor[0]: anchor for anchor in bench.poll(500 + SILENT_S + 1000)}
    assert limits.TIMEMAP_WAIT_S < found[NODE][4] < limits.TIMEMAP_WAIT_S + 5
    assert limits.NODE_HOLD_S_MAX < found[OTHER][4] < limits.NODE_HOLD_S_MAX + 5


def test_a_backlog_that_drains_proves_nothing():
    bench = Bench()
    for number in range(8):  # a day of quarter hours, sent within seconds after a long cut
        bench.hear(90_000 + number, 5 + 900 * number)
    bench.good(90_100)
    (found,) = bench.poll(90_100 + SILENT_S)
    assert found[4] > limits.NODE_HOLD_S_MAX


@pytest.mark.parametrize("uptime_s", [5, 90])
def test_a_duplicate_or_retransmission_neither_tightens_nor_loosens_nor_proves(uptime_s):
    bench, twice = Bench(), Bench()
    for made in (bench, twice):
        made.hear(105, 5)
    for at_s in (106, 120, 706, 9000):
        twice.hear(at_s, 5)
    twice.hear(110 + 600, uptime_s)
    for made in (bench, twice):
        made.good(10_000)
    (once,), (again,) = bench.poll(20_000), twice.poll(20_000)
    assert once == again


def test_a_bound_that_tightens_by_much_takes_the_proof_back():
    bench = Bench()
    bench.hear(5000, 5)
    bench.hear(5900, 905)  # a wait that is the same by chance
    bench.hear(6000, 5800)
    bench.good(6100)
    (found,) = bench.poll(6000 + SILENT_S)
    assert began_s(found) == 200 and found[4] > limits.NODE_HOLD_S_MAX


# --- when an anchor is made ---


def test_nothing_is_said_while_our_clock_is_not_good_however_long_that_is():
    bench = Bench()
    bench.hear(100, 5)
    bench.hear(1000, 905)
    assert bench.poll(400_000) == [] and bench.said == [] and bench.map.deadline_ms() is None
    bench.good(400_000)
    assert bench.poll(400_000 + GRACE_S - 1) == []
    (found,) = bench.poll(400_000 + GRACE_S)
    assert began_s(found) == 95
    assert found[4] >= limits.TIMEMAP_WAIT_S + 39, "our own crystal ran free for four days"


def test_there_is_one_anchor_a_boot_and_none_for_a_boot_that_the_node_anchored():
    bench = Bench()
    for boot in (1, 2, 3):
        bench.hear(1000 * boot, 5, boot=boot)
        bench.hear(1000 * boot + 900, 905, boot=boot)
    bench.hear_anchor(3950, None, 2)
    bench.hear_anchor(3951, NODE, 3)
    bench.hear(3952, 955, boot=3)  # a record of before, late
    bench.good(4000)
    assert [anchor[:2] for anchor in bench.poll(100_000)] == [[NODE, 1]]
    assert bench.poll(200_000) == [] and bench.map.deadline_ms() is None


def test_an_anchor_about_another_is_not_the_nodes_own():
    bench = Bench()
    bench.hear(1000, 5)
    bench.hear(1900, 905)
    bench.hear_anchor(1901, OTHER, 1)
    bench.good(2000)
    assert len(bench.poll(2000 + GRACE_S)) == 1


def test_a_proof_that_comes_after_an_unproven_anchor_gives_one_better_one_at_the_same_uptime():
    bench = Bench()
    bench.good(0)
    bench.hear(105, 5)
    (loose,) = bench.poll(105 + SILENT_S)
    assert loose[4] > limits.NODE_HOLD_S_MAX
    bench.hear(4000, 3904)
    (tight,) = bench.poll(4000 + 60)
    assert tight[4] < limits.TIMEMAP_WAIT_S + 5 and tight[2] == loose[2] and began_s(tight) == 96
    for at_s in range(5000, 90_000, 900):
        bench.hear(at_s, at_s - 96)
        assert bench.poll(at_s + 60) == []


def test_the_drift_of_the_nodes_crystal_between_record_and_anchor_widens_it():
    bench = Bench()
    bench.good(0)
    bench.hear(105, 5)
    assert len(bench.poll(105 + SILENT_S)) == 1
    bench.hear(864_100, 864_001)  # ten days: 87 s
    (found,) = bench.poll(864_200)
    assert found[2] == 5 and found[4] == 1 + limits.TIMEMAP_WAIT_S + 87 + 1 + 1


def test_a_boot_without_proof_waits_for_one_until_it_has_been_silent_long():
    bench = Bench()
    bench.good(0)
    bench.hear(105, 5)
    bench.hear(1000, 500)
    assert bench.poll(1000 + SILENT_S - 1) == []
    assert len(bench.poll(1000 + SILENT_S)) == 1


def test_an_anchor_that_the_journal_refuses_is_made_later():
    bench = Bench()
    bench.hear(100, 5)
    bench.hear(1000, 905)
    bench.good(1000)
    bench.poll(1000)
    bench.refuses = True
    assert bench.poll(1000 + GRACE_S + 500) == []
    bench.refuses = False
    assert len(bench.poll(1000 + GRACE_S + 600)) == 1


def test_a_whole_district_is_anchored_at_a_pace():
    bench = Bench()
    names = [bytes([1, 2, 3, 4]) + number.to_bytes(4, "big") for number in range(300)]
    for node in names:
        bench.hear(100, 5, node=node)
        bench.hear(1000, 905, node=node)
    bench.good(1000)
    assert len(bench.poll(1000 + GRACE_S)) <= limits.TIMEMAP_PER_TURN_MAX
    assert len(bench.poll(1010 + GRACE_S)) > 200
    assert sorted(detail[0] for _, detail in bench.said if detail[0]) == names


def test_an_absurd_uptime_gives_an_anchor_that_may_be_sent_or_none():
    bench = Bench()
    bench.good(0)
    bench.hear(100, wire_limits.SECONDS_MAX, boot=2)
    bench.hear(100, 5)
    first = bench.poll(100 + SILENT_S)
    assert len(first) == 2
    bench.hear(100 + SILENT_S, wire_limits.SECONDS_MAX)
    assert bench.poll(200 + 2 * SILENT_S) == [] and bench.map.counters["absurd"] == 1
    for anchor in first:
        assert 0 <= anchor[3] <= wire_limits.SECONDS_MAX and 0 <= anchor[4] <= wire_limits.SECONDS_MAX


# --- our own boot ---


def test_our_own_records_of_before_are_anchored_once_as_soon_as_our_clock_is_good():
    bench = Bench()
    bench.poll(500)
    assert bench.said == []
    bench.good(700, uncertainty_s=3)
    bench.poll(700)
    bench.good(800)
    bench.poll(9000)
    assert bench.said == [(event.ANCHOR, [None, 9, 700, NOON_S + 700, 4])]


def test_our_own_anchor_that_the_journal_refuses_is_made_later():
    bench = Bench()
    bench.refuses = True
    bench.good(700)
    bench.poll(700)
    bench.refuses = False
    bench.poll(701 + limits.TIMEMAP_CHECK_MS // 1000)
    assert bench.codes() == [event.ANCHOR]


# --- a clock that is corrected ---


def corrected(bench, wrong_s):
    """Both anchors of one boot and ours, made through a clock that was wrong until 5000."""
    bench.hear(100, 5)
    bench.hear(1000, 905)
    bench.good(1000, wrong_s=wrong_s)
    before = bench.poll(1000 + GRACE_S)
    bench.good(5000)
    return before, bench.poll(5000)


@pytest.mark.parametrize("wrong_s", [-3600, 90, 86_400])
def test_a_correction_is_said_and_what_was_said_wrongly_is_said_again_at_the_same_uptime(wrong_s):
    bench = Bench()
    (before,), (after,) = corrected(bench, wrong_s)
    assert began_s(before) == 95 + wrong_s and began_s(after) == 95
    assert after[:3] == before[:3]
    assert bench.codes().count(event.CLOCK_STEPPED) == 1
    ours = [detail for code, detail in bench.said if code == event.ANCHOR and detail[0] is None]
    assert [(detail[2], detail[3] - NOON_S) for detail in ours] == [(1000, 1000 + wrong_s), (1000, 1000)]


def test_a_correction_within_what_was_admitted_contradicts_nothing():
    bench = Bench()
    before, after = corrected(bench, 20)
    assert len(before) == 1 and after == []
    assert bench.codes().count(event.CLOCK_STEPPED) == 1


def test_a_clock_that_hunts_makes_a_bounded_number_of_records():
    bench = Bench()
    bench.hear(100, 5)
    bench.hear(1000, 905)
    for number in range(200):
        at_s = 1000 + GRACE_S + 10 * number
        bench.good(at_s, wrong_s=1000 * (number % 2))
        bench.poll(at_s)
    anchors = [detail for code, detail in bench.said if code == event.ANCHOR]
    assert len([detail for detail in anchors if detail[0] == NODE]) <= limits.TIMEMAP_STATEMENTS_MAX
    assert len(anchors) <= 2 * limits.TIMEMAP_STATEMENTS_MAX
    assert bench.codes().count(event.CLOCK_STEPPED) <= limits.CLOCK_STEPS_PER_HOUR_MAX
    assert bench.map.counters["unstated"] > 0


# --- bounds ---


def test_boots_and_nodes_are_bounded_and_what_is_forgotten_unsaid_is_counted(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_NODES_MAX", 3)
    bench = Bench()
    for boot in range(50):
        bench.hear(100 + boot, 5, boot=boot)
    assert bench.map.remembered() == limits.TIMEMAP_BOOTS_PER_NODE_MAX
    for number in range(5):
        bench.hear(200, 5, node=bytes([number]) * 8)
    assert bench.map.remembered() == 3
    assert bench.map.counters["forgotten"] == 52
    bench.good(300)
    assert sorted(anchor[0][0] for anchor in bench.poll(200 + SILENT_S)) == [2, 3, 4]


def test_a_node_with_a_clock_costs_nothing():
    bench = Bench()
    bench.map.observe(NODE, reading(1), now_ms=5)
    assert bench.map.remembered() == 0
