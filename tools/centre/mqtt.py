"""Connects a process of the centre to the broker: address and trust, a client, what the broker offers, delays between
attempts, a line of log.

MQTT 5 and, where there is a certificate authority, TLS 1.3 with a certificate of our own. Sessions are kept over
restarts. What is logged is one line of JSON on stderr; it must never hold a payload or a key.
"""

import json
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.language import N_, Message, translate
from tools.centre.limits import (
    GROUP_MESSAGES_MAX,
    PACKET_BYTES_MAX,
    PUBLICATIONS_WAITING_MAX,
    RETRY_DELAY_MAX_S,
    RETRY_DELAY_MIN_S,
    SESSION_EXPIRY_S,
)
from wire import limits

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


def alarms_account(ingest: str) -> str:
    """Returns the account of the session by which an ingest receives alarms: one certificate is one session."""
    return f"{ingest}-alarms"


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


def connect(client: Client, address: BrokerAddress, *, session_s: int = SESSION_EXPIRY_S) -> None:
    """Connects to the broker; OSError when it does not answer. The session outlives the connection for so long: the
    broker sends again what was not acknowledged."""
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = session_s
    properties.ReceiveMaximum = GROUP_MESSAGES_MAX
    properties.MaximumPacketSize = PACKET_BYTES_MAX
    client.connect(address.host, address.port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties)


def ending() -> Properties:
    """Returns what ends a session with its connection (MQTT 5 section 3.14.2.2.2)."""
    properties = Properties(PacketTypes.DISCONNECT)
    properties.SessionExpiryInterval = 0
    return properties


# --- what the broker offers --------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """States one thing about a broker, and what to do about it; `remedy` None: it is as it should be. A fault makes the
    broker unfit, anything else has a remedy that is worth its while."""

    what: Message
    remedy: Message | None = None
    is_fault: bool = False
    values: Mapping[str, object] | None = None

    def sentence(self, language: str) -> str:
        return translate(self.what, language, **(self.values or {}))

    def to_do(self, language: str) -> str:
        return "" if self.remedy is None else translate(self.remedy, language, **(self.values or {}))


class Offer(NamedTuple):
    """Holds what a broker offers in its CONNACK (MQTT 5 section 3.2.2.3)."""

    shares: bool
    wildcards: bool
    retains: bool
    qos_max: int
    receive_max: int
    packet_bytes_max: int | None
    session_expiry_s: int


def offer_of(properties: Properties | None) -> Offer:
    """Returns the offer; what a CONNACK leaves out has the standard's default, and a session lasts as asked."""
    return Offer(
        bool(getattr(properties, "SharedSubscriptionAvailable", 1)),
        bool(getattr(properties, "WildcardSubscriptionAvailable", 1)),
        bool(getattr(properties, "RetainAvailable", 1)),
        getattr(properties, "MaximumQoS", 2),
        getattr(properties, "ReceiveMaximum", 0xFFFF),
        getattr(properties, "MaximumPacketSize", None),
        getattr(properties, "SessionExpiryInterval", SESSION_EXPIRY_S),
    )


# Leases and receipts under way at once; below, a territory waits for the broker's answers.
_RECEIVE_MAX_MIN = 10
# A batch with its topic and properties.
_PACKET_BYTES_MIN = limits.BATCH_BYTES_MAX + 1024

# What is looked for: whether an offer lacks it, what that means, what to do, whether the broker is unfit without it.
_WANTED: tuple[tuple[Callable[[Offer], bool], Message, Message, bool], ...] = (
    (
        lambda offer: offer.qos_max < 1,
        N_("it offers QoS 0 only: what a process of the centre should receive while it is away is gone"),
        N_("allow QoS 1 (Mosquitto: leave max_qos out)"),
        True,
    ),
    (
        lambda offer: not offer.wildcards,
        N_("it offers no subscriptions with wildcards: the centre would not hear a gateway it does not know"),
        N_("choose a broker that offers them, such as Mosquitto or RabbitMQ"),
        True,
    ),
    (
        lambda offer: offer.packet_bytes_max is not None and offer.packet_bytes_max < _PACKET_BYTES_MIN,
        N_("it accepts messages of {packet_bytes_max} bytes at most, and a batch may have {packet_bytes}"),
        N_("allow {packet_bytes} (Mosquitto: max_packet_size, RabbitMQ: mqtt.max_packet_size_authenticated)"),
        True,
    ),
    (
        lambda offer: not offer.retains,
        N_("it retains nothing: a gateway gets its policy only when it asks for it"),
        N_("let it retain messages (Mosquitto: retain_available true)"),
        False,
    ),
    (
        lambda offer: not offer.shares,
        N_("it has no shared subscriptions (RabbitMQ has none): each ingest receives everything"),
        N_("run one ingest for each warehouse; RabbitMQ: mqtt.durable_queue_type = quorum"),
        False,
    ),
    (
        lambda offer: offer.session_expiry_s < SESSION_EXPIRY_S,
        N_("it forgets a process of the centre that is away for {session_expiry_s} s; {session_s} s are asked for"),
        N_(
            "Mosquitto: leave persistent_client_expiration out; "
            "RabbitMQ: mqtt.max_session_expiry_interval_seconds = {session_s}"
        ),
        False,
    ),
    (
        lambda offer: offer.receive_max < _RECEIVE_MAX_MIN,
        N_("it allows {receive_max} messages under way: leases and receipts wait for each other"),
        N_("allow {receive} or more (Mosquitto: max_inflight_messages)"),
        False,
    ),
)


def findings(offer: Offer) -> list[Finding]:
    """Returns what a broker that makes this offer lacks; nothing where all is there."""
    needed = {"packet_bytes": _PACKET_BYTES_MIN, "session_s": SESSION_EXPIRY_S, "receive": _RECEIVE_MAX_MIN}
    return [
        Finding(what, remedy, is_fault, {**offer._asdict(), **needed})
        for lacks, what, remedy, is_fault in _WANTED
        if lacks(offer)
    ]


def report_offer(properties: Properties | None) -> Offer | None:
    """Logs what the broker of a connection lacks, with the remedies; returns its offer, None where it is unfit."""
    offer = offer_of(properties)
    found = findings(offer)
    for one in found:
        log("broker-lacks", problem=one.sentence("en"), remedy=one.to_do("en"), unfit=one.is_fault)
    return None if any(one.is_fault for one in found) else offer
