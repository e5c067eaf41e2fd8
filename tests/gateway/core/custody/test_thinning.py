"""How the journal makes room: the rules of the levels, the order of the lanes, steps, refusals, full cards."""

import errno
from collections import Counter

import pytest

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Refused, Stream, Void
from gateway.core.custody.release import GONE, ThinningTurns
from tests.support.thinning_world import HEALTH, NODES, SMALL, ThinningWorld
from wire import event, record
from wire.record import EventBody, Record, Stamp

BIG = {"segment_bytes_max": 4000, "journal_bytes_max": 60_000, "alarm_reserve_bytes": 8000}


def pour(world, count, *, nodes=3, events=0, alarms=0):
    """Records as they come, with turns in between; how many the journal refused."""
    refused = 0
    for number in range(count):
        node = NODES[number % nodes]
        refused += world.telemetry(node, health=number // nodes % 4 == 3) is None
        if events and number % events == 0:
            world.event(node)
        if alarms and number % alarms == 0:
            world.alarm(node)
        if number % 10 == 0:
            world.flush()
        world.turn()
    world.flush()
    world.work()
    return refused


def read_segment(world, stream, segment):
    """{position: payload} of what a segment still holds."""
    found, position = {}, segment.first
    while position < segment.end:
        (item,) = world.journal.read(stream, position, count_max=1, bytes_max=1)
        if isinstance(item, bytes):
            found[position] = item
        position = item.last + 1 if isinstance(item, Void) else position + 1
    return found


@pytest.mark.parametrize("level", [1, 2, 3])
def test_of_each_node_and_set_of_keys_one_in_so_many_is_kept_unchanged(level, monkeypatch):
    world = ThinningWorld(1, limits={**BIG, "segment_bytes_max": 8000, "journal_bytes_max": 80_000})
    pour(world, 700)
    monkeypatch.setattr(world.journal.space, "is_short", lambda held: True)
    while min(segment.level for _, segment in world.journal.sealed("telemetry")) < level:
        world.turn()
    kept, said = Counter(), Counter()
    for stream, segment in world.journal.sealed("telemetry"):
        assert segment.level == level
        held = read_segment(world, stream, segment)
        for position in range(segment.first, segment.end):
            identity = world.placed[stream][position]
            body = record.decode_payload(world.data[identity])[0].body
            said[identity[0], tuple(sorted(body))] += 1
            if position in held:
                assert record.encode(entry.decode(held[position]).record) == world.data[identity]
                kept[identity[0], tuple(sorted(body))] += 1
    assert len(said) == 6, "three nodes, each with telemetry and health"
    for key, count in said.items():
        assert abs(kept[key] - count / 2**level) <= 1, (key, count, kept[key])
    world.check()


def test_a_node_that_alternates_two_kinds_of_readings_keeps_some_of_each():
    world = ThinningWorld(2, limits=BIG)
    for number in range(1200):
        world.telemetry(NODES[0], health=number % 2 == 1)
        if number % 10 == 0:
            world.flush()
        world.turn()
    world.work()
    kinds = Counter()
    for stream, segment in world.journal.sealed("telemetry"):
        for payload in read_segment(world, stream, segment).values():
            kinds[tuple(sorted(entry.decode(payload).record.body))] += 1
    assert len(kinds) == 2 and min(kinds.values()) > 0.7 * max(kinds.values())
    assert tuple(sorted(HEALTH)) in kinds


def test_the_lowest_level_goes_first_and_the_oldest_within_it_and_whole_segments_only_at_the_last():
    world = ThinningWorld(3)
    deeds = []
    choose_release = world.thinner._let_go

    def spy(release):
        plan = release.plans[0]
        levels = [segment.level for _, segment in world.journal.sealed("telemetry") if segment.level < GONE]
        if plan.stream.lane == "telemetry":
            sealed = world.journal.sealed("telemetry")
            first = next(segment for _, segment in sealed if segment.level == min(levels))
            deeds.append((plan.level, min(levels), plan.segment is first))
        return choose_release(release)

    world.thinner._let_go = spy
    pour(world, 2500)
    assert {level for level, _, _ in deeds} == {1, 2, 3, GONE}
    assert all(level == lowest + 1 and is_oldest for level, lowest, is_oldest in deeds)
    world.check()


def test_events_follow_telemetry_and_statements_and_alarms_stay():
    world = ThinningWorld(4)
    pour(world, 1500, events=2, alarms=100)
    order = world.held()[1]
    missing = world.check()
    lost = Counter(world.promised[identity] for identity in missing)
    assert lost["telemetry"] > 0 and lost["event"] > 0 and lost["alarm"] == 0
    assert len(order["alarm"]) == 15


def test_alarms_go_last_and_only_when_everything_configured_is_full():
    world = ThinningWorld(5)
    stored = 0
    for number in range(1500):
        stored += world.alarm(NODES[number % 2]) is not None
        if number % 5 == 0:
            world.flush()
        world.turn()
    world.flush()
    world.work()
    missing = world.check()
    assert stored > 900, "new alarms are taken"
    assert {world.promised[identity] for identity in missing} >= {"alarm"}
    held = [identity[2] for identity in world.held()[1]["alarm"] if identity[0] == NODES[0]]
    said = sorted(one[2] for one, lane in world.promised.items() if lane == "alarm" and one[0] == NODES[0])
    assert held == said[-len(held) :], "the newest stay"
    assert world.journal.bytes_held <= world.limits["journal_bytes_max"]


@pytest.mark.slow
def test_a_full_queue_of_years_keeps_taking_records_because_gap_records_are_put_together():
    world = ThinningWorld(6)
    refused = [pour(world, 1000, events=10) for _ in range(6)]
    assert world.thinner.counters["segments-merged"] > 5
    assert sum(refused[3:]) < 150, refused
    assert world.journal.bytes_held <= world.limits["journal_bytes_max"]
    world.check()
    world.power_cut()
    world.work()
    world.check()


def test_dropped_segments_become_one_small_file():
    world = ThinningWorld(7)
    pour(world, 3000)
    sizes = [segment.size for _, segment in world.journal.sealed("telemetry") if segment.level == GONE]
    assert sizes == [80]
    stream = Stream(world.epoch, "telemetry")
    first = world.journal.read(stream, 0, count_max=1, bytes_max=1)
    assert isinstance(first[0], Void) and first[0].last > 1000, "one item, however many positions"


def test_levels_survive_a_start():
    world = ThinningWorld(8, limits=BIG)
    pour(world, 1500)
    before = [segment.level for _, segment in world.journal.sealed("telemetry")]
    world.start()
    after = [segment.level for _, segment in world.journal.sealed("telemetry")]
    assert after[: len(before)] == before and max(before) > 0


def test_what_cannot_be_decoded_stays():
    world = ThinningWorld(9)
    given = []
    for number in range(2500):
        world.telemetry(NODES[0])
        if number % 50 == 0 and number < 500:
            given.append(b"\xff no record %d" % number)
            while isinstance(world.raw(given[-1]), Refused):
                world.turn()
        if number % 10 == 0:
            world.flush()
        world.turn()
    stream, kept, position = Stream(world.epoch, "telemetry"), [], 0
    while items := world.journal.read(stream, position, count_max=100, bytes_max=1 << 16):
        kept += [item for item in items if isinstance(item, bytes) and item.startswith(b"\xff")]
        position += sum(item.last - item.first + 1 if isinstance(item, Void) else 1 for item in items)
    assert kept == given
    assert GONE in {segment.level for _, segment in world.journal.sealed("telemetry")}


def test_what_the_warehouse_has_freed_is_neither_explained_nor_listed():
    world = ThinningWorld(10, limits=BIG)
    for number in range(700):
        world.telemetry(NODES[number % 3])
        if number % 10 == 0:
            world.flush()
    world.flush()
    stream = Stream(world.epoch, "telemetry")
    held = next(segment for _, segment in world.journal.sealed("telemetry"))
    world.free(stream, held.end - 5)
    for _ in range(400):
        world.telemetry(NODES[0])
        world.turn()
    world.work()
    world.check()
    assert world.listed() and not world.listed() & world.freed


def test_a_segment_freed_in_the_middle_of_the_work_ends_it_and_leaves_no_file_behind():
    for steps in range(1, 12):
        world = ThinningWorld(11, limits=BIG)
        while not world.journal.space.is_short(world.journal.bytes_held):
            world.telemetry(NODES[0])
            world.flush()
        for _ in range(steps):
            world.thinner.poll(now_ms=0)
            if world.flush_asked:
                world.flush()
            world.settle()
        stream = Stream(world.epoch, "telemetry")
        world.free(stream, world.journal.durable_end(stream) - 1)
        world.work()
        world.check_bytes()
        assert len([name for name in world.disk.list() if "telemetry" in name]) <= 1


def test_a_step_does_a_bounded_piece_of_work(monkeypatch):
    monkeypatch.setattr(limits, "THINNING_STEP_RECORDS_MAX", 10)
    world = ThinningWorld(12, limits={**BIG, "segment_bytes_max": 8000})
    while not world.journal.space.is_short(world.journal.bytes_held):
        world.telemetry(NODES[0])
        world.flush()
    decoded, steps = [], 0
    original = entry.decode
    monkeypatch.setattr(entry, "decode", lambda payload: decoded.append(1) or original(payload))
    while not world.thinner.counters["segments-thinned"]:
        before = len(decoded)
        world.thinner.poll(now_ms=0)
        assert len(decoded) - before <= 10
        steps += 1
        if world.flush_asked:
            world.flush()
        world.settle()
    assert steps > 20


def test_while_it_works_its_deadline_is_now_and_while_it_waits_for_a_sync_it_has_none():
    world = ThinningWorld(13, limits=BIG)
    assert world.thinner.deadline_ms() is None
    while not world.journal.space.is_short(world.journal.bytes_held):
        world.telemetry(NODES[0])
        world.flush()
    world.now_ms = 5000
    seen = set()
    for _ in range(20):
        world.thinner.poll(now_ms=5000)
        seen.add(world.thinner.deadline_ms())
        if world.thinner.deadline_ms() is None:
            world.flush()
    assert {5000, None} <= seen <= {5000, None, 5000 + limits.THINNING_LEDGER_WAIT_MS}


def test_a_state_disk_that_never_reports_delays_but_does_not_stop_it():
    world = ThinningWorld(14, limits=BIG)
    world.ledger.on_synced = lambda ticket, error: None
    pour(world, 1500)
    assert world.thinner.counters["segments-thinned"] > 0


def test_a_disk_without_room_for_a_copy_loses_whole_segments_instead():
    world = ThinningWorld(15, limits={**BIG, "free_margin_bytes": 0, "ballast_bytes": 1000})
    pour(world, 60)
    world.disk.capacity_bytes = world.disk.bytes_used + 30_000
    world.now_ms += limits.JOURNAL_CHECK_EVERY_MS
    pour(world, 500)
    world.disk.put("somebody-else", bytes(world.disk.free_bytes() - 200))
    world.now_ms += limits.JOURNAL_CHECK_EVERY_MS
    pour(world, 300)
    assert world.thinner.counters["segments-dropped"] > 0
    world.check()
    assert world.alarm(NODES[0]) is not None
    world.flush()
    world.check()


def test_no_alarm_is_refused_however_often_somebody_fills_the_partition_to_its_last_byte():
    room = {"free_margin_bytes": 20_000, "ballast_bytes": 60_000}
    world = ThinningWorld(1, limits={**SMALL, **room, "journal_bytes_max": 1 << 20})
    world.disk.capacity_bytes = 120_000
    pour(world, 600)
    for number in range(12):
        world.disk.put(f"foreign-{number}", bytes(world.disk.free_bytes()))
        assert world.alarm(NODES[3]) is not None, number
        world.flush()
        if number % 3 == 2:
            world.now_ms += limits.JOURNAL_CHECK_EVERY_MS
            pour(world, 10)
    assert world.thinner.counters["segments-dropped"] > 5
    world.check()


def test_a_partition_that_somebody_fills_leads_to_thinning_and_not_to_errors():
    world = ThinningWorld(16, limits={**BIG, "free_margin_bytes": 6000, "ballast_bytes": 1000})
    world.disk.capacity_bytes = 60_000
    for number in range(8):
        world.disk.put(f"somebody-{number}", bytes(2500))
        world.now_ms += limits.JOURNAL_CHECK_EVERY_MS
        pour(world, 150)
    assert world.thinner.counters["segments-thinned"] > 0
    assert world.journal.counters.append_errors == 0
    world.check()


def test_turns_are_bounded(monkeypatch):
    monkeypatch.setattr(limits, "THINNING_TURNS_MAX", 3)
    turns = ThinningTurns()
    turns.update({(1, bytes([number]), ()): 1 for number in range(5)})
    assert [turns.of((1, bytes([number]), ())) for number in range(5)] == [0, 0, 1, 1, 1]


@pytest.mark.slow
def test_a_pass_over_a_full_cap_of_a_megabyte_ends_and_input_goes_on():
    sizes = {"segment_bytes_max": 1 << 16, "journal_bytes_max": 1 << 20, "alarm_reserve_bytes": 1 << 17}
    world = ThinningWorld(18, limits=sizes)
    journal, nodes = world.journal, [b"\x7c\x1f\x0a\x2c" + number.to_bytes(4, "big") for number in range(50)]
    sequence = refused = taken = 0

    def say():
        nonlocal sequence, refused, taken
        node = nodes[sequence % 50]
        made = Record(1, sequence // 50, Stamp(1, 1_790_000_000, 1), dict.fromkeys(range(18), sequence * 1000))
        if isinstance(journal.append("telemetry", entry.encode(entry.Entry(node, record.encode(made)))), Refused):
            refused += 1
        else:
            sequence += 1
            taken += 1

    while not journal.space.is_short(journal.bytes_held):
        say()
        if sequence % 500 == 0:
            world.flush()
    full = journal.bytes_held
    turns = refused = taken = 0
    while world.thinner.counters["segments-dropped"] < 5:
        turns += 1
        for _ in range(6):
            say()
        if turns % 5 == 0:
            journal.flush()
        world.turn()
        assert turns < 60_000
    levels = {segment.level for _, segment in journal.sealed("telemetry")}
    assert max(levels) == GONE and world.thinner.counters["segments-thinned"] > 20
    assert journal.bytes_held <= full + (1 << 17)
    assert taken > 5000 and refused < taken / 20, (taken, refused)


def test_gap_records_of_others_are_never_put_together_or_let_go():
    world = ThinningWorld(19)
    for number in range(200):
        body = EventBody(event.GAP, None, [None, 1, number, number, "node-full"])
        world.say(NODES[3], body)
        world.flush()
    pour(world, 1500, events=3)
    assert len([one for one in world.held()[1]["event"] if one[0] == NODES[3]]) == 200


def test_the_disk_may_refuse_every_deletion_for_a_while():
    world = ThinningWorld(20)
    pour(world, 300)
    world.disk.delete_error = errno.EROFS
    pour(world, 200)
    world.disk.delete_error = None
    pour(world, 300)
    world.check()
    world.check_bytes()


def test_a_journal_nobody_fills_is_left_alone():
    world = ThinningWorld(21, limits=BIG)
    pour(world, 100)
    assert not any(world.thinner.counters.values())
