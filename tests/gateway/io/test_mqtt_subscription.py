"""A subscription that the broker refuses is told and asked for again: without it no receipt ever comes."""

import threading

import pytest

from tests.support.broker import PATIENCE_S
from tests.support.hostile_broker import PUBLISH, SUBSCRIBE
from tests.support.hostile_link import RECORDS, why

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io import mqtt_connection
from gateway.io.mqtt import BearerRoute, Connected, PubAck, Subscription

pytestmark = pytest.mark.live
REFUSED = 0x87


def test_it_is_told_and_what_we_publish_still_goes(against):
    link, _ = against(lambda peer: (peer.accept(), serve(peer, REFUSED)))
    link.inbox.wait_for(Connected)
    told = link.inbox.wait_for(Subscription)
    assert "(0x87)" in told.why and told.bearer == "default"
    link.publish(7, RECORDS, b"alarm", False)
    assert link.inbox.wait_for(PubAck) == PubAck(7, 0)


def test_it_is_asked_for_again_and_the_grant_is_told(against, monkeypatch):
    """A broker whose list was corrected tells nobody: a gateway that stays connected must ask."""
    monkeypatch.setattr(mqtt_connection, "_RESUBSCRIBE_S", 0)
    link, _ = against(lambda peer: (peer.accept(), serve(peer, REFUSED, REFUSED, 1)))
    assert link.inbox.wait_for(Subscription).why
    assert link.inbox.wait_for(Subscription).why == ""
    assert link.counters == {"subscription-refused": 2}
    assert [type(event) for event in link.inbox.rest()].count(Subscription) == 2, "each change once"


def test_one_that_is_granted_at_once_is_not_told(against):
    link, _ = against(lambda peer: (peer.accept(), peer.serve()))
    link.inbox.wait_for(Connected)
    link.publish(1, RECORDS, b"x", False)
    link.inbox.wait_for(PubAck)
    assert not any(isinstance(event, Subscription) for event in link.inbox.seen)


def test_a_receive_maximum_of_none_is_no_connection(against):
    """The core would wait for ever for room to send."""
    link, _ = against(lambda peer: (peer.accept(receive_maximum=0), peer.serve()))
    assert why(link).startswith("mqtt-malformed: ")
    assert not any(isinstance(event, Connected) for event in link.inbox.seen)


def test_an_attempt_that_is_given_up_leaves_at_once_and_takes_no_session(against, monkeypatch):
    monkeypatch.setattr(mqtt_connection, "CONNACK_TIMEOUT_S", 10 * PATIENCE_S)
    asked, left = threading.Event(), threading.Event()

    def script(peer):
        peer.read()
        asked.set()
        try:
            peer.read()  # no CONNACK: the broker takes its time
        finally:
            left.set()

    link, _ = against(script, BearerRoute("default", keepalive_s=240))
    assert asked.wait(PATIENCE_S)
    link.drop("default")
    assert left.wait(PATIENCE_S)


def serve(peer, *grants):
    """Answer subscriptions with these reason codes, the last one again and again."""
    grants = list(grants)
    while True:
        found = peer.read()
        if found.kind == SUBSCRIBE:
            peer.answer(found, granted=grants.pop(0) if len(grants) > 1 else grants[0])
        elif found.kind != PUBLISH or found.flags & 6:
            peer.answer(found)
