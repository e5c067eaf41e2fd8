"""Voids: their place in the file format, what a read says of them, what a start makes of rewritten segments.

And agents of two versions over one full queue.
"""

from binascii import crc32
from random import Random

import pytest

from gateway.core.custody.journal import Hole, Journal, Refused, Stream, Void
from gateway.core.custody.segment import (
    HEADER_SIZE,
    Identity,
    Segment,
    VoidRun,
    decode_header,
    encode_header,
    encode_record,
    encode_voids,
    scan,
    written,
)
from gateway.core.custody.space import BALLAST
from simulator.world.disk import SimDisk
from tests.support.thinning_world import NODES, SMALL, ThinningWorld

OLD = Identity(5, 0, b"epoch-01", "telemetry", 100)
STREAM = Stream(OLD.epoch, OLD.lane)
# Written by the first version of the agent, byte for byte: epoch-01, event, records `one` and `two`.
FIRST_VERSION = bytes.fromhex(
    "424f434147452d4a00010030e558347f000000050000000065706f63682d303101000000000000000000000047c82eb1b0ca"
    "b3e7032c0003000000006f6e65b0ca60fd68de00030000000174776f"
)


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def plain(identity, payloads):
    records = [encode_record(identity.seed, index, payload) for index, payload in enumerate(payloads)]
    return encode_header(identity) + b"".join(records)


def rewrite(identity, old, payloads, void, level=1, new_first=None):
    """The bytes of a segment that lets go of the indices in `void`, and the identity it has."""
    new = Segment("", identity._replace(serial=identity.serial + 7, first=new_first or identity.first), level)
    bitmap = bytearray(index in void for index in range(len(payloads)))
    return new.identity, b"".join(written(new, old, bitmap, enumerate(payloads)))


def segment_of(identity, payloads):
    made = Segment(identity.name, identity)
    for index, payload in enumerate(payloads):
        made.note(index, made.size, payload)
    return made


def recover(disk, epoch=b"epoch-99", **limits):
    journal = Journal(disk, epoch=epoch, **limits)
    return journal, journal.recover()


def read(journal, stream=STREAM, count_max=1000):
    return journal.read(stream, journal.oldest(stream), count_max=count_max, bytes_max=100_000)


PAYLOADS = [b"record %d" % number for number in range(20)]


# --- the format -----------------------------------------------------------------------------------------------------


def test_a_segment_that_may_hold_voids_tells_its_level():
    assert encode_header(OLD)[33:36] == bytes(3)
    header = encode_header(OLD, 3)
    assert header[33:36] == b"\x03\0\0"
    assert decode_header(header) == (OLD, 3)


def test_a_void_run_is_laid_out_as_documented():
    data = encode_voids(OLD.seed, 5, 300)
    assert data[:2] == b"\xb0\xca" and data[6:].hex() == "8004" + "00000005" + "0000012c"


def test_void_runs_and_records_are_scanned_and_a_version_1_scan_takes_a_run_for_damage():
    data = bytes(HEADER_SIZE) + encode_voids(OLD.seed, 0, 3) + encode_record(OLD.seed, 3, b"x")
    fetch = lambda offset, length: data[offset : offset + length]  # noqa: E731
    found = [(index, content) for index, _, content in scan(fetch, len(data), OLD.seed, voids=True)]
    assert found == [(0, VoidRun(3)), (3, b"x")]
    assert [index for index, _, _ in scan(fetch, len(data), OLD.seed)] == []


def test_records_after_a_lost_void_run_are_found_however_many_positions_it_covered():
    data = bytearray(bytes(HEADER_SIZE) + encode_voids(OLD.seed, 0, 100_000) + encode_record(OLD.seed, 100_000, b"x"))
    data[HEADER_SIZE + 3] ^= 1
    found = scan(lambda offset, length: bytes(data[offset : offset + length]), len(data), OLD.seed, voids=True)
    assert [(index, content) for index, _, content in found] == [(100_000, b"x")]


def test_a_rewritten_segment_keeps_records_and_holes_where_they_were():
    old = segment_of(OLD, PAYLOADS)
    new = Segment("", OLD, 1)
    void = bytearray(20)
    void[2:5] = b"\1\1\1"
    contents = [(index, payload) for index, payload in enumerate(PAYLOADS) if index not in (8, 9, 19)]
    data = b"".join(written(new, old, void, contents))
    found = [
        (index, content) for index, _, content in scan(lambda o, n: data[o : o + n], len(data), OLD.seed, voids=True)
    ]
    kept = [(index, PAYLOADS[index]) for index in (0, 1, 5, 6, 7, *range(10, 19))]
    assert found == sorted([*kept, (2, VoidRun(3)), (20, VoidRun(0))], key=lambda one: one[0])
    assert (new.end, new.size, new.void_positions) == (old.end, len(data), 3)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_run_of_voids_is_one_item_whatever_files_it_crosses(disk):
    for number, void in enumerate([range(15, 20), range(20), range(3)]):
        identity = OLD._replace(serial=number, first=100 + 20 * number)
        new, data = rewrite(identity, segment_of(identity, PAYLOADS), PAYLOADS, set(void))
        disk.put(new.name, data)
    journal, report = recover(disk)
    assert read(journal) == [*PAYLOADS[:15], Void(115, 142), *PAYLOADS[3:]]
    assert read(journal, count_max=16) == [*PAYLOADS[:15], Void(115, 142)], "a run counts once"
    assert read(journal, count_max=15) == PAYLOADS[:15]
    assert journal.read(STREAM, 130, count_max=2, bytes_max=99) == [Void(130, 142), PAYLOADS[3]], "from its middle"
    assert (report.voids, report.records, report.damages_count, report.holes_count) == (28, 32, 0, 0)


def test_from_every_position_the_same_is_read(disk):
    void = {0, 1, 5, 6, 7, 12, 19}
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, void)
    disk.put(new.name, data)
    journal, _ = recover(disk)
    for first in range(20):
        for count_max in (1, 2, 100):
            position = 100 + first
            while items := journal.read(STREAM, position, count_max=count_max, bytes_max=10_000):
                for item in items:
                    last = item.last if isinstance(item, Void) else position
                    assert all((at - 100 in void) == isinstance(item, Void) for at in range(position, last + 1))
                    assert isinstance(item, Void) or item == PAYLOADS[position - 100]
                    position = last + 1
            assert position == 120


def test_an_empty_record_cannot_be_appended(disk):
    journal, _ = recover(disk)
    with pytest.raises(AssertionError):
        journal.append("event", b"")


# --- a start ----------------------------------------------------------------------------------------------------------


def test_a_whole_rewritten_segment_answers_for_its_original_which_is_kept_until_it_is_dealt_with(disk):
    disk.put(OLD.name, plain(OLD, PAYLOADS))
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, {1, 2})
    disk.put(new.name, data)
    journal, report = recover(disk)
    assert read(journal) == [PAYLOADS[0], Void(101, 102), *PAYLOADS[3:]]
    assert report.damages_count == 0, "void beside a record is no contradiction"
    (found,) = journal.drain_interrupted()
    assert (found.new.name, [old.name for old in found.olds]) == (new.name, [OLD.name])
    assert journal.drain_interrupted() == []
    assert disk.list() == sorted([OLD.name, new.name])


@pytest.mark.parametrize("cut", [0, 10, HEADER_SIZE, HEADER_SIZE + 5, 200, -16, -1])
def test_a_rewritten_segment_that_is_not_whole_goes_and_its_original_answers(disk, cut):
    disk.put(OLD.name, plain(OLD, PAYLOADS))
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, {1, 2})
    later = OLD._replace(serial=3, first=120)
    disk.put(later.name, plain(later, [b"later"]))
    disk.put(new.name, data[:cut])
    journal, report = recover(disk)
    assert read(journal) == [*PAYLOADS, b"later"]
    assert [name for name in disk.list() if not name.startswith("quarantine")] == sorted([OLD.name, later.name])
    assert report.holes_count == 0
    assert journal.bytes_held == sum(disk.size(name) for name in (OLD.name, later.name))


def test_the_tail_of_an_earlier_file_in_which_a_sync_failed_is_cut_and_not_replaced(disk):
    first = OLD._replace(first=96)  # its last four records were written again, in OLD, which was then rewritten
    disk.put(first.name, plain(first, [b"a", b"b", b"c", b"d", *PAYLOADS[:4]]))
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, {1, 2})
    disk.put(new.name, data)
    journal, _ = recover(disk)
    assert read(journal) == [b"a", b"b", b"c", b"d", PAYLOADS[0], Void(101, 102), *PAYLOADS[3:]]
    assert journal.drain_interrupted() == []


def test_a_damaged_rewritten_segment_whose_original_is_gone_gives_what_it_has(disk):
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, {1, 2})
    damaged = bytearray(data)
    damaged[HEADER_SIZE + 25 + 5] ^= 1  # in the void run
    disk.put(new.name, bytes(damaged))
    journal, report = recover(disk)
    assert read(journal) == [PAYLOADS[0], Hole(101, 102), *PAYLOADS[3:]] or report.damages_count == 1


def test_a_rewritten_segment_with_a_damaged_header_is_read_by_its_name(disk):
    new, data = rewrite(OLD, segment_of(OLD, PAYLOADS), PAYLOADS, {1, 2})
    disk.put(new.name, bytes(HEADER_SIZE) + data[HEADER_SIZE:])
    journal, report = recover(disk)
    assert read(journal) == [PAYLOADS[0], Void(101, 102), *PAYLOADS[3:]]
    assert report.damages_count == 1


def test_rewriting_leaves_a_stream_as_old_as_it_was():
    world = ThinningWorld(1)
    epochs = [world.epoch]
    for start in range(4):
        for number in range(120):
            world.telemetry(NODES[0], health=number % 3 == 0)
            if number % 10 == 0:
                world.flush()
            world.turn()
        world.flush()
        world.work()
        if start < 3:
            world.start()
            epochs.append(world.epoch)
    found = [stream.epoch for stream in world.journal.streams() if stream.lane == "telemetry"]
    assert found == [epoch for epoch in epochs if epoch in found] and len(found) > 2


# --- two versions of the agent ----------------------------------------------------------------------------------------


def with_version(data, version):
    """The bytes of a segment with another format version in its preamble."""
    preamble = data[:8] + version.to_bytes(2, "big") + data[10:12]
    return preamble + crc32(preamble).to_bytes(4, "big") + data[16:]


def level(data):
    return decode_header(data)[1]


def drain(journal):
    """Read and free everything; the payloads and void positions."""
    payloads, voids = [], 0
    for stream in journal.streams():
        position = journal.oldest(stream)
        while items := journal.read(stream, position, count_max=50, bytes_max=10_000):
            for item in items:
                assert not isinstance(item, Hole)
                voids += item.last - item.first + 1 if isinstance(item, Void) else 0
                position = item.last + 1 if isinstance(item, Void) else position + 1
                payloads += [item] if isinstance(item, bytes) else []
        journal.release_through(stream, position - 1)
    return payloads, voids


def fill(disk, epoch=b"epoch-01", **limits):
    journal, _ = recover(disk, epoch, **{**SMALL, **limits})
    payloads = []
    while not isinstance(journal.append("telemetry", payload := b"record %d" % len(payloads)), Refused):
        payloads.append(payload)
        if len(payloads) % 50 == 0:
            journal.on_synced(journal.flush(), None)
    journal.on_synced(journal.flush(), None)
    return payloads


def test_a_segment_of_a_former_version_is_left_as_it_is_and_named(disk):
    name = Identity(5, 0, b"epoch-01", "event", 0).name
    disk.put(name, FIRST_VERSION)
    journal, report = recover(disk)
    assert (report.other_versions, report.damages_count) == ([name], 0)
    assert drain(journal) == ([], 0)
    assert disk.read(name, 0, 1000) == FIRST_VERSION


def test_what_another_version_wrote_waits_untouched_and_is_drained_after_it():
    world = ThinningWorld(3)
    world.alarm(NODES[0])
    for number in range(900):
        world.telemetry(NODES[number % 2])
        if number % 10 == 0:
            world.flush()
        world.turn()
    world.flush()
    world.work()
    disk = world.disk
    before = {name: disk.read(name, 0, 1 << 20) for name in disk.list() if name != BALLAST}
    plain_ones = [name for name in before if not level(before[name])]
    thinned = {name: with_version(before[name], 4) for name in before if level(before[name])}
    assert len(plain_ones) > 2 and len(thinned) > 2

    for name, data in thinned.items():
        disk.put(name, data)
    journal, report = recover(disk, **world.limits)
    assert sorted(report.other_versions) == list(thinned)
    assert report.damages == []
    assert journal.bytes_held == sum(disk.size(name) for name in before), "they count"
    assert drain(journal)[0], "what lies before them in other streams goes on"
    assert journal.append("alarm", b"an alarm") == 0
    journal.on_synced(journal.flush(), None)
    assert drain(journal)[0] == [b"an alarm"], "life goes on"
    for name in thinned:
        assert disk.read(name, 0, 1 << 20) == thinned[name], "untouched"
    for name in report.held_back:
        data = disk.read(name, 0, 1 << 20)
        assert data == before[name][: len(data)] and not any(before[name][len(data) :]), "all but its zeros"

    for name in [name for name in disk.list() if b"epoch-99".hex() in name]:
        disk.delete(name)  # what the other agent wrote itself is drained, and unknown to the model
    for name in thinned:
        disk.put(name, before[name])
    world.start()
    world.freed |= {one for one, lane in world.promised.items() if lane != "telemetry"}
    world.check(exact=False)
    assert drain(world.journal)[1] > 0
    assert world.journal.bytes_held == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"segment_bytes_max": 500},
        {"segment_bytes_max": 4000, "journal_bytes_max": 40_000},
        {"journal_bytes_max": 12_500, "segment_bytes_max": 1000},
        {"alarm_reserve_bytes": 100},
        {"alarm_reserve_bytes": 14_000},
        {"pending_bytes_max": 100},
    ],
    ids=str,
)
@pytest.mark.parametrize("count_max", [1, 7, 500])
def test_a_change_of_settings_with_a_full_queue_loses_nothing(disk, changed, count_max):
    payloads = fill(disk)
    journal, _ = recover(disk, **{**SMALL, **changed})
    found = []
    position = 0
    stream = Stream(b"epoch-01", "telemetry")
    while items := journal.read(stream, position, count_max=count_max, bytes_max=5000):
        found += items
        position += len(items)
    assert found == payloads
    assert journal.append("alarm", b"an alarm") == 0, "and alarms are still taken"
    assert drain(journal)[0] == payloads
