"""What a fault of the disk may cost a journal that makes room: time, and never more records than full disks do."""

import errno

import pytest

from gateway.core import limits
from tests.support.thinning_world import NODES, ThinningWorld

BIG = {"segment_bytes_max": 4000, "journal_bytes_max": 60_000, "alarm_reserve_bytes": 8000}


@pytest.mark.parametrize("fault", ["read", "sync", "write"])
def test_only_a_want_of_room_makes_whole_segments_go_and_no_other_fault_of_the_disk(fault):
    world = ThinningWorld(22, limits=BIG)
    while not world.journal.space.is_short(world.journal.bytes_held):
        world.telemetry(NODES[0])
        world.flush()
    write_file, has_succeeded = world.journal.write_file, world.journal.has_succeeded
    failed = []

    def fails_once(name, data):
        if failed:
            return write_file(name, data)
        failed.append(name)
        if fault == "write":
            return OSError(errno.EIO, "simulated")
        if fault == "read":
            raise OSError(errno.EIO, "simulated")
        return write_file(name, data)

    world.journal.write_file = fails_once
    if fault == "sync":
        world.journal.has_succeeded = lambda ticket: has_succeeded(ticket) and len(failed.append(0) or failed) > 2
    for _ in range(5):
        world.work()
        world.now_ms += limits.THINNING_RETRY_MS
    assert world.thinner.counters["given-up"] == 1 and failed
    assert world.thinner.counters["segments-thinned"] > 0 == world.thinner.counters["segments-dropped"]
    world.check()


def test_an_unreadable_segment_is_passed_over():
    world = ThinningWorld(17, limits=BIG)
    while not world.journal.space.is_short(world.journal.bytes_held):
        world.telemetry(NODES[0])
        world.flush()
    (_, bad), *_ = world.journal.sealed("telemetry")
    world.disk.read_error_names = {bad.name}
    for _ in range(20):
        world.work()
        world.now_ms += limits.THINNING_RETRY_MS
    assert world.thinner.counters["segments-thinned"] > 0 and bad.level == 0
    world.disk.read_error_names = set()
    world.check()
