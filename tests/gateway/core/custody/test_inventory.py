"""What a card or a stranger takes from the journal between two lives is missed, by position, and nothing else is."""

import os
from contextlib import closing
from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody.inventory import NAMES, Inventory, ListedSegment, ListedStream
from gateway.core.custody.journal import Hole, Journal, Stream
from gateway.core.custody.ledger import Ledger
from gateway.core.custody.segment import encode_header, encode_record, parse_name, written
from gateway.core.custody.thinning import Thinner
from gateway.io.disk import FileDisk
from simulator.world.disk import SimDisk

LIMITS = {"segment_bytes_max": 1000, "journal_bytes_max": 100_000, "alarm_reserve_bytes": 2000}
EPOCHS = (b"epoch-01", b"epoch-02", b"epoch-03")
T = Stream(EPOCHS[0], "telemetry")


class Cards:
    """The two folders of a card, and the lives of a journal on it."""

    def __init__(self):
        self.disk, self.state = SimDisk(Random(1)), SimDisk(Random(2))
        self.lives = 0
        self.start()

    def start(self):
        self.inventory = Inventory(self.state)
        self.journal = Journal(self.disk, epoch=EPOCHS[self.lives], inventory=self.inventory, **LIMITS)
        self.lives += 1
        self.report = self.journal.recover()
        self.settle()
        return self.report

    def settle(self):
        while self.state.pending:
            ticket = self.state.pending[0].ticket
            self.journal.on_state_synced(ticket, self.state.complete(ticket))

    def put(self, count, lane="telemetry"):
        for number in range(count):
            assert isinstance(self.journal.append(lane, b"record %d " % number * 5), int)
        ticket = self.journal.flush()
        self.journal.on_synced(ticket, self.disk.complete(ticket))
        self.settle()

    def files(self, lane="telemetry"):
        return [name for name in self.disk.list() if lane in name]

    def holes(self):
        return [(stream.lane, hole.first, hole.last, why) for stream, hole, why in self.report.holes]


@pytest.fixture
def cards():
    """Fifty records of telemetry in four files, three alarms, all durable, nothing freed."""
    cards = Cards()
    cards.put(50)
    cards.put(3, "alarm")
    cards.journal.save_inventory()
    cards.settle()
    assert len(cards.files()) == 4
    return cards


def first_of(name):
    return parse_name(name).first


def test_a_sound_folder_misses_nothing(cards):
    assert cards.start().holes_count == 0
    assert cards.report.records == 53


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_file_that_was_deleted_is_missed_wherever_it_was(cards, at):
    files = cards.files()
    first = first_of(files[at])
    last = 49 if at == -1 else first_of(files[at + 1]) - 1
    cards.disk.delete(files[at])
    cards.start()
    assert cards.holes() == [("telemetry", first, last, "file missing")]
    assert cards.report.positions_missed == last - first + 1
    if at == 0:
        assert cards.journal.read(T, 0, count_max=1, bytes_max=9) == [Hole(first, last)]


def test_a_folder_that_was_emptied_is_missed_whole_and_until_it_is_explained(cards):
    for name in cards.disk.list():
        cards.disk.delete(name)
    for _ in range(2):
        cards.start()
        assert sorted(cards.holes()) == [("alarm", 0, 2, "file missing"), ("telemetry", 0, 49, "file missing")]
    assert [stream.epoch for stream in cards.journal.streams()][:2] == [EPOCHS[0]] * 2, "older than this life's"
    for stream in cards.journal.streams()[:2]:
        cards.journal.release_through(stream, cards.journal.durable_end(stream) - 1)
    assert {stream.epoch for stream in cards.journal.streams()} == {EPOCHS[2]}


def test_a_torn_tail_that_took_acknowledged_records_is_counted(cards):
    (alarms,) = cards.files("alarm")
    data = cards.disk.read(alarms, 0, 1 << 20)
    cards.disk.put(alarms, data[:130])
    cards.start()
    assert cards.holes() == [("alarm", 1, 2, "torn tail")]


def segment_of(name, count, word):
    """A whole segment of records under the identity of a file, checksums and all; those of `put` if the word is."""
    identity = parse_name(name)
    contents = (b"%s %d " % (word, identity.first + index) * 5 for index in range(count))
    records = (encode_record(identity.seed, index, content) for index, content in enumerate(contents))
    return encode_header(identity) + b"".join(records)


def test_a_whole_file_in_the_place_of_ours_is_set_aside_and_its_records_are_missed(cards):
    name, after = cards.files()[1:3]
    count = first_of(after) - first_of(name)
    data = segment_of(name, count, b"forged")
    assert len(data) <= cards.disk.size(name)
    cards.disk.put(name, data.ljust(cards.disk.size(name), b"\0"))
    cards.start()
    assert [damage.reason for damage in cards.report.damages] == ["not the file that was written"]
    assert cards.holes() == [("telemetry", first_of(name), first_of(after) - 1, "file set aside")]
    assert len(cards.report.quarantined) == 1


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("which", [1, -2])
def test_a_closed_file_that_ends_between_two_records_keeps_those_before(cards, which, zeros):
    name = cards.files()[which]
    after = cards.files()[which + 1]
    data = segment_of(name, 5, b"record")
    assert cards.disk.read(name, 0, len(data)) == data
    cards.disk.put(name, data.ljust(cards.disk.size(name) if zeros else 0, b"\0"))
    cards.start()
    assert cards.holes() == [("telemetry", first_of(name) + 5, first_of(after) - 1, "torn tail")]
    assert [damage.reason for damage in cards.report.damages] == ["torn tail"]
    assert cards.report.quarantined == []


def test_records_that_somebody_appended_to_a_closed_file_are_not_taken_for_ours(cards):
    name = cards.files()[-2]
    data = cards.disk.read(name, 0, 1 << 20).rstrip(b"\0")
    identity = parse_name(name)
    due = first_of(cards.files()[-1]) - identity.first
    cards.disk.put(name, data + encode_record(identity.seed, due, b"not ours"))
    cards.start()
    assert cards.report.holes_count == 0 and cards.report.records == 53


def test_two_files_that_swapped_names_are_both_read(cards):
    one, other = cards.files()[1:3]
    data = {name: cards.disk.read(name, 0, 1 << 20) for name in (one, other)}
    cards.disk.put(one, data[other])
    cards.disk.put(other, data[one])
    assert cards.start().holes_count == 0


def test_what_is_no_plain_file_is_set_aside_and_its_records_are_missed(cards):
    name = cards.files()[-1]
    cards.disk.put_foreign(name)
    cards.start()
    assert [(damage.name, damage.reason) for damage in cards.report.damages] == [(name, "no plain file")]
    assert cards.holes() == [("telemetry", first_of(name), 49, "file set aside")]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_on_a_real_disk_neither_a_link_nor_a_folder_nor_a_pipe_is_followed_or_waited_for(tmp_path, cards, kind):
    name = cards.files()[-1]
    path = tmp_path / name
    {"link": lambda: path.symlink_to("/etc/passwd"), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    with closing(FileDisk(tmp_path, lambda *_: None)) as disk:
        touches = (lambda: disk.read(name, 0, 9), lambda: disk.append(name, b"x"), lambda: disk.write(name, 0, b"x"))
        for touch in touches:
            with pytest.raises(OSError):
                touch()
        journal = Journal(disk, epoch=EPOCHS[1], inventory=Inventory(cards.state), **LIMITS)
        report = journal.recover()
        assert [(damage.name, damage.reason) for damage in report.damages] == [(name, "no plain file")]
        assert (disk.list(), disk.foreign()) == ([], [f"quarantine-00000001-{name}"])


# --- what is freed ----------------------------------------------------------------------------------------------------


def test_after_a_restart_what_was_freed_in_an_open_segment_is_not_held_again(cards):
    cards.journal.release_through(T, 47)
    cards.settle()
    assert len(cards.files()) == 1, "a part of the last file"
    cards.start()
    assert (cards.journal.oldest(T), cards.report.holes_count) == (48, 0)
    cards.journal.release_through(T, 49)
    cards.settle()
    assert cards.files() == []


def test_what_was_freed_whole_and_not_deleted_yet_is_deleted_at_the_start(cards):
    copy = {name: cards.disk.read(name, 0, 1 << 20) for name in cards.files()}
    cards.journal.release_through(T, 49)
    cards.settle()
    for name, data in copy.items():  # a power cut brings them back
        cards.disk.put(name, data)
    cards.start()
    assert T not in cards.journal.streams() and cards.report.holes_count == 0
    cards.put(1, "event")
    assert cards.files() == []


def test_no_file_is_deleted_before_the_list_without_it_is_durable(cards):
    files = cards.files()
    cards.journal.release_through(T, 30)
    assert cards.files() == files
    cards.settle()
    assert len(cards.files()) < len(files)


@pytest.mark.parametrize("fault", ["write", "sync"])
def test_a_state_folder_that_refuses_the_list_keeps_nothing_from_being_freed(cards, fault):
    files = cards.files()
    if fault == "write":
        cards.state.append_error = 28
    else:
        cards.state.sync_error = "simulated"
    cards.journal.release_through(T, 30)
    cards.settle()
    assert len(cards.files()) < len(files)


def test_an_older_list_makes_records_be_sent_again_and_none_be_missed(cards):
    old = {name: cards.state.read(name, 0, 1 << 20) for name in NAMES}
    (cards.journal.release_through(T, 20), cards.settle())
    held = len(cards.files())
    cards.put(30)
    for name, data in old.items():
        cards.state.put(name, data)
    cards.start()
    first = first_of(cards.files()[0])
    assert held and cards.holes() == [("telemetry", 0, first - 1, "file missing")], "the warehouse will say it has them"
    assert cards.journal.durable_end(T) == 80


# --- the list itself --------------------------------------------------------------------------------------------------


def test_a_list_that_was_torn_leaves_the_one_before():
    state = SimDisk(Random(1))
    for end in (7, 9):
        inventory = Inventory(state)
        inventory.save([(T, ListedStream(3, 2, end, {5: ListedSegment(900, b"d" * 16)}))])
        ticket = state.pending[0].ticket
        inventory.on_synced(ticket, state.complete(ticket))
    assert Inventory(state).found == {T: ListedStream(3, 2, 9, {5: ListedSegment(900, b"d" * 16)})}
    newest = max(NAMES, key=lambda name: state.read(name, 0, 18)[10:14])
    for data in (b"", b"x" * 300, state.read(newest, 0, 999)[:-1] + b"?"):
        state.put(newest, data)
        assert Inventory(state).found[T].end == 7
    state.put_foreign(newest)
    assert Inventory(state).found[T].end == 7


def test_a_list_under_the_highest_number_stops_no_save():
    """A stranger can write one: it is no list of ours."""
    state = SimDisk(Random(1))
    state.put(NAMES[1], b"BOCAGE-I\0\1" + b"\xff" * 4 + bytes(8))
    inventory = Inventory(state)
    assert inventory.save([(T, ListedStream(1, 0, 9, {}))]) and inventory.found == {}
    inventory.on_synced(state.pending[0].ticket, state.complete(state.pending[0].ticket))
    assert Inventory(state).found[T].end == 9


def test_a_list_beyond_its_bound_leaves_out_digests_and_then_the_oldest_streams():
    state = SimDisk(Random(1))
    segments = {serial: ListedSegment(900, b"d" * 16) for serial in range(40)}
    streams = [Stream(number.to_bytes(8, "big"), "event") for number in range(3000)]
    inventory = Inventory(state)
    inventory.save((stream, ListedStream(1, 0, 9, segments)) for stream in streams)
    assert max(map(state.size, state.list())) <= limits.INVENTORY_BYTES_MAX + 100
    found = Inventory(state).found
    assert len(found[streams[-1]].segments) == 40 and streams[0] not in found and len(found) > 500


def test_the_list_costs_no_change_of_length_once_it_is_there(cards):
    cards.put(1, "alarm")
    sizes = [cards.state.size(name) for name in NAMES]
    for _ in range(5):
        cards.put(1, "alarm")
    assert [cards.state.size(name) for name in NAMES] == sizes


@pytest.mark.parametrize("fault", [None, "write", "sync"])
def test_a_look_lists_again_only_what_has_moved_or_the_disk_refused(cards, monkeypatch, fault):
    listed = []
    real = Inventory.save
    monkeypatch.setattr(Inventory, "save", lambda self, listing: listed.append(1) or real(self, listing))
    journal = cards.journal
    thinner = Thinner(journal, Ledger(SimDisk(Random(3))), explain=None, flush=None, loss_time=None)

    def look(number):
        thinner.poll(now_ms=number * limits.JOURNAL_CHECK_EVERY_MS)
        cards.settle()

    (look(1), look(2))
    assert not listed, "nothing has moved since the list that the fixture made"
    cards.put(1)
    if fault == "write":
        cards.state.append_error = 28
    elif fault == "sync":
        cards.state.sync_error = "simulated"
    look(3)
    assert len(listed) == 1 and journal.is_listed == (fault is None)
    cards.state.append_error = cards.state.sync_error = None
    (look(4), look(5))
    assert len(listed) == (1 if fault is None else 2) and journal.is_listed


def test_what_a_cut_left_of_a_release_stays_until_it_is_in_the_ledger_though_it_is_freed(cards):
    (_, old), *_ = cards.journal.sealed("telemetry")
    new = cards.journal.new_segment(T, old.first, 1)
    void = bytearray([1]) + bytearray(old.end - old.first - 1)
    files = {new.name: b"".join(written(new, old, void, cards.journal.scan_segment(old)))}
    files[old.name] = cards.disk.read(old.name, 0, old.size)
    cards.journal.release_through(T, 49)
    cards.settle()
    for name, data in files.items():
        cards.disk.put(name, data)  # the cut undoes the deletion
    cards.start()
    cards.journal.save_inventory()
    cards.settle()
    assert [found.new.name for found in cards.journal.drain_interrupted()] == [new.name]
    assert set(files) <= set(cards.disk.list())
