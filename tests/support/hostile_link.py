"""A link against a scripted broker, for test files that try what a broker may do wrong: the fixture `against`."""

import struct
import threading

import pytest

from tests.support.broker import LinkInbox, until
from tests.support.hostile_broker import PINGREQ, PUBLISH, SUBSCRIBE, HostileBroker, packet

RECORDS, EVENTS, ANSWERS, STATE = (f"tc/1/{kind}/49007/cab-12" for kind in "teas")
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


@pytest.fixture
def against():
    """against(script) -> (link, broker), the link connecting. Given to all tests here by conftest.py."""
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    from gateway.io.mqtt import MqttLink, MqttOptions

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
    from gateway.io.mqtt import Disconnected

    return link.inbox.wait_for(Disconnected).why


def word(link):
    return why(link).partition(":")[0]
