"""The journal's contract: positions, group commit, sync errors, reading, freeing, limits."""

import errno
from random import Random

import pytest

from gateway.core.custody.journal import Hole, Journal, LaneEnd, Refused, Stream
from gateway.core.custody.segment import LANES, Identity, encode_header, encode_record
from gateway.core.limits import JOURNAL_READ_FAILURES_MAX, JOURNAL_RECORD_BYTES_MAX
from simulator.world.disk import SimDisk

EPOCH = b"epoch-01"
T = Stream(EPOCH, "telemetry")


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def open_journal(disk, epoch=EPOCH, **limits):
    limits = {"segment_bytes_max": 300, "journal_bytes_max": 5000, "alarm_reserve_bytes": 1000, **limits}
    journal = Journal(disk, epoch=epoch, **limits)
    journal.recover()
    return journal


def fill(journal, count, lane="telemetry", size=40):
    """Append and flush records that tell their position."""
    start = journal.durable_end(Stream(EPOCH, lane))
    payloads = [(b"%s %d " % (lane.encode(), start + number)).ljust(size, b".") for number in range(count)]
    assert [journal.append(lane, payload) for payload in payloads] == list(range(start, start + count))
    journal.on_synced(journal.flush(), None)
    return payloads


def test_each_lane_counts_its_own_positions_from_zero(disk):
    journal = open_journal(disk)
    results = [journal.append(lane, b"x") for lane in ("alarm", "event", "alarm", "telemetry", "alarm")]
    assert results == [0, 0, 1, 0, 2]


def test_nothing_is_durable_or_readable_before_its_sync_is_reported(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"one")
    ticket = journal.flush()
    assert journal.durable_end(T) == 0
    assert journal.read(T, 0, count_max=9, bytes_max=999) == []
    assert journal.on_synced(ticket, None) == [LaneEnd("telemetry", 1)]
    assert journal.read(T, 0, count_max=9, bytes_max=999) == [b"one"]


def test_a_sync_covers_only_what_was_appended_before_its_flush(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"one")
    first = journal.flush()
    journal.append("telemetry", b"two")
    journal.append("alarm", b"three")
    assert journal.on_synced(first, None) == [LaneEnd("telemetry", 1)]
    assert journal.on_synced(journal.flush(), None) == [LaneEnd("alarm", 1), LaneEnd("telemetry", 2)]


def test_flush_returns_none_when_nothing_is_dirty(disk):
    journal = open_journal(disk)
    assert journal.flush() is None
    fill(journal, 1)
    assert journal.flush() is None


def test_a_later_sync_that_ends_first_waits_for_the_earlier_one(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"one")
    first = journal.flush()
    journal.append("telemetry", b"two")
    second = journal.flush()
    assert journal.on_synced(second, None) == []
    assert journal.on_synced(first, None) == [LaneEnd("telemetry", 2)]


def test_a_ticket_nobody_gave_is_ignored(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"one")
    assert journal.on_synced(77, None) == []
    assert journal.durable_end(T) == 0


def test_after_a_sync_error_the_records_go_to_a_new_file_at_the_same_positions(disk):
    journal = open_journal(disk, segment_bytes_max=800)
    fill(journal, 2)
    old = disk.list()[0]
    size = disk.size(old)
    payloads = [b"three", b"four"]
    assert [journal.append("telemetry", payload) for payload in payloads] == [2, 3]
    size = disk.size(old)
    assert journal.on_synced(journal.flush(), "input/output error") == []
    assert journal.append("telemetry", b"five") == 4
    assert disk.size(old) == size, "the file is never written again"
    assert journal.on_synced(journal.flush(), None) == [LaneEnd("telemetry", 5)]
    assert journal.read(T, 2, count_max=9, bytes_max=999) == [b"three", b"four", b"five"]
    assert journal.counters.sync_errors == 1
    assert journal.counters.rewritten == 2
    # The same positions are now in two files, with the same bytes: the next start takes one.
    report = open_journal(disk, b"epoch-02")
    assert report.read(T, 0, count_max=9, bytes_max=999)[2:] == [b"three", b"four", b"five"]


def test_a_sync_error_cancels_the_lane_in_later_syncs_already_asked_for(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"one")
    first = journal.flush()
    journal.append("telemetry", b"two")
    journal.append("alarm", b"safe")
    second = journal.flush()
    assert journal.on_synced(first, "failed") == []
    assert journal.on_synced(second, None) == [LaneEnd("alarm", 1)], "alarms were not in the failed sync"
    assert journal.on_synced(journal.flush(), None) == [LaneEnd("telemetry", 2)]


def test_a_disk_whose_every_sync_fails_does_not_fill_up(disk):
    journal = open_journal(disk)
    journal.append("telemetry", b"x" * 100)
    sizes = []
    for _ in range(20):
        journal.on_synced(journal.flush(), "failed")
        sizes.append(journal.bytes_held)
    assert max(sizes) <= 3 * sizes[0]
    assert journal.on_synced(journal.flush(), None) == [LaneEnd("telemetry", 1)]
    assert len(disk.list()) == 1


def test_after_a_failed_write_the_position_is_used_by_the_next_record_in_a_new_file(disk):
    journal = open_journal(disk, segment_bytes_max=800)
    payloads = fill(journal, 1)
    disk.append_error = errno.EIO
    assert journal.append("telemetry", b"refused") is Refused.DISK
    disk.append_error = None
    assert journal.append("telemetry", b"accepted") == 1
    journal.on_synced(journal.flush(), None)
    assert journal.read(T, 0, count_max=9, bytes_max=999) == [*payloads, b"accepted"]
    assert len(disk.list()) == 2
    after = open_journal(disk, b"epoch-02")
    assert after.read(T, 0, count_max=9, bytes_max=999) == [*payloads, b"accepted"]


def test_a_full_disk_refuses_leaves_no_litter_and_is_used_again_when_there_is_room(disk):
    journal = open_journal(disk)
    disk.capacity_bytes = 20
    for _ in range(5):
        assert journal.append("alarm", b"too much for it") is Refused.DISK
    assert disk.list() == []
    disk.capacity_bytes = None
    assert journal.append("alarm", b"too much for it") == 0


def test_records_refused_for_want_of_a_sync_are_taken_once_it_is_reported(disk):
    journal = open_journal(disk, pending_bytes_max=100)
    assert journal.append("telemetry", b"x" * 90) == 0
    assert journal.append("telemetry", b"x" * 20) is Refused.PENDING
    assert journal.append("alarm", b"x" * 20) == 0, "each lane has its own allowance"
    journal.on_synced(journal.flush(), None)
    assert journal.append("telemetry", b"x" * 20) == 1


def test_at_the_byte_cap_telemetry_is_refused_while_alarms_still_pass(disk):
    journal = open_journal(disk)
    while journal.append("telemetry", b"x" * 40) is not Refused.FULL:
        pass
    assert journal.bytes_held <= 4000
    assert journal.append("event", b"x" * 40) is Refused.FULL
    assert journal.append("alarm", b"x" * 40) == 0
    while journal.append("alarm", b"x" * 40) is not Refused.FULL:
        pass
    assert 4000 < journal.bytes_held <= 5000
    assert journal.counters.refused[Refused.FULL] == 3


def test_a_full_journal_takes_records_again_after_a_receipt(disk):
    journal = open_journal(disk)
    while journal.append("telemetry", b"x" * 40) is not Refused.FULL:
        pass
    journal.on_synced(journal.flush(), None)
    journal.release_through(T, journal.durable_end(T) - 1)
    assert not isinstance(journal.append("telemetry", b"x" * 40), Refused)


def test_a_record_above_the_limit_is_refused_and_one_at_the_limit_is_kept(disk):
    journal = open_journal(disk, journal_bytes_max=100_000)
    assert journal.append("event", bytes(JOURNAL_RECORD_BYTES_MAX + 1)) is Refused.TOO_LONG
    assert journal.append("event", bytes(JOURNAL_RECORD_BYTES_MAX)) == 0
    journal.on_synced(journal.flush(), None)
    read = journal.read(Stream(EPOCH, "event"), 0, count_max=1, bytes_max=1)
    assert read == [bytes(JOURNAL_RECORD_BYTES_MAX)], "one item at least, whatever bytes_max"


def test_read_keeps_to_its_count_and_bytes_and_starts_anywhere(disk):
    journal = open_journal(disk)
    payloads = fill(journal, 30)
    for first in range(30):
        assert journal.read(T, first, count_max=4, bytes_max=999) == payloads[first : first + 4]
        assert journal.read(T, first, count_max=9, bytes_max=119) == payloads[first : first + 2]
    assert journal.read(T, 30, count_max=9, bytes_max=999) == []
    with pytest.raises(ValueError, match="31"):
        journal.read(T, 31, count_max=9, bytes_max=999)


def test_receipts_free_whole_segments_and_move_the_oldest_position(disk):
    journal = open_journal(disk)
    fill(journal, 12)  # four records a file
    assert len(disk.list()) == 3
    journal.release_through(T, 2)
    assert (journal.oldest(T), journal.waiting(T), len(disk.list())) == (3, 9, 3)
    journal.release_through(T, 3)
    assert (journal.oldest(T), journal.waiting(T), len(disk.list())) == (4, 8, 2)
    journal.release_through(T, 1)
    assert journal.oldest(T) == 4, "the maximum is kept"
    with pytest.raises(ValueError, match="position 3"):
        journal.read(T, 3, count_max=1, bytes_max=99)


def test_a_receipt_beyond_what_is_durable_frees_no_more_than_that(disk):
    journal = open_journal(disk)
    fill(journal, 4)
    journal.append("telemetry", b"not yet durable")
    journal.release_through(T, 1000)
    assert journal.oldest(T) == 4
    assert journal.on_synced(journal.flush(), None) == [LaneEnd("telemetry", 5)]
    assert journal.read(T, 4, count_max=9, bytes_max=99) == [b"not yet durable"]


def test_an_old_stream_disappears_when_its_last_position_is_freed_and_ours_never_does(disk):
    fill(open_journal(disk), 5)
    journal = open_journal(disk, b"epoch-02")
    ours = [Stream(b"epoch-02", lane) for lane in LANES]
    assert journal.streams() == [T, *ours]
    journal.release_through(T, 4)
    assert journal.streams() == ours
    assert disk.list() == []
    journal.release_through(T, 4)  # late, repeated
    for stream in ours:
        journal.release_through(stream, 0)
    assert journal.streams() == ours


def test_epochs_are_ordered_by_start_whatever_their_random_bytes(disk):
    epochs = [b"zzzzzzzz", b"aaaaaaaa", b"mmmmmmmm"]
    for epoch in epochs:
        journal = open_journal(disk, epoch)
        journal.append("event", b"x")
        journal.on_synced(journal.flush(), None)
    assert [stream.epoch for stream in journal.streams() if stream.lane == "event"] == epochs


def test_an_epoch_is_never_continued(disk):
    fill(open_journal(disk), 1)
    before = disk.operations
    with pytest.raises(ValueError, match="epoch"):
        open_journal(disk, EPOCH)
    assert disk.operations == before


def test_limits_that_could_never_be_met_are_refused_at_once(disk):
    with pytest.raises(ValueError, match="no room"):
        Journal(disk, epoch=EPOCH, segment_bytes_max=2000, journal_bytes_max=5000, alarm_reserve_bytes=0)
    with pytest.raises(ValueError, match="8 bytes"):
        Journal(disk, epoch=b"short")


def test_damage_that_comes_after_the_start_is_a_hole_too(disk):
    journal = open_journal(disk)
    payloads = fill(journal, 6)
    name = disk.list()[0]
    data = bytearray(disk.read(name, 0, 999))
    data[disk.size(name) // 2] ^= 0x10
    disk.put(name, bytes(data))
    read = journal.read(T, 0, count_max=99, bytes_max=9999)
    assert read == [*payloads[:1], Hole(1, 1), *payloads[2:]]


def test_a_passing_read_error_returns_less_and_a_lasting_one_becomes_a_hole(disk):
    journal = open_journal(disk)
    payloads = fill(journal, 8)  # two files
    disk.read_error_names = {disk.list()[0]}
    assert journal.read(T, 0, count_max=99, bytes_max=9999) == []
    disk.read_error_names = set()
    assert journal.read(T, 0, count_max=99, bytes_max=9999) == payloads
    disk.read_error_names = {disk.list()[0]}
    for _ in range(JOURNAL_READ_FAILURES_MAX - 1):
        assert journal.read(T, 0, count_max=99, bytes_max=9999) == []
    assert journal.read(T, 0, count_max=99, bytes_max=9999) == [Hole(0, 3), *payloads[4:]]
    assert journal.counters.read_errors >= JOURNAL_READ_FAILURES_MAX


def test_a_file_that_cannot_be_deleted_counts_until_it_is_gone(disk):
    journal = open_journal(disk)
    fill(journal, 12)
    held = journal.bytes_held
    disk.delete_error = errno.EROFS
    journal.release_through(T, 7)
    assert journal.bytes_held == held
    assert journal.oldest(T) == 8
    disk.delete_error = None
    journal.release_through(T, 8)
    assert journal.bytes_held < held
    assert len(disk.list()) == 1


@pytest.mark.slow
def test_hardly_a_flush_changes_the_length_of_a_file(disk):
    """A change of length is an entry in the file system's own journal: some five blocks for a few records."""
    journal = open_journal(disk, segment_bytes_max=1 << 20, journal_bytes_max=1 << 23)
    lengths = set()
    for _ in range(1000):
        journal.append("telemetry", b"x" * 200)
        journal.append("telemetry", b"x" * 200)
        journal.on_synced(journal.flush(), None)
        lengths.add(tuple(disk.size(name) for name in disk.list()))
    assert len(lengths) < 16
    assert journal.bytes_held == disk.bytes_used < 1.2 * journal.counters.appended_bytes


def test_a_start_cuts_off_the_zeros_of_the_life_before(disk):
    """Or a loop of crashes would fill the journal with zeros, and nothing would be taken any more."""
    for number in range(50):
        journal = open_journal(disk, b"epoch-%02d" % number, segment_bytes_max=1 << 20, journal_bytes_max=1 << 23)
        journal.append("event", b"a start")
        journal.on_synced(journal.flush(), None)
    assert disk.bytes_used < 4096 + 49 * 200
    assert journal.bytes_held == disk.bytes_used


def test_zeros_ahead_take_nothing_from_alarms_nor_the_last_bytes_of_the_partition(disk):
    journal = open_journal(disk, segment_bytes_max=1000, journal_bytes_max=6000)
    while not isinstance(journal.append("telemetry", b"x" * 40), Refused):
        pass
    assert journal.bytes_held <= 5000
    disk.capacity_bytes = disk.bytes_used + 100
    journal.refresh_space()
    assert journal.append("alarm", b"an alarm") == 0
    assert disk.bytes_used <= disk.capacity_bytes


def test_zeros_ahead_leave_to_records_the_room_in_which_thinning_works(disk):
    journal = open_journal(disk, segment_bytes_max=2000, journal_bytes_max=24_000, alarm_reserve_bytes=4000)
    while not journal.space.is_short(journal.bytes_held - 1000):
        journal.append("telemetry", b"x" * 40)
    held = journal.bytes_held
    journal.append("event", b"x" * 40)
    assert journal.bytes_held - held == 100, "a header and a record: of the 4000 bytes, zeros take the first quarter"


class GiantDisk(SimDisk):
    """A stranger has lengthened each file to a terabyte, as `truncate -s 1T` does."""

    bytes_read = 0

    def size(self, name):
        return 1 << 40

    def read(self, name, offset, length):
        self.bytes_read += length
        assert self.bytes_read < 1 << 26, "read to the end"
        return super().read(name, offset, length).ljust(length, b"\0")


def test_a_sparse_giant_is_not_read_to_its_end_and_its_records_are():
    disk = GiantDisk(Random(1))
    journal = Journal(disk, epoch=EPOCH)
    identity = Identity(1, 0, b"epoch-00", "event", 0)
    records = (encode_record(identity.seed, index, payload) for index, payload in enumerate((b"one", b"two")))
    disk.put(identity.name, encode_header(identity) + b"".join(records))
    report = journal.recover()
    assert [damage.reason for damage in report.damages] == ["torn tail"]
    stream = Stream(identity.epoch, "event")
    assert journal.read(stream, 0, count_max=9, bytes_max=99) == [b"one", b"two"]
    assert journal.bytes_held < 1 << 23, "a hole in a file is no room taken"
