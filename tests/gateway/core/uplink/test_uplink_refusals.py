"""What the centre or the card refuses: held or isolated, explained, and let go only then."""

import pytest

from gateway.core import limits
from gateway.core.uplink.progress import LostPositions
from tests.support.gateway_world import EPOCH, GATEWAY, UplinkWorld, spans
from wire import event, receipt
from wire.receipt import Receipt

UNREADABLE = b"\x07 of a version to come"


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason_code", [0x80, 0x83, 0x87, 0x97])
def test_a_puback_that_refuses_us_holds_the_lane_and_quarantines_nothing(reason_code):
    world = UplinkWorld()
    world.put(5)
    assert world.ack(world.begin(), reason_code) == []
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    assert [batch.first for when, batch in world.until(limits.UPLINK_HOLD_MS) if when < limits.UPLINK_HOLD_MS] == []
    assert spans(world.out)[-1] == (0, 4) and world.explained == [] and world.oldest() == 0


@pytest.mark.parametrize("reason_code", [0x80, 0x83, 0x87, 0x95, 0x97, 0x99])
def test_a_refused_question_holds_the_lane_too_and_is_asked_again(reason_code):
    world = UplinkWorld()
    world.put(5)
    assert world.ack(world.connect(), reason_code) == []
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    found = world.until(limits.UPLINK_HOLD_MS)
    assert [(when, batch.first, batch.last) for when, batch in found] == [(limits.UPLINK_HOLD_MS, 0, -1)]
    world.ack(world.out[-1:])
    assert spans(world.mark(0)) == [(0, 4)]


@pytest.mark.parametrize("reason", receipt.HOLD_REASONS)
def test_a_centre_that_knows_us_wrongly_holds_the_stream_and_never_bisects(reason):
    world = UplinkWorld()
    world.put(30)
    world.ack(world.begin())
    assert world.reject(0, 9, reason) == []
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    assert spans(world.poll(limits.UPLINK_HOLD_MS)) == [(0, 9), (10, 19)]
    world.reject(0, 9, reason)
    assert world.explained == [] and world.uplink.counters["rejected-held"] == 2
    assert world.uplink.counters["quarantined"] == 0


def centre_without(world, bad):
    """Plays a centre that takes every batch but those with a position in `bad`, until nothing moves."""
    prefix, spans_ahead, waiting, turns = 0, [], list(world.out), 0
    while waiting:
        turns += 1
        assert turns < 500, "it does not converge"
        found, waiting = waiting, []
        waiting += world.ack(found)
        for _, batch in found:
            if bad.intersection(range(batch.first, batch.last + 1)):
                waiting += world.reject(batch.first, batch.last, "poison")
                continue
            prefix = max(prefix, batch.oldest)
            spans_ahead.append((batch.first, batch.last))
            for first, last in sorted(spans_ahead):
                if first <= prefix <= last:
                    prefix = last + 1
            waiting += world.mark(prefix)
        world.flush()
        waiting += [pair for pair in world.poll() if pair[1].lane == event.TELEMETRY]
        waiting = [pair for pair in waiting if pair[1].lane == event.TELEMETRY]
    return turns


def test_a_rejected_batch_is_halved():
    world = UplinkWorld()
    world.put(30)
    world.ack(world.begin())
    assert spans(world.reject(0, 9, "poison")) == [(0, 4), (5, 9)]
    assert world.explained == []


@pytest.mark.parametrize("bad", [{0}, {9}, {13}, {49}, {7, 8, 31}])
def test_bisection_isolates_exactly_the_bad_records(bad):
    world = UplinkWorld()
    world.put(50)
    world.begin()
    centre_without(world, bad)
    assert sorted(found.position for found in world.explained) == sorted(bad)
    assert {found.reason for found in world.explained} == {"poison"}
    assert world.oldest() == 50 and world.uplink.counters["quarantined"] == len(bad)


def test_a_batch_the_broker_finds_malformed_is_bisected_likewise():
    world = UplinkWorld(batch_records_max=2)
    world.put(2)
    world.ack(world.begin(), 0x99)
    assert spans(world.out)[-2:] == [(0, 0), (1, 1)]
    world.ack(world.out[-2:-1], 0x99)
    assert [found.reason for found in world.explained] == ["puback-153"]


def test_a_quarantined_record_is_freed_only_when_its_explanation_is_durable():
    world = UplinkWorld(batch_records_max=1)
    world.put(2)
    world.ack(world.begin())
    assert world.reject(0, 0, "poison") == []
    assert len(world.explained) == 1 and world.oldest() == 0
    world.reject(0, 0, "poison")
    assert len(world.explained) == 1, "one record, one explanation"
    world.flush()
    assert (1, 1) in spans(world.poll())
    assert world.oldest() == 1


def test_a_record_is_freed_with_an_explanation_that_waits_for_company_itself():
    world = UplinkWorld(batch_records_max=4, batch_age_ms=60_000)
    world.put(4)
    world.ack(world.begin())
    world.put(1, event.EVENT)
    world.ack(world.poll())
    world.mark(0, event.EVENT)
    for last in (3, 1, 0):
        world.ack(world.reject(0, last, "poison"))
    assert len(world.explained) == 1 and world.oldest() == 0
    world.flush()
    world.poll()
    assert world.oldest() == 1


def test_an_explanation_the_journal_refuses_is_tried_again_and_nothing_is_let_go():
    world = UplinkWorld(batch_records_max=1, explain=False)
    world.put(1)
    world.ack(world.begin())
    world.reject(0, 0, "poison")
    assert world.oldest() == 0 and world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    world.explain = True
    world.poll(limits.UPLINK_HOLD_MS)
    world.reject(0, 0, "poison")
    world.flush()
    world.poll()
    assert len(world.explained) == 1 and world.oldest() == 1


def test_refusals_of_what_was_never_sent_or_is_gone_do_no_harm():
    world = UplinkWorld()
    world.put(20)
    world.ack(world.begin())
    world.mark(10)
    for first, last, reason in ((0, 9, "poison"), (0, 0, "identity"), (500, 500, "poison"), (0, 10**15, "class")):
        world.reject(first, last, reason)
    world.reject(0, 0, "class", event.ALARM)
    world.poll(10**7)
    assert world.explained == [] and world.oldest() == 10


# --- holes and what nobody can read -------------------------------------------------------------------------


def damaged_world(**options):
    """30 records of which those of one whole file are unreadable for good."""
    world = UplinkWorld(**options)
    world.put(30)
    name = world.disk.list()[0]
    size = world.disk.size(name)
    world.put(60)
    data = world.disk.read(name, 0, size)
    world.disk.put(name, data[:200] + bytes(len(data) - 200))
    return world


def test_a_hole_passes_once_the_record_that_explains_it_is_durable():
    world = damaged_world()
    world.begin()
    centre_without(world, set())
    (lost,) = world.explained
    assert isinstance(lost, LostPositions) and lost.stream == (EPOCH, event.TELEMETRY) and lost.first > 0
    sent = {position for first, last in spans(world.out) for position in range(first, last + 1)}
    assert sent.isdisjoint(range(lost.first, lost.last + 1)), "a hole has no batch"
    assert world.oldest() == 90 and world.uplink.counters["holes"] == 1


def test_a_strangers_word_that_the_warehouse_lacks_nothing_hides_no_hole():
    """A broker asks in the gateway's name with an `oldest` beyond everything, and the warehouse signs that it holds all
    before."""
    world = damaged_world()
    world.begin()
    for _ in range(20):
        world.ack(world.out)
        received = world.honest.batches[EPOCH, event.TELEMETRY]
        world.hear(Receipt(GATEWAY, EPOCH, event.TELEMETRY, 10**9, tuple(received)))
    assert isinstance(world.explained[0], LostPositions) and world.uplink.counters["holes"] == 1


def test_a_hole_behind_a_batch_ahead_leaves_no_deadline_to_spin_on():
    world = damaged_world(batch_age_ms=60_000, batch_records_max=500)
    world.ack(world.begin())
    # `until` polls at each deadline and `poll` refuses one that lies in the past.
    world.until(120_000)
    assert world.explained == [], "what lies before the hole is not held above yet"


def test_a_record_this_version_cannot_read_is_set_aside_and_its_neighbours_go_up():
    world = UplinkWorld()
    world.put(3)
    world.put(1, raw=UNREADABLE)
    world.put(3)
    world.begin()
    centre_without(world, set())
    assert [(found.position, found.payload, found.reason) for found in world.explained] == [(3, UNREADABLE, "entry")]
    assert world.oldest() == 7
