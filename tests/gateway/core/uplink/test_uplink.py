"""The uplink: questions, batches, window, receipts, silence. Refusals and holes: test_uplink_refusals.py."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import limits
from gateway.core.custody import entry
from tests.support.examples import examples
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, UplinkWorld, reading, spans
from wire import event, record
from wire import limits as wire_limits
from wire.receipt import Batch, Receipt, Rejected
from wire.record import Record

UNREADABLE = b"\x07 of a version to come"


# --- questions, then data -----------------------------------------------------------------------------------


def test_a_connection_begins_with_one_question_per_stream_and_data_follow_the_answer():
    world = UplinkWorld()
    world.put(3)
    world.put(1, event.EVENT)
    asked = world.connect()
    assert [(batch.lane, batch.first, batch.last, batch.oldest) for _, batch in asked] == [
        (event.EVENT, 0, -1, 0),
        (event.TELEMETRY, 0, -1, 0),
    ]
    assert world.ack(asked) == []
    assert spans(world.mark(0, event.EVENT)) == [(0, 0)]
    assert spans(world.mark(0)) == [(0, 2)]


def test_each_message_says_how_many_positions_wait_behind_it():
    world = UplinkWorld(batch_records_max=10)
    world.put(25)
    asked = world.connect()
    assert [batch.waiting for _, batch in asked] == [25]
    world.ack(asked)
    sent = world.mark(0)
    assert [(batch.last, batch.waiting) for _, batch in sent] == [(9, 15), (19, 5)]


def test_an_alarm_does_not_wait_for_a_question_and_its_answer():
    world = UplinkWorld()
    world.put(3)
    world.put(1, event.ALARM)
    assert [(batch.lane, batch.first, batch.last) for _, batch in world.connect()] == [
        (event.ALARM, 0, 0),
        (event.TELEMETRY, 0, -1),
    ]


def test_without_an_answer_data_follow_after_the_wait():
    world = UplinkWorld()
    world.put(3)
    world.ack(world.connect())
    assert world.uplink.deadline_ms() == limits.UPLINK_QUERY_WAIT_MS
    assert world.poll(limits.UPLINK_QUERY_WAIT_MS - 1) == []
    assert spans(world.poll(limits.UPLINK_QUERY_WAIT_MS)) == [(0, 2)]


def test_the_answer_frees_nothing_that_this_process_has_not_sent():
    world = UplinkWorld()
    world.put(30)
    world.ack(world.connect())
    found = world.mark(20)
    assert spans(found) == [(0, 9), (10, 19)] and world.oldest() == 0
    world.ack(found)
    assert spans(world.mark(20)) == [(20, 29)] and world.oldest() == 20


def test_what_was_received_ahead_of_a_hole_is_freed_when_the_hole_closes():
    world = UplinkWorld(window_max=8)
    world.put(40)
    world.ack(world.begin())
    ahead = world.honest.receipt(40, event.TELEMETRY, EPOCH)
    world.hear(ahead._replace(next_position=10, batches=ahead.batches[2:3]))
    assert world.oldest() == 0, "the warehouse says so, but for no batch that it names"
    world.hear(ahead._replace(next_position=10, batches=ahead.batches[:1]))
    assert world.oldest() == 10
    world.hear(ahead._replace(next_position=30, batches=ahead.batches[1:2]))
    assert world.oldest() == 30, "the third was named before"


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


def test_a_batch_that_is_full_waits_no_longer():
    world = UplinkWorld(batch_age_ms=60_000, batch_records_max=3)
    world.put(1)
    assert spans(world.begin()) == []
    world.put(1)
    assert world.poll() == []
    world.put(1)
    assert spans(world.poll()) == [(0, 2)]


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


@pytest.mark.parametrize("receive_max", [*range(1, 21), 100])
def test_window_and_receive_maximum_hold_over_reconnections(receive_max):
    """On reconnection clients flood."""
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
            if not batch.items or batch.first <= world.oldest(batch.lane):
                unacked |= dict(world.mark(batch.last + 1, batch.lane))
            unacked |= dict(world.ack([(token, batch)]))
            assert len(unacked) <= allowed and world.uplink.ahead() <= 6
        world.uplink.disconnected()
    assert world.oldest(event.ALARM) >= 20, "the run sent too little"


def test_alarms_pass_a_backlog_that_fills_the_window():
    world = UplinkWorld()
    world.put(200)
    assert len(world.begin()) == 6 - limits.UPLINK_ALARM_WINDOW
    world.put(1, event.ALARM)
    assert [(batch.lane, len(batch.items)) for _, batch in world.poll()] == [(event.ALARM, 1)]


def test_a_puback_alone_frees_nothing():
    """Deleted before confirmed: a fault of known gateways."""
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


def test_a_hold_that_ends_while_the_question_waits_for_its_place_leaves_no_deadline_to_spin_on():
    world = UplinkWorld(receive_max=1)
    world.put(1, event.ALARM)
    world.put(3)
    world.connect()
    world.reject(0, 2, "class")
    # `until` polls at each deadline and `poll` refuses one that lies in the past.
    world.until(limits.UPLINK_HOLD_MS + 1)


# --- receipts -----------------------------------------------------------------------------------------------


def test_a_receipt_frees_and_makes_room():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    assert spans(world.mark(10)) == [(20, 29)]
    assert world.oldest() == 10


def test_late_repeated_and_foreign_receipts_do_no_harm():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    world.mark(20)
    state = world.oldest(), world.uplink.ahead()
    for _ in range(2):
        assert world.mark(10) == [] and world.mark(20) == [] and world.mark(0) == []
        assert world.mark(1000, epoch=b"somebody") == []
    assert (world.oldest(), world.uplink.ahead()) == state


def test_a_receipt_beyond_everything_frees_what_is_durable_and_no_more():
    world = UplinkWorld()
    world.put(5)
    world.ack(world.begin())
    world.mark(wire_limits.POSITION_MAX)
    assert world.oldest() == 5
    world.put(2)
    assert spans(world.poll()) == [(5, 6)]


def test_a_flood_of_receipts_from_the_past_the_future_and_elsewhere_sends_and_keeps_nothing():
    world = UplinkWorld()
    world.put(50)
    world.put(5, event.EVENT)
    world.ack(world.begin())
    world.mark(0, event.EVENT)
    published = len(world.out)
    state = world.oldest(), world.uplink.ahead()
    for number in range(2000):
        batch, elsewhere = Batch(number, number + 3, bytes(16)), number.to_bytes(8, "big")
        for message in (
            Receipt(GATEWAY, EPOCH, event.TELEMETRY, 0, (batch,)),
            Receipt(GATEWAY, elsewhere, event.LANES[number % 3], 2**64 - 1, (batch,)),
            Rejected(GATEWAY, EPOCH, event.TELEMETRY, batch, "poison"),
            Rejected(GATEWAY, elsewhere, event.ALARM, batch, "poison"),
        ):
            world.uplink.receive(message, now_ms=world.now_ms)
        world.uplink.acknowledged(10**6 + number, (0, 0x87, 0x99)[number % 3], now_ms=world.now_ms)
        world.poll()
    assert len(world.out) == published and (world.oldest(), world.uplink.ahead()) == state
    assert len(world.uplink._progress) == len(event.BATCH_LANES) and world.explained == []


def test_a_foreign_receipt_does_not_end_a_silence():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    world.until(limits.UPLINK_SILENCE_FIRST_MS)
    published = len(world.out)
    assert world.mark(7, epoch=b"somebody") == [] and world.mark(0) == []
    assert world.until(2 * limits.UPLINK_SILENCE_FIRST_MS)[:-1] == [] and len(world.out) == published


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


def test_the_first_receipt_ends_the_silence_and_all_beyond_it_is_sent_afresh():
    world = UplinkWorld(window_max=8)
    world.put(40)
    assert spans(world.begin()) == [(0, 9), (10, 19), (20, 29), (30, 39)]
    world.ack(world.out)
    assert spans(world.poll(limits.UPLINK_SILENCE_FIRST_MS)) == [(0, 9)]
    assert spans(world.mark(10)) == [(10, 19), (20, 29), (30, 39)]
    assert world.uplink.deadline_ms() == world.now_ms + limits.UPLINK_SILENCE_FIRST_MS


def test_what_was_sent_once_does_not_wait_for_company_again():
    world = UplinkWorld(batch_age_ms=60_000)
    world.put(3)
    world.begin()
    assert spans(world.poll(60_000)) == [(0, 2)]
    world.ack(world.out)
    assert spans(world.poll(60_000 + limits.UPLINK_SILENCE_FIRST_MS)) == [(0, 2)]


def test_a_receipt_for_what_was_sent_before_the_silence_ends_it_as_well():
    world = UplinkWorld()
    world.put(15)
    world.put(3, event.ALARM)
    asked = world.connect()
    world.ack(asked)
    for _, batch in asked:
        world.ack(world.mark(0, batch.lane))
    resent = world.poll(limits.UPLINK_SILENCE_FIRST_MS)
    assert [batch.lane for _, batch in resent] == [event.ALARM]
    world.ack(resent)
    assert [(batch.lane, batch.first) for _, batch in world.mark(10)] == [(event.ALARM, 0), (event.TELEMETRY, 10)]


def test_no_subscriber_is_counted_and_holds_nothing_up():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin(), 0x10)
    assert world.uplink.counters["puback-no-subscriber"] == 2 and world.uplink.counters["puback-refused"] == 0
    assert spans(world.poll(limits.UPLINK_SILENCE_FIRST_MS)) == [(0, 9)]
    assert world.oldest() == 0


# --- nothing may spin, nothing may get stuck ------------------------------------------------------------------

REASONS = ("poison", "identity")


@examples(times=4)
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
        later = world.now_ms + random.randrange(40_000)
        world.now_ms = max(world.now_ms, due) if due and random.randrange(2) else later
