"""The uplink: questions, batches, window, silence, refusals, holes. Nothing is let go unless held or explained."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import entry, limits
from gateway.core.uplink import Lost
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, UplinkWorld, reading, spans
from wire import event, record, watermark
from wire import limits as wire_limits
from wire.record import Record

UNREADABLE = b"\x07 of a version to come"


# --- questions, then data -----------------------------------------------------------------------------------


def test_a_connection_begins_with_one_question_per_stream_and_data_follow_the_answer():
    world = UplinkWorld()
    world.put(3)
    world.put(1, event.ALARM)
    asked = world.connect()
    assert [(batch.lane, batch.first, batch.last, batch.oldest) for _, batch in asked] == [
        (event.ALARM, 0, -1, 0),
        (event.TELEMETRY, 0, -1, 0),
    ]
    assert world.ack(asked) == []
    assert spans(world.mark(0, event.ALARM)) == [(0, 0)]
    assert spans(world.mark(0)) == [(0, 2)]


def test_without_an_answer_data_follow_after_the_wait():
    world = UplinkWorld()
    world.put(3)
    world.ack(world.connect())
    assert world.uplink.deadline_ms() == limits.UPLINK_QUERY_WAIT_MS
    assert world.poll(limits.UPLINK_QUERY_WAIT_MS - 1) == []
    assert spans(world.poll(limits.UPLINK_QUERY_WAIT_MS)) == [(0, 2)]


def test_what_the_answer_covers_is_freed_and_never_sent():
    world = UplinkWorld()
    world.put(30)
    world.ack(world.connect())
    assert spans(world.mark(20)) == [(20, 29)]
    assert world.oldest() == 20


def test_nothing_is_asked_or_sent_while_disconnected_or_empty():
    world = UplinkWorld()
    assert world.connect() == [] and world.uplink.deadline_ms() is None
    world.uplink.disconnected()
    world.put(5)
    assert world.poll(10**6) == [] and world.uplink.deadline_ms() is None


def test_batches_cover_contiguous_positions_and_state_the_oldest():
    world = UplinkWorld(batch_records_max=10, window_max=20)
    world.put(35)
    batches = [batch for _, batch in world.begin()]
    assert [(batch.first, batch.last) for batch in batches] == [(0, 9), (10, 19), (20, 29), (30, 34)]
    assert {batch.oldest for batch in batches} == {0} and {batch.gateway for batch in batches} == {GATEWAY}
    assert [item.record for batch in batches for item in batch.items] == [reading(number) for number in range(35)]


def test_the_configured_batch_size_holds_from_the_first_batch_on():
    world = UplinkWorld(batch_records_max=1)
    world.put(3)
    assert spans(world.begin()) == [(0, 0), (1, 1)]  # and no more: four places of the six are the alarms'


def test_telemetry_waits_for_company_events_a_second_and_alarms_not_at_all():
    world = UplinkWorld(batch_age_ms=60_000)
    for lane in event.LANES:
        world.put(1, lane)
    asked = world.connect()
    world.ack(asked)
    for _, batch in asked:
        world.mark(0, batch.lane)
    assert [batch.lane for _, batch in world.out if batch.items] == [event.ALARM]
    world.mark(1, event.ALARM)
    assert world.poll(999) == [] and [batch.lane for _, batch in world.poll(1000)] == [event.EVENT]
    world.mark(1, event.EVENT)
    assert world.poll(59_999) == [] and [batch.lane for _, batch in world.poll(60_000)] == [event.TELEMETRY]


def test_the_densest_records_still_make_a_batch_that_the_centre_takes():
    world = UplinkWorld(batch_records_max=wire_limits.BATCH_RECORDS_MAX, window_max=20)
    dense = Record(1, 0, reading(0).stamp, {**dict.fromkeys(range(1, 24), 0), 32: 0})
    for sequence in range(600):
        _append(world, dense._replace(sequence=sequence))
    world.flush()
    sent = spans(world.begin())
    assert sent[0][0] == 0 and sent[-1][1] == 599
    assert max(last - first for first, last in sent) > 200, "the bound is not what limited these batches"


def _append(world, made):
    world.journal.append(event.TELEMETRY, entry.encode(entry.Entry(NODE, record.encode(made))))


# --- window -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("receive_max", [1, 5, 100])
def test_window_and_receive_maximum_hold_over_reconnections(receive_max):
    """Bug class 7: on reconnection clients flood."""
    world = UplinkWorld(receive_max=receive_max, batch_records_max=2)
    for lane in event.LANES:
        world.put(60, lane)
    allowed = min(receive_max, 6)
    random = Random(receive_max)
    for _ in range(30):
        unacked = dict(world.connect())
        assert len(unacked) <= allowed
        for _ in range(random.randrange(12)):
            if not unacked:
                break
            token = random.choice(sorted(unacked))
            batch = unacked.pop(token)
            if random.randrange(3) == 0 and batch.items:
                unacked |= dict(world.mark(batch.last + 1 if batch.first <= world.oldest(batch.lane) else 0, batch.lane))
            unacked |= dict(world.ack([(token, batch)]))
            assert len(unacked) <= allowed and world.uplink.ahead() <= 6
        world.uplink.disconnected()


def test_alarms_pass_a_backlog_that_fills_the_window():
    world = UplinkWorld()
    world.put(200)
    assert len(world.begin()) == 6 - limits.UPLINK_ALARM_WINDOW
    world.put(1, event.ALARM)
    asked = world.poll()
    assert [batch.lane for _, batch in asked] == [event.ALARM]
    world.ack(asked)
    assert [batch.lane for _, batch in world.mark(0, event.ALARM)] == [event.ALARM]


def test_a_puback_alone_frees_nothing():
    """Bug class 3: deleted before confirmed."""
    world = UplinkWorld()
    world.put(5)
    world.ack(world.begin())
    assert world.oldest() == 0 and world.journal.waiting(world.journal.streams()[2]) == 5


def test_pubacks_that_never_come_cost_a_pause_and_not_the_connection():
    world = UplinkWorld(receive_max=1)
    world.put(30)
    world.connect()  # and the question is never acknowledged
    world.mark(0)
    sent = [(when, batch.first) for when, batch in world.until(40_000) if batch.items]
    assert sent[0] == (limits.UPLINK_SILENCE_FIRST_MS, 0)


# --- watermarks ---------------------------------------------------------------------------------------------


def test_a_watermark_frees_and_makes_room():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    assert spans(world.mark(10)) == [(20, 29)]
    assert world.oldest() == 10


def test_late_repeated_and_foreign_watermarks_do_no_harm():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    world.mark(20)
    state = world.oldest(), world.uplink.ahead()
    for _ in range(2):
        assert world.mark(10) == [] and world.mark(20) == [] and world.mark(0) == []
        assert world.mark(1000, epoch=b"somebody") == []
    assert (world.oldest(), world.uplink.ahead()) == state


def test_a_watermark_beyond_everything_frees_what_is_durable_and_no_more():
    world = UplinkWorld()
    world.put(5)
    world.ack(world.begin())
    world.mark(wire_limits.POSITION_MAX)
    assert world.oldest() == 5
    world.put(2)
    assert spans(world.poll()) == [(5, 6)]


# --- silence ------------------------------------------------------------------------------------------------


def test_in_silence_only_the_oldest_goes_again_ever_more_rarely():
    world = UplinkWorld(batch_age_ms=60_000)
    world.put(10)
    world.put(5)
    world.ack(world.begin())
    world.put(5, event.EVENT)
    sent = [(when, batch.lane, batch.first) for when, batch in world.until(4_000_000) if batch.items]
    gaps, expected = [], limits.UPLINK_SILENCE_FIRST_MS
    due = 0
    while due + expected <= 4_000_000:
        due += expected
        gaps.append(due)
        expected = min(2 * expected, limits.UPLINK_SILENCE_LAST_MS)
    # The event joined before the silence began; from then on it is the more urgent lane's oldest that goes.
    assert [when for when, _, _ in sent if when >= limits.UPLINK_SILENCE_FIRST_MS] == gaps
    assert {first for _, _, first in sent} == {0}
    assert gaps[-1] - gaps[-2] == limits.UPLINK_SILENCE_LAST_MS
    assert world.uplink.counters["silences"] == 1 and world.uplink.counters["resent"] == len(gaps)


def test_the_first_watermark_ends_the_silence_and_all_beyond_it_is_sent_afresh():
    world = UplinkWorld(window_max=8)
    world.put(40)
    assert spans(world.begin()) == [(0, 9), (10, 19), (20, 29), (30, 39)]
    world.ack(world.out)
    assert spans(world.poll(limits.UPLINK_SILENCE_FIRST_MS)) == [(0, 9)]
    assert spans(world.mark(10)) == [(10, 19), (20, 29), (30, 39)]
    assert world.uplink.deadline_ms() == world.now_ms + limits.UPLINK_SILENCE_FIRST_MS


def test_no_subscriber_is_counted_and_holds_nothing_up():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin(), 0x10)
    assert world.uplink.counters["puback-no-subscriber"] == 2 and world.uplink.counters["puback-refused"] == 0
    assert spans(world.poll(limits.UPLINK_SILENCE_FIRST_MS)) == [(0, 9)]
    assert world.oldest() == 0


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason_code", [0x80, 0x83, 0x87, 0x97])
def test_a_puback_that_refuses_us_holds_the_lane_and_quarantines_nothing(reason_code):
    world = UplinkWorld()
    world.put(5)
    assert world.ack(world.begin(), reason_code) == []
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    assert [batch.first for when, batch in world.until(limits.UPLINK_HOLD_MS) if when < limits.UPLINK_HOLD_MS] == []
    assert spans(world.out)[-1] == (0, 4) and world.explained == [] and world.oldest() == 0


@pytest.mark.parametrize("reason", watermark.HOLD_REASONS)
def test_a_centre_that_knows_us_wrongly_holds_the_stream_and_never_bisects(reason):
    world = UplinkWorld()
    world.put(30)
    world.ack(world.begin())
    assert world.reject(0, 9, reason) == []
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS
    assert spans(world.poll(limits.UPLINK_HOLD_MS)) == [(0, 9), (10, 19)]
    world.reject(0, 0, reason)
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
    assert isinstance(lost, Lost) and lost.stream == (EPOCH, event.TELEMETRY) and lost.first > 0
    sent = {position for first, last in spans(world.out) for position in range(first, last + 1)}
    assert sent.isdisjoint(range(lost.first, lost.last + 1)), "a hole has no batch"
    assert world.oldest() == 90 and world.uplink.counters["holes"] == 1


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


# --- nothing may spin, nothing may get stuck ------------------------------------------------------------------

REASONS = ("poison", "identity")


@settings(max_examples=400)
@given(st.integers(0, 2**32))
def test_after_any_events_no_deadline_lies_in_the_past_and_the_window_holds(seed):
    random = Random(seed)
    age_ms = random.choice((0, 60_000))
    world = UplinkWorld(batch_age_ms=age_ms, batch_records_max=random.choice((1, 4, 50)), receive_max=3, seed=seed)
    world.explain = random.randrange(4) > 0
    for _ in range(60):
        _any_event(world, random)
        world.poll()  # refuses a deadline that has passed
        assert world.uplink.ahead() <= 6
    for found in world.out:
        batch = found[1]
        assert len(batch.items) == batch.last - batch.first + 1 and batch.oldest <= batch.first


def _any_event(world, random):
    lane = random.choice(event.LANES)
    choice = random.randrange(11)
    token, batch = random.choice(world.out) if world.out else (random.randrange(9), None)
    if choice == 0:
        world.put(random.randrange(1, 9), lane)
    elif choice == 1:
        world.put(1, lane, raw=UNREADABLE)
    elif choice == 2:
        world.connect()
    elif choice == 3:
        world.uplink.disconnected()
    elif choice <= 5:
        world.uplink.acknowledged(token, random.choice((0, 0, 0, 0x10, 0x87, 0x99)), now_ms=world.now_ms)
    elif choice == 6:
        world.mark(random.randrange(40), lane)
    elif choice == 7 and batch:
        world.mark(batch.last + 1, batch.lane)
    elif choice == 8:
        first = random.randrange(20)
        world.reject(first, first + random.choice((0, 0, 1, 10, 10**9)), random.choice(REASONS), lane)
    elif choice == 9:
        world.flush()
    else:
        due = world.uplink.deadline_ms()
        world.now_ms = max(world.now_ms, due) if due and random.randrange(2) else world.now_ms + random.randrange(40_000)
