"""A broker that does everything wrong: the link never hangs, never crashes, leaks nothing, and says what happened."""

import struct
import threading

import pytest

from tests.support.broker import PATIENCE_S, until
from tests.support.hostile_broker import PINGREQ, PUBLISH, SUBSCRIBE, packet
from tests.support.hostile_link import ANSWERS, GARBAGE, RECORDS, paho_threads, why, word

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io import mqtt_connection
from gateway.io.mqtt import BearerRoute, Connected, Disconnected, Message, PubAck
from gateway.io.mqtt_connection import EVENTS_MAX, PACKET_BYTES_MAX

pytestmark = pytest.mark.live

# MQTT 5 section 3.2.2.2, all that a CONNACK may refuse with.
CONNACK_REFUSALS = (
    *(0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B),
    *(0x9C, 0x9D, 0x9F),
)


# --- CONNECT ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", CONNACK_REFUSALS, ids=hex)
def test_a_refused_connect_is_told_with_its_reason(against, reason):
    link, _ = against(lambda peer: (peer.read(), peer.connack(reason), peer.read()))
    assert f"({reason:#04x})" in why(link) and link.inbox.seen[-1].why.startswith("mqtt-refused: ")
    assert not any(isinstance(event, Connected) for event in link.inbox.rest())


def test_a_broker_that_never_answers_connect_is_given_up(against, monkeypatch):
    monkeypatch.setattr(mqtt_connection, "CONNACK_TIMEOUT_S", 0.5)
    link, _ = against(lambda peer: (peer.read(), peer.read()), BearerRoute("mobile", keepalive_s=240))
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

        against(script, BearerRoute("fibre", keepalive_s=1))
        assert pinged.wait(PATIENCE_S)


# --- what a broker sends ------------------------------------------------------------------------------------------



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
        BearerRoute("fibre", keepalive_s=1),
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

    link, _ = against(script, BearerRoute("fibre", keepalive_s=60))
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
