"""A broker that does everything wrong: the link never hangs, never crashes, leaks nothing, and says what happened."""

import gc
import os
import resource
import socket
import struct
import threading
import time

import pytest

from tests.support.broker import PATIENCE_S, LinkInbox, free_port, until
from tests.support.hostile_broker import PINGREQ, PUBLISH, SUBSCRIBE, HostileBroker, packet

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io import mqtt_connection, mqtt_socket
from gateway.io.mqtt import Bearer, Connected, Disconnected, Message, MqttLink, MqttOptions, PubAck
from gateway.io.mqtt_connection import EVENTS_MAX, PACKET_BYTES_MAX, RECEIVE_MAX

pytestmark = pytest.mark.live

RECORDS, EVENTS, ANSWERS, STATE = (f"tc/1/{kind}/49007/cab-12" for kind in "teas")
# MQTT 5 section 3.2.2.2, all that a CONNACK may refuse with.
CONNACK_REFUSALS = (
    *(0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B),
    *(0x9C, 0x9D, 0x9F),
)


@pytest.fixture
def against():
    """against(script) -> (link, broker), the link connecting."""
    opened = []

    def start(script, bearer=None):
        broker = HostileBroker(script)
        broker.__enter__()
        inbox = LinkInbox()
        link = inbox.link = MqttLink(MqttOptions("127.0.0.1", broker.port, "49007-cab-12", STATE, None), inbox.post)
        link.inbox = inbox
        opened.append((link, broker))
        link.connect([ANSWERS], *([bearer] if bearer else []))
        return link, broker

    yield start
    for link, broker in opened:
        link.close()
        broker.__exit__()
    until(lambda: not paho_threads(), "a connection's thread does not end")


def paho_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("paho-mqtt-client-49007")]


def why(link):
    return link.inbox.wait_for(Disconnected).why


def word(link):
    return why(link).partition(":")[0]


# --- CONNECT ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", CONNACK_REFUSALS, ids=hex)
def test_a_refused_connect_is_told_with_its_reason(against, reason):
    link, _ = against(lambda peer: (peer.read(), peer.connack(reason), peer.read()))
    assert f"({reason:#04x})" in why(link) and link.inbox.seen[-1].why.startswith("mqtt-refused: ")
    assert not any(isinstance(event, Connected) for event in link.inbox.rest())


def test_a_broker_that_never_answers_connect_is_given_up(against, monkeypatch):
    monkeypatch.setattr(mqtt_connection, "CONNACK_TIMEOUT_S", 0.5)
    link, _ = against(lambda peer: (peer.read(), peer.read()), Bearer("mobile", keepalive_s=240))
    assert why(link) == "mqtt-silent: no answer to CONNECT"


def test_a_broker_that_accepts_and_kicks_at_once_is_told_as_both(against):
    link, _ = against(lambda peer: (peer.accept(), peer.disconnect(0x8B)))
    link.inbox.wait_for(Connected)
    assert why(link).startswith("mqtt-disconnected: ") and "(0x8b)" in link.inbox.seen[-1].why


def test_a_broker_without_quality_of_service_1_is_refused_by_us(against):
    link, _ = against(lambda peer: (peer.accept(maximum_qos=0), peer.serve()))
    assert why(link) == "mqtt-refused: the broker takes no QoS 1"


def test_a_server_keep_alive_of_none_or_longer_does_not_stop_our_pings(against):
    for theirs in (0, 65535):
        pinged = threading.Event()

        def script(peer, theirs=theirs, pinged=pinged):
            peer.accept(server_keep_alive=theirs)
            peer.read_until(PINGREQ)
            pinged.set()

        against(script, Bearer("fibre", keepalive_s=1))
        assert pinged.wait(PATIENCE_S)


# --- what a broker sends ------------------------------------------------------------------------------------------

HALF = struct.pack(">H", 3) + b"abc"
GARBAGE = {
    "random": bytes(range(7, 256, 3)),
    "a second CONNACK": bytes((0x20, 3, 0, 0, 0)),
    "QoS 2": packet(PUBLISH, 4, HALF + b"\0\x01\0"),
    "QoS 3": packet(PUBLISH, 6, HALF + b"\0\x01\0"),
    "PINGREQ": packet(PINGREQ, 0, b""),
    "SUBSCRIBE": packet(SUBSCRIBE, 2, b"\0\1\0" + HALF + b"\1"),
    "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "an empty PUBACK": packet(4, 0, b""),
    "a PUBLISH cut short": packet(PUBLISH, 0, b"\0\x20ab"),
    "properties cut short": packet(PUBLISH, 2, HALF + b"\0\x01\x7f\x26"),
    "an unknown property": packet(PUBLISH, 2, HALF + b"\0\x01\x02\x7e\x01"),
    "an empty SUBACK": packet(9, 0, b""),
    "an unknown reason": packet(4, 0, b"\0\x01\x7f\0"),
}


@pytest.mark.parametrize("bad", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_the_connection_or_is_ignored_and_never_the_thread_alone(against, bad):
    link, _ = against(lambda peer: (peer.accept(), peer.read_until(PUBLISH), peer.send(bad), peer.serve()))
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, b"batch", False)
    link.inbox.wait_for(lambda event: isinstance(event, (PubAck, Disconnected)))


@pytest.mark.parametrize("bad", GARBAGE.values(), ids=GARBAGE)
def test_garbage_instead_of_a_connack_ends_the_connection(against, bad):
    link, _ = against(lambda peer: (peer.read(), peer.send(bad)))
    why(link)
    assert not any(isinstance(event, Connected) for event in link.inbox.rest()) or bad[0] == 0x20


def test_half_a_packet_and_then_nothing_is_noticed_by_the_keep_alive(against):
    link, _ = against(
        lambda peer: (peer.accept(), peer.read_until(SUBSCRIBE), peer.send(b"\x30\x20\0\x10half"), peer.serve()),
        Bearer("fibre", keepalive_s=1),
    )
    # It answers our pings, in the middle of its own packet: what follows is taken for the rest of that packet.
    link.inbox.wait_for(Disconnected)


def test_a_payload_of_200_mb_is_not_read_but_refused(against):
    def script(peer):
        peer.accept()
        peer.read_until(SUBSCRIBE)
        peer.send(b"\x30\x80\xc2\xd7\x5f")  # a PUBLISH that announces 200 MB
        while True:
            peer.send(bytes(1 << 16))

    link, _ = against(script)
    assert word(link) == "mqtt-packet-too-large"
    assert link.counters["mqtt-packet-too-large"] == 1


def test_the_largest_packet_passes_and_one_byte_more_does_not(against):
    def script(peer):
        peer.accept()
        peer.read_until(SUBSCRIBE)
        room = PACKET_BYTES_MAX - 2 - len(ANSWERS) - 1
        peer.publish(ANSWERS, bytes(room))
        peer.publish(ANSWERS, bytes(room + 1))
        peer.serve()

    link, _ = against(script)
    link.inbox.wait_for(Message)
    assert word(link) == "mqtt-packet-too-large"


def test_a_flood_waits_in_tcp_while_the_agent_is_busy(against):
    """Backpressure: events that nobody takes stay below their bound, however much the broker has to say."""
    blocked = threading.Event()
    count = 2000

    def script(peer):
        peer.accept()
        peer.read_until(SUBSCRIBE)
        message = packet(PUBLISH, 0, struct.pack(">H", len(ANSWERS)) + ANSWERS.encode() + b"\0" + bytes(10_000))
        left = memoryview(message * count)
        peer._sock.settimeout(0.5)
        while left:
            try:
                left = left[peer._sock.send(left) :]
            except TimeoutError:
                blocked.set()
        peer.serve()

    link, _ = against(script, Bearer("fibre", keepalive_s=60))
    assert blocked.wait(PATIENCE_S)
    assert link.inbox.waiting() <= EVENTS_MAX + 1
    # Once the agent takes, the rest comes.
    for _ in range(count):
        link.inbox.wait_for(Message)
    assert not any(isinstance(event, Disconnected) for event in link.inbox.seen)


def test_a_busy_agent_can_close_a_flooded_link(against):
    def script(peer):
        peer.accept()
        while True:
            peer.publish(ANSWERS, b"x")

    link, _ = against(script)
    until(lambda: link.inbox.waiting() >= EVENTS_MAX, "no flood")
    link.close()
    until(lambda: not paho_threads(), "a connection's thread does not end")


def test_a_topic_that_is_no_text_is_dropped_and_counted(against):
    link, _ = against(
        lambda peer: (
            peer.accept(), peer.read_until(SUBSCRIBE), peer.publish(b"\xff\xfe", b"?"), peer.publish(ANSWERS, b"ok"),
            peer.serve(),
        )
    )  # fmt: skip
    assert link.inbox.wait_for(Message).payload == b"ok"


# --- acknowledgements ---------------------------------------------------------------------------------------------


def test_an_acknowledgement_with_an_error_arrives_with_its_reason(against):
    def script(peer):
        peer.accept()
        peer.puback(peer.read_records(1)[0].message_id, 0x97)
        peer.serve()

    link, _ = against(script)
    link.inbox.wait_for(Connected)
    link.publish(5, RECORDS, b"batch", False)
    assert link.inbox.wait_for(PubAck) == PubAck(5, 0x97)


def test_acknowledging_twice_or_what_was_never_sent_tells_nothing(against):
    def script(peer):
        peer.accept()
        first = peer.read_records(1)[0].message_id
        for message_id in (first, first, 0, 77, 65535):
            peer.puback(message_id)
        peer.puback(peer.read_records(2)[1].message_id)
        peer.serve()

    link, _ = against(script)
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, b"first", False)
    link.inbox.wait_for(PubAck)
    link.publish(2, RECORDS, b"second", False)
    link.inbox.wait_for(PubAck(2, 0).__eq__)
    assert [event for event in link.inbox.rest() if isinstance(event, PubAck)] == [PubAck(1, 0), PubAck(2, 0)]


def test_never_acknowledging_ends_the_connection_before_the_receive_maximum_is_exceeded(against):
    link, broker = against(lambda peer: (peer.accept(receive_maximum=5), peer.serve(acknowledge=False)))
    assert link.inbox.wait_for(Connected).receive_max == 5
    for token in range(5):
        link.publish(token, RECORDS, b"batch", False)
    until(lambda: broker.unacked_most == 5, "the publications do not arrive")
    for token in range(5, 9):
        link.publish(token, RECORDS, b"batch", False)
    assert word(link) == "mqtt-silent"
    assert broker.unacked_most == 5


def test_a_large_receive_maximum_is_used_to_the_full(against):
    """paho would keep back what exceeds its own window of 20, without a word."""
    link, broker = against(lambda peer: (peer.accept(receive_maximum=40), peer.read_records(40), peer.serve()))
    link.inbox.wait_for(Connected)
    for token in range(40):
        link.publish(token, RECORDS, b"batch", False)
    until(lambda: broker.unacked_most == 40, "paho keeps publications back")


def test_after_a_reconnection_no_more_than_the_receive_maximum_is_unacknowledged(against):
    """Bug class 7: paho alone sends its whole queue again, whatever the broker can take."""
    link, broker = against(lambda peer: (peer.accept(receive_maximum=5), peer.read_records(3)))
    for _ in range(3):
        link.inbox.wait_for(Connected)
        for token in range(5):
            link.publish(token, RECORDS, b"batch", False)
        link.inbox.wait_for(Disconnected)
        link.connect([ANSWERS])
    assert 3 <= broker.unacked_most <= 5
    assert all(len(peer.published) <= 6 for peer in broker.peers)


def test_a_disconnection_in_the_middle_of_a_batch_is_told(against):
    link, _ = against(lambda peer: (peer.accept(), peer.read_until(SUBSCRIBE), peer._sock.recv(20)))
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, bytes(200_000), False)
    link.inbox.wait_for(Disconnected)


def test_a_batch_that_the_broker_cannot_take_is_refused_here_and_the_connection_stays(against):
    link, broker = against(lambda peer: (peer.accept(maximum_packet_size=2000), peer.serve()))
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, bytes(5000), False)
    assert link.inbox.wait_for(PubAck) == PubAck(1, 0x95)
    link.publish(2, RECORDS, bytes(1900), False)
    assert link.inbox.wait_for(PubAck) == PubAck(2, 0)
    assert all(one.size <= 2000 for one in broker.peers[0].published)


def test_a_refused_subscription_is_counted_and_publishing_goes_on(against):
    def script(peer):
        peer.accept()
        found = peer.read_until(SUBSCRIBE)
        peer.send(packet(9, 0, found.body[:2] + b"\0\x87"))
        peer.serve()

    link, _ = against(script)
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, b"batch", False)
    link.inbox.wait_for(PubAck)
    assert link.counters == {"subscription-refused": 1}


def test_the_replaced_connection_is_ended_by_us_when_the_broker_does_not(against):
    link, broker = against(lambda peer: (peer.accept(), peer.serve()), Bearer("fibre"))
    link.inbox.wait_for(Connected)
    replaced = link._carrier
    link.connect([ANSWERS], Bearer("mobile"))
    assert link.inbox.wait_for(Connected).bearer == "mobile"
    until(lambda: replaced._client is None, "the replaced connection goes on")
    link.publish(1, RECORDS, b"batch", False)
    link.inbox.wait_for(PubAck)
    assert [len([one for one in peer.published if one.message_id]) for peer in broker.peers] == [0, 1]


# --- properties ---------------------------------------------------------------------------------------------------


def test_connect_asks_for_bounds_and_for_a_will_that_a_change_of_bearer_does_not_set_off(against):
    """MQTT 5 sections 3.1.2.11 and 3.1.3.2.2. Mosquitto spares the will at a takeover anyway; others need not."""
    link, broker = against(lambda peer: (peer.accept(), peer.serve()))
    link.inbox.wait_for(Connected)
    connect = broker.peers[0].connect
    assert b"\x21" + struct.pack(">H", RECEIVE_MAX) in connect
    assert b"\x27" + struct.pack(">I", PACKET_BYTES_MAX) in connect
    assert b"\x18" + struct.pack(">I", 5) in connect
    assert not connect[7] & 2, "a clean start would drop the subscription"


def test_an_alias_is_used_as_far_as_the_broker_allows_and_the_topic_is_said_once(against):
    link, broker = against(lambda peer: (peer.accept(topic_alias_maximum=1), peer.serve()))
    link.inbox.wait_for(Connected)
    for token, topic in enumerate((RECORDS, EVENTS, RECORDS, EVENTS, RECORDS)):
        link.publish(token, topic, b"x", False)
        link.inbox.wait_for(PubAck)
    records = [one for one in broker.peers[0].published if one.message_id]
    assert [(one.written, one.alias) for one in records] == [
        (RECORDS, 1), (EVENTS, 0), ("", 1), (EVENTS, 0), ("", 1),
    ]  # fmt: skip
    assert [one.topic for one in records] == [RECORDS, EVENTS, RECORDS, EVENTS, RECORDS]


def test_without_permission_there_is_no_alias_and_a_new_connection_says_its_topics_anew(against):
    allowed = iter((10, 0, 10, 0))
    link, broker = against(lambda peer: (peer.accept(topic_alias_maximum=next(allowed)), peer.read_records(2)))
    for _ in range(3):
        link.inbox.wait_for(Connected)
        link.publish(1, RECORDS, b"x", False)
        link.publish(2, RECORDS, b"x", False)
        link.inbox.wait_for(Disconnected)
        link.connect([ANSWERS])
    seen = [[one.written for one in peer.published if one.message_id] for peer in broker.peers[:3]]
    assert seen == [[RECORDS, ""], [RECORDS, RECORDS], [RECORDS, ""]]


def test_only_what_may_expire_carries_an_expiry(against):
    link, broker = against(lambda peer: (peer.accept(), peer.serve()))
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, b"question", False, 300)
    link.publish(2, RECORDS, b"records", False)
    link.inbox.wait_for(PubAck(2, 0).__eq__)
    assert {one.payload: one.expiry_s for one in broker.peers[0].published} == {
        b"online": None, b"question": 300, b"records": None,
    }  # fmt: skip


# --- leaks --------------------------------------------------------------------------------------------------------


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def without_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_two_hundred_connections_of_every_bad_kind_leave_no_thread_and_no_socket():
    """None even for a while: without the garbage collector a cycle would keep its sockets open for ever."""
    kinds = (
        lambda peer: None,
        lambda peer: (peer.read(), peer.connack(0x87)),
        lambda peer: (peer.read(), peer.send(b"garbage")),
        lambda peer: (peer.accept(), peer.disconnect(0x8B)),
        lambda peer: (peer.accept(), peer.read_until(SUBSCRIBE), peer.send(GARBAGE["properties cut short"])),
        lambda peer: (peer.accept(), peer.send(b"\x30\xff\xff\xff\x7f")),
        lambda peer: (peer.accept(), peer.serve()),
    )
    turn = iter(range(10_000))
    with HostileBroker(lambda peer: kinds[next(turn) % len(kinds)](peer)) as broker:
        inbox = LinkInbox()
        link = inbox.link = MqttLink(MqttOptions("127.0.0.1", broker.port, "49007-cab-12", STATE, None), inbox.post)
        before = None
        for index in range(206):
            if index == 6:
                until(lambda: not paho_threads(), "a connection's thread does not end")
                before = open_files(), threading.active_count()
            link.connect([ANSWERS])
            inbox.wait_for(Connected if (index + 1) % len(kinds) == 0 else Disconnected)
            link.close()
        until(lambda: not paho_threads(), "a connection's thread does not end")
        until(lambda: open_files() <= before[0], f"{open_files()} files open, {before[0]} before")
        until(lambda: threading.active_count() <= before[1], "threads are left")


def test_memory_stays_while_a_broker_floods_and_the_agent_does_not_take(against):
    """200 MB in packets of the largest size, of which at most the places are held."""
    done = threading.Event()

    def script(peer):
        peer.accept()
        peer.read_until(SUBSCRIBE)
        peer._sock.settimeout(0.5)
        message = packet(PUBLISH, 0, b"\0\x01a\0" + bytes(PACKET_BYTES_MAX - 10))
        try:
            for _ in range(200_000_000 // PACKET_BYTES_MAX):
                peer._sock.sendall(message)
        except TimeoutError:
            done.set()

    before = resident_bytes()
    link, _ = against(script)
    assert done.wait(PATIENCE_S)
    assert resident_bytes() - before < 40_000_000
    link.close()


# --- a silent cut -------------------------------------------------------------------------------------------------


class Relay:
    """Passes bytes between a client and a broker until it goes silent: no FIN, no RST, nothing comes out any more."""

    def __init__(self, port):
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.silent = threading.Event()
        self.bytes = [0, 0]
        self._sockets = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        inner, _ = self._server.accept()
        outer = socket.create_connection(("127.0.0.1", self._target))
        self._sockets += [inner, outer]
        for direction, ends in enumerate(((inner, outer), (outer, inner))):
            threading.Thread(target=self._pass, args=(direction, *ends), daemon=True).start()

    def _pass(self, direction, source, target):
        try:
            while data := source.recv(65536):
                if self.silent.is_set():
                    self.silent.wait()
                    continue
                self.bytes[direction] += len(data)
                target.sendall(data)
        except OSError:
            pass  # closed at the end of the test

    def close(self):
        for sock in self._sockets:
            sock.close()


@pytest.mark.slow
@pytest.mark.parametrize("publishing", [False, True], ids=["idle", "publishing"])
def test_a_silent_cut_on_fibre_is_noticed_within_15_s(publishing, record_property):
    with HostileBroker(lambda peer: (peer.accept(), peer.serve())) as broker:
        relay = Relay(broker.port)
        inbox = LinkInbox()
        link = inbox.link = MqttLink(MqttOptions("127.0.0.1", relay.port, "49007-cab-12", STATE, None), inbox.post)
        link.connect([ANSWERS])
        inbox.wait_for(Connected)
        if publishing:
            link.publish(1, RECORDS, b"before", False)
            inbox.wait_for(PubAck)
        cut_s = time.monotonic()
        relay.silent.set()
        if publishing:
            link.publish(2, RECORDS, b"after", False)
        told = inbox.wait_for(Disconnected)
        took_s = time.monotonic() - cut_s
        record_property("seconds", round(took_s, 1))
        print(f"silent cut noticed after {took_s:.1f} s: {told.why}")
        assert told.why.startswith("mqtt-silent: ") and took_s < 15
        relay.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="TCP_USER_TIMEOUT is Linux's")
def test_data_that_nobody_takes_ends_the_connection_long_before_a_mobile_keep_alive(against, monkeypatch):
    monkeypatch.setattr(mqtt_socket, "_UNACKNOWLEDGED_S_MAX", 1)
    over = threading.Event()
    link, _ = against(lambda peer: (peer.accept(), over.wait(2 * PATIENCE_S)), Bearer("mobile", keepalive_s=240))
    link.inbox.wait_for(Connected)
    for token in range(200):
        link.publish(token, RECORDS, bytes(100_000), False)
    assert word(link) == "connection-timeout"
    over.set()


def test_a_broker_that_is_not_there_is_told_each_time():
    inbox = LinkInbox()
    inbox.link = MqttLink(MqttOptions("127.0.0.1", free_port(), "49007-cab-12", STATE, None), inbox.post)
    for _ in range(20):
        inbox.link.connect([ANSWERS])
        assert inbox.wait_for(Disconnected).why.startswith("connection-refused: ")
