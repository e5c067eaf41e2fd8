"""The gateway's decisions joined: answers wait for the flush, nothing raises, every acknowledged record arrives once."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import limits
from simulator.disk import PowerCut
from tests.support.gateway_world import (
    ANSWERS,
    EPOCH,
    GATEWAY,
    NODE,
    OTHER,
    GatewayWorld,
    alarm,
    level,
    payload,
    reading,
    unpack,
)
from tools.centre.warehouse import Warehouse
from wire import coap_message, event, record, topic, watermark
from wire.coap_message import CON, Message
from wire.record import Answer

CHANGED, UNAVAILABLE, NOT_FOUND = coap_message.CHANGED, coap_message.UNAVAILABLE, coap_message.NOT_FOUND


# --- answers only after the flush -----------------------------------------------------------------------------


def test_telemetry_is_flushed_within_the_commit_time_and_answered_only_when_the_flush_has_ended():
    world = GatewayWorld(commit_ms=500)
    world.wait(600)
    world.sync()  # the gateway's own boot record
    world.ask(payload(reading(1)))
    world.wait(499)
    assert world.journal_disk.pending == []
    world.wait(1)
    assert len(world.journal_disk.pending) == 1 and world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]


def test_an_alarm_is_flushed_at_once():
    world = GatewayWorld()
    world.ask(payload(alarm(1)), path=b"e")
    assert len(world.journal_disk.pending) == 1 and world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]


def test_records_that_came_after_the_flush_began_wait_for_the_next_one():
    world = GatewayWorld()
    world.ask(payload(alarm(1)))
    world.ask(payload(reading(2)), node=OTHER)
    world.sync()
    assert world.codes() == [CHANGED] and world.codes(OTHER) == []
    world.wait(500)
    world.sync()
    assert world.codes(OTHER) == [CHANGED]


def test_a_flush_that_fails_answers_nobody_until_another_succeeds():
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(500)
    world.journal_disk.sync_error = "simulated"
    world.sync()
    assert world.codes() == [] and "journal-sync-failed" in world.logs
    world.journal_disk.sync_error = None
    world.wait(1000)
    world.sync()
    assert world.codes() == [CHANGED]


def test_a_flush_slower_than_the_commit_second_gives_an_empty_acknowledgement_and_a_separate_answer():
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(3000)
    assert world.codes() == [] and len(world.sent) == 1
    assert coap_message.decode(world.sent[0].datagram).code == coap_message.EMPTY
    world.sync()
    assert world.codes() == [CHANGED]


def test_a_power_cut_before_the_answer_leaves_the_record_with_the_node():
    """Bug class 2: accepted, but only in memory."""
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(500)
    world.journal_disk.power_cut("drop")
    world.start()
    assert world.codes() == [] and event.TELEMETRY not in {lane for lane, items in world.held().items() if items}


def test_a_question_without_a_record_is_answered_with_the_time_at_once():
    world = GatewayWorld()
    world.core.clock.tell(1_790_000_000_000, 2, now_ms=world.now_ms)
    world.ask(b"")
    assert world.codes() == [CHANGED]
    answered = coap_message.decode(world.sent[-1].datagram).payload
    assert record.decode_answer(answered) == Answer(1_790_000_000, 2)


# --- duplicates, conflicts, the full journal ------------------------------------------------------------------


def test_a_node_that_repeats_itself_is_acknowledged_without_other_traffic_and_journaled_once():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1)))
    world.wait(500)
    world.ask(payload(reading(1)))  # a new message with the same record: its 2.04 was lost
    world.wait(500)
    assert world.codes() == [CHANGED, CHANGED]
    assert [item.record for item in world.held()[event.TELEMETRY]] == [reading(1)]


def test_a_duplicate_is_not_acknowledged_before_the_first_copy_is_durable():
    world = GatewayWorld()
    world.ask(payload(alarm(1)))  # its flush is under way
    other = world.node(OTHER)
    other.query = world.node().query  # the same node from another address
    world.ask(payload(alarm(1)), node=OTHER)
    world.wait(600)
    assert world.codes() == [] and world.codes(OTHER) == []
    world.sync()
    assert world.codes() == [CHANGED] and world.codes(OTHER) == [CHANGED]


def test_a_full_journal_refuses_and_acknowledges_nothing_but_alarms_have_their_reserve():
    world = GatewayWorld(auto_sync=True, journal_bytes_max=36_001)
    accepted = 0
    for number in range(2000):
        world.ask(payload(reading(number)))
        world.wait(500)
        if world.codes()[-1] != CHANGED:
            break
        accepted += 1
    assert world.codes()[-1] == UNAVAILABLE and "record-refused" in world.logs
    assert [item.record for item in world.held()[event.TELEMETRY]] == [reading(number) for number in range(accepted)]
    world.ask(payload(alarm(9000)), path=b"e")
    assert world.codes()[-1] == CHANGED
    assert world.core.journal.bytes_held <= 36_001


def test_an_alarm_in_a_payload_that_is_refused_half_way_still_becomes_durable():
    world = GatewayWorld(auto_sync=True, journal_bytes_max=36_001)
    number = 0
    while UNAVAILABLE not in world.codes():
        world.ask(payload(reading(number)))
        world.wait(500)
        number += 1
    world.ask(payload(alarm(9000), reading(9001)))
    assert world.codes()[-1] == UNAVAILABLE, "the payload is not acknowledged"
    assert [item.record for item in world.held()[event.ALARM]] == [alarm(9000)]


# --- what is no record, and who is nobody ---------------------------------------------------------------------


def test_an_undecodable_payload_goes_up_raw_and_is_acknowledged():
    world = GatewayWorld()
    world.ask(b"\xff not a record")
    world.wait(500)
    assert world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]
    raw = [item for item in world.held()[event.EVENT] if item.record.body.code == event.RAW]
    assert [(item.node, item.record.body.detail[0], item.record.body.detail[2]) for item in raw] == [
        (GATEWAY, NODE, b"\xff not a record")
    ]
    assert b"ff206e6f7420" in kept(world)


def kept(world):
    """Everything in the store of what was refused."""
    disk = world.state_disk
    return b"".join(disk.read(name, 0, disk.size(name)) for name in disk.list())


def test_a_stranger_meets_silence_and_its_bytes_are_kept():
    world = GatewayWorld(allowed=frozenset({NODE}), auto_sync=True)
    world.ask(payload(alarm(1)), node=OTHER)
    world.wait(5000)
    assert world.sent == [] and world.codes(OTHER) == []
    assert event.ALARM not in {lane for lane, items in world.held().items() if items}
    assert b'"why": "stranger"' in kept(world) and payload(alarm(1)).hex().encode() in kept(world)
    assert world.core.counters["strangers"] == 1


def test_a_request_without_a_name_is_a_strangers():
    world = GatewayWorld(auto_sync=True)
    world.node().query = ()
    world.ask(payload(reading(1)))
    world.wait(5000)
    assert world.sent == []


@pytest.mark.parametrize(("path", "code"), [(b"x", coap_message.POST), (b"t", coap_message.GET)])
def test_an_unknown_path_or_method_is_answered_and_journaled_nowhere(path, code):
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1)), path=path, code=code)
    assert world.codes() == [NOT_FOUND] and event.TELEMETRY not in {
        lane for lane, items in world.held().items() if items
    }


# --- the centre -----------------------------------------------------------------------------------------------


def test_a_quarantined_record_is_replaced_by_a_gap_that_names_it():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(7, boot=3)))
    world.wait(500)
    world.connect()
    epoch = world.core.journal.streams()[0].epoch
    world.hear(watermark.Watermark(epoch, event.TELEMETRY, 0))
    reason = "é" * 60  # the centre's word may be of any length and script
    world.hear(watermark.Rejected(epoch, event.TELEMETRY, 0, 0, reason))
    world.wait(500)
    gaps = [item.record.body.detail for item in world.held()[event.EVENT] if item.record.body.code == event.GAP]
    assert gaps == [[NODE, 3, 7, 7, "é" * 20]]
    assert not world.held()[event.TELEMETRY]
    assert b"quarantined-" in kept(world)


def test_the_explanation_of_a_quarantine_is_itself_taken_by_the_warehouse():
    world = GatewayWorld(auto_sync=True)
    warehouse = Warehouse(":memory:", synchronous="OFF")
    test_world_with_gap(world)
    for publication in world.take_publications():
        warehouse.take(publication.topic, publication.payload, received_unix_s=1)
    assert [gap[:5] for gap in warehouse.gaps()] == [(NODE, 1, 0, 0, "poison" + "é" * 17)]


def test_world_with_gap(world=None):
    """A refused record's gap is journaled under the gateway's own identity."""
    world = world or GatewayWorld(auto_sync=True)
    world.ask(payload(reading(0)))
    world.wait(500)
    world.connect()
    epoch = world.core.journal.streams()[0].epoch
    world.hear(watermark.Rejected(epoch, event.TELEMETRY, 0, 0, "poison" + "é" * 60))
    world.wait(20_000)
    assert {item.node for item in world.held()[event.EVENT]} == {GATEWAY}


def test_messages_that_are_no_watermark_are_counted_and_kept():
    world = GatewayWorld(auto_sync=True)
    good = watermark.encode(watermark.Watermark(EPOCH, event.ALARM, 1))
    for name, data in ((ANSWERS, b"\x00"), ("tc/1/c/49007/cab-12", good), ("other", good), (ANSWERS, b"")):
        world.hear(data, name)
    assert world.core.counters["messages-refused"] == 4
    assert kept(world).count(b'"why": "message-') == 4


def test_reconnection_backs_off_with_jitter_and_a_stable_connection_resets_it():
    """Bug class 12: a broker that accepts and kicks must not be stormed."""
    world = GatewayWorld(auto_sync=True)
    assert world.connects == 1
    for attempt in range(12):
        world.connect()
        world.core.on_disconnected("kicked", now_ms=world.now_ms)
        expected = min(limits.UPLINK_RECONNECT_FIRST_MS << attempt, limits.UPLINK_RECONNECT_LAST_MS)
        before = world.connects
        world.wait(expected // 2 - 1)
        assert world.connects == before
        world.wait(expected - expected // 2 + 1)
        assert world.connects == before + 1
    world.connect()
    world.wait(limits.UPLINK_STABLE_MS)
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    before = world.connects
    world.wait(limits.UPLINK_RECONNECT_FIRST_MS)
    assert world.connects == before + 1


def test_every_start_reports_its_boot_under_a_new_identity():
    world = GatewayWorld(auto_sync=True)
    world.wait(1000)
    world.power_cut()
    world.wait(1000)
    boots = [(item.record.boot, item.record.body.detail[0]) for item in world.held()[event.EVENT]]
    assert boots == [(1, None), (2, 1)]


# --- nothing raises -------------------------------------------------------------------------------------------

GOOD = Message(
    CON,
    coap_message.POST,
    77,
    b"tokn",
    [(coap_message.URI_PATH, b"t"), (coap_message.URI_QUERY, b"n=" + NODE.hex().encode())],
    payload(reading(1), alarm(2)),
)
MUTATIONS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255), st.sampled_from("ridx")), max_size=6)


def mutated(data, mutations):
    """`data` with bytes replaced, inserted, deleted, or cut behind."""
    data = bytearray(data)
    for at, value, kind in mutations:
        at %= len(data) + 1
        if kind == "r" and at < len(data):
            data[at] = value
        elif kind == "i":
            data.insert(at, value)
        elif kind == "d":
            del data[at : at + 1]
        elif kind == "x" and value < 40:
            del data[at:]
    return bytes(data)


@settings(max_examples=200)
@given(st.lists(st.one_of(st.binary(max_size=300), MUTATIONS), min_size=1, max_size=5))
def test_no_datagram_raises(datagrams):
    world = GatewayWorld(auto_sync=True)
    world.connect()
    for number, drawn in enumerate(datagrams):
        good = coap_message.encode(GOOD._replace(message_id=number), 300)
        world.receive(drawn if isinstance(drawn, bytes) else mutated(good, drawn), ("192.0.2.1", number))
    world.wait(20_000)
    # What was journaled can be sent: the warehouse reads it.
    assert all(unpack(publication).gateway == GATEWAY for publication in world.publications)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from("tebp"), st.binary(max_size=1100) | MUTATIONS), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_no_payload_of_any_length_raises_past_the_link(payloads, node):
    world = GatewayWorld(auto_sync=True)
    for number, (_, drawn) in enumerate(payloads):
        data = drawn if isinstance(drawn, bytes) else mutated(payload(reading(1), alarm(2), level(3)), drawn)
        world.core.inbox.take(bytes(7) + bytes([node]), data, number)
    world.connect()
    world.wait(20_000)
    assert all(unpack(publication).gateway == GATEWAY for publication in world.publications)


SCALARS = st.integers(-3, 2**64 - 1) | st.binary(max_size=9) | st.text(max_size=9) | st.booleans() | st.none()
LANES = st.sampled_from((*event.LANES, "other"))


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=20) | st.sampled_from((ANSWERS, "tc/1/a/²²²²²/x", topic.build("c", "49007", "cab-12"))),
            st.binary(max_size=60) | st.tuples(st.integers(0, 3), st.none(), LANES, SCALARS, SCALARS, SCALARS),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_message_raises(messages):
    from wire import cbor

    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1), alarm(2)))
    world.wait(500)
    world.connect()
    epoch = world.core.journal.streams()[0].epoch
    for name, drawn in messages:
        data = drawn if isinstance(drawn, bytes) else cbor.encode([drawn[0], epoch, *drawn[2:]])
        world.hear(data, name)
        world.wait(3000)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_after_any_events_no_deadline_lies_in_the_past(seed):
    """The world's turn checks it after every event."""
    random = Random(seed)
    world = GatewayWorld(seed, commit_ms=random.choice((0, 500)), batch_age_ms=random.choice((0, 60_000)))
    for number in range(40):
        _any_event(world, random, number)
    world.wait(2_000_000)


def _any_event(world, random, number):
    lane = random.choice(event.LANES)
    epoch = random.choice(world.core.journal.streams()).epoch
    choice = random.randrange(12)
    if choice <= 1:
        data = random.choice((payload(reading(number)), payload(alarm(number), reading(number + 100)), b"\xff"))
        world.core.inbox.take(random.choice((NODE, OTHER)), data, number)
        world.turn()
    elif choice == 2:
        world.connect(random.choice((1, 5, 100)))
    elif choice == 3:
        world.core.on_disconnected("cut", now_ms=world.now_ms)
        world.turn()
    elif choice == 4:
        world.journal_disk.sync_error = random.choice((None, None, "simulated"))
        world.sync()
    elif choice == 5:
        world.hear(watermark.Watermark(epoch, lane, random.randrange(20)))
    elif choice == 6:
        world.hear(watermark.Rejected(epoch, lane, 0, random.choice((0, 3, 10**9)), random.choice(("bad", "class"))))
    elif choice == 7:
        for publication in world.take_publications():
            world.core.on_puback(publication.token, random.choice((0, 0, 0x10, 0x87, 0x99)), now_ms=world.now_ms)
            world.turn()
    elif choice == 8 and number % 5 == 0:
        world.power_cut()
    elif choice == 9:
        world.journal_disk.append_error = random.choice((None, 28))
    else:
        world.wait(random.randrange(60_000))


# --- the whole way, with a centre that is the real one ----------------------------------------------------------


class Centre:
    """A broker and the real warehouse in memory: loses, delays and repeats what its chances say."""

    def __init__(self, world, random):
        self.world, self.random = world, random
        self.warehouse = Warehouse(":memory:", synchronous="OFF")
        self.lossy = True
        self.unacked = 0

    def loses(self):
        return self.lossy and self.random.randrange(4) == 0

    def turn(self):
        """Take what was published, in any order; False when there was nothing."""
        publications = self.world.take_publications()
        if self.lossy:
            self.random.shuffle(publications)
        for publication in publications:
            if not self.loses():
                self._take(publication)
            if not self.loses():
                self.world.core.on_puback(publication.token, 0, now_ms=self.world.now_ms)
                self.world.turn()
        return bool(publications)

    def _take(self, publication):
        for _ in range(1 + (self.lossy and self.random.randrange(5) == 0)):
            answers = self.warehouse.take(publication.topic, publication.payload, received_unix_s=1)
            for answer in answers:
                if not self.loses():
                    self.world.hear(answer.payload, answer.topic)

    def settle(self):
        """Faults have ended: everything arrives."""
        self.lossy = False
        self.world.connect()
        for _ in range(400):
            if not self.turn() and not self.world.waiting():
                return
            self.world.wait(2000)
        raise AssertionError("the journal does not drain")


class DrainWorld(GatewayWorld):
    """Nodes that keep every record until its 2.04, power cuts included."""

    def __init__(self, seed, **options):
        self.acknowledged, self.open, self.sequence = {}, {}, 0
        super().__init__(seed, auto_sync=True, **options)

    def waiting(self):
        return sum(self.core.journal.waiting(stream) for stream in self.core.journal.streams())

    def produce(self, random):
        node = random.choice((NODE, OTHER))
        made = []
        for _ in range(random.randrange(1, 4)):
            made.append(random.choice((reading, reading, reading, level, alarm))(self.sequence, boot=1 + self.sequence // 50))
            self.sequence += 1
        if not self.node(node).endpoint.deadline_ms():
            self.open[node, self.ask(payload(*made), node=node)] = made
            self._collect()

    def wait(self, duration_ms):
        super().wait(duration_ms)
        self._collect()

    def _collect(self):
        for node, peer in self.nodes.items():
            for exchange, code in peer.answers:
                for made in self.open.pop((node, exchange), []) if code == CHANGED else []:
                    self.acknowledged[node, made.boot, made.sequence] = made
            peer.answers.clear()

    def restart_nodes(self):
        """Their open requests end without an outcome."""
        self.nodes.clear()
        self.open.clear()


def assert_all_arrived_once(world, warehouse):
    stored = {identity: (stamp, body) for identity, stamp, body in warehouse.bodies()}
    for identity, made in world.acknowledged.items():
        assert stored[identity] == (made.stamp, record.encode_body(made.body)), f"{identity} is not what was said"
    identities = list(warehouse.identities())
    assert len(identities) == len(set(identities))
    assert warehouse.counters.get("conflicts", 0) == 0 and warehouse.counters.get("refused", 0) == 0
    assert warehouse.counters.get("positions_skipped", 0) == 0


@pytest.mark.parametrize(("segment_bytes", "batch_records"), [(400, 1), (400, 50), (4000, 7), (16_000, 50)])
def test_bug_class_1_a_backlog_over_many_segments_and_epochs_drains_whole(segment_bytes, batch_records):
    world = DrainWorld(
        1, segment_bytes_max=segment_bytes, batch_records_max=batch_records, alarm_reserve_bytes=20_000
    )
    random = Random(2)
    for _ in range(3):
        for _ in range(60):
            world.produce(random)
            world.wait(600)
        world.power_cut()
        world.restart_nodes()
    assert len(world.acknowledged) > 250
    assert len({stream.epoch for stream in world.core.journal.streams()}) == 4
    centre = Centre(world, random)
    centre.settle()
    assert_all_arrived_once(world, centre.warehouse)
    assert centre.warehouse.counters.get("duplicates", 0) == 0, "without faults nothing is sent twice"
    assert len(world.journal_disk.list()) <= 3, "space comes back"


def test_bug_class_3_a_cut_between_sending_and_the_watermark_loses_nothing():
    world = DrainWorld(3)
    random = Random(3)
    for _ in range(30):
        world.produce(random)
        world.wait(600)
    world.connect()
    for publication in world.take_publications():
        world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
    world.turn()
    world.wait(6000)
    for publication in world.take_publications():  # acknowledged by a broker that then forgets all
        world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    world.power_cut()
    centre = Centre(world, random)
    centre.settle()
    assert_all_arrived_once(world, centre.warehouse)


def test_bug_class_6_a_hundred_reconnections_leave_each_record_once():
    world = DrainWorld(4)
    random = Random(4)
    centre = Centre(world, random)
    for _ in range(100):
        world.produce(random)
        world.connect(random.choice((1, 5, 100)))
        for _ in range(random.randrange(4)):
            world.wait(random.randrange(4000))
            centre.turn()
        world.core.on_disconnected("flapping", now_ms=world.now_ms)
        world.take_publications()
    centre.settle()
    assert centre.warehouse.counters["duplicates"] > 0, "the run tried nothing"
    assert_all_arrived_once(world, centre.warehouse)


@pytest.mark.parametrize("seed", range(12))
def test_every_acknowledged_record_arrives_once_whatever_was_lost_cut_or_restarted(seed):
    world = DrainWorld(seed, segment_bytes_max=600, batch_records_max=5, window_max=6)
    random = Random(seed)
    centre = Centre(world, random)
    for _ in range(150):
        choice = random.randrange(20)
        if choice < 9:
            world.produce(random)
        elif choice < 13:
            centre.turn()
        elif choice == 13:
            world.connect(random.choice((1, 2, 5, 100)))
        elif choice == 14:
            world.core.on_disconnected("cut", now_ms=world.now_ms)
            world.take_publications()
        elif choice == 15 and random.randrange(3) == 0:
            _cut_within_an_operation(world, random)
        world.wait(random.randrange(3000))
    centre.settle()
    assert len(world.acknowledged) > 30
    assert_all_arrived_once(world, centre.warehouse)


def _cut_within_an_operation(world, random):
    world.journal_disk.stop_after(random.randrange(4))
    try:
        for _ in range(4):
            world.produce(random)
            world.wait(700)
    except PowerCut:
        pass
    world.power_cut()
    world.restart_nodes()


def test_a_warehouse_restored_from_an_old_backup_gets_what_the_gateway_still_holds():
    world = DrainWorld(5)
    random = Random(5)
    for _ in range(20):
        world.produce(random)
        world.wait(600)
    Centre(world, random).settle()
    before = len(world.acknowledged)
    world.acknowledged.clear()
    for _ in range(20):
        world.produce(random)
        world.wait(600)
    restored = Centre(world, random)
    restored.settle()
    assert before and world.acknowledged
    stored = set(restored.warehouse.identities())
    assert stored.issuperset(world.acknowledged)
