"""A card that dies in each of the ways of flash, and is whole again with what it had."""

import errno

import pytest

from simulator.world.chance import Prng
from simulator.world.disk import ERRORS, FULL, SOUND, STALLS, DyingDisk


@pytest.fixture
def begun():
    return []


@pytest.fixture
def disk(begun):
    disk = DyingDisk(Prng("card"), latency_ms=(1, 5), on_pending=begun.append)
    disk.append("file", b"before")
    return disk


def test_with_errors_every_operation_fails(disk, begun):
    disk.become(ERRORS)
    for operation in (
        lambda: disk.append("file", b"x"),
        lambda: disk.read("file", 0, 1),
        lambda: disk.size("file"),
        lambda: disk.rename("file", "other"),
        lambda: disk.delete("file"),
        disk.list,
        disk.free_bytes,
    ):
        with pytest.raises(OSError) as caught:
            operation()
        assert caught.value.errno == errno.EIO
    disk.sync(["file"], 1)
    assert disk.complete(begun[0].ticket) is not None
    disk.become(SOUND)
    assert disk.read("file", 0, 99) == b"before"


def test_a_stalled_card_takes_bytes_and_completes_nothing_until_it_wakes(disk, begun):
    disk.become(STALLS)
    disk.append("file", b" and after")
    disk.sync(["file"], 7)
    assert begun == []
    disk.become(SOUND)
    assert [sync.ticket for sync in begun] == [7]
    assert disk.complete(7) is None and disk.read("file", 0, 99) == b"before and after"


def test_syncs_of_a_process_that_is_gone_wake_nobody(disk, begun):
    disk.become(STALLS)
    disk.sync(["file"], 7)
    disk.abandon()
    disk.become(SOUND)
    assert begun == []


def test_what_stalled_is_torn_by_a_power_cut(disk, begun):
    disk.become(STALLS)
    disk.sync(["file"], 7)
    disk.power_cut("drop")
    disk.become(SOUND)
    assert begun == []
    assert "file" not in disk.list() or disk.read("file", 0, 99) == b""


def test_a_full_card_has_no_byte_left(disk):
    disk.become(FULL)
    assert disk.free_bytes() == 0
    with pytest.raises(OSError) as caught:
        disk.append("file", b"x")
    assert caught.value.errno == errno.ENOSPC
    disk.become(SOUND)
    disk.append("file", b"x")
