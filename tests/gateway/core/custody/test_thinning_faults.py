"""What a fault of the disk may cost a journal that makes room: time, and never more records than full disks do."""

import errno

import pytest

from gateway.core import limits
from gateway.core.custody import ledger, segment
from gateway.core.custody.arrangement import Replacement
from gateway.core.custody.segment import written
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

    def fails_once(name, data, **how):
        if failed:
            return write_file(name, data, **how)
        failed.append(name)
        if fault == "write":
            return OSError(errno.EIO, "simulated")
        if fault == "read":
            raise OSError(errno.EIO, "simulated")
        return write_file(name, data, **how)

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


LIMITS = {"segment_bytes_max": 4000, "journal_bytes_max": 60_000, "alarm_reserve_bytes": 8000}


@pytest.fixture
def cut():
    """A world whose gateway has just started on a whole new file beside its old one: (world, the replacement)."""
    world = ThinningWorld(1, limits=LIMITS)
    while not world.journal.space.is_short(world.journal.bytes_held):
        world.telemetry(NODES[0])
        world.flush()
    world.thinner._list = lambda *_: iter(lambda: None, 0)  # stops before the ledger, and so before the deletion
    while not world.journal.counters.segments_replaced:
        world.turn()
    for _ in range(30):
        world.turn()
    world.start()
    (found,) = world.journal._interrupted
    return world, found


def test_it_is_taken_up_and_the_ledger_completed(cut):
    world, found = cut
    world.work()
    assert world.thinner.counters["resumed"] == 1
    assert not {old.name for old in found.olds} & set(world.disk.list()) and found.new.name in world.disk.list()
    world.check()


def test_it_is_taken_up_though_the_warehouse_has_received_the_rest_first(cut):
    world, found = cut
    held = set(world.held()[0])
    world.journal.release_through(found.stream, world.journal.durable_end(found.stream) - 1)
    world.work()
    assert world.thinner.counters["resumed"] == 1
    assert not {file.name for file in (found.new, *found.olds)} & set(world.disk.list())
    listed = {
        (bytes.fromhex(line["node"]), line["boot"], sequence)
        for line in ledger.entries(world.state)
        for sequence in ledger.expand(line["sequences"])
    }
    assert set(world.promised) - held <= listed and listed
    world.check_bytes()


def test_it_is_taken_up_though_a_sync_had_failed_in_the_old_file_and_the_file_behind_is_gone():
    """What the old file holds beyond the new one's end is not the new one's to list."""
    world = ThinningWorld(1, limits=LIMITS)
    for count, error in ((20, None), (3, "simulated")):  # the three are written again, in a second file
        for _ in range(count):
            world.telemetry(NODES[0])
        world.complete(world.journal.flush(), error)
    world.journal.space.is_short = lambda held: True
    world.thinner._list = lambda *_: iter(lambda: None, 0)
    while not world.journal.counters.segments_replaced:
        world.turn()
    (second,) = [name for name in world.disk.list() if f"telemetry-{world.epoch.hex()}-{20:016x}" in name]
    world.disk.steal(second)
    world.start()
    (found,) = world.journal._interrupted
    assert found.new.end == 20
    world.work()
    assert world.thinner.counters["resumed"] == 1 and found.olds[0].name not in world.disk.list()
    assert len(world.journal.read(found.stream, 0, count_max=99, bytes_max=1 << 16)) == 20
    assert len(world.listed()) == 10


def test_after_a_failed_sync_of_the_new_file_the_old_one_answers_again_and_nothing_is_lost(cut):
    world, found = cut
    world.disk.sync_error = "simulated"
    world.turn()
    world.settle()
    world.disk.sync_error = None
    world.turn()
    assert found.new.name not in world.disk.list() and found.olds[0].name in world.disk.list()
    held = world.held()[0]
    assert len(held) == len([one for one in world.promised if one in held]) and not set(world.promised) - set(held)
    world.work()
    world.power_cut("drop")
    world.work()
    world.check()
    world.check_bytes()


def test_a_new_file_that_cannot_be_read_is_not_trusted(cut):
    world, found = cut
    world.disk.read_error_names = {found.new.name}
    world.work()
    world.disk.read_error_names = set()
    assert found.new.name not in world.disk.list()
    world.check()


def test_an_old_file_that_cannot_be_read_does_not_stop_the_making_of_room(cut):
    world, found = cut
    world.disk.read_error_names = {found.olds[0].name}
    for _ in range(limits.JOURNAL_READ_FAILURES_MAX + 2):
        world.now_ms += limits.THINNING_RETRY_MS
        world.work()
    assert found.olds[0].name not in world.disk.list() and world.thinner.counters["resumed"] == 1
    world.check(exact=False)


def test_an_old_file_that_is_read_again_is_listed_once(cut, monkeypatch):
    monkeypatch.setattr(segment, "JOURNAL_READ_BYTES", 1500)
    world, found = cut
    (old,) = found.olds
    read, calls = world.disk.read, []

    def fails_once(name, offset, length):
        calls.append(name)
        if name == old.name and calls.count(name) == 2:
            raise OSError(errno.EIO, "simulated")
        return read(name, offset, length)

    world.disk.read = fails_once
    world.work()
    world.disk.read = read
    assert world.thinner.counters["resumed"] == 1
    world.check()


def test_what_was_replaced_twice_is_deleted_at_the_start(cut):
    world, found = cut
    data = {old.name: world.disk.read(old.name, 0, 1 << 20) for old in found.olds}
    world.work()
    again = world.journal.new_segment(found.stream, found.new.first, found.new.level)
    world.disk.sync([found.new.name], 999)
    world.disk.complete(999)
    void = world.thinner._void_of(found.new)
    for piece in written(again, found.new, void, list(world.journal.scan_segment(found.new))):
        world.disk.append(again.name, piece)
    for old, whole in data.items():
        world.disk.put(old, whole)
    world.start()
    assert not set(data) & set(world.disk.list())
    (left,) = world.journal._interrupted
    assert isinstance(left, Replacement) and [old.name for old in left.olds] == [found.new.name]
    world.work()
    world.check()
    world.check_bytes()
