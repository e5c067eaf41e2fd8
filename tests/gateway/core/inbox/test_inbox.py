"""From payloads to the journal and back to answers: custody, duplicates, conflicts, rubbish, bounds."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Refused, Stream
from gateway.core.inbox.inbox import Accepted, Inbox
from simulator.world.disk import SimDisk
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, OTHER, alarm, level, payload, reading
from wire import event, record
from wire import limits as wire_limits
from wire.record import Record, Stamp


class Bench:
    """An inbox on its journal."""

    def __init__(self, journal_bytes_max=60_000):
        self.disk = SimDisk(Random(1))
        self.journal = Journal(
            self.disk,
            epoch=EPOCH,
            segment_bytes_max=4000,
            journal_bytes_max=journal_bytes_max,
            alarm_reserve_bytes=4000,
            pending_bytes_max=20_000,
        )
        self.journal.recover()
        self.inbox = Inbox(self.journal, self.own, self.witness)
        self.exchange = 0
        self.witnessed = []

    def witness(self, node, made, conflicts):
        self.witnessed.append((node, made, conflicts))

    def own(self, body):
        made = Record(1, 0, Stamp(0, 0, 0), body)
        lane = record.lane(made)
        position = self.journal.append(lane, entry.encode(entry.Entry(GATEWAY, record.encode(made))))
        return position if isinstance(position, Refused) else (lane, position)

    def take(self, data, node=NODE):
        self.exchange += 1
        return self.inbox.take(node, data, self.exchange)

    def flush(self):
        ticket = self.journal.flush()
        if ticket is not None:
            self.inbox.advance(self.journal.on_synced(ticket, self.disk.complete(ticket)))
        return self.inbox.settled()

    def held(self, lane):
        stream = Stream(EPOCH, lane)
        return [entry.decode(data) for data in self.journal.read(stream, 0, count_max=999, bytes_max=10**6)]


def test_each_record_goes_to_its_lane_as_it_came_and_the_answer_waits_for_all_of_them():
    bench = Bench()
    outcome = bench.take(payload(reading(1), alarm(2), level(3)))
    assert outcome == Accepted([reading(1), alarm(2), level(3)], urgent=True)
    assert bench.inbox.settled() == []
    bench.inbox.advance([(event.ALARM, 1), (event.EVENT, 1)])
    assert bench.inbox.settled() == [], "the telemetry of the payload is not durable"
    assert bench.flush() == [1] and bench.inbox.settled() == []
    for lane, made in ((event.TELEMETRY, reading(1)), (event.ALARM, alarm(2)), (event.EVENT, level(3))):
        assert [(item.node, item.record) for item in bench.held(lane)] == [(NODE, made)]


def test_only_an_alarm_is_urgent():
    bench = Bench()
    assert not bench.take(payload(reading(1), level(2))).urgent
    assert bench.take(payload(reading(3), alarm(4))).urgent


def test_a_duplicate_is_journaled_once_and_waits_for_the_first_copy():
    bench = Bench()
    bench.take(payload(reading(1)))
    bench.take(payload(reading(1)))
    assert bench.inbox.settled() == []
    assert bench.flush() == [1, 2]
    bench.take(payload(reading(1)))
    assert bench.inbox.settled() == [3], "durable already"
    assert len(bench.held(event.TELEMETRY)) == 1 and bench.inbox.counters["duplicates"] == 2


def test_the_same_identity_with_other_bytes_is_kept_both():
    bench = Bench()
    bench.take(payload(reading(1)))
    bench.take(payload(reading(1, body={6: 1})))
    bench.flush()
    assert [item.record.body for item in bench.held(event.TELEMETRY)] == [reading(1).body, {6: 1}]


def test_a_conflict_is_told_once_and_each_body_is_journaled_once():
    bench = Bench()
    one, two, three = (reading(1, body={6: number}) for number in (1, 2, 3))
    for made in (one, two, one, two, two, three, one, three):
        bench.take(payload(made))
    bench.flush()
    assert [item.record for item in bench.held(event.TELEMETRY)] == [one, two, three]
    assert [conflicts for _, _, conflicts in bench.witnessed] == [False, True, False]
    assert bench.inbox.counters["duplicates"] == 5


def test_the_witness_hears_of_every_record_once():
    bench = Bench()
    for _ in range(2):
        bench.take(payload(reading(1), alarm(2)))
    bench.take(b"\xff")
    assert bench.witnessed == [(NODE, reading(1), False), (NODE, alarm(2), False)]


@pytest.mark.parametrize("seed", range(5))
def test_the_records_of_a_node_stand_in_each_lane_in_the_order_of_their_arrival(seed):
    random = Random(seed)
    bench, arrived = Bench(journal_bytes_max=200_000), {}
    for _ in range(60):
        node = random.choice((NODE, OTHER))
        records = [random.choice((reading, alarm, level))(random.randrange(40)) for _ in range(random.randrange(1, 6))]
        assert isinstance(bench.take(payload(*records), node), Accepted)
        for made in records:
            order = arrived.setdefault((node, record.lane(made)), [])
            if made not in order:
                order.append(made)
        if random.randrange(4) == 0:
            bench.flush()
    bench.flush()
    for lane in event.LANES:
        for node in (NODE, OTHER):
            assert [item.record for item in bench.held(lane) if item.node == node] == arrived[node, lane]


def test_the_same_numbers_of_another_node_or_boot_are_no_duplicate():
    bench = Bench()
    bench.take(payload(reading(1)))
    bench.take(payload(reading(1)), OTHER)
    bench.take(payload(reading(1, boot=2)))
    bench.flush()
    assert len(bench.held(event.TELEMETRY)) == 3 and bench.inbox.counters["duplicates"] == 0


def test_what_is_no_longer_remembered_is_forwarded(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_REMEMBERED_PER_NODE_MAX", 2)
    monkeypatch.setattr(limits, "INBOX_NODES_MAX", 2)
    bench = Bench()
    for number in (1, 2, 3, 1):
        bench.take(payload(reading(number)))
    for node in (OTHER, GATEWAY, NODE):
        bench.take(payload(reading(1)), node)
    assert bench.inbox.counters["duplicates"] == 0 and bench.inbox.counters["records"] == 7


@pytest.mark.parametrize("data", [b"\x00", b"\xff" * 30, payload(reading(1))[:-1], payload(reading(1)) + b"\x00"])
def test_a_payload_with_any_undecodable_byte_is_kept_whole_as_raw_and_answered(data):
    bench = Bench()
    assert bench.take(data) == Accepted([], urgent=False)
    assert bench.inbox.settled() == []
    assert bench.flush() == [1]
    (item,) = bench.held(event.EVENT)
    assert item.node == GATEWAY and item.record.body.code == event.RAW
    assert item.record.body.detail[0] == NODE and item.record.body.detail[2] == data
    assert bench.held(event.TELEMETRY) == []


@pytest.mark.parametrize("length", [512, 513, 990, 1024, 1025, 5000])
def test_a_raw_record_never_grows_beyond_what_a_record_may_be(length):
    bench = Bench()
    assert isinstance(bench.take(b"\xff" * length), Accepted)
    bench.flush()
    (item,) = bench.held(event.EVENT)
    assert item.record.body.detail[2] == b"\xff" * min(length, limits.RAW_BYTES_MAX)
    assert len(record.encode(item.record)) <= wire_limits.CBOR_BYTES_MAX


def test_a_full_journal_refuses_a_payload_and_nothing_of_it_is_answered():
    bench = Bench(journal_bytes_max=24_000)
    number = 0
    while not isinstance(outcome := bench.take(payload(reading(number))), Refused):
        bench.flush()
        number += 1
    assert outcome is Refused.FULL
    assert bench.take(b"\xff" * 500) is Refused.FULL
    assert bench.flush() == [] and bench.inbox.counters["journal-refused"] == 2
    assert isinstance(bench.take(payload(alarm(9000))), Accepted)
    assert bench.flush() == [bench.exchange]


def test_too_many_requests_under_way_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_WAITING_MAX", 2)
    bench = Bench()
    for number in range(2):
        bench.take(payload(reading(number)))
    assert bench.take(payload(reading(3))) is Refused.PENDING
    assert bench.flush() == [1, 2]
    assert isinstance(bench.take(payload(reading(3))), Accepted)
