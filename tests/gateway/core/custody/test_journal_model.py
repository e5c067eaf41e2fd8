"""Long random lives of the journal, compared with the model after every restart and in between."""

import errno
from random import Random

import pytest

from gateway.core.custody.journal import Journal, Refused, Stream
from simulator.world.disk import TEARS, PowerCut
from tests.support.journal_world import SMALL, World, read_all, reference_run
from tests.support.planted_journals import PLANTED

LANES = ("alarm", "event", "telemetry", "surplus")
TIGHT = {**SMALL, "journal_bytes_max": 3500, "alarm_reserve_bytes": 700, "pending_bytes_max": 250}


def step(world: World, random: Random, seen: dict[str, int]) -> None:
    kind = random.randrange(100)
    if not random.randrange(6):
        world.disk.append_error = world.disk.capacity_bytes = None
    disk, journal = world.disk, world.journal
    if kind < 55:
        result = world.append(random.choice(LANES))
        if isinstance(result, Refused):
            seen[result.value] = seen.get(result.value, 0) + 1
    elif kind < 68:
        journal.flush()
    elif kind < 83:
        if disk.pending:
            # Mostly in order, as one worker thread does; sometimes not, which the interface allows.
            pending = disk.pending[0] if random.randrange(4) else random.choice(disk.pending)
            world.complete(pending.ticket)
    elif kind < 89:
        stream = random.choice(journal.streams())
        if journal.durable_end(stream):
            world.free(stream, random.randrange(journal.durable_end(stream)))
    elif kind < 92:
        disk.sync_error = None if disk.sync_error else "simulated"
    elif kind < 94:
        disk.append_error = random.choice([errno.EIO, errno.ENOSPC])
    elif kind < 96:
        disk.delete_error = None if disk.delete_error else errno.EROFS
    elif kind < 97:
        disk.capacity_bytes = disk.bytes_used + random.randrange(500)
    elif kind < 98:
        world.check()
    else:
        restart(world, random)


def restart(world: World, random: Random) -> None:
    world.disk.append_error = world.disk.sync_error = world.disk.delete_error = None
    world.disk.capacity_bytes = None
    if random.randrange(3):
        world.power_cut()
    else:
        world.die()
    world.start()
    world.check()
    world.check_bytes()


@pytest.mark.parametrize("base", range(0, 60, 15))
def test_a_random_life_keeps_every_promise(base):
    seen: dict[str, int] = {}
    for seed in range(base, base + 15):
        world = World(seed, limits=TIGHT)
        random = Random(seed + 1_000_000)
        for _ in range(300):
            step(world, random, seen)
        restart(world, random)
    assert set(seen) == {"disk", "full", "pending"}, "the lives met too little"


def drain(world: World) -> None:
    for stream in world.journal.streams():
        records, lost = read_all(world.journal, stream)
        assert len(records) + len(lost) == world.journal.waiting(stream)
        if world.journal.durable_end(stream):
            world.free(stream, world.journal.durable_end(stream) - 1)


def test_faults_end_and_everything_drains():
    for seed in range(10):
        world, random = World(seed, limits=TIGHT), Random(seed)
        for _ in range(300):
            step(world, random, {})
        restart(world, random)
        while world.disk.pending:
            world.complete(world.disk.pending[0].ticket)
        drain(world)
        for lane in LANES:
            assert world.append(lane) == 0
        world.flush()
        drain(world)
        assert world.journal.streams() == [Stream(world.epoch, lane) for lane in LANES]
        assert len([name for name in world.disk.list() if not name.startswith("quarantine-")]) <= len(LANES)


def cut_and_check(
    seed: int, operations: int, tear: str | None, journal_class: type = Journal, disk: str = "disk"
) -> bool:
    """Run until the cut, start again, check; return True if the run ended before."""
    world = World(seed, journal_class=journal_class)
    getattr(world, disk).stop_after(operations)
    try:
        reference_run(world)
        ended = True
    except PowerCut:
        ended = False
    world.power_cut(tear)
    world.start()
    world.check()
    world.check_bytes()
    for lane in ("alarm", "event", "telemetry"):
        world.append(lane)
    world.flush()
    world.power_cut()
    world.start()
    world.check()
    return ended


def count_operations(seed: int, disk: str = "disk") -> int:
    world = World(seed)
    reference_run(world)
    return getattr(world, disk).operations


@pytest.mark.parametrize("disk", ["disk", "state"])
@pytest.mark.parametrize("tear", [*TEARS, None])
def test_every_promise_is_kept_after_a_cut_at_every_single_operation(tear, disk):
    total = count_operations(1, disk)
    assert total > 20, "the run is too short to mean anything"
    for operations in range(total):
        assert not cut_and_check(1, operations, tear, disk=disk), "the run must be the same up to the cut"
    assert cut_and_check(1, total, tear, disk=disk)


def test_the_process_may_die_without_a_power_cut_at_every_operation():
    for operations in range(count_operations(2)):
        world = World(2)
        world.disk.stop_after(operations)
        with pytest.raises(PowerCut):
            reference_run(world)
        world.disk.stop_after(10**9)
        world.start()
        world.check()
        world.power_cut()
        world.start()
        world.check()


def test_a_cut_during_recovery_is_recovered_from():
    cuts = 0
    for operations in range(0, count_operations(3), 3):
        for again in range(3):
            world = World(3)
            world.disk.stop_after(operations)
            with pytest.raises(PowerCut):
                reference_run(world)
            world.power_cut("zero")
            world.disk.put("stray", b"")
            world.disk.stop_after(again)
            try:
                world.start()
            except PowerCut:
                cuts += 1
                world.power_cut()
                world.start()
            world.check()
    assert cuts > 10


@pytest.mark.parametrize("planted", PLANTED)
def test_the_check_sees_a_planted_bug(planted):
    seen = set()
    for operations in range(1, count_operations(1) + 1):
        for tear in ("drop", "prefix"):
            try:
                cut_and_check(1, operations, tear, planted)
            except (AssertionError, ValueError) as exception:
                seen.add(str(exception))
    words = (" is lost", " is gone", " was durable")
    assert any(word in message for message in seen for word in words), seen
