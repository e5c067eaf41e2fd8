"""Connects a process of the centre to the broker: address and trust, a client, delays between attempts, a line of log.

MQTT 5 and, where there is a certificate authority, TLS 1.3 with a certificate of our own. Sessions are kept over
restarts. What is logged is one line of JSON on stderr; it must never hold a payload or a key.
"""

import json
import ssl
import sys
import time
from dataclasses import dataclass

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tools.centre.limits import (
    GROUP_MESSAGES_MAX,
    PACKET_BYTES_MAX,
    PUBLICATIONS_WAITING_MAX,
    RETRY_DELAY_MAX_S,
    RETRY_DELAY_MIN_S,
    SESSION_EXPIRY_S,
)

KEEPALIVE_S = 30


@dataclass
class BrokerAddress:
    """Holds the broker's address and how it is trusted. `ca` None: plain TCP. `cert` and `key` are one pair."""

    host: str
    port: int
    client_id: str
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def log(what: str, **fields) -> None:
    """Writes one line of JSON on stderr."""
    print(json.dumps({"at_unix_s": int(time.time()), "what": what, **fields}), file=sys.stderr, flush=True)


class Backoff:
    """Gives doubling delays between two bounds, without a clock."""

    def __init__(self):
        self.delay_s = RETRY_DELAY_MIN_S

    def reset(self) -> None:
        self.delay_s = RETRY_DELAY_MIN_S

    def next_s(self) -> float:
        delay_s = self.delay_s
        self.delay_s = min(2 * delay_s, RETRY_DELAY_MAX_S)
        return delay_s


def new_client(address: BrokerAddress) -> Client:
    """Returns a client that acknowledges nothing by itself; ssl.SSLError or OSError for faulty certificate or key
    files."""
    client = Client(CallbackAPIVersion.VERSION2, address.client_id, protocol=MQTTv5, manual_ack=True)
    client.max_queued_messages_set(PUBLICATIONS_WAITING_MAX)
    if address.ca is not None:
        context = ssl.create_default_context(cafile=address.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if address.cert:
            context.load_cert_chain(address.cert, address.key)
        client.tls_set_context(context)
    return client


def connect(client: Client, address: BrokerAddress) -> None:
    """Connects to the broker; OSError when it does not answer. The session outlives the connection: the broker sends
    again what was not acknowledged."""
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = GROUP_MESSAGES_MAX
    properties.MaximumPacketSize = PACKET_BYTES_MAX
    client.connect(address.host, address.port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties)
