"""Acknowledgements and properties of MQTT 5: Receive Maximum, aliases, expiry, a will, whatever a broker answers."""

import struct

import pytest

from tests.support.broker import until
from tests.support.hostile_broker import SUBSCRIBE, packet
from tests.support.hostile_link import ANSWERS, EVENTS, RECORDS, word

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io.mqtt import BearerRoute, Connected, Disconnected, PubAck
from gateway.io.mqtt_connection import PACKET_BYTES_MAX, RECEIVE_MAX

pytestmark = pytest.mark.live



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
    """paho alone sends its whole queue again, whatever the broker can take."""
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
    link, broker = against(lambda peer: (peer.accept(), peer.serve()), BearerRoute("fibre"))
    link.inbox.wait_for(Connected)
    replaced = link._carrier
    link.connect([ANSWERS], BearerRoute("mobile"))
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
