"""The real disk: bytes, descriptors, the sync thread and its report; and a journal that lives on it."""

import errno
import os
import stat
import threading
from queue import Queue

import pytest

from gateway.core.custody.journal import Journal, LaneEnd, Refused, Stream
from gateway.io import disk as disk_module
from gateway.io.disk import FileDisk

WAIT_S = 60  # an upper bound for a hung worker, not a delay


@pytest.fixture
def reports():
    return Queue()


@pytest.fixture
def disk(tmp_path, reports):
    disk = FileDisk(tmp_path / "deep" / "journal", lambda *report: reports.put(report))
    yield disk
    disk.close()


def test_bytes_come_back_in_pieces_and_at_the_end_of_the_file(disk):
    disk.append("a", b"one ")
    disk.append("a", b"two")
    disk.append("b", b"")
    assert disk.list() == ["a", "b"]
    assert (disk.size("a"), disk.size("b")) == (7, 0)
    assert disk.read("a", 2, 3) == b"e t"
    assert disk.read("a", 5, 100) == b"wo"
    assert disk.read("a", 50, 100) == b""


def test_folder_and_files_are_for_their_owner_alone(disk, tmp_path):
    disk.append("a", b"x")
    folder = tmp_path / "deep" / "journal"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600


def test_rename_and_delete_also_of_a_file_being_written(disk):
    disk.append("a", b"x")
    disk.rename("a", "quarantine-a")
    disk.append("a", b"another")
    assert disk.read("quarantine-a", 0, 9) == b"x"
    disk.delete("quarantine-a")
    disk.delete("a")
    assert disk.list() == []
    with pytest.raises(FileNotFoundError):
        disk.delete("a")


def test_folders_and_links_are_not_listed(disk, tmp_path):
    folder = tmp_path / "deep" / "journal"
    (folder / "sub").mkdir()
    (folder / "link").symlink_to("/etc/hostname")
    assert disk.list() == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a"])
def test_a_name_cannot_leave_the_folder(disk, name):
    with pytest.raises(AssertionError):
        disk.append(name, b"x")


def test_a_sync_covers_file_and_folder_and_is_reported_from_the_worker(disk, reports, monkeypatch):
    calls = []
    for name in ("fdatasync", "fsync"):
        real = getattr(os, name)

        def spy(descriptor, name=name, real=real):
            calls.append((name, os.fstat(descriptor).st_ino, threading.current_thread().name))
            real(descriptor)

        monkeypatch.setattr(disk_module.os, name, spy)
    disk.append("a", b"x")
    disk.append("b", b"y")
    disk.sync(["a", "b"], 7)
    assert reports.get(timeout=WAIT_S) == (7, None)
    assert [(name, thread) for name, _, thread in calls] == [
        ("fdatasync", "journal-sync"),
        ("fdatasync", "journal-sync"),
        ("fsync", "journal-sync"),
    ]
    calls.clear()
    disk.append("a", b"more")
    disk.sync(["a"], 8)
    assert reports.get(timeout=WAIT_S) == (8, None)
    assert [name for name, *_ in calls] == ["fdatasync"], "the folder has not changed"


def test_an_error_is_reported_with_its_ticket_and_later_syncs_go_on(disk, reports, monkeypatch):
    def fails(descriptor):
        raise OSError(errno.EIO, "medium error")

    real = os.fdatasync
    monkeypatch.setattr(disk_module.os, "fdatasync", fails)
    disk.append("a", b"x")
    disk.sync(["a"], 1)
    ticket, error = reports.get(timeout=WAIT_S)
    assert ticket == 1
    assert "medium error" in error
    monkeypatch.setattr(disk_module.os, "fdatasync", real)
    disk.sync(["a"], 2)
    assert reports.get(timeout=WAIT_S) == (2, None)


def test_a_sync_of_a_file_that_is_not_there_is_reported_not_raised(disk, reports):
    disk.sync(["absent"], 3)
    ticket, error = reports.get(timeout=WAIT_S)
    assert ticket == 3
    assert error is not None


def test_files_deleted_while_their_sync_waits_do_no_harm(disk, reports):
    disk.append("a", b"x")
    disk.sync(["a"], 4)
    disk.delete("a")
    assert reports.get(timeout=WAIT_S) == (4, None)


def test_close_finishes_what_was_asked_ends_the_thread_and_leaks_no_descriptor(tmp_path, reports):
    before = sorted(os.listdir("/proc/self/fd"))
    others = set(threading.enumerate())  # of other tests, which may yet end
    disk = FileDisk(tmp_path, lambda *report: reports.put(report))
    for number in range(20):
        disk.append(f"file-{number}", b"x")
        disk.sync([f"file-{number}"], number)
    disk.close()
    assert [reports.get_nowait() for _ in range(20)] == [(number, None) for number in range(20)]
    assert set(threading.enumerate()) <= others
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_write_cut_short_goes_on_and_a_full_disk_raises(disk, monkeypatch):
    real = os.pwrite
    room = [10]

    def write(descriptor, data, offset):
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "no space left")
        count = real(descriptor, data[: min(3, room[0])], offset)
        room[0] -= count
        return count

    monkeypatch.setattr(disk_module.os, "pwrite", write)
    disk.append("a", b"12345678")
    assert disk.read("a", 0, 99) == b"12345678"
    with pytest.raises(OSError, match="no space"):
        disk.append("a", b"abcdef")
    assert disk.read("a", 0, 99) == b"12345678ab"


def test_bytes_are_written_inside_a_file_and_beyond_its_end(disk):
    disk.append("a", b"0" * 10)
    disk.write("a", 2, b"11")
    disk.write("a", 9, b"222")
    disk.write("b", 0, b"new")
    assert (disk.read("a", 0, 99), disk.read("b", 0, 99)) == (b"0011" + b"0" * 5 + b"222", b"new")


def open_journal(disk, epoch):
    limits = {"segment_bytes_max": 2000, "journal_bytes_max": 100_000, "alarm_reserve_bytes": 0}
    journal = Journal(disk, epoch=epoch, **limits)
    journal.recover()
    return journal


def test_a_journal_on_the_real_disk_rotates_syncs_restarts_and_frees(disk, reports):
    journal = open_journal(disk, b"epoch-01")
    payloads = [b"%d" % number * 40 for number in range(100)]
    for payload in payloads:
        assert not isinstance(journal.append("event", payload), Refused)
    ticket = journal.flush()
    assert reports.get(timeout=WAIT_S) == (ticket, None)
    assert journal.on_synced(ticket, None) == [LaneEnd("event", 100)]
    assert len(disk.list()) > 3

    stream = Stream(b"epoch-01", "event")
    after = open_journal(disk, b"epoch-02")
    assert after.read(stream, 0, count_max=1000, bytes_max=100_000) == payloads
    after.release_through(stream, 99)
    assert disk.list() == []


@pytest.fixture
def stalled(disk, reports, monkeypatch):
    """The card hangs in the sync with ticket 0 until the event is set; the inodes that were synced since."""
    gate, begun, synced = threading.Event(), threading.Event(), []
    real = os.fdatasync

    def fdatasync(descriptor):
        begun.set()
        assert gate.wait(WAIT_S)
        synced.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(disk_module.os, "fdatasync", fdatasync)
    disk.append("first", b"x")
    disk.sync(["first"], 0)
    assert begun.wait(WAIT_S)
    return gate, synced


def test_syncs_asked_for_during_a_stall_join_and_cost_no_descriptors(disk, reports, stalled, tmp_path):
    gate, synced = stalled
    before = len(os.listdir("/proc/self/fd"))
    for ticket in range(1, 2001):
        name = ("a", "b", "c")[ticket % 3]
        disk.append(name, b"x")
        disk.sync([name, "a"] if ticket > 3 else [name], ticket)
    assert len(os.listdir("/proc/self/fd")) <= before + 8
    gate.set()
    assert [reports.get(timeout=WAIT_S) for _ in range(2001)] == [(ticket, None) for ticket in range(2001)]
    folder = tmp_path / "deep" / "journal"
    assert sorted(synced[1:]) == sorted((folder / name).stat().st_ino for name in ("a", "b", "c"))


def test_a_file_made_anew_under_a_name_whose_sync_waits_is_synced_too(disk, reports, stalled, tmp_path):
    gate, synced = stalled
    disk.append("a", b"old")
    disk.sync(["a"], 1)
    disk.delete("a")
    disk.append("a", b"new")
    disk.sync(["a"], 2)
    gate.set()
    assert [reports.get(timeout=WAIT_S) for _ in range(3)] == [(0, None), (1, None), (2, None)]
    assert (tmp_path / "deep" / "journal" / "a").stat().st_ino in synced


def test_an_error_fails_all_that_joined_and_nobody_after(disk, reports, stalled, monkeypatch):
    gate, _ = stalled
    disk.sync(["absent"], 1)
    disk.append("a", b"x")
    disk.sync(["a"], 2)
    gate.set()
    found = [reports.get(timeout=WAIT_S) for _ in range(3)]
    assert found[0] == (0, None) and all(error is not None for _, error in found[1:])
    disk.sync(["a"], 3)
    assert reports.get(timeout=WAIT_S) == (3, None)


def test_free_bytes_are_those_of_the_partition(disk, tmp_path):
    state = os.statvfs(tmp_path)
    assert abs(disk.free_bytes() - state.f_bavail * state.f_frsize) < 1 << 30
