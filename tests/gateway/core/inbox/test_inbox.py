"""From payloads to the journal and back to answers: custody, duplicates, conflicts, rubbish, bounds."""

import tracemalloc
from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.disk import SharedFolder
from gateway.core.custody.journal import Journal, Refused, Stream
from gateway.core.inbox.fair_use import FairUse
from gateway.core.inbox.inbox import NEW, AcceptedPayload, Answers, Inbox, Match, Remembered, digest_of
from simulator.world.disk import SimDisk
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, OTHER, alarm, level, payload, reading
from wire import event, record
from wire import limits as wire_limits
from wire.event import ALARM, EVENT, LANES, TELEMETRY
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
        fair_use = FairUse(100, self.own, SharedFolder(self.disk, "fair-use"))
        self.inbox = Inbox(self.journal, self.own, self.witness, fair_use)
        self.exchange = 0
        self.witnessed = []

    def witness(self, node, made, conflicts, *, now_ms):
        self.witnessed.append((node, made, conflicts))

    def own(self, body, *, now_ms):
        made = Record(1, 0, Stamp(0, 0, 0), body)
        lane = record.lane(made)
        position = self.journal.append(lane, entry.encode(entry.Entry(GATEWAY, record.encode(made))))
        return position if isinstance(position, Refused) else (lane, position)

    def take(self, data, node=NODE):
        self.exchange += 1
        return self.inbox.accept(node, data, self.exchange, now_ms=0)

    def flush(self):
        ticket = self.journal.flush()
        if ticket is not None:
            self.inbox.advance(self.journal.on_synced(ticket, self.disk.complete(ticket)))
        return self.inbox.drain_settled()

    def held(self, lane):
        stream = Stream(EPOCH, lane)
        return [entry.decode(data) for data in self.journal.read(stream, 0, count_max=999, bytes_max=10**6)]


def test_each_record_goes_to_its_lane_as_it_came_and_the_answer_waits_for_all_of_them():
    bench = Bench()
    outcome = bench.take(payload(reading(1), alarm(2), level(3)))
    assert outcome == AcceptedPayload([reading(1), alarm(2), level(3)], urgent=True)
    assert bench.inbox.drain_settled() == []
    bench.inbox.advance([(event.ALARM, 1), (event.EVENT, 1)])
    assert bench.inbox.drain_settled() == [], "the telemetry of the payload is not durable"
    assert bench.flush() == [1] and bench.inbox.drain_settled() == []
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
    assert bench.inbox.drain_settled() == []
    assert bench.flush() == [1, 2]
    bench.take(payload(reading(1)))
    assert bench.inbox.drain_settled() == [3], "durable already"
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
        assert isinstance(bench.take(payload(*records), node), AcceptedPayload)
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
    assert bench.take(data) == AcceptedPayload([], urgent=False)
    assert bench.inbox.drain_settled() == []
    assert bench.flush() == [1]
    (item,) = bench.held(event.EVENT)
    assert item.node == GATEWAY and item.record.body.code == event.RAW
    assert item.record.body.detail[0] == NODE and item.record.body.detail[2] == data
    assert bench.held(event.TELEMETRY) == []


@pytest.mark.parametrize("length", [512, 513, 990, 1024, 1025, 5000])
def test_a_raw_record_never_grows_beyond_what_a_record_may_be(length):
    bench = Bench()
    assert isinstance(bench.take(b"\xff" * length), AcceptedPayload)
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
    assert isinstance(bench.take(payload(alarm(9000))), AcceptedPayload)
    assert bench.flush() == [bench.exchange]


def test_too_many_requests_under_way_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_WAITING_MAX", 2)
    bench = Bench()
    for number in range(2):
        bench.take(payload(reading(number)))
    assert bench.take(payload(reading(3))) is Refused.PENDING
    assert bench.flush() == [1, 2]
    assert isinstance(bench.take(payload(reading(3))), AcceptedPayload)


def test_a_body_is_found_where_it_stands_and_others_under_its_identity_are_counted():
    remembered = Remembered()
    assert remembered.find(1, 2, b"a" * 8) == NEW
    remembered.add(1, 2, b"a" * 8, event.ALARM, 7)
    assert remembered.find(1, 2, b"a" * 8) == Match((event.ALARM, 7), 0)
    assert remembered.find(1, 2, b"b" * 8) == Match(None, 1)
    remembered.add(1, 2, b"b" * 8, event.TELEMETRY, wire_limits.POSITION_MAX)
    assert remembered.find(1, 2, b"b" * 8).place == (event.TELEMETRY, wire_limits.POSITION_MAX)
    assert remembered.find(1, 2, b"c" * 8) == Match(None, 2)


def test_two_neighbours_do_not_look_like_a_third():
    remembered = Remembered()
    remembered.add(1, 0x00000002, b"a" * 8, event.EVENT, 0)
    remembered.add(3, 4, b"b" * 8, event.EVENT, 1)
    assert remembered.find(2, 3, b"a" * 8) == NEW
    remembered.add(2, 3, b"c" * 8, event.EVENT, 2)
    assert remembered.find(2, 3, b"c" * 8) == Match((event.EVENT, 2), 0)


def test_it_agrees_with_a_plain_list(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_REMEMBERED_PER_NODE_MAX", 16)
    random = Random(5)
    remembered, model = Remembered(), []
    for position in range(5000):
        key = random.choice((0, 1, 256, 2**32 - 1)), random.randrange(8), digest_of(bytes([random.randrange(3)]))
        same = [kept for kept in model if kept[:3] == key]
        others = [kept for kept in model if kept[:2] == key[:2]]
        match = remembered.find(*key)
        assert match.place == (same[0][3:] if same else None)
        if not same:
            assert match.others == len(others)
            lane = random.choice(event.LANES)
            remembered.add(*key, lane, position)
            model = [*model, (*key, lane, position)][-16:]


def test_a_district_fits_in_little_memory():
    """500 nodes that have all said their fill: 64,000 records at 24 bytes each, with what the allocator adds."""
    digests = [digest_of(bytes([number])) for number in range(limits.INBOX_REMEMBERED_PER_NODE_MAX)]
    tracemalloc.start()
    try:
        nodes = [Remembered() for _ in range(500)]
        for remembered in nodes:
            for number, digest in enumerate(digests):
                remembered.add(1, number, digest, event.TELEMETRY, number)
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes < 3_000_000


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_the_plain_rule(seed):
    """Lanes advance apart; a duplicate waits for an older position, or for none that is not durable."""
    random = Random(seed)
    answers, waiting = Answers(), []
    durable, appended = dict.fromkeys(LANES, 0), dict.fromkeys(LANES, 0)
    for exchange in range(400):
        ends = {}
        for lane in random.sample(LANES, random.randrange(1, 4)):
            appended[lane] += 1
            ends[lane] = max(0, appended[lane] - 1 - random.choice((0, 0, 0, 5, 50)))
        answers.wait(exchange, ends)
        waiting.append((exchange, ends))
        if random.randrange(3) == 0:
            lane = random.choice(LANES)
            durable[lane] = random.randint(durable[lane], appended[lane])
            answers.advance(lane, durable[lane])
        if random.randrange(3) == 0:
            due = [wait for wait in waiting if all(position < durable[lane] for lane, position in wait[1].items())]
            waiting = [wait for wait in waiting if wait not in due]
            assert answers.drain_ready() == [exchange for exchange, _ in due]
            assert answers.drain_ready() == []
            assert len(answers) == len(waiting)
    assert len(waiting) < 400


class Compared(int):
    """A position that counts how often it is compared with another."""

    count = 0

    def __eq__(self, other):
        Compared.count += 1
        return int(self) == other

    def __lt__(self, other):
        Compared.count += 1
        return int(self) < other

    __hash__ = int.__hash__


def test_a_flush_looks_only_at_what_it_settles():
    answers = Answers()
    for number in range(limits.INBOX_WAITING_MAX):
        answers.wait(number, {TELEMETRY: Compared(number), EVENT: Compared(number)})
    answers.wait(5000, {ALARM: 0})
    Compared.count = 0
    answers.advance(ALARM, 1)
    assert answers.drain_ready() == [5000] and Compared.count == 0
    answers.advance(TELEMETRY, 3)
    answers.advance(EVENT, 2)
    assert answers.drain_ready() == [0, 1]
    assert 0 < Compared.count < 300, "three of 2000 left the heap: some 11 levels each, two lanes"
