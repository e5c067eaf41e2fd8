"""The loss ledger: exact, bounded, readable after torn writes; its totals outlive rotation and starts."""

import errno
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import limits
from gateway.core.custody import ledger
from gateway.core.custody.ledger import Ledger, LossTime, compact, entries, expand
from simulator.world.disk import SimDisk

NODE = bytes.fromhex("7c1f0a2c01000001")
EPOCH = b"epoch-01"


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def lose(ledger, sequences, *, key="deed-1", at_s=1_790_000_000, why="thinned", boot=3):
    ledger.records_lost(why, "telemetry", NODE, boot, sequences, key=key, when=LossTime(at_s, 7))


def sync(ledger, disk, error=None):
    ticket = ledger.sync()
    for pending in list(disk.pending):
        ledger.on_synced(pending.ticket, error or disk.complete(pending.ticket))
    return ticket


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([3, 5], "3,5"),
        ([3, 5, 10, 11, 12], "3,5,10-12"),
        ([9, 7, 8, 8], "7-9"),
        ([0, 2, 4, 6, 7], "0-6/2,7"),
        ([1, 2], "1-2"),
        ([4_294_967_295], "4294967295"),
    ],
)
def test_numbers_are_written_as_runs(numbers, text):
    assert ",".join(compact(numbers)) == text


@given(st.sets(st.integers(0, 300)))
def test_the_runs_are_exactly_the_numbers(numbers):
    assert not numbers or expand(",".join(compact(numbers))) == sorted(numbers)


@pytest.mark.parametrize("text", ["", "x", "3-", "-3", "9-7", "1-2/0", "1,,2", "1-99999999999", "1 ", "²"])
def test_what_is_no_run_is_refused(text):
    with pytest.raises(ValueError, match="no run"):
        expand(text)


def test_a_line_names_when_why_whose_and_exactly_which(disk):
    lose(Ledger(disk), [5, 3, 9, 8, 7])
    assert list(entries(disk)) == [
        {
            "unix_s": 1_790_000_000,
            "uptime_s": 7,
            "why": "thinned",
            "lane": "telemetry",
            "node": NODE.hex(),
            "boot": 3,
            "sequences": "3-7/2,8-9",
            "count": 5,
            "key": "deed-1",
        }
    ]


def test_a_hole_is_listed_by_its_positions(disk):
    ledger = Ledger(disk)
    ledger.positions_lost("journal-damaged", "event", EPOCH, 4, 9, key="hole-4-9", when=LossTime(None, 12))
    (line,) = entries(disk)
    assert (line["unix_s"], line["epoch"], line["positions"], line["count"]) == (None, EPOCH.hex(), "4-9", 6)
    assert ledger.totals == {"journal-damaged": 6}


def test_entries_are_listed_between_two_times_and_those_without_a_clock_always(disk):
    ledger = Ledger(disk)
    for at_s in (100, 200, 300, None):
        lose(ledger, [at_s or 1], key=str(at_s), at_s=at_s)
    assert [line["unix_s"] for line in entries(disk, from_unix_s=150, until_unix_s=300)] == [200, 300, None]


def test_a_deed_that_is_written_down_twice_counts_once_also_over_a_start(disk):
    ledger = Ledger(disk)
    lose(ledger, [1, 2, 3])
    lose(ledger, [1, 2, 3])
    again = Ledger(disk)
    lose(again, [1, 2, 3])
    lose(again, [1, 2, 3], key="deed-2", boot=4)
    assert again.totals == {"thinned": 6}
    assert [line["key"] for line in entries(disk)] == ["deed-1", "deed-2"]
    assert (ledger.counters["repeated"], again.counters["repeated"]) == (1, 1)


def test_files_are_bounded_and_totals_outlive_rotation_and_starts(disk, monkeypatch):
    monkeypatch.setattr(limits, "LEDGER_FILE_BYTES_MAX", 3000)
    monkeypatch.setattr(limits, "LEDGER_FILES_MAX", 8)
    ledger, total = Ledger(disk), 0
    for number in range(1, 300):
        lose(ledger, range(number), key=f"deed-{number}")
        total += number
        if number % 50 == 49:
            ledger = Ledger(disk)
        assert len(disk.list()) <= limits.LEDGER_FILES_MAX
        assert max(disk.size(name) for name in disk.list()) <= 3000 + 100
        assert ledger.totals == {"thinned": total}
    listed = [line["key"] for line in entries(disk)]
    assert listed[-1] == "deed-299" and "deed-1" not in listed, "the oldest lines went"


def test_torn_and_foreign_lines_are_passed_over_and_never_glued_to_the_next(disk):
    ledger = Ledger(disk)
    lose(ledger, [1], key="a")
    lose(ledger, [2], key="b")
    name = disk.list()[0]
    disk.put(name, disk.read(name, 0, 10_000)[:-9])
    disk.put(
        "losses-00000002.log", b'\xff\x00{"a":1}\n[1]\n{"totals":"x"}\n{"unix_s":1,"why":"w","lane":"l","count":true}\n'
    )
    disk.put("losses-00000003.log", b"[" * 100_000)
    again = Ledger(disk)
    lose(again, [3], key="c")
    assert [line["key"] for line in entries(disk)] == ["a", "c"]
    assert again.totals == {"thinned": 2}


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_raises_and_never_invents(seed):
    random = Random(seed)
    disk = SimDisk(random)
    ledger = Ledger(disk)
    for number in range(30):
        lose(ledger, {random.randrange(100) for _ in range(9)}, key=f"deed-{number}")
    honest = list(entries(disk))
    name = disk.list()[0]
    data = bytearray(disk.read(name, 0, 1 << 20))
    for _ in range(5):
        data[random.randrange(len(data))] = random.randrange(256)
    disk.put(name, bytes(data))
    read = list(entries(disk))
    assert sum(line in honest for line in read) >= 24, "only the damaged lines are gone"
    lose(Ledger(disk), [1], key="after")
    assert list(entries(disk))[-1]["key"] == "after"


def test_what_the_disk_refuses_is_written_later_and_counted_meanwhile(disk):
    ledger = Ledger(disk)
    disk.append_error = errno.ENOSPC
    lose(ledger, [1, 2], key="a")
    assert ledger.totals == {"thinned": 2} and ledger.counters["disk-errors"] == 1
    disk.append_error = None
    lose(ledger, [3], key="b")
    assert [line["key"] for line in entries(disk)] == ["a", "b"]
    assert Ledger(disk).totals == {"thinned": 3}


def test_lines_that_wait_are_bounded(disk, monkeypatch):
    monkeypatch.setattr(limits, "LEDGER_WAITING_LINES_MAX", 3)
    ledger = Ledger(disk)
    disk.append_error = errno.EROFS
    for number in range(10):
        lose(ledger, [number], key=str(number))
    disk.append_error = None
    sync(ledger, disk)
    assert [line["key"] for line in entries(disk)][-3:] == ["7", "8", "9"]
    assert ledger.counters["not-kept"] == 7 and ledger.totals == {"thinned": 10}
    assert Ledger(disk).totals == {"thinned": 10}, "the totals know of them all the same"


def test_a_long_list_is_cut_into_lines_that_are_exact_together(disk):
    numbers = {number * number for number in range(2000)}
    lose(Ledger(disk), numbers)
    lines = list(entries(disk))
    assert len(lines) > 1 and max(len(json.dumps(line)) for line in lines) < limits.LEDGER_LINE_BYTES_MAX + 300
    assert {number for line in lines for number in expand(line["sequences"])} == numbers


def test_a_sync_is_over_when_reported_and_an_error_is_counted(disk):
    ledger = Ledger(disk)
    assert ledger.is_synced(ledger.sync()), "nothing to sync"
    lose(ledger, [1])
    ticket = ledger.sync()
    assert not ledger.is_synced(ticket)
    ledger.on_synced(ticket, "failed")
    assert ledger.is_synced(ticket) and ledger.counters["sync-errors"] == 1
    disk.power_cut("drop")
    assert list(entries(disk)) == []


def test_what_was_synced_outlives_a_power_cut(disk):
    ledger = Ledger(disk)
    lose(ledger, [1], key="a")
    assert ledger.is_synced(sync(ledger, disk))
    lose(ledger, [2], key="b")
    disk.power_cut("drop")
    assert [line["key"] for line in entries(disk)] == ["a"]
    assert Ledger(disk).totals == {"thinned": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"node": "7c1f\n"},
        {"node": 7},
        {"boot": "1"},
        {"boot": None},
        {"sequences": None},
        {"unix_s": 10**15},
        {"unix_s": -1},
    ],
)
def test_a_line_whose_damage_still_reads_as_json_is_passed_over(disk, change):
    lose(Ledger(disk), [1, 2], key="a")
    name = disk.list()[0]
    line = json.loads(disk.read(name, 0, 10_000).splitlines()[-1])
    changed = {name: value for name, value in {**line, **change}.items() if value is not None}
    disk.put(name, json.dumps({**changed, "positions": "1-2"}).encode() + b"\n" + json.dumps(line).encode() + b"\n")
    assert list(entries(disk)) == [line]


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
