"""A warehouse that was restored to an older backup: it asks for what it lacks, the gateway gives what it still has, and
what is gone has a name. The real warehouse on a file that is copied, the real uplink on the real journal."""

import shutil
from random import Random

from gateway.core import limits
from gateway.core.custody.stream import Stream
from gateway.core.uplink.uplink import Uplink
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, UplinkWorld
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Skip
from wire import event
from wire.receipt import Receipt

NOW = {"received_unix_s": 1_795_000_000}
# Of the journal of `UplinkWorld`, whose segments are small: what one segment holds of readings.
SEGMENT_RECORDS = 40
TELEMETRY = Stream(EPOCH, event.TELEMETRY)


class Restored:
    """A gateway that lives on, before a warehouse in a file; `said` are all receipts that were ever signed."""

    def __init__(self, folder, **options):
        self.world = UplinkWorld(**options)
        self.published = []
        poll, self.world.uplink.poll = self.world.uplink.poll, self._poll
        self._polled = poll
        self.path, self.backup = folder / "warehouse.db", folder / "backup.db"
        self.warehouse = Warehouse(str(self.path), synchronous="OFF")
        self.said = []
        self.world.connect()
        self.settle()

    def _poll(self, *, now_ms):
        found = self._polled(now_ms=now_ms)
        self.published += found
        return found

    def settle(self, answers=True):
        """What was published reaches the warehouse, and its receipts the gateway, until all is quiet; the number of
        batches."""
        batches = 0
        while self.published:
            one = self.published.pop(0)
            batches += 1
            assert batches < 500, "it goes on for ever"
            self.world.uplink.acknowledged(one.token, 0, now_ms=self.world.now_ms)
            for answer in self.warehouse.accept(one.topic, one.payload, **NOW):
                self.said.append(answer.message)
                if answers:
                    self.world.uplink.receive(answer.message, now_ms=self.world.now_ms)
            self.world.poll()
        return batches

    def put(self, count, lane=event.TELEMETRY):
        self.world.put(count, lane)
        self.world.poll()
        return self.settle()

    def save(self):
        self.warehouse.close()  # SQLite writes its log back into the one file
        shutil.copy(self.path, self.backup)
        self.warehouse = Warehouse(str(self.path), synchronous="OFF")

    def restore(self):
        self.warehouse.close()
        shutil.copy(self.backup, self.path)
        self.warehouse = Warehouse(str(self.path), synchronous="OFF")

    def sequences(self):
        return {sequence for _, _, sequence in self.warehouse.identities()}

    def judge(self, given_from):
        """The checker, for telemetry alone, whose sequences are its positions: each is held or named as gone, and
        nothing is gone that the gateway still had, from `given_from` on, when the warehouse last went back. Its faults.
        """
        gone = {position for skip in self.warehouse.skips() for position in range(skip.first, skip.last + 1)}
        made = set(range(self.world.sequence))
        return {"unnamed": made - gone - self.sequences(), "given up": {one for one in gone if one >= given_from}}


def test_what_the_open_segments_still_have_is_given_again_in_every_lane(tmp_path):
    """The attack of before: the prefix jumped over what the gateway had freed and still had."""
    it = Restored(tmp_path)
    it.put(5)
    it.save()
    it.put(5)
    it.put(3, event.ALARM)
    it.put(2, event.EVENT)
    assert it.world.oldest() == 10 and len(it.sequences()) == 15
    it.restore()
    assert it.sequences() == set(range(5))
    it.put(1)
    assert it.sequences() == set(range(16)), "alarms and events too, though only telemetry came"
    assert it.warehouse.skips() == [] and it.world.uplink.counters["given-again"] == 1
    assert not any(it.world.journal.waiting(stream) for stream in it.world.journal.streams())


def test_what_is_gone_is_named_by_position_and_the_rest_is_given(tmp_path):
    it = Restored(tmp_path)
    it.put(5)
    it.save()
    it.put(3 * SEGMENT_RECORDS)
    first = it.world.journal.held_from(TELEMETRY)
    assert 5 < first < it.world.oldest()
    it.restore()
    it.put(1)
    assert it.sequences() == {*range(5), *range(first, 3 * SEGMENT_RECORDS + 6)}
    [gone] = it.warehouse.skips()
    assert gone == Skip(gone.insee, gone.name, EPOCH, event.TELEMETRY, 5, first - 1, NOW["received_unix_s"])


def test_nothing_is_kept_for_it_on_the_card(tmp_path):
    it = Restored(tmp_path)
    it.put(10 * SEGMENT_RECORDS)
    assert it.world.journal.bytes_held < 2 * 2000


def drawn(folder, seed):
    """A history of records, backups, restorations, lost messages and reconnections; the checker's verdict."""
    random = Random(seed)
    it = Restored(folder)
    it.save()
    given_from = 0
    for _ in range(12):
        it.world.put(random.randrange(1, 2 * SEGMENT_RECORDS))
        it.world.poll()
        it.settle(answers=random.randrange(4) > 0)
        choice = random.randrange(4)
        if choice == 0:
            it.save()
        elif choice == 1:
            it.restore()
            given_from = it.world.journal.held_from(TELEMETRY)
            it.world.now_ms += limits.UPLINK_GIVE_AGAIN_PERIOD_MS
            it.put(1)
        elif choice == 2:
            it.world.uplink.disconnected()
            it.world.connect()
    it.world.uplink.disconnected()
    it.world.connect()
    it.put(1)
    for _ in range(3):  # what was not answered is sent again
        it.world.poll(it.world.now_ms + limits.UPLINK_SILENCE_LAST_MS)
        it.settle()
    it.warehouse_end = it.world.journal.waiting(TELEMETRY)
    return it.judge(given_from) | {"waiting": set(range(it.warehouse_end))}


def test_after_any_restorations_each_position_is_held_or_named_and_none_is_given_up(tmp_path):
    for seed in range(8):
        (tmp_path / str(seed)).mkdir()
        found = drawn(tmp_path / str(seed), seed)
        assert not any(found.values()), (seed, found)


def test_a_gateway_that_does_not_give_again_is_caught(tmp_path, monkeypatch):
    """The planted bug: it frees on a receipt for ever, and states what it freed as gone."""
    monkeypatch.setattr(Uplink, "_first_to_give", lambda self, stream, _progress: self._journal.oldest(stream))
    caught = 0
    for seed in range(4):
        (tmp_path / str(seed)).mkdir()
        caught += bool(drawn(tmp_path / str(seed), seed)["given up"])
    assert caught >= 1


def test_a_warehouse_that_is_wholly_new_is_given_the_open_segment(tmp_path):
    it = Restored(tmp_path)
    it.save()
    it.put(7)
    it.restore()
    it.put(1)
    assert it.sequences() == set(range(8)) and it.warehouse.skips() == []


def test_receipts_of_before_free_nothing_that_is_given_again(tmp_path):
    """A broker that swallows what is given again and replays the receipts of the warehouse's former life."""
    it = Restored(tmp_path)
    it.put(5)
    it.save()
    for _ in range(4):
        it.put(5)
    former = list(it.said)
    it.restore()
    it.world.put(1)
    it.world.poll()
    [witness] = it.published
    it.published.clear()
    for answer in it.warehouse.accept(witness.topic, witness.payload, **NOW):
        it.world.hear(answer.message)
    assert it.world.oldest() == 0 and it.published, "it is given again, and swallowed"
    it.published.clear()
    for message in former:
        it.world.hear(message)
    assert it.world.oldest() == 0
    it.world.poll(it.world.now_ms + limits.UPLINK_SILENCE_FIRST_MS)
    it.settle()
    assert it.sequences() == set(range(26)) and it.world.oldest() == 26


def test_a_stranger_who_replays_receipts_makes_nothing_be_sent(tmp_path):
    it = Restored(tmp_path)
    it.put(5)
    it.put(5)
    for message in list(it.said):
        it.world.hear(message)
        assert it.settle() == 0 and it.world.oldest() == 10


def test_a_stranger_who_holds_receipts_back_makes_nothing_be_sent_for_ever(tmp_path):
    """They were signed while the prefix waited for a batch that he had swallowed; nothing is lost by it."""
    it = Restored(tmp_path)
    it.put(5)
    sent, hours = 0, 3 * limits.UPLINK_GIVE_AGAIN_MAX
    for hour in range(hours):
        it.world.now_ms = hour * limits.UPLINK_GIVE_AGAIN_PERIOD_MS
        for _ in range(5):
            it.world.put(1)
            it.world.poll()
            [batch] = it.world.honest.sent(it.world.out[-1][1])
            it.world.uplink.receive(Receipt(GATEWAY, EPOCH, event.TELEMETRY, 0, (batch,)), now_ms=it.world.now_ms)
            sent += it.settle()
    assert it.world.uplink.counters["given-again"] == limits.UPLINK_GIVE_AGAIN_MAX
    assert sent < 5 * hours + 10 * limits.UPLINK_GIVE_AGAIN_MAX
    assert len(it.sequences()) == 5 + 5 * hours and it.world.oldest() == 5 + 5 * hours


def test_a_record_that_was_explained_is_not_given_again(tmp_path):
    """It would be refused once more, and the prefix would wait for it."""
    it = Restored(tmp_path)
    it.put(3)
    it.world.put(1, raw=b"\x07 of a version to come")
    it.world.poll()
    it.settle()
    it.world.flush()
    it.world.poll()
    it.settle()
    it.save()
    it.put(4)
    it.restore()
    it.put(1)
    assert len(it.world.explained) == 1
    assert not any(it.world.journal.waiting(stream) for stream in it.world.journal.streams())
    assert it.sequences() >= {4, 5, 6, 7, 8} and NODE in {node for node, _, _ in it.warehouse.identities()}


def test_receipts_of_two_ingests_that_pass_each_other_are_no_older_backup(tmp_path):
    """The batches too: the second was committed while the prefix waited for the first."""
    it = Restored(tmp_path)
    it.put(5)
    batches = []
    for _ in range(2):
        it.world.put(5)
        it.world.poll()
        batches += it.published
        it.world.ack([(one.token, None) for one in it.published])
        it.published.clear()
    early, late = (it.warehouse.accept(one.topic, one.payload, **NOW)[0].message for one in reversed(batches))
    assert (early.next_position, late.next_position) == (5, 15)
    for message in (late, early):
        it.world.hear(message)
    it.settle()
    it.put(1)
    assert it.world.uplink.counters["given-again"] == 0 and it.world.oldest() == 16
