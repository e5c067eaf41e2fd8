"""The broker's connection against a real Mosquitto: what is told, once, and that nothing is sent by itself."""

import socket
import threading

import pytest

from tests.support.broker import PATIENCE_S, Inbox, LinkInbox, Mosquitto, free_port, until

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io.mqtt import (  # noqa: E402 - only once paho is known to be there
    BearerRoute,
    Connected,
    Disconnected,
    Message,
    MqttLink,
    MqttOptions,
    PubAck,
)
from gateway.io.mqtt_connection import RECEIVE_MAX  # noqa: E402
from gateway.io.mqtt_socket import Addresses  # noqa: E402

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


def link_to(port, **options):
    inbox = LinkInbox()
    inbox.link = MqttLink(MqttOptions("127.0.0.1", port, "49007-cab-12", STATE, None), inbox.post, **options)
    inbox.link.inbox = inbox
    return inbox.link


@pytest.fixture
def link(broker):
    made = link_to(broker.port)
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
    assert link.inbox.wait_for(PubAck) == PubAck(41, 0)
    peer.inbox.wait_for(lambda message: message == (RECORDS, b"batch"))
    peer.client.publish(ANSWERS, b"receipt", qos=1)
    assert link.inbox.wait_for(Message) == Message(ANSWERS, b"receipt")


def cut(link):
    """The connection ends without a farewell."""
    link._carrier._sock._inner.shutdown(socket.SHUT_RDWR)


def test_it_is_online_while_connected_and_its_will_says_when_it_is_not(link, peer, broker):
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    peer.inbox.wait_for(lambda message: message == (STATE, b"online"))
    cut(link)
    link.inbox.wait_for(Disconnected)
    peer.inbox.wait_for(lambda message: message == (STATE, b"offline"))


def test_after_an_orderly_end_it_is_not_online_for_ever(link, peer):
    """The state is retained: a gateway that was taken out of service would be shown as online for years."""
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    peer.inbox.wait_for(lambda message: message == (STATE, b"online"))
    link.close()
    peer.inbox.wait_for(lambda message: message == (STATE, b"offline"))


def test_a_killed_broker_is_told_once_and_a_new_connection_sends_nothing_by_itself(link, broker):
    """The client's own queue, sent again after a reconnection."""
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
    link = link_to(free_port())
    link.connect([ANSWERS])
    told = link.inbox.wait_for(Disconnected)
    assert (told.why.partition(":")[0], told.bearer) == ("connection-refused", "default")


def test_a_server_that_speaks_no_mqtt_is_told_as_a_disconnection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = link_to(server.getsockname()[1])
        link.connect([ANSWERS])
        connection, _ = server.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()
        assert link.inbox.wait_for(Disconnected).why.startswith("not-mqtt: ")
        assert not any(isinstance(event, Connected) for event in link.inbox.seen)


def test_an_earlier_connection_has_nothing_more_to_say(link, peer):
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    link.publish(7, RECORDS, b"new", False)
    peer.inbox.wait_for(lambda message: message == (RECORDS, b"new"))
    link.inbox.wait_for(PubAck)
    assert not any(isinstance(event, Disconnected) for event in link.inbox.seen)


# --- two bearers --------------------------------------------------------------------------------------------------

FIBRE, MOBILE = BearerRoute("fibre", source="127.0.0.1"), BearerRoute("mobile", source="127.0.0.2", keepalive_s=240)


def test_a_bearer_s_source_address_is_the_connection_s():
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = link_to(server.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        connection, peer = server.accept()
        assert peer[0] == "127.0.0.2"
        connection.close()
        assert link.inbox.wait_for(Disconnected).bearer == "mobile"


def test_a_bearer_that_cannot_be_bound_is_told_with_its_remedy():
    link = link_to(free_port())
    link.connect([ANSWERS], BearerRoute("mobile", interface="no-such-if0"))
    told = link.inbox.wait_for(Disconnected)
    assert told.bearer == "mobile" and told.why.startswith("network-error: ") and "no-such-if0" in told.why


def test_the_candidate_takes_over_and_nothing_is_said_of_the_one_it_replaced(link, peer):
    link.connect([ANSWERS], FIBRE)
    assert link.inbox.wait_for(Connected).bearer == "fibre"
    for token in range(20):
        bearer = (MOBILE, FIBRE)[token % 2]
        replaced = link._carrier
        link.connect([ANSWERS], bearer)
        assert link.inbox.wait_for(Connected).bearer == bearer.name == link.bearer
        link.publish(token, RECORDS, b"%d" % token, False)
        assert link.inbox.wait_for(PubAck).token == token
        until(lambda gone=replaced: gone._client is None, "the replaced connection does not end")
    assert not any(isinstance(event, Disconnected) for event in link.inbox.rest())
    assert (STATE, b"offline") not in peer.inbox.rest()


def test_while_the_candidate_is_on_its_way_the_other_carries_and_goes_on_when_it_fails(link):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        link._addresses = Addresses("127.0.0.1", mute.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        connection, _ = mute.accept()
        link.publish(1, RECORDS, b"meanwhile", False)
        link.inbox.wait_for(PubAck)
        connection.close()
    assert link.inbox.wait_for(Disconnected).bearer == "mobile"
    link.publish(2, RECORDS, b"after", False)
    assert link.inbox.wait_for(PubAck).token == 2 and link.bearer == "fibre"


def test_a_carrier_that_ends_while_the_candidate_is_asking_is_told_when_the_candidate_fails(link):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        link._addresses = Addresses("127.0.0.1", mute.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        connection, _ = mute.accept()
        connection.recv(1000)  # its CONNECT: from now on a broker may end the other for it
        cut(link)
        until(lambda: link.inbox.rest() and link.bearer is None, "the cut is not noticed")
        assert not any(isinstance(event, Disconnected) for event in link.inbox.seen)
        connection.close()
    link.inbox.wait_for(lambda event: isinstance(event, Disconnected) and event.bearer == "mobile")
    ends = [event.bearer for event in link.inbox.seen if isinstance(event, Disconnected)]
    assert ends == ["fibre", "mobile"]


def test_a_carrier_that_ends_before_the_candidate_asks_is_told_at_once(link):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)
    # A listener whose queue is full answers no SYN: the candidate hangs in its TCP connection.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        link._addresses = Addresses("127.0.0.1", full.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        cut(link)
        assert link.inbox.wait_for(Disconnected).bearer == "fibre"
        assert link._candidate is not None, "told only when the candidate had failed"
        for one in waiting:
            one.close()


def test_dropping_an_attempt_leaves_the_carrier_and_dropping_the_carrier_ends_it(link, peer):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        link._addresses = Addresses("127.0.0.1", mute.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        mute.accept()[0].close()
        link.drop("mobile")
    link.publish(1, RECORDS, b"still", False)
    link.inbox.wait_for(PubAck)
    carrier = link._carrier
    link.drop("fibre")
    until(lambda: carrier._client is None, "the dropped connection does not end")
    assert not any(isinstance(event, Disconnected) for event in link.inbox.rest())
    assert link.bearer is None


def test_an_end_that_waited_for_the_candidate_is_told_when_the_candidate_is_dropped(link):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        link._addresses = Addresses("127.0.0.1", mute.getsockname()[1])
        link.connect([ANSWERS], MOBILE)
        connection, _ = mute.accept()
        connection.recv(1000)
        cut(link)
        until(lambda: link.inbox.rest() and link.bearer is None, "the cut is not noticed")
        link.drop("mobile")
        assert link.inbox.wait_for(Disconnected).bearer == "fibre"
        connection.close()


def test_paho_still_has_what_we_override():
    """A release that renames one of these would quietly connect past the bearer, the guard and the deadlines."""
    for name in ("_create_socket_connection", "loop_misc", "loop_forever", "connect_async", "loop_start"):
        assert callable(getattr(mqtt.Client, name)), name
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    assert {"_keepalive", "_sock"} <= set(vars(client))


# --- bytes --------------------------------------------------------------------------------------------------------


def test_topic_aliases_are_used_as_far_as_mosquitto_allows_and_arrive_resolved(link, peer):
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    for token in range(3):
        link.publish(token, RECORDS, b"%d" % token, False)
    peer.inbox.wait_for(lambda message: message == (RECORDS, b"2"))
    assert [data for name, data in peer.inbox.seen if name == RECORDS] == [b"0", b"1", b"2"]
    assert link._carrier._aliases == {RECORDS: 1}


def test_mosquitto_keeps_to_our_receive_maximum(broker):
    link = link_to(broker.port)
    link.connect([ANSWERS])
    link.inbox.wait_for(Connected)
    witness = Peer(broker.port)
    for index in range(5 * RECEIVE_MAX):
        witness.client.publish(ANSWERS, b"%d" % index, qos=1)
    link.inbox.wait_for(Message(ANSWERS, b"%d" % (5 * RECEIVE_MAX - 1)).__eq__)
    assert "mqtt-flood" not in link.counters
    witness.close()
    link.close()


def test_a_resolver_that_dies_with_its_bearer_does_not_keep_the_other_from_connecting(link, monkeypatch):
    link.connect([ANSWERS], FIBRE)
    link.inbox.wait_for(Connected)

    def dead(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "no resolver")

    monkeypatch.setattr(socket, "getaddrinfo", dead)
    link.connect([ANSWERS], MOBILE)
    assert link.inbox.wait_for(Connected).bearer == "mobile"


def test_a_name_that_was_never_found_is_told(link, monkeypatch):
    def dead(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "no resolver")

    monkeypatch.setattr(socket, "getaddrinfo", dead)
    link.connect([ANSWERS])
    assert link.inbox.wait_for(Disconnected).why.startswith("name-unresolved: ")
