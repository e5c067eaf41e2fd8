"""The store of what was refused: readable by an operator, bounded in bytes, files and lines, never in the way."""

import json
from random import Random

import pytest

from gateway.core import limits
from gateway.core.refused_store import RefusedStore
from simulator.world.disk import SimDisk


def keep(store, number=0, *, data=b"bytes", source="peer", now_ms=0):
    store.append("why", source, data, unix_s=1_790_000_000 + number, now_ms=now_ms)


def lines(disk):
    return [json.loads(line) for name in disk.list() for line in disk.read(name, 0, disk.size(name)).splitlines()]


def test_a_line_tells_when_from_whom_why_and_the_bytes():
    disk = SimDisk(Random(1))
    keep(RefusedStore(disk), data=b"\x00\xff", source="('192.0.2.1', 5)")
    assert lines(disk) == [
        {"unix_s": 1_790_000_000, "from": "('192.0.2.1', 5)", "why": "why", "bytes": 2, "hex": "00ff"}
    ]


def test_a_flood_is_kept_for_so_many_lines_a_minute_and_counted_beyond():
    disk = SimDisk(Random(1))
    store = RefusedStore(disk)
    for number in range(limits.REFUSED_PER_MINUTE_MAX + 7):
        keep(store, number)
    assert len(lines(disk)) == store.counters["kept"] == limits.REFUSED_PER_MINUTE_MAX
    assert store.counters["not-kept"] == 7
    keep(store, now_ms=60_000)
    assert len(lines(disk)) == limits.REFUSED_PER_MINUTE_MAX + 1


@pytest.mark.parametrize(
    ("data", "source"), [(b"x" * 1500, "peer"), (b"x" * 100_000, "peer"), (b"", "\x01" * 65_000), (b"x", "é" * 65_000)]
)
def test_files_and_bytes_stay_within_their_bounds_and_the_newest_are_kept(monkeypatch, data, source):
    monkeypatch.setattr(limits, "REFUSED_FILE_BYTES_MAX", 20_000)
    disk = SimDisk(Random(1))
    store = RefusedStore(disk)
    for number in range(400):
        keep(store, number, data=data, source=source, now_ms=60_000 * number)
        assert len(disk.list()) <= limits.REFUSED_FILES_MAX
        assert max(disk.size(name) for name in disk.list()) <= 20_000
    assert store.counters["kept"] == 400
    assert lines(disk)[-1]["unix_s"] == 1_790_000_399


def test_restarts_do_not_let_it_grow_nor_touch_other_files():
    disk = SimDisk(Random(1))
    disk.put("boot-0000000001", b"")
    disk.put("refused-².log", b"somebody's")
    for _ in range(10):
        keep(RefusedStore(disk))
    ours = [name for name in disk.list() if name.startswith("refused-0")]
    assert ours == ["refused-00000001.log"], "a start goes on with the newest file: none is pushed out by restarts"
    kept = disk.read(ours[0], 0, 100_000).split(b"\n")
    assert len([json.loads(line) for line in kept if line]) == 10
    assert {"boot-0000000001", "refused-².log"} < set(disk.list())


def test_a_disk_that_refuses_is_counted_and_bounded_all_the_same(monkeypatch):
    monkeypatch.setattr(limits, "REFUSED_FILE_BYTES_MAX", 2000)
    disk = SimDisk(Random(1))
    store = RefusedStore(disk)
    for number in range(300):
        disk.append_error = 5 if number % 3 else None  # part of the line is written nevertheless
        keep(store, number, data=b"x" * 100, now_ms=60_000 * number)
        assert len(disk.list()) <= limits.REFUSED_FILES_MAX
        assert all(disk.size(name) <= 2000 for name in disk.list())
    assert store.counters["disk-errors"] == 200 and store.counters["kept"] == 100


def test_a_folder_that_cannot_be_listed_stops_nobody(monkeypatch):
    disk = SimDisk(Random(1))

    def fail():
        raise OSError

    monkeypatch.setattr(disk, "list", fail)
    assert RefusedStore(disk).counters["disk-errors"] == 1
