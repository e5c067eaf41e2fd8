"""Long random lives of a journal that makes room, with every fault of both disks, compared with the model."""

import errno
from random import Random

import pytest

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


@pytest.mark.parametrize("base", range(0, 40, 10))
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
