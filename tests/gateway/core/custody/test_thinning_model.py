"""Long random lives of a journal that makes room, with every fault of both disks, compared with the model."""

import errno
from random import Random

import pytest

from gateway.core.custody.journal import Journal
from gateway.core.custody.thinning import Thinner
from simulator.world.disk import TEARS, PowerCut
from tests.support.thinning_world import NODES, ThinningWorld

TIGHT = {
    "segment_bytes_max": 1000,
    "journal_bytes_max": 8000,
    "alarm_reserve_bytes": 1500,
    "free_margin_bytes": 300,
    "ballast_bytes": 400,
}


def heal(world):
    for disk in (world.disk, world.state):
        disk.append_error = disk.sync_error = disk.delete_error = disk.capacity_bytes = None
        disk.read_error_names = set()


def restart(world, random):
    heal(world)
    if random.randrange(3):
        world.power_cut()
    else:
        world.start()
    world.check(exact=False)
    world.check_bytes()


def step(world, random):
    kind = random.randrange(100)
    disk = random.choice([world.disk, world.disk, world.state])
    if kind < 60:
        for _ in range(random.randrange(6)):
            world.telemetry(NODES[random.choice([0, 0, 0, 1, 2])], health=not random.randrange(4))
    elif kind < 66:
        world.event(random.choice(NODES))
    elif kind < 68:
        world.alarm(random.choice(NODES))
    elif kind < 78:
        world.journal.flush()
    elif kind < 81:
        stream = random.choice(world.journal.streams())
        if end := world.journal.durable_end(stream):
            world.free(stream, random.randrange(world.journal.oldest(stream), end + 1) - 1)
    elif kind < 83:
        disk.append_error = random.choice([errno.EIO, errno.ENOSPC])
    elif kind < 84:
        disk.sync_error = "simulated"
    elif kind < 85:
        disk.delete_error = errno.EROFS
    elif kind < 87:
        world.disk.capacity_bytes = world.disk.bytes_used + random.randrange(1500)
    elif kind < 88 and world.disk.list():
        world.disk.read_error_names = {random.choice(list(world.disk.list()))}
    elif kind < 98:
        heal(world)
    elif kind < 99:
        world.disk.read_error_names = set()
        world.check(exact=False)
    else:
        restart(world, random)
    world.turn()


@pytest.mark.slow
@pytest.mark.parametrize("base", [0, 10])
def test_a_random_life_loses_nothing_unexplained_and_heals(base):
    thinned = dropped = merged = 0
    for seed in range(base, base + 10):
        world, random = ThinningWorld(seed, limits=TIGHT), Random(seed + 1_000_000)
        for _ in range(700):
            step(world, random)
        restart(world, random)
        world.work()
        world.check(exact=False)
        world.check_bytes()
        assert world.telemetry(NODES[0]) is not None or world.work() or world.telemetry(NODES[0]) is not None
        world.deeds.update(world.thinner.counters)
        thinned += world.deeds["segments-thinned"]
        dropped += world.deeds["segments-dropped"]
        merged += world.deeds["segments-merged"]
    assert thinned > 5 and dropped > 10 and merged > 5, "the lives met too little"


TIGHTER = {
    "segment_bytes_max": 1000,
    "journal_bytes_max": 7000,
    "alarm_reserve_bytes": 1500,
    "free_margin_bytes": 500,
    "ballast_bytes": 400,
}


def run(world):
    """Fill the journal until records of every kind have been let go, once with a start in between."""
    for number in range(250):
        node = NODES[number % 5 == 0]
        world.telemetry(node, health=number % 4 == 0)
        if number % 10 == 0:
            world.event(node)
        if number % 60 == 0:
            world.alarm(node)
        if number % 4 == 0:
            world.flush()
        world.turn()
        if number == 170:
            world.start()
    world.work()


def build(seed, **planted):
    return ThinningWorld(seed, limits=TIGHTER, **planted)


def count_operations(seed):
    world = build(seed)
    run(world)
    world.deeds.update(world.thinner.counters)
    assert world.deeds["segments-thinned"] > 3 and world.deeds["segments-dropped"] > 2, world.deeds
    world.check()
    return world.disk.operations, world.state.operations


def cut_and_check(seed, *, journal=None, state=None, tear=None, **planted):
    """Cut at that operation of one of the disks; start, check, go on, cut again, check."""
    world = build(seed, **planted)
    if journal is not None:
        world.disk.stop_after(journal)
    if state is not None:
        world.state.stop_after(state)
    try:
        run(world)
        ended = True
    except PowerCut:
        ended = False
    world.state.stop_after(10**9)
    world.power_cut(tear)
    world.check(exact=False)
    world.check_bytes()
    world.work()
    world.check()
    for number in range(12):
        world.telemetry(NODES[number % 2])
    world.flush()
    world.work()
    world.power_cut()
    world.work()
    world.check()
    world.check_bytes()
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("tear", [*TEARS, None])
def test_a_cut_at_every_operation_of_the_journals_disk(tear):
    total, _ = count_operations(1)
    assert total > 350, "the run is too short to mean anything"
    start = (*TEARS, None).index(tear)
    for operations in range(start, total, 6):
        assert not cut_and_check(1, journal=operations, tear=tear)
    assert cut_and_check(1, journal=total, tear=tear)


@pytest.mark.slow
def test_a_cut_at_every_operation_of_the_state_disk():
    _, total = count_operations(2)
    assert total > 40
    for operations in range(total):
        assert not cut_and_check(2, state=operations)


@pytest.mark.slow
def test_the_process_may_die_at_every_operation_without_a_power_cut():
    total, _ = count_operations(3)
    for operations in range(1, total, 11):
        world = build(3)
        world.disk.stop_after(operations)
        with pytest.raises(PowerCut):
            run(world)
        world.disk.stop_after(10**9)
        world.disk.pending.clear()
        world.state.pending.clear()
        world.start()
        world.work()
        world.check()
        world.power_cut()
        world.work()
        world.check()


@pytest.mark.slow
def test_a_write_that_finds_no_space_at_every_operation():
    total, _ = count_operations(4)
    for operations in range(0, total, 11):
        world = build(4)
        write, seen = world.disk.write, []

        def no_space_once(name, offset, data, world=world, write=write, seen=seen, operations=operations):
            if world.disk.operations >= operations and not seen:
                seen.append(name)
                world.disk.append_error = errno.ENOSPC
            try:
                write(name, offset, data)
            finally:
                world.disk.append_error = None

        world.disk.write = no_space_once
        run(world)
        world.check()
        world.check_bytes()
        world.power_cut()
        world.work()
        world.check()


class DeletesBeforeTheGapIsDurable(Thinner):
    """Planted: does not wait for the sync of the gap records."""

    def _explain_all(self, release, gaps):
        for gap in gaps:
            self._explain(gap)
        yield None
        return True


class DropsAGap(Thinner):
    """Planted: forgets to explain one of several nodes."""

    def _explain_all(self, release, gaps):
        return (yield from super()._explain_all(release, gaps[: max(1, len(gaps) - 1)]))


class DeletesBeforeTheSync(Journal):
    """Planted: takes a new file for durable when it is written."""

    def has_finished(self, ticket):
        self._file_syncs[ticket] = ""
        return True


class ListsNothing(Thinner):
    """Planted: deletes the old file before the ledger says who went."""

    def _list(self, lost, lane, new, freed):
        yield from ()


class ForgetsTheTail(Thinner):
    """Planted: after a cut, the replacement is trusted and its ledger is not completed."""

    def _resume(self, found):
        for old in found.olds:
            self._journal.delete_file(old.name)
        yield from ()


PLANTED = [
    {"thinner_class": DeletesBeforeTheGapIsDurable},
    {"thinner_class": DropsAGap},
    {"journal_class": DeletesBeforeTheSync},
    {"thinner_class": ListsNothing},
    {"thinner_class": ForgetsTheTail},
]


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: next(iter(planted.values())).__name__)
def test_the_checks_see_a_planted_bug(planted):
    total = count_operations(1)[0]
    with pytest.raises(AssertionError, match=r"unexplained|ledger|listed"):
        for operations in range(total // 3, total, 4):
            for tear in ("drop", None):
                cut_and_check(1, journal=operations, tear=tear, **planted)
