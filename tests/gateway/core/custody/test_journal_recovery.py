"""What a start makes of the files it finds: kept, left alone, set aside or deleted, and always reported."""

import errno
from binascii import crc32
from random import Random

import pytest

from gateway.core.custody.journal import Hole, Journal, Stream
from gateway.core.custody.segment import HEADER_SIZE, Identity, encode_header, encode_record
from gateway.core.limits import (
    JOURNAL_QUARANTINE_BYTES_MAX,
    JOURNAL_QUARANTINE_FILES_MAX,
    JOURNAL_REPORT_ENTRIES_MAX,
)
from simulator.world.disk import SimDisk

OLD = Identity(5, 0, b"epoch-01", "event", 0)
OLD_STREAM = Stream(OLD.epoch, OLD.lane)


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def segment_bytes(identity, payloads):
    records = [encode_record(identity.seed, index, payload) for index, payload in enumerate(payloads)]
    return encode_header(identity) + b"".join(records)


def recover(disk, epoch=b"epoch-99"):
    journal = Journal(disk, epoch=epoch)
    return journal, journal.recover()


def read(journal, stream=OLD_STREAM):
    return journal.read(stream, journal.oldest(stream), count_max=1000, bytes_max=100_000)


def newer_version(payload=b"a format of tomorrow"):
    preamble = b"BOCAGE-J" + (4).to_bytes(2, "big") + (80).to_bytes(2, "big")
    return preamble + crc32(preamble).to_bytes(4, "big") + payload


def test_an_empty_folder_gives_an_empty_report(disk):
    journal, report = recover(disk)
    assert (report.streams, report.records, report.damages_count, disk.operations) == ([], 0, 0, 0)
    assert [stream.lane for stream in journal.streams()] == ["alarm", "event", "telemetry", "surplus"]


def test_what_an_earlier_start_left_is_counted_and_read(disk):
    disk.put(OLD.name, segment_bytes(OLD, [b"one", b"two"]))
    journal, report = recover(disk)
    assert [(found.first, found.end, found.records) for found in report.streams] == [(0, 2, 2)]
    assert (report.records, report.bytes) == (2, 6)
    assert read(journal) == [b"one", b"two"]
    assert journal.bytes_held == disk.bytes_used


def test_a_torn_tail_is_the_end_of_the_log(disk):
    data = segment_bytes(OLD, [b"one", b"two", b"three"])
    disk.put(OLD.name, data[:-2])
    journal, report = recover(disk)
    assert read(journal) == [b"one", b"two"]
    assert [damage.reason for damage in report.damages] == ["torn tail"]
    assert report.holes_count == 0


def test_a_tail_torn_before_a_later_file_is_a_hole_with_its_reason(disk):
    disk.put(OLD.name, segment_bytes(OLD, [b"one", b"two", b"three"])[:-20])
    later = OLD._replace(serial=1, first=3)
    disk.put(later.name, segment_bytes(later, [b"four"]))
    journal, report = recover(disk)
    assert read(journal) == [b"one", Hole(1, 2), b"four"]
    assert [(found.hole, found.reason) for found in report.holes] == [(Hole(1, 2), "torn tail")]


def test_a_missing_file_between_two_is_a_hole(disk):
    disk.put(OLD.name, segment_bytes(OLD, [b"one"]))
    later = OLD._replace(serial=2, first=5)
    disk.put(later.name, segment_bytes(later, [b"six"]))
    journal, report = recover(disk)
    assert read(journal) == [b"one", Hole(1, 4), b"six"]
    assert report.holes[0].reason == "file missing"


def test_a_damaged_header_is_rebuilt_from_the_name_because_a_record_proves_it(disk):
    data = segment_bytes(OLD, [b"one", b"two"])
    disk.put(OLD.name, bytes(HEADER_SIZE) + data[HEADER_SIZE:])
    journal, report = recover(disk)
    assert read(journal) == [b"one", b"two"]
    assert [(damage.reason, damage.action) for damage in report.damages] == [
        ("header damaged", "rebuilt from the name")
    ]


def test_a_renamed_segment_is_still_known_by_its_header_and_a_copy_is_set_aside(disk):
    disk.put("backup of the journal", segment_bytes(OLD, [b"one"]))
    journal, _ = recover(disk)
    assert read(journal) == [b"one"]
    disk.put(OLD.name, segment_bytes(OLD, [b"one"]))
    journal, report = recover(disk, b"epoch-98")
    assert read(journal) == [b"one"]
    assert report.damages[0][0::3] == ("backup of the journal", "copy of another segment")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", b"left by a technician"),
        ("notes.txt", b""),
        (OLD.name, bytes(500)),
        (OLD.name, segment_bytes(OLD, [b"one"])[: HEADER_SIZE - 3]),
        (OLD.name, segment_bytes(OLD, [b"one"])[: HEADER_SIZE + 5]),
        ("was/a\nname".replace("/", "-") + "é" * 100, b"x"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_segment_is_set_aside_whole_and_reported(disk, name, data):
    disk.put(name, data)
    journal, report = recover(disk)
    assert len(report.quarantined) == len(report.damages) == 1
    (kept,) = disk.list()
    assert kept == report.quarantined[0]
    assert kept.startswith("quarantine-00000001-")
    assert len(kept.encode()) <= 255
    assert disk.read(kept, 0, 1000) == data
    assert len(journal.streams()) == 4
    assert recover(disk, b"epoch-98")[1].damages_count == 0, "once is enough"


def test_an_empty_file_at_the_end_of_a_stream_is_deleted_and_one_before_others_is_set_aside(disk):
    disk.put(OLD.name, b"")
    middle, last = OLD._replace(serial=1, first=4), OLD._replace(serial=2, first=6)
    disk.put(middle.name, segment_bytes(middle, [b"five", b"six"]))
    disk.put(last.name, encode_header(last))
    journal, report = recover(disk)
    assert read(journal) == [Hole(0, 3), b"five", b"six"]
    assert report.holes[0].reason == "file set aside"
    assert sorted(damage.action for damage in report.damages) == ["deleted", "moved aside"]
    assert disk.list() == [middle.name, "quarantine-00000001-" + OLD.name]


def test_a_newer_format_is_left_untouched_reported_and_counted(disk):
    newer = OLD._replace(generation=9)
    disk.put(newer.name, newer_version())
    journal, report = recover(disk)
    assert report.other_versions == [newer.name]
    assert disk.read(newer.name, 0, 1000) == newer_version()
    assert (disk.operations, report.damages_count) == (0, 0)
    assert journal.bytes_held == len(newer_version())
    journal.append("alarm", b"x")
    assert disk.list()[-1].startswith("0000000a-"), "this start comes after the one of the newer format"


def test_the_same_position_twice_with_the_same_bytes_counts_once(disk):
    again = OLD._replace(serial=1, first=1)
    disk.put(OLD.name, segment_bytes(OLD, [b"one", b"two", b"three"]))
    disk.put(again.name, segment_bytes(again, [b"two", b"three", b"four"]))
    journal, report = recover(disk)
    assert read(journal) == [b"one", b"two", b"three", b"four"]
    assert (report.records, report.damages_count) == (4, 0)


def test_the_same_position_twice_with_other_bytes_is_reported_and_the_later_file_answers(disk):
    again = OLD._replace(serial=1, first=1)
    disk.put(OLD.name, segment_bytes(OLD, [b"one", b"two"]))
    disk.put(again.name, segment_bytes(again, [b"TWO"]))
    journal, report = recover(disk)
    assert read(journal) == [b"one", b"TWO"]
    assert [damage.reason for damage in report.damages] == ["another record at position 1"]


def test_a_file_wholly_replaced_by_a_later_one_is_freed_with_it(disk):
    again = OLD._replace(serial=1)
    disk.put(OLD.name, segment_bytes(OLD, [b"one", b"two"]))
    disk.put(again.name, segment_bytes(again, [b"one", b"two", b"three"]))
    journal, _ = recover(disk)
    assert read(journal) == [b"one", b"two", b"three"]
    journal.release_through(OLD_STREAM, 2)
    assert disk.list() == []


def test_the_quarantine_is_bounded_the_oldest_goes_first(disk):
    for number in range(JOURNAL_QUARANTINE_FILES_MAX + 3):
        disk.put(f"stray-{number:02d}", b"x")
    _, report = recover(disk)
    kept = disk.list()
    assert len(kept) == JOURNAL_QUARANTINE_FILES_MAX
    assert report.quarantine_deleted == 3
    assert kept[0].endswith("stray-03")
    disk.put("huge", bytes(JOURNAL_QUARANTINE_BYTES_MAX + 1))
    _, report = recover(disk, b"epoch-98")
    assert [name[20:] for name in disk.list()] == ["huge"], "never the newest, whatever its size"
    assert report.quarantine_deleted == JOURNAL_QUARANTINE_FILES_MAX


def test_a_file_that_can_neither_be_read_nor_moved_does_not_prevent_the_start(disk, monkeypatch):
    disk.put("stray", b"x")
    disk.put(OLD.name, segment_bytes(OLD, [b"one"]))
    disk.read_error_names = {"stray"}

    def rename(old, new):
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(disk, "rename", rename)
    journal, report = recover(disk)
    assert read(journal) == [b"one"]
    assert report.damages[0].action == "could not be moved aside, ignored"


def test_unreadable_blocks_lose_their_records_and_no_others(disk, monkeypatch):
    payloads = [b"%04d" % number + bytes(996) for number in range(20)]
    disk.put(OLD.name, segment_bytes(OLD, payloads))
    whole = disk.read

    def read_around(name, offset, length):
        if offset < 8192 and offset + length > 4096:
            raise OSError(errno.EIO, "bad block")
        return whole(name, offset, length)

    monkeypatch.setattr(disk, "read", read_around)
    _, report = recover(disk)
    first = (4096 - HEADER_SIZE) // 1012
    last = (8191 - HEADER_SIZE) // 1012
    assert [found.hole for found in report.holes] == [Hole(first, last)]


def test_the_lists_of_the_report_are_bounded_and_its_counts_are_not(disk):
    count = JOURNAL_REPORT_ENTRIES_MAX + 5
    data = bytearray(segment_bytes(OLD, [b"payload."] * (2 * count + 1)))
    for number in range(count):
        data[HEADER_SIZE + 20 * (2 * number + 1) + 15] ^= 1
    disk.put(OLD.name, bytes(data))
    _, report = recover(disk)
    assert (report.holes_count, report.damages_count, report.records) == (count, count, count + 1)
    assert len(report.holes) == len(report.damages) == JOURNAL_REPORT_ENTRIES_MAX
