"""The simulated disk keeps what was synced and, of the rest, only what a real disk might."""

import errno
from random import Random

import pytest

from simulator.world.disk import BLOCK_SIZE, TEARS, PowerCut, SimDisk


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def synced(disk, name, data):
    disk.append(name, data)
    disk.sync([name], 1)
    assert disk.complete(1) is None


@pytest.mark.parametrize("tear", [*TEARS, None])
def test_synced_bytes_outlive_a_power_cut_and_the_rest_is_torn(tear):
    rest = bytes(range(1, 256)) * 20
    outcomes = set()
    for seed in range(40):
        disk = SimDisk(Random(seed))
        synced(disk, "a", b"safe" * 50)
        disk.append("a", rest)
        disk.power_cut(tear)
        data = disk.read("a", 0, 10_000)
        assert data[:200] == b"safe" * 50
        tail = data[200:]
        assert len(tail) <= len(rest)
        assert all(byte in (0, rest[at]) for at, byte in enumerate(tail)), "no byte is invented"
        outcomes.add(tail)
    expected = {"drop": {b""}, "zero": {bytes(len(rest))}, "keep": {rest}}
    if tear in expected:
        assert outcomes == expected[tear]
    else:
        assert len(outcomes) > 3


def test_blocks_are_torn_at_their_edges(disk):
    synced(disk, "a", b"x" * 100)
    disk.append("a", b"y" * 5000)
    disk.power_cut("blocks")
    data = disk.read("a", 0, 9999)
    for start in range(0, len(data), BLOCK_SIZE):
        assert len(set(data[max(start, 100) : start + BLOCK_SIZE])) == 1


def test_a_creation_rename_or_deletion_not_synced_may_be_undone_and_a_synced_one_never():
    seen = set()
    for seed in range(60):
        disk = SimDisk(Random(seed))
        synced(disk, "kept", b"1")
        synced(disk, "old", b"2")
        synced(disk, "gone", b"3")
        disk.append("new", b"4")
        disk.rename("old", "renamed")
        disk.delete("gone")
        disk.power_cut()
        names = set(disk.list())
        assert "kept" in names
        assert len(names & {"old", "renamed"}) == 1, "a rename leaves one name, the old or the new"
        seen.add(frozenset(names - {"kept"}))

        disk = SimDisk(Random(seed))
        synced(disk, "old", b"2")
        synced(disk, "gone", b"3")
        disk.rename("old", "renamed")
        disk.delete("gone")
        synced(disk, "new", b"4")
        disk.power_cut()
        assert disk.list() == ["new", "renamed"]
    assert len(seen) == 8, "each of the three may be undone without the others"


def test_a_sync_covers_only_what_was_written_before_it_started(disk):
    disk.append("a", b"before")
    disk.sync(["a"], 1)
    disk.append("a", b"after")
    disk.complete(1)
    disk.power_cut("drop")
    assert disk.read("a", 0, 99) == b"before"


def test_after_a_failed_sync_the_bytes_are_lost_though_the_next_sync_succeeds(disk):
    synced(disk, "a", b"safe")
    disk.append("a", b"lost")
    disk.sync(["a"], 2)
    disk.sync_error = "simulated"
    assert disk.complete(2) == "simulated"
    disk.sync_error = None
    synced(disk, "a", b"next")
    assert disk.read("a", 0, 99) == b"safelostnext", "the cache still shows them"
    disk.power_cut("keep")
    assert disk.read("a", 0, 99) == b"safe\0\0\0\0next"


@pytest.mark.parametrize("tear", [*TEARS, None])
def test_bytes_written_inside_a_file_are_the_old_or_the_new_ones(tear):
    seen = set()
    for seed in range(60):
        disk = SimDisk(Random(seed))
        synced(disk, "a", b"o" * 3000)
        disk.write("a", 700, b"n" * 1500)
        disk.power_cut(tear)
        data = disk.read("a", 0, 9999)
        assert len(data) == 3000 and data[:700] == b"o" * 700 and data[2200:] == b"o" * 800
        assert set(data) <= {*b"on"}
        seen.add(data)
    assert len(seen) == 1 if tear in ("drop", "zero", "keep") else len(seen) > 3


def test_what_was_written_again_during_a_sync_is_not_safe_by_it(disk):
    synced(disk, "a", b"old!")
    disk.write("a", 0, b"one!")
    disk.sync(["a"], 1)
    disk.write("a", 0, b"two!")
    disk.complete(1)
    disk.power_cut("drop")
    assert disk.read("a", 0, 9) == b"one!"


def test_of_two_syncs_under_way_the_later_one_covers_what_the_earlier_does(disk):
    disk.append("a", b"first")
    disk.sync(["a"], 1)
    disk.append("a", b"second")
    disk.sync(["a"], 2)
    disk.complete(2)
    disk.power_cut("drop")
    assert disk.read("a", 0, 99) == b"firstsecond"


def test_a_full_disk_takes_what_fits_and_raises(disk):
    disk.capacity_bytes = 10
    disk.append("a", b"1234567")
    with pytest.raises(OSError, match="full") as caught:
        disk.append("b", b"1234567")
    assert caught.value.errno == errno.ENOSPC
    assert disk.read("b", 0, 99) == b"123"
    disk.delete("a")
    disk.append("b", b"4567")


def test_it_stops_in_the_middle_of_the_operation_it_was_told(disk):
    disk.stop_after(2)
    disk.append("a", b"1")
    disk.append("a", b"2")
    with pytest.raises(PowerCut):
        disk.append("a", b"3" * 100)
    assert disk.operations == 3
    assert disk.size("a") <= 102
    disk.power_cut()
    disk.append("b", b"the power is back")


def test_each_sync_is_told_to_the_scheduler_with_a_latency_from_the_seed():
    def latencies(seed):
        told = []
        disk = SimDisk(Random(seed), latency_ms=(5, 50), on_pending=told.append)
        disk.append("a", b"x")
        for ticket in range(20):
            disk.sync(["a"], ticket)
        assert told == disk.pending
        return [pending.latency_ms for pending in told]

    assert latencies(1) == latencies(1) != latencies(2)
    assert all(5 <= latency <= 50 for latency in latencies(1))


def test_one_seed_gives_one_outcome():
    def outcome(seed):
        disk = SimDisk(Random(seed))
        for number in range(20):
            disk.append(f"file-{number % 5}", bytes([number]) * 700)
            if number % 7 == 0:
                disk.sync([f"file-{number % 5}"], number)
                disk.complete(number)
        disk.power_cut()
        return {name: disk.read(name, 0, 10_000) for name in disk.list()}

    assert outcome(1) == outcome(1)
    assert outcome(1) != outcome(2)


def test_free_bytes_are_what_the_capacity_leaves():
    disk = SimDisk(Random(1), capacity_bytes=100)
    disk.append("a", bytes(60))
    assert disk.free_bytes() == 40
    disk.capacity_bytes = 50
    assert disk.free_bytes() == 0
    disk.capacity_bytes = None
    assert disk.free_bytes() > 1 << 40
