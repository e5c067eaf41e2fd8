"""The broker's connection against a real Mosquitto: what is told, once, and that nothing is sent by itself."""

import socket
import threading

import pytest

from tests.support.broker import PATIENCE_S, Inbox, Mosquitto, free_port

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io.mqtt import (  # noqa: E402 - only once paho is known to be there
    Connected,
    Disconnected,
    Message,
    MqttLink,
    MqttOptions,
    PubAck,
    Tls,
    _context,
)

pytestmark = [pytest.mark.broker, pytest.mark.live]

RECORDS, ANSWERS, STATE = "tc/1/t/49007/cab-12", "tc/1/a/49007/cab-12", "tc/1/s/49007/cab-12"


@pytest.fixture
def broker(mosquitto_path, tmp_path):
    running = Mosquitto(mosquitto_path, tmp_path, more="max_inflight_messages 7\n")
    running.start()
    yield running
    running.kill()


class Peer:
    """Another client: hears everything, publishes answers."""

    def __init__(self, port):
        self.inbox = Inbox()
        subscribed = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = lambda _c, _d, message: self.inbox.post((message.topic, message.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(PATIENCE_S)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def link(broker):
    inbox = Inbox()
    made = MqttLink(MqttOptions("127.0.0.1", broker.port, "49007-cab-12", STATE, None), inbox.post)
    made.inbox = inbox
    yield made
    made.close()


@pytest.fixture
def peer(broker):
    made = Peer(broker.port)
    yield made
    made.close()


def test_publish_puback_and_a_message_on_class_a(link, peer):
    link.connect([ANSWERS])
    assert link.inbox.wait_for(Connected).receive_max == 7
    link.publish(41, RECORDS, b"batch", False)
    acknowledged = link.inbox.wait_for(PubAck)
    while (token := link.acknowledged(acknowledged.token)) is None:
        acknowledged = link.inbox.wait_for(PubAck)
    assert (token, acknowledged.reason_code) == (41, 0)
    peer.inbox.wait_for(lambda message: message == (RECORDS, b"batch"))
    peer.client.publish(ANSWERS, b"watermark", qos=1)
    assert link.inbox.wait_for(Message) == Message(ANSWERS, b"watermark")


def test_it_is_online_while_connected_and_its_will_says_when_it_is_not(link, peer, broker):
    link.connect([ANSWERS])
    peer.inbox.wait_for(lambda message: message == (STATE, b"online"))
    link._client._sock.shutdown(socket.SHUT_RDWR)  # a cut, without a farewell
    link.inbox.wait_for(Disconnected)
    peer.inbox.wait_for(lambda message: message == (STATE, b"offline"))


def test_a_killed_broker_is_told_once_and_a_new_connection_sends_nothing_by_itself(link, broker):
    """Bug class 7: the client's own queue, sent again after a reconnection."""
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    broker.kill()
    link.publish(1, RECORDS, b"into the void", False)
    link.inbox.wait_for(Disconnected)
    link.publish(2, RECORDS, b"while away", False)
    broker.start()
    witness = Peer(broker.port)
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    link.publish(3, RECORDS, b"after", False)
    witness.inbox.wait_for(lambda message: message == (RECORDS, b"after"))
    assert [data for name, data in witness.inbox.seen if name == RECORDS] == [b"after"]
    assert [type(event) for event in link.inbox.seen].count(Disconnected) == 1
    witness.close()


def test_no_broker_is_told_as_a_disconnection():
    inbox = Inbox()
    MqttLink(MqttOptions("127.0.0.1", free_port(), "49007-cab-12", STATE, None), inbox.post).connect([ANSWERS])
    assert "refused" in inbox.wait_for(Disconnected).why.lower()


def test_a_server_that_speaks_no_mqtt_is_told_as_a_disconnection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        inbox = Inbox()
        link = MqttLink(MqttOptions("127.0.0.1", server.getsockname()[1], "49007-cab-12", STATE, None), inbox.post)
        link.connect([ANSWERS])
        connection, _ = server.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()
        inbox.wait_for(Disconnected)
        assert not any(isinstance(event, Connected) for event in inbox.seen)


def test_an_earlier_connection_has_nothing_more_to_say(link, peer):
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    link.publish(7, RECORDS, b"new", False)
    peer.inbox.wait_for(lambda message: message == (RECORDS, b"new"))
    link.inbox.wait_for(PubAck)
    assert not any(isinstance(event, Disconnected) for event in link.inbox.seen)


def test_certificate_files_that_are_absent_or_damaged_are_an_oserror(tmp_path):
    damaged = tmp_path / "ca.pem"
    damaged.write_text("no certificate")
    for ca in (damaged, tmp_path / "absent.pem"):
        with pytest.raises(OSError):
            _context(Tls(str(ca), str(damaged), str(damaged)))
