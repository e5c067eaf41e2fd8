"""The other ends of `bocage bench uplink`, each a process: a peer that only acknowledges, and a scripted centre.

Both do as little as can be done, so that the gateway is what is measured. Must keep nothing.
"""

import secrets
import socket
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, keys_of
from tools.centre.ingest import intake
from wire import coap_message, topic, watermark

# What the centre counts, in the order of the shared array.
HEARD = ("records", "batches")


def acknowledge(port: int, nodes: list[bytes]) -> None:
    """2.04, piggybacked, to every request of these nodes, for ever: their keys, and nothing behind them."""
    socket_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    socket_.bind(("127.0.0.1", port))
    link = Link(keys_of(nodes), CIPHER, random_below=secrets.randbelow, ack_timeout_ms=4000, requests_per_s=1_000_000)
    while True:
        datagram, peer = socket_.recvfrom(2048)
        now_ms = time.monotonic_ns() // 1_000_000
        for asked in link.receive(datagram, peer, now_ms=now_ms):
            link.respond(asked.exchange, coap_message.CHANGED, now_ms=now_ms)
        for address, answer in link.outgoing():
            socket_.sendto(answer, address)


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
