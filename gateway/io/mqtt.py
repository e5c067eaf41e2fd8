"""The broker's connection: MQTT 5 by paho-mqtt, one client object a connection.

paho queues without bound, ignores Receive Maximum and sends its whole queue again on reconnection; so it
never gets to: the core's window decides what is published, and every connection is a new client that
remembers nothing. paho's thread does the network; what it learns is posted to the agent's loop as events.
Reconnection is the core's decision.
"""

import ssl
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

# A silent cut is seen after about twice the keep-alive.
_KEEPALIVE_S = 7
_CONNECT_TIMEOUT_S = 10
# How often a connection that says nothing is looked at, in case paho's thread has died.
_LOOK_S = 5
# The broker keeps our subscription (class `a`) that long; records never depend on it.
_SESSION_EXPIRY_S = 86_400
_RECEIVE_MAX_DEFAULT = 65_535


class Connected(NamedTuple):
    receive_max: int


class Disconnected(NamedTuple):
    why: str


class PubAck(NamedTuple):
    token: int
    reason_code: int


class Message(NamedTuple):
    topic: str
    payload: bytes


class Tls(NamedTuple):
    """Paths of PEM files: the territory's own CA, this gateway's certificate and key."""

    ca: str
    certificate: str
    key: str


class MqttOptions(NamedTuple):
    """`tls` None is plain TCP, for a bench only."""

    host: str
    port: int
    client_id: str
    will_topic: str
    tls: Tls | None


class MqttLink:
    """At most one connection. `post(event)` is called from paho's thread and must hand over to the
    agent's."""

    def __init__(self, options: MqttOptions, post: Callable[[Any], None]) -> None:
        self._options = options
        self._post = post
        self._client: paho.Client | None = None
        self._tokens: dict[int, int] = {}
        self._generation = 0

    def connect(self, subscriptions: list[str]) -> None:
        """Start one attempt; its end is always told, once, by Disconnected."""
        self.close()
        self._generation += 1
        self._tokens = {}
        client = self._new_client(subscriptions)
        self._client = client
        threading.Thread(target=self._run, args=(client, self._generation), name="mqtt", daemon=True).start()

    def publish(self, token: int, topic: str, payload: bytes, retain: bool) -> None:
        """QoS 1. While not connected it is dropped: the core sends again after its next question."""
        if self._client is None or not self._client.is_connected():
            return
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self._tokens[info.mid] = token

    def acknowledged(self, message_id: int) -> int | None:
        """The core's token behind paho's message id (posted events carry the id: it is known before we
        store it)."""
        return self._tokens.pop(message_id, None)

    def close(self) -> None:
        """End the connection in an orderly way, so that the will stays unsent."""
        client, self._client = self._client, None
        self._generation += 1
        if client is not None:
            client.disconnect()

    def _new_client(self, subscriptions: list[str]) -> paho.Client:
        options = self._options
        client = paho.Client(
            CallbackAPIVersion.VERSION2, options.client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.will_set(options.will_topic, b"offline", qos=1, retain=True)
        if options.tls is not None:
            client.tls_set_context(_context(options.tls))
        generation = self._generation

        def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                return
            client.subscribe([(name, SubscribeOptions(qos=1)) for name in subscriptions])
            # QoS 0: at QoS 1 it would take a place of the broker's Receive Maximum, which the core counts.
            client.publish(options.will_topic, b"online", qos=0, retain=True)
            receive_max = getattr(properties, "ReceiveMaximum", _RECEIVE_MAX_DEFAULT)
            self._tell(generation, Connected(receive_max))

        def on_publish(_client: Any, _data: Any, message_id: int, reason: Any, _properties: Any) -> None:
            self._tell(generation, PubAck(message_id, reason.value))

        def on_message(_client: Any, _data: Any, message: Any) -> None:
            self._tell(generation, Message(message.topic, message.payload))

        client.on_connect = on_connect
        client.on_publish = on_publish
        client.on_message = on_message
        return client

    def _run(self, client: paho.Client, generation: int) -> None:
        """The life of one connection, in its own thread."""
        options = self._options
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        why = "ended by an error of ours"
        reasons: list[str] = []
        ended = threading.Event()

        def on_disconnect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            reasons.append(str(reason))
            ended.set()

        client.on_disconnect = on_disconnect
        try:
            client.connect(options.host, options.port, _KEEPALIVE_S, clean_start=False, properties=properties)
            # paho's own thread, not loop_forever in ours: only then does publish() leave the socket to that thread. Two
            # threads that write to one TLS socket break its records (seen: "bad record mac", connection lost).
            client.loop_start()
            while not ended.wait(_LOOK_S) and _paho_lives(options.client_id):
                pass
            client.loop_stop()
            why = reasons[-1] if reasons else why
        except (OSError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
        finally:
            # Whatever ended this thread: without the word nobody would try again.
            self._tell(generation, Disconnected(why))

    def _tell(self, generation: int, event: Any) -> None:
        """What an earlier connection still has to say is of no use to anybody."""
        if generation == self._generation:
            self._post(event)


def _paho_lives(client_id: str) -> bool:
    """An exception inside paho ends its thread without a word."""
    return any(thread.name == f"paho-mqtt-client-{client_id}" for thread in threading.enumerate())


def _context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.3 only, both ends with certificates of the territory's own authority. OSError or SSLError on
    bad files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(tls.ca)
    context.load_cert_chain(tls.certificate, tls.key)
    return context
