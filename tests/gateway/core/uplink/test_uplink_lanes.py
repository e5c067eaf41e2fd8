"""What a bearer may carry of telemetry: one batch in four, nothing, and all again; never what costs twice."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import limits
from gateway.core.bearers.budget import ALL, HOLD, THIN
from gateway.core.uplink.progress import THIN_STEP
from tests.support.gateway_world import EPOCH, UplinkWorld, spans
from tools.centre.ingest import prefix
from wire import event

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Honest:
    """A broker and a warehouse that take everything at once, and answer every batch with a receipt."""

    def __init__(self, world):
        self.world = world
        self.extents = {}

    def take(self, found):
        """Answer what was published, and what follows from that, until nothing follows; the spans taken."""
        taken, waiting, turns = [], list(found), 0
        while waiting:
            turns += 1
            assert turns < 2000, "it goes on for ever"
            token, batch = waiting.pop(0)
            waiting += self.world.ack([(token, batch)])
            step = prefix.extend(self.extents.get(batch.lane), batch.first, batch.last, batch.oldest, 1000)
            self.extents[batch.lane] = step.extent
            if batch.last >= batch.first:
                taken.append((batch.lane, batch.first, batch.last))
            said = self.world.honest.receipt(step.extent.end, batch.lane, batch.epoch)
            ahead = self.world.honest.sent(batch)[-1:] if batch.last >= step.extent.end else ()
            waiting += self.world.hear(said._replace(batches=(*said.batches[len(ahead) :], *ahead)))
        return taken

    def live(self, until_ms):
        """Time passes, every deadline is kept and every batch answered; [(when, lane, first, last)]."""
        found = []
        while (due := self.world.uplink.deadline_ms()) is not None and due <= until_ms:
            found += [(due, *span) for span in self.take(self.world.poll(max(due, self.world.now_ms)))]
        self.world.now_ms = until_ms
        return found


def telemetry(taken):
    return [(first, last) for lane, first, last in taken if lane == event.TELEMETRY]


# --- surplus ------------------------------------------------------------------------------------------------


def test_surplus_goes_last_waits_while_bytes_are_short_and_holds_nothing_else_up():
    world = UplinkWorld()
    for lane in (event.SURPLUS, event.TELEMETRY, event.EVENT, event.ALARM):
        world.put(12, lane)
    world.uplink.allow(ALL, surplus=False)
    centre = Honest(world)
    sent = centre.take(world.connect())
    sent += [found for _, *found in centre.live(20_000)]
    assert world.oldest(event.ALARM) == world.oldest(event.EVENT) == world.oldest() == 12
    assert world.oldest(event.SURPLUS) == 0 and world.uplink.deadline_ms() is None
    world.uplink.allow(ALL)
    centre.take(world.poll())
    centre.live(40_000)
    assert world.oldest(event.SURPLUS) == 12


# --- thin ---------------------------------------------------------------------------------------------------


def test_thin_telemetry_goes_one_batch_in_four_and_the_rest_from_there_on_when_all_may_go():
    world = UplinkWorld(batch_records_max=10)
    world.put(200)
    world.uplink.allow(THIN)
    centre = Honest(world)
    assert telemetry(centre.take(world.connect())) == [(0, 9), (40, 49), (80, 89), (120, 129), (160, 169)]
    assert world.oldest() == 10 and world.uplink.ahead() == 0
    assert world.uplink.deadline_ms() is None, "nothing is left that may go"
    back = telemetry(centre.take(world.allow(ALL)))
    assert back[0] == (10, 19) and world.oldest() == 200


def test_thin_or_held_alarms_and_events_go_as_ever():
    for policy in (THIN, HOLD):
        world = UplinkWorld()
        world.uplink.allow(policy)
        world.put(25, event.EVENT)
        world.put(25, event.ALARM)
        centre = Honest(world)
        centre.take(world.connect())
        centre.live(10_000)
        assert world.oldest(event.ALARM) == world.oldest(event.EVENT) == 25


def test_days_of_thin_telemetry_with_a_centre_that_answers_know_no_silence():
    world = UplinkWorld(batch_age_ms=60_000)
    world.uplink.allow(THIN)
    centre = Honest(world)
    centre.take(world.connect())
    sent = Counter()
    for minute in range(2 * 24 * 60):
        world.put(1)
        centre.take(world.poll())
        sent.update(found[1] for found in centre.live((minute + 1) * 60_000))
    assert world.uplink.counters["silences"] == world.uplink.counters["resent"] == 0
    assert 2 * 24 * 60 / THIN_STEP - 5 <= sent[event.TELEMETRY] <= 2 * 24 * 60 / THIN_STEP + 5


def test_a_slow_bearer_that_always_has_a_batch_under_way_is_no_silence():
    world = UplinkWorld(batch_records_max=1)
    world.put(1000)
    world.uplink.allow(THIN)
    world.ack(world.connect())
    under_way = world.mark(0)
    for step in range(1, 100):
        under_way += world.poll(1000 * step)
        assert world.uplink.ahead() > 0
        under_way += world.ack([under_way.pop(0)])
    assert world.now_ms > 3 * limits.UPLINK_SILENCE_FIRST_MS
    assert world.uplink.counters["silences"] == 0


def test_an_alarm_that_is_not_held_above_goes_again_though_thin_telemetry_is_acknowledged():
    world = UplinkWorld(batch_records_max=1)
    world.put(2000)
    world.uplink.allow(THIN)
    world.ack(world.connect())
    under_way = world.mark(0)
    world.put(1, event.ALARM)
    (alarm,) = world.poll(1000)
    assert alarm[1].lane == event.ALARM
    world.ack([alarm])
    alarms = []
    for step in range(2, 60):
        found = world.poll(1000 * step)
        alarms += [world.now_ms for _, batch in found if batch.lane == event.ALARM]
        under_way += [pair for pair in found if pair[1].lane == event.TELEMETRY]
        if under_way:
            under_way += world.ack([under_way.pop(0)])
    assert alarms and alarms[0] <= 1000 + limits.UPLINK_SILENCE_FIRST_MS


def test_pubacks_that_never_come_make_thin_telemetry_rare_and_send_nothing_twice():
    world = UplinkWorld(batch_age_ms=60_000)
    world.uplink.allow(THIN)
    world.put(2000)
    world.ack(world.connect())
    world.mark(0)
    world.until(6 * HOUR_MS)
    sent = spans(world.out)
    assert len(sent) == len(set(sent)) and 2 < len(sent) < 40


def test_a_bearer_that_flaps_sends_no_thin_telemetry_twice():
    world = UplinkWorld()
    world.uplink.allow(THIN)
    world.put(400)
    centre = Honest(world)
    for _ in range(30):
        found = world.connect()
        questions = [pair for pair in found if pair[1].last < pair[1].first]
        world.ack(questions)
        world.mark(0)
        world.uplink.disconnected()
    sent = spans(world.out)
    assert len(sent) == len(set(sent)) and len(sent) > 5
    assert all(before < after for before, after in pairwise(sent))
    world.uplink.allow(ALL)
    centre.take(world.connect())
    assert world.oldest() == 400


@pytest.mark.parametrize("reason_code", [0x80, 0x87, 0x95, 0x99])
def test_thin_telemetry_that_is_refused_is_left_behind(reason_code):
    world = UplinkWorld()
    world.uplink.allow(THIN)
    world.put(400)
    world.ack(world.connect())
    world.mark(0)
    for _ in range(3):
        world.ack([pair for pair in world.out if pair[1].items][-2:], reason_code)
        world.until(world.now_ms + 2 * limits.UPLINK_HOLD_MS)
    sent = spans(world.out)
    assert len(sent) == len(set(sent)) and world.explained == [] and world.oldest() == 0


def test_a_hole_or_an_unreadable_record_in_thin_telemetry_holds_nothing_up():
    world = UplinkWorld()
    world.put(35)
    for _ in range(20):
        world.put(1, raw=b"\x07 of a version to come")
    world.put(300)
    world.uplink.allow(THIN)
    centre = Honest(world)
    taken = telemetry(centre.take(world.connect()))
    assert taken[-1][1] > 300 and world.explained == []
    world.uplink.allow(ALL)
    for _ in range(40):
        centre.take(world.poll())
        world.flush()
    assert len(world.explained) == 20 and world.oldest() == 355


def test_from_all_to_thin_what_the_broker_has_is_not_waited_for():
    world = UplinkWorld()
    world.put(200)
    sent = world.begin()
    world.ack(sent[:1])
    assert world.uplink.ahead() == 2
    found = spans(world.allow(THIN))
    assert len(found) == 1 and found[0][0] >= 20, "the acknowledged one left room for one more"
    assert world.uplink.ahead() == 2


# --- hold ---------------------------------------------------------------------------------------------------


def test_a_held_lane_asks_nothing_sends_nothing_and_wants_no_time():
    world = UplinkWorld()
    world.uplink.allow(HOLD)
    world.put(200)
    assert world.connect() == [] and world.uplink.deadline_ms() is None
    assert world.until(DAY_MS) == [] and world.uplink.counters["silences"] == 0


def test_what_was_held_goes_after_a_question_when_it_may():
    world = UplinkWorld()
    world.uplink.allow(HOLD)
    world.put(40)
    world.connect()
    world.now_ms = HOUR_MS
    asked = world.allow(ALL)
    assert [(batch.first, batch.last) for _, batch in asked] == [(0, -1)]
    centre = Honest(world)
    assert telemetry(centre.take(asked)) == [(0, 9), (10, 19), (20, 29), (30, 39)]


def test_a_hold_in_the_middle_of_a_window_keeps_receive_maximum_and_ends_without_silence():
    world = UplinkWorld(receive_max=2)
    world.put(100)
    sent = world.begin()
    assert len(sent) == 2
    assert world.allow(HOLD) == [] and world.uplink.ahead() == 0
    assert world.allow(ALL) == [], "two are unacknowledged still"
    world.allow(HOLD)
    world.until(HOUR_MS)
    assert world.uplink.counters["silences"] == 0
    assert spans(world.allow(ALL)) == [(0, 9), (10, 19)]


def test_receipts_free_a_held_lane_too():
    world = UplinkWorld()
    world.put(50)
    world.ack(world.begin())
    world.allow(HOLD)
    world.mark(20)
    assert world.oldest() == 20 and world.poll(DAY_MS) == []


# --- whatever happens -----------------------------------------------------------------------------------------


@given(st.integers(0, 2**32))
def test_after_any_events_and_policies_an_honest_centre_gets_everything(seed):
    random = Random(seed)
    world = UplinkWorld(
        batch_age_ms=random.choice((0, 60_000)), batch_records_max=random.choice((1, 4, 50)), receive_max=3, seed=seed
    )
    for _ in range(60):
        _any_event(world, random)
        found = world.poll()  # refuses a deadline that has passed
        assert world.uplink.ahead() <= 6
        if world.uplink._policies[event.TELEMETRY] == HOLD:
            assert all(batch.lane != event.TELEMETRY for _, batch in found)
    world.explain = True
    world.uplink.allow(ALL)
    world.uplink.disconnected()
    world.flush()
    centre = Honest(world)
    centre.take(world.connect())
    for _ in range(80):
        centre.live(world.now_ms + 120_000)
        world.flush()
        centre.take(world.poll())
    assert not any(world.journal.waiting(stream) for stream in world.journal.streams())
    assert world.uplink.ahead() == 0


def _any_event(world, random):
    lane = random.choice((event.TELEMETRY, event.TELEMETRY, event.EVENT, event.ALARM))
    choice = random.randrange(15)
    token, batch = random.choice(world.out) if world.out else (random.randrange(9), None)
    if choice <= 1:
        world.put(random.randrange(1, 30), lane)
    elif choice == 2:
        world.put(1, lane, raw=b"\x07 of a version to come")
    elif choice == 3:
        world.connect()
    elif choice == 4:
        world.uplink.disconnected()
    elif choice <= 6:
        world.uplink.acknowledged(token, random.choice((0, 0, 0, 0x10, 0x87, 0x99)), now_ms=world.now_ms)
    elif choice == 7 and batch:
        world.mark(batch.last + 1, batch.lane)
    elif choice == 8:
        world.reject(*sorted((random.randrange(40), random.randrange(40))), random.choice(("poison", "class")), lane)
    elif choice == 9:
        world.flush()
    elif choice == 10:
        end = world.journal.durable_end((EPOCH, lane))
        world.let_go([position for position in range(end) if random.randrange(3)], lane)
    elif choice == 11:
        world.drop(world.oldest(lane) + random.randrange(10), lane)
    elif choice <= 13:
        world.uplink.allow(random.choice((ALL, THIN, THIN, HOLD)))
    else:
        due = world.uplink.deadline_ms()
        later = world.now_ms + random.randrange(40_000)
        world.now_ms = max(world.now_ms, due) if due and random.randrange(2) else later


def test_thin_telemetry_that_the_journal_let_go_while_away_wants_no_time():
    """A group that was being waited for is forgotten with the connection: its deadline would be due for ever."""
    world = UplinkWorld(batch_age_ms=60_000)
    world.put(1)
    world.begin()
    world.allow(THIN)
    world.put(1)
    world.poll()
    world.uplink.disconnected()
    world.drop(1)
    world.now_ms += 120_000
    world.connect()
    world.poll(world.now_ms + 1000)  # asserts that no deadline lies in the past
    assert world.uplink.deadline_ms() is None
