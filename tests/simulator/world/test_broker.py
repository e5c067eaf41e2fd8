"""The modelled broker hurts where a real one does: it acknowledges first, keeps a session, and may forget it."""

import pytest

from simulator.world import broker as model
from simulator.world.broker import RECEIVE_MAX, Broker
from simulator.world.chance import Prng
from simulator.world.time import World


class Recorder:
    """A client that writes down what it is told."""

    def __init__(self, world):
        self._world = world
        self.told = []

    def words(self):
        return [what for what, *_ in self.told]

    def messages(self):
        return [payload for what, _, payload in (entry for entry in self.told if entry[0] == "message")]

    def on_connected(self, receive_max):
        self.told.append(("connected", receive_max))

    def on_disconnected(self, why):
        self.told.append(("disconnected", why))

    def on_puback(self, token, reason_code):
        self.told.append(("puback", token, reason_code))

    def on_message(self, topic, payload):
        self.told.append(("message", topic, payload))


class Bench:
    """A broker with one publisher and one reader of topics that begin with `up`, both connected."""

    def __init__(self):
        self.world = World(start_unix_s=1_800_000_000)
        self.broker = Broker(self.world, Prng(1))
        self.publisher, self.reader = Recorder(self.world), Recorder(self.world)
        self.connect_publisher()
        self.connect_reader()
        self.later()

    def connect_publisher(self):
        self.broker.connect("gateway", self.publisher, lambda topic: False)

    def connect_reader(self, client=None):
        self.broker.connect("ingest", client or self.reader, lambda topic: topic.startswith("up"))

    def publish(self, payload, topic="up/1", token=1):
        self.broker.publish("gateway", token, topic, payload)

    def later(self, delay_ms=1000):
        self.world.run_until(self.world.now_ms + delay_ms)


@pytest.fixture
def bench():
    return Bench()


def test_a_stranger_who_has_it_passes_on_what_he_wants_and_acknowledges_all_the_same(bench):
    bench.broker.meddle = lambda topic, payload: [] if payload == b"a" else [(topic, payload[:-1]), (topic, b"forged")]
    bench.publish(b"a", token=1)
    bench.publish(b"bc", token=2)
    bench.later()
    assert sorted(bench.reader.messages()) == [b"b", b"forged"]
    assert sorted(token for what, token, *_ in bench.publisher.told if what == "puback") == [1, 2]
    bench.broker.meddle = None
    bench.publish(b"de")
    bench.later()
    assert bench.reader.messages()[-1] == b"de"


def test_a_client_is_connected_and_told_the_receive_maximum(bench):
    assert bench.publisher.told == [("connected", RECEIVE_MAX)]
    assert bench.reader.told == [("connected", RECEIVE_MAX)]


def test_a_message_reaches_who_asked_for_its_topic_and_nobody_else(bench):
    bench.publish(b"a")
    bench.publish(b"b", topic="down/1")
    bench.later()
    assert bench.reader.messages() == [b"a"]
    assert bench.publisher.messages() == []


def test_it_acknowledges_although_nobody_has_read(bench):
    bench.broker.disconnect("ingest")
    bench.publish(b"a", token=7)
    bench.later()
    assert bench.publisher.told[-1] == ("puback", 7, 0)
    assert bench.reader.messages() == []


def test_it_acknowledges_before_it_delivers(bench):
    order = []
    bench.publisher.on_puback = lambda token, reason_code: order.append("puback")
    bench.reader.on_message = lambda topic, payload: order.append("message")
    for _ in range(20):
        bench.publish(b"a")
        bench.later()
    assert order == ["puback", "message"] * 20


def test_a_session_is_kept_while_its_client_is_away(bench):
    bench.broker.disconnect("ingest")
    for number in range(5):
        bench.publish(b"%d" % number)
        bench.later()
    bench.connect_reader()
    bench.later()
    assert bench.reader.messages() == [b"0", b"1", b"2", b"3", b"4"]


def test_a_session_keeps_no_more_than_its_maximum_and_counts_the_rest(bench, monkeypatch):
    monkeypatch.setattr(model, "_SESSION_QUEUE_MAX", 3)
    bench.broker.disconnect("ingest")
    for number in range(5):
        bench.publish(b"%d" % number)
        bench.later()
    assert bench.broker._sessions["ingest"].dropped == 2
    bench.connect_reader()
    bench.later()
    assert bench.reader.messages() == [b"0", b"1", b"2"]


def test_one_gateway_delays_no_other_and_fills_no_other_queue(bench, monkeypatch):
    monkeypatch.setattr(model, "_SESSION_QUEUE_MAX", 3)
    alone, beside = Bench(), bench
    for one in (alone, beside):
        one.broker.disconnect("ingest")
    for number in range(5):
        beside.publish(b"other %d" % number, topic="up/49007/cab-1")
        for one in (alone, beside):
            one.publish(b"%d" % number, topic="up/49135/cab-1")
            one.later()
    for one in (alone, beside):
        one.connect_reader()
        one.later()
    assert [payload for payload in beside.reader.messages() if b"other" not in payload] == alone.reader.messages()
    assert beside.reader.messages().count(b"other 0") == 1


def test_to_forget_drops_connections_and_what_was_acknowledged(bench):
    bench.broker.disconnect("ingest")
    bench.publish(b"acknowledged")
    bench.later()
    assert bench.publisher.words() == ["connected", "puback"]
    bench.broker.forget()
    bench.later()
    assert bench.publisher.told[-1] == ("disconnected", "broker gone")
    assert bench.broker.forgotten == 1
    bench.broker.restart()
    bench.connect_reader()
    bench.later()
    assert bench.reader.messages() == []


def test_a_dead_broker_refuses_connections_and_swallows_what_is_sent(bench):
    bench.broker.forget()
    bench.publish(b"a")
    bench.connect_reader()
    bench.later()
    assert bench.reader.told[-1] == ("disconnected", "connection refused")
    assert "puback" not in bench.publisher.words()
    bench.broker.restart()
    bench.connect_publisher()
    bench.connect_reader()
    bench.later()
    bench.publish(b"b")
    bench.later()
    assert bench.reader.messages() == [b"b"]


def test_a_message_from_a_client_that_has_gone_is_not_taken(bench):
    bench.publish(b"a")
    bench.broker.disconnect("gateway")
    bench.later()
    assert bench.reader.messages() == []
    assert bench.publisher.words() == ["connected"]
    assert bench.broker.accepted == 0


def test_what_is_on_its_way_to_a_client_that_has_gone_does_not_arrive(bench):
    bench.publish(b"a", token=7)
    bench.world.run_until(bench.world.now_ms + 31)
    assert bench.broker.accepted == 1
    told = list(bench.publisher.told)
    bench.broker.disconnect("gateway")
    bench.later()
    assert bench.publisher.told == told == [("connected", RECEIVE_MAX)]


def test_a_takeover_hands_the_session_to_the_new_client_and_tells_the_old_one(bench):
    bench.broker.disconnect("ingest")
    bench.publish(b"queued")
    bench.later()
    bench.connect_reader()
    bench.world.run_until(bench.world.now_ms + 1)
    other = Recorder(bench.world)
    bench.connect_reader(other)
    bench.later()
    bench.publish(b"fresh")
    bench.later()
    assert bench.reader.told[-1] == ("disconnected", "session taken over")
    assert bench.reader.messages() == []
    assert other.messages() == [b"queued", b"fresh"]
