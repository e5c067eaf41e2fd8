"""The other ends of `bocage bench uplink`, each a process: a peer that only acknowledges, and a scripted centre.

Both do as little as can be done, so that the gateway is what is measured. Must keep nothing.
"""

import socket
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.centre import intake
from wire import coap_message, topic, watermark

# What the centre counts, in the order of the shared array.
HEARD = ("records", "batches")


def acknowledge(port: int) -> None:
    """2.04, piggybacked, to every request, for ever."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("127.0.0.1", port))
    head = 1 << 6 | coap_message.ACK << 4
    while True:
        datagram, peer = link.recvfrom(2048)
        token_length = datagram[0] & 15
        answer = bytes((head | token_length, coap_message.CHANGED)) + datagram[2 : 4 + token_length]
        link.sendto(answer, peer)


def centre(host: str, port: int, insee: str, name: str, heard: Any) -> None:
    """Answer each batch of one gateway with the watermark behind it; for ever."""
    ends: dict[tuple[bytes, str], int] = {}
    answers = topic.build(topic.WATERMARK, insee, name)
    client = paho.Client(CallbackAPIVersion.VERSION2, "centre", protocol=paho.MQTTv5)

    def on_connect(*_: Any) -> None:
        client.subscribe([(f"tc/1/{kind}/#", 1) for kind in (topic.TELEMETRY, topic.EVENT)])

    def on_message(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        envelope = intake.peek(bytes(message.payload))
        assert envelope is not None, "the gateway's own batch"
        key = envelope.epoch, envelope.lane
        fresh = envelope.last + 1 - ends.get(key, envelope.first)
        if fresh > 0:
            ends[key] = envelope.last + 1
            heard[0] += fresh
            heard[1] += 1
        mark = watermark.Watermark(*key, ends.get(key, envelope.oldest))
        client.publish(answers, watermark.encode(mark), qos=1)

    client.on_connect = on_connect
    client.on_message = on_message
    client.connect_async(host, port)
    client.loop_forever(retry_first_connection=True)
