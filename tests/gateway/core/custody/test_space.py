"""The room of the journal: the configured cap, the partition's, the reserve, a lowered cap, the ballast."""

import errno
from random import Random

import pytest

from gateway.core.custody.journal import Journal, Refused, Stream
from gateway.core.custody.space import BALLAST
from simulator.world.disk import SimDisk

T = Stream(b"epoch-01", "telemetry")


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def open_journal(disk, epoch=b"epoch-01", **limits):
    limits = {
        "segment_bytes_max": 500,
        "journal_bytes_max": 10_000,
        "alarm_reserve_bytes": 2000,
        "free_margin_bytes": 300,
        "ballast_bytes": 600,
        **limits,
    }
    journal = Journal(disk, epoch=epoch, **limits)
    journal.recover()
    return journal


def fill(journal, lane="telemetry", **how):
    """Append and flush until the journal refuses; how many were taken, and why no more."""
    count = 0
    while not isinstance(outcome := journal.append(lane, b"x" * 40, **how), Refused):
        count += 1
        if count % 10 == 0:
            journal.on_synced(journal.flush(), None)
    if (ticket := journal.flush()) is not None:
        journal.on_synced(ticket, None)
    return count, outcome


def test_three_limits_telemetry_alarms_and_what_explains(disk):
    journal = open_journal(disk)
    held = []
    for lane, how in (("telemetry", {}), ("alarm", {}), ("event", {"reserve": True})):
        assert fill(journal, lane, **how)[1] is Refused.FULL
        held.append(journal.bytes_held)
    assert 7900 < held[0] <= 8000 < 9200 < held[1] <= 9400 < 9900 < held[2] <= 10_000
    assert journal.append("alarm", b"x") is Refused.FULL, "the last bytes are for what explains a loss"


def test_a_cap_beyond_the_partition_becomes_the_partitions(disk):
    disk.capacity_bytes = 5000
    journal = open_journal(disk)
    journal.refresh_space()
    assert disk.size(BALLAST) == 600
    assert journal.space.cap == 5000 - 600 - 300 - 500
    assert fill(journal)[1] is Refused.FULL, "never ENOSPC"
    assert journal.bytes_held <= journal.space.cap - journal.space.cap // 4
    assert journal.counters.append_errors == 0
    journal.refresh_space()
    assert journal.space.cap == 3600, "what we write ourselves changes nothing"


def test_somebody_else_fills_the_partition_and_makes_room_again(disk):
    disk.capacity_bytes = 20_000
    journal = open_journal(disk)
    journal.refresh_space()
    assert journal.space.cap == 10_000 and not journal.space.is_short(journal.bytes_held)
    disk.put("somebody-else", bytes(16_000))
    journal.refresh_space()
    assert journal.space.cap == 20_000 - 16_000 - 600 - 800
    fill(journal)
    assert journal.space.is_short(journal.bytes_held)
    disk.delete("somebody-else")
    journal.refresh_space()
    assert journal.space.cap == 10_000 and not journal.space.is_short(journal.bytes_held)


def test_alarms_are_stored_on_a_full_card_at_the_ballasts_expense(disk):
    journal = open_journal(disk)
    journal.refresh_space()
    fill(journal, "telemetry")
    disk.capacity_bytes = disk.bytes_used
    assert journal.append("telemetry", b"x" * 30) in (Refused.DISK, Refused.FULL)
    stored = fill(journal, "alarm")[0]
    assert stored >= 5 and disk.size(BALLAST) == 0
    assert journal.space.counters["ballast-given-up"] == 1
    assert journal.waiting(Stream(b"epoch-01", "alarm")) == stored
    disk.capacity_bytes += 2000
    journal.refresh_space()
    assert disk.size(BALLAST) == 600, "made again when there is room"


def test_what_explains_a_loss_may_use_the_ballast_and_telemetry_may_not(disk):
    journal = open_journal(disk)
    journal.refresh_space()
    disk.capacity_bytes = disk.bytes_used
    assert isinstance(journal.append("telemetry", b"x"), Refused)
    assert BALLAST in disk.list()
    assert journal.append("event", b"gap", reserve=True) == 0


def test_a_copy_may_use_the_ballast_only_where_a_whole_segment_goes_and_telemetry_takes_nothing_of_it(disk):
    disk.capacity_bytes = 8000
    journal = open_journal(disk)
    journal.refresh_space()
    for _ in range(20):
        journal.append("telemetry", b"x" * 40)
    journal.on_synced(journal.flush(), None)
    disk.put("foreign", bytes(disk.free_bytes()))
    # The first to meet the full card is the copy of a segment, not a record.
    copy = journal.new_segment(T, 0, 1)
    assert journal.write_file(copy.name, bytes(400), urgent=False).errno == errno.ENOSPC
    assert disk.size(BALLAST) == 600
    assert journal.write_file(copy.name, bytes(400), urgent=True) is None
    assert disk.size(BALLAST) == 0
    free = disk.free_bytes()
    assert fill(journal) == (0, Refused.FULL) and disk.free_bytes() == free
    assert isinstance(journal.append("alarm", b"x" * 40), int)


def test_a_full_card_takes_of_the_ballast_what_a_write_needs_and_the_rest_stays_ours(disk):
    disk.capacity_bytes = 100_000
    journal = open_journal(disk, free_margin_bytes=20_000, ballast_bytes=64_000)
    journal.refresh_space()
    for number in range(6):
        disk.put(f"foreign-{number}", bytes(disk.free_bytes()))
        assert journal.append("alarm", b"x" * 40) == number
    assert disk.size(BALLAST) >= 64_000 - 6 * (100 + 2 * 4096)
    disk.steal("foreign-0")
    disk.steal("foreign-1")
    journal.refresh_space()
    assert disk.size(BALLAST) == 64_000, "made whole again"


def test_recovery_ignores_the_ballast(disk):
    open_journal(disk).refresh_space()
    journal = Journal(disk, epoch=b"epoch-02")
    report = journal.recover()
    assert report.damages_count == 0 and journal.bytes_held == 0
    assert disk.list() == [BALLAST]


def test_a_ballast_cut_short_is_completed(disk):
    disk.put(BALLAST, bytes(100))
    open_journal(disk).refresh_space()
    assert disk.size(BALLAST) == 600


def test_a_disk_that_does_not_tell_changes_nothing(disk):
    journal = open_journal(disk)

    def fails():
        raise OSError(errno.EIO, "simulated")

    disk.free_bytes = fails
    journal.refresh_space()
    assert journal.space.cap == 10_000 and journal.space.counters["disk-errors"] == 1


def test_a_lowered_cap_is_reached_by_draining_and_nothing_is_short_before_a_record_is_refused(disk):
    fill(open_journal(disk, journal_bytes_max=30_000))
    journal = open_journal(disk, b"epoch-02", journal_bytes_max=5000)
    held = journal.bytes_held
    assert held > 25_000 and journal.space.cap == held + 2000
    assert not journal.space.is_short(held)
    assert journal.append("telemetry", b"x" * 40) is Refused.FULL
    assert journal.append("alarm", b"x" * 40) == 0, "alarms have their reserve above it"
    assert journal.space.is_short(held)
    for position in range(0, journal.durable_end(T), 50):
        journal.release_through(T, position)
        assert journal.space.cap <= journal.bytes_held + 2000 or journal.space.cap == 5000
    journal.release_through(T, journal.durable_end(T))
    assert journal.space.cap == 5000
    assert journal.append("telemetry", b"x" * 40) == 0


def test_the_wear_figures_say_what_was_written(disk):
    journal = open_journal(disk)
    journal.refresh_space()
    fill(journal)
    wear = journal.wear(lasted_ms=3_600_000)
    written = wear["bytes_written"]
    assert written == journal.counters.written_bytes
    assert journal.bytes_held <= written <= 2 * journal.bytes_held, "records, and once the zeros ahead of them"
    assert wear["written_per_payload_byte"] == pytest.approx(written / journal.counters.appended_bytes, 0.01)
    assert wear["megabytes_a_day"] == round(written * 24 / 1e6, 1)
    assert wear["flushes"] == journal.counters.flushes and wear["cap_bytes"] == 10_000
    assert wear["free_bytes"] == disk.free_bytes() - 600 or wear["free_bytes"] > 0
    assert journal.wear(lasted_ms=59_999)["megabytes_a_day"] is None
