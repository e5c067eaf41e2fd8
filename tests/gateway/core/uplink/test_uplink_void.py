"""Positions that the journal has let go of: covered, counted, and no obstacle to the end of a stream."""

from itertools import pairwise

import pytest

from gateway.core import limits
from gateway.core.bearers.budget import ALL, HOLD, THIN
from gateway.core.custody import entry
from gateway.core.custody.stream import Stream
from tests.support.gateway_world import EARLIER, EPOCH, NODE, UplinkWorld, reading, spans
from wire import event, record


def records(found):
    """[(first, last, sequences)] of data batches."""
    return [
        (batch.first, batch.last, [item.record.sequence for item in batch.items])
        for _, batch in found
        if batch.last >= batch.first
    ]


# --- void positions -----------------------------------------------------------------------------------------


def test_a_batch_covers_the_void_positions_among_and_after_its_records():
    world = UplinkWorld(batch_records_max=10)
    world.put(40)
    world.let_go(position for position in range(40) if position % 8)
    assert records(world.begin()) == [(0, 39, [0, 8, 16, 24, 32])]
    world.ack(world.out)
    world.mark(40)
    assert world.oldest() == 40 and world.uplink.deadline_ms() is None


def test_long_runs_of_voids_cost_no_records_of_a_batch():
    world = UplinkWorld(batch_records_max=10, window_max=20)
    world.put(2000)
    world.let_go(position for position in range(2000) if position % 97)
    kept = list(range(0, 2000, 97))
    found = records(world.begin())
    assert [sequence for _, _, sequences in found for sequence in sequences] == kept
    assert [len(sequences) for _, _, sequences in found] == [10, 10, 1]
    assert found[0][0] == 0 and found[-1][1] == 1999
    assert all(before[1] + 1 == after[0] for before, after in pairwise(found))


@pytest.mark.parametrize("batch_records_max", [1, 10])
def test_a_stream_whose_rest_is_void_drains_to_its_end(batch_records_max):
    world = UplinkWorld(batch_records_max=batch_records_max)
    world.put(500)
    world.let_go(range(1, 500))
    assert world.begin()[-1][1].last == 499
    world.ack(world.out)
    world.mark(500)
    assert world.oldest() == 500
    assert {batch.first for _, batch in world.out if batch.last >= batch.first and not batch.items} <= {1}


def test_a_record_that_is_tried_alone_has_no_void_position_beside_it():
    world = UplinkWorld(batch_records_max=4)
    world.put(8)
    world.let_go([0, 2, 3, 5, 6])
    world.ack(world.begin())
    assert spans(world.out) == [(0, 7)]
    assert spans(world.reject(0, 7, "poison")) == [(0, 0), (1, 1)], "three records of which one is tried"
    world.ack(world.out)
    world.mark(1)
    world.reject(1, 1, "poison")
    assert [(found.position, found.payload[9:]) for found in world.explained] == [(1, record.encode(reading(1)))]
    world.flush()
    world.ack(world.poll())
    assert world.oldest() == 2


@pytest.mark.parametrize("reason_code", [0x95, 0x99])
def test_a_refused_batch_without_records_rests_the_lane_and_quarantines_nothing(reason_code):
    world = UplinkWorld()
    world.put(30)
    world.let_go(range(30))
    world.ack(world.begin(), reason_code)
    assert world.uplink.deadline_ms() == limits.UPLINK_HOLD_MS and world.explained == []
    assert spans(world.poll(limits.UPLINK_HOLD_MS)) == [(0, 29)]
    world.reject(0, 29, "poison")
    assert world.poll() == [] and world.explained == []


def test_a_batch_of_voids_is_still_bounded_by_bytes():
    world = UplinkWorld(batch_records_max=500, window_max=20)
    body = dict.fromkeys(range(1, 24), 1 << 50)
    for sequence in range(300):
        made = reading(sequence, body=body)
        world.put(1, raw=entry.encode(entry.Entry(NODE, record.encode(made))))
    world.let_go(position for position in range(300) if position % 3 == 1)
    found = [batch for _, batch in world.begin()]
    assert len(found) > 1 and found[-1].last == 299
    sizes = [sum(len(record.encode(item.record)) + 9 for item in batch.items) for batch in found]
    assert max(sizes) <= limits.UPLINK_BATCH_BYTES_MAX


# --- a journal that makes room by itself ----------------------------------------------------------------------


@pytest.mark.parametrize("policy", [ALL, THIN, HOLD])
def test_what_the_journal_drops_is_neither_sent_nor_awaited(policy):
    world = UplinkWorld()
    world.put(60)
    world.ack(world.begin())
    assert spans(world.out) == [(0, 9), (10, 19)]
    world.drop(34)
    found = spans(world.allow(policy))
    expected = {ALL: [(35, 44), (45, 54)], THIN: [(55, 59)], HOLD: []}[policy]
    assert found == expected and world.uplink.ahead() == len(expected)


def test_answers_about_what_was_dropped_do_no_harm():
    world = UplinkWorld()
    world.put(60)
    sent = world.begin()
    world.drop(34)
    world.reject(0, 9, "poison")
    world.reject(0, 9, "class")
    world.mark(10)
    world.ack(sent, 0x99)
    world.ack(sent, 0x87)
    world.until(200_000)
    assert world.explained == [] and world.oldest() == 35
    assert min(first for first, _ in spans(world.out)[2:]) == 35


def test_a_stream_that_goes_as_a_whole_leaves_nothing_to_wait_for():
    world = UplinkWorld()
    world.put(20)
    world.ack(world.begin())
    world.drop(19)
    assert world.poll() == [] and world.uplink.ahead() == 0 and world.uplink.deadline_ms() is None
    world.put(3)
    assert spans(world.poll()) == [(20, 22)]
    assert world.journal.streams()[-1].epoch == EPOCH


def test_an_earlier_epoch_that_goes_as_a_whole_is_forgotten():
    world = UplinkWorld(earlier=50)
    world.ack(world.connect())
    assert spans(world.mark(0, epoch=EARLIER)) == [(0, 9), (10, 19)]
    world.journal.release_through(Stream(EARLIER, event.TELEMETRY), 49)
    world.put(15)
    assert spans(world.poll()) == [] and world.uplink.ahead() == 0
    world.ack(world.out)
    assert spans(world.mark(0)) == [(0, 9), (10, 14)]


def test_batches_whose_positions_were_dropped_are_no_silence():
    world = UplinkWorld()
    world.put(20)
    world.ack(world.begin())
    world.drop(19)
    world.poll(limits.UPLINK_SILENCE_FIRST_MS)
    assert world.uplink.counters["silences"] == 0


def test_an_explanation_whose_hole_was_dropped_waits_for_nothing():
    world = UplinkWorld(batch_records_max=1)
    world.put(3)
    world.ack(world.begin())
    world.reject(0, 0, "poison")
    assert len(world.explained) == 1
    world.drop(1)
    assert spans(world.poll())[-1:] == [(2, 2)]


def test_voids_are_of_any_lane():
    world = UplinkWorld()
    world.put(5, event.EVENT)
    world.let_go([1, 2, 3], event.EVENT)
    assert records(world.begin(event.EVENT)) == [(0, 4, [0, 4])]
