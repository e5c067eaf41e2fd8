"""The loss ledger forgets by size alone: neither restarts nor a full disk push out what it named before."""

import errno
from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody import ledger
from gateway.core.custody.ledger import Ledger, LossTime
from simulator.world.disk import SimDisk

NODE = bytes.fromhex("7c1f0a2c01000001")


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def note(writer, sequence):
    writer.records_lost("thinned", "telemetry", NODE, 1, [sequence], key=f"deed-{sequence}", when=LossTime(None, 0))


def named(disk):
    return [sequence for line in ledger.entries(disk) for sequence in ledger.expand(line["sequences"])]


def test_a_loss_in_each_of_many_lives_is_still_named(disk):
    lives = 3 * limits.LEDGER_FILES_MAX
    for sequence in range(lives):
        note(Ledger(disk), sequence)
    assert named(disk) == list(range(lives))
    assert Ledger(disk).totals == {"thinned": lives}


def test_a_life_that_ends_within_a_line_costs_that_line_alone(disk):
    writer = Ledger(disk)
    for sequence in range(3):
        note(writer, sequence)
    (name,) = disk.list()
    whole = disk.read(name, 0, disk.size(name))
    disk.put(name, whole[:-7])
    note(Ledger(disk), 3)
    assert named(disk) == [0, 1, 3]


def test_a_disk_that_refuses_for_long_costs_nothing_that_was_written(disk):
    writer = Ledger(disk)
    for sequence in range(100):
        note(writer, sequence)
    disk.capacity_bytes = disk.bytes_used + 50
    for sequence in range(100, 100 + 3 * limits.LEDGER_FILES_MAX):
        note(writer, sequence)
    assert named(disk) == list(range(100))
    disk.capacity_bytes = None
    writer.sync()
    assert named(disk) == list(range(100 + 3 * limits.LEDGER_FILES_MAX))
    assert Ledger(disk).totals == writer.totals == {"thinned": 100 + 3 * limits.LEDGER_FILES_MAX}


def test_a_disk_that_is_full_from_the_beginning_gets_its_totals_later(disk):
    disk.capacity_bytes = 20
    writer = Ledger(disk)
    for sequence in range(20):
        note(writer, sequence)
    assert named(disk) == []
    disk.capacity_bytes = None
    writer.sync()
    assert named(disk) == list(range(20))
    assert Ledger(disk).totals == {"thinned": 20}


def test_a_file_that_cannot_be_deleted_does_not_end_the_ledger_which_stays_bounded(disk, monkeypatch):
    monkeypatch.setattr(limits, "LEDGER_FILE_BYTES_MAX", 600)
    monkeypatch.setattr(limits, "LEDGER_FILES_MAX", 8)
    writer, delete = Ledger(disk), disk.delete

    def stubborn(name):
        if name == "losses-00000001.log":
            raise OSError(errno.EIO, "simulated")
        delete(name)

    disk.delete = stubborn
    for sequence in range(100):
        note(writer, sequence)
    assert named(disk)[-1] == 99 and writer.counters["not-kept"] == 0
    assert len(disk.list()) == limits.LEDGER_FILES_MAX + 1
    disk.delete_error, disk.delete = errno.EIO, delete
    for sequence in range(100, 200):
        note(writer, sequence)
    assert len(disk.list()) <= 2 * limits.LEDGER_FILES_MAX
    disk.delete_error = None
    writer.catch_up()
    assert named(disk)[-1] == 199 and len(disk.list()) == limits.LEDGER_FILES_MAX
    assert Ledger(disk).totals == {"thinned": 200}


def test_after_a_failed_sync_the_next_line_goes_elsewhere(disk):
    writer = Ledger(disk)
    note(writer, 1)
    disk.sync_error = "simulated"
    writer.on_synced(writer.sync(), disk.complete(disk.pending[0].ticket))
    disk.sync_error = None
    note(writer, 2)
    writer.on_synced(writer.sync(), disk.complete(disk.pending[0].ticket))
    disk.power_cut("drop")
    assert named(disk) == [2], "a later sync of the first file would have promised what it had lost"
    assert Ledger(disk).totals == {"thinned": 2}


def test_reasons_are_bounded_and_what_comes_beyond_is_one_total(disk, monkeypatch):
    monkeypatch.setattr(limits, "LEDGER_REASONS_MAX", 3)
    monkeypatch.setattr(limits, "LEDGER_FILE_BYTES_MAX", 600)
    writer = Ledger(disk)
    for number in range(10):
        writer.records_lost(f"word {number}", "event", NODE, 1, [number], key=str(number), when=LossTime(None, 0))
    told = {"word 0": 1, "word 1": 1, "word 2": 1, ledger.OTHER: 7}
    assert writer.totals == Ledger(disk).totals == told


def test_a_beginning_that_was_written_twice_counts_its_lines_once(disk):
    writer, append = Ledger(disk), disk.append

    def writes_all_and_fails(name, data):
        append(name, data)
        raise OSError(errno.ENOSPC, "simulated")

    disk.append = writes_all_and_fails
    note(writer, 1)
    disk.append = append
    note(writer, 2)
    assert named(disk) == [1, 2]
    assert Ledger(disk).totals == writer.totals == {"thinned": 2}


def test_what_was_refused_is_written_without_another_loss(disk):
    writer = Ledger(disk)
    disk.append_error = errno.ENOSPC
    note(writer, 1)
    disk.append_error = None
    writer.catch_up()
    assert named(disk) == [1] and [pending.names for pending in disk.pending] == [("losses-00000001.log",)]
    assert writer._syncs == {}
