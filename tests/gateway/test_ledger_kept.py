"""The loss ledger forgets by size alone: neither restarts nor a full disk push out what it named before."""

from random import Random

import pytest

from gateway.core import ledger, limits
from gateway.core.ledger import Ledger, When
from simulator.disk import SimDisk

NODE = bytes.fromhex("7c1f0a2c01000001")


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def note(writer, sequence):
    writer.records_lost("thinned", "telemetry", NODE, 1, [sequence], key=f"deed-{sequence}", when=When(None, 0))


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
