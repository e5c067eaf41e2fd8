"""Runs one connection to the broker from its first SYN to its last byte: a paho client, used once, and its one thread.

Its owner (`gateway/io/mqtt.py`) lives in the agent's thread and calls `start`, `publish`, `acknowledged`, `close`;
events of the network are posted to it, in order, and the last is always one Disconnected. It must decide neither when
to connect nor which of two connections carries.

paho treats what we override as private; tests/gateway/io/test_mqtt.py notices a release that renames any of it.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.io import clock, mqtt_socket, tls
from gateway.io.guarded_socket import Broken, GuardedSocket, Places
from gateway.io.mqtt_socket import Addresses, BearerRoute, MqttOptions
from gateway.io.own_certificate import OwnCertificate

# CONNACK may take so long.
CONNACK_TIMEOUT_S = 10
# paho checks its timers this often; between them it sleeps until something happens.
_LOOK_S = 0.5
# A refused subscription is requested again this often: no message reports that the broker's list was corrected.
_RESUBSCRIBE_S = 300
# A DISCONNECT that has not left by then is given up.
_FAREWELL_S = 2
# The broker keeps our subscription (class `a`) for so long; records never depend on it.
_SESSION_EXPIRY_S = 86_400
# A new connection of the same session within this time cancels the will (MQTT 5 section 3.1.3.2.2): changing from one
# bearer to the other does not publish that we are offline.
_WILL_DELAY_S = 5
# MQTT 5 section 3.14.2.1, 0x04.
_WITH_WILL = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")
# What the broker may have in flight to us, and how long one packet may be: an answer is about 60 bytes, a
# configuration a few kB.
RECEIVE_MAX = 16
PACKET_BYTES_MAX = 64 * 1024
# Events on their way to the loop: 4 MB at the very worst.
EVENTS_MAX = 64
# Topics that get an alias: ours are three.
_ALIASES_MAX = 4
_RECEIVE_MAX_DEFAULT = 65_535
_PACKET_TOO_LARGE = 0x95
# What a PUBLISH costs besides topic and payload: header, packet id, alias, expiry, generously.
_PUBLISH_OVERHEAD_BYTES = 32


class Connected(NamedTuple):
    receive_max: int
    bearer: str


class Disconnected(NamedTuple):
    """Reports the end. `why` begins with a stable word and a colon; `tls.remedy` has a sentence for those of TLS."""

    why: str
    bearer: str


class PubAck(NamedTuple):
    """Reports a PUBACK. `token` is the publication's."""

    token: int
    reason_code: int


class Message(NamedTuple):
    """Holds a message of a topic. `is_retained`: the broker had kept it for new subscribers."""

    topic: str
    payload: bytes
    is_retained: bool = False


class Subscription(NamedTuple):
    """Reports that the broker refuses our subscription (`why`), or grants it later (empty); not if it does at once."""

    why: str
    bearer: str


Event = Connected | Disconnected | PubAck | Message | Subscription


class Connection:
    """Runs one connection. `post(connection, event)` is called in the connection's thread; PubAck then holds MQTT's
    packet id in place of the token (see `acknowledged`)."""

    def __init__(
        self,
        options: MqttOptions,
        addresses: Addresses,
        bearer: BearerRoute,
        subscriptions: list[str],
        *,
        post: Callable[["Connection", Event], None],
        count: Callable[[str], None],
        clock_is_good: Callable[[], bool],
        own: OwnCertificate | None,
    ) -> None:
        self.bearer = bearer
        # True once the broker may have received our CONNECT, and ended another connection of ours for it.
        self.asked = False
        # When its thread last gave a sign of life, in monotonic milliseconds.
        self.alive_ms = clock.monotonic_ms()
        self._options = options
        self._addresses = addresses
        self._subscriptions = subscriptions
        self._post = post
        self._count = count
        self._clock_is_good = clock_is_good
        self._own = own
        self._places = Places(EVENTS_MAX)
        self._sock: GuardedSocket | None = None
        self._accepted = False
        self._is_refused = False
        self._subscribe_at_s: float | None = None
        self._dates_unchecked = False
        self._deadline_s: float | None = None
        self._closing = False
        self._end_why = ""
        self._broker_why = ""
        # The agent's side.
        self._tokens: dict[int, int] = {}
        self._aliases: dict[str, int] = {}
        self._alias_max = 0
        self._receive_max = _RECEIVE_MAX_DEFAULT
        self._publish_bytes_max = 0
        self._client: _Client | None = _Client(self)

    # --- the agent's side -----------------------------------------------------------------------------------------

    def start(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAX
        properties.MaximumPacketSize = PACKET_BYTES_MAX
        assert self._client is not None
        self._client.connect_async(
            self._options.host, self._options.port, self.bearer.keepalive_s, clean_start=False, properties=properties
        )
        # paho's own thread, not a loop of ours: only then does publish() leave the socket to that thread. Two threads
        # that write to one TLS socket break its records (observed: "bad record mac", connection lost).
        self._client.loop_start()

    def publish(self, token: int, topic: str, payload: bytes, retain: bool, expiry_s: int | None) -> None:
        """Publishes at QoS 1. While not connected it is dropped: the core sends again after its next question."""
        client = self._client
        if client is None or self._closing or self._end_why or not client.is_connected():
            return
        if len(self._tokens) >= self._receive_max:
            # The core waits half a minute before it forgets a PUBACK. MQTT forbids one more PUBLISH here, even if we
            # do: only a new connection helps.
            self._end_why = f"mqtt-silent: {len(self._tokens)} publications without an acknowledgement"
            return
        if self._publish_bytes_max and len(topic) + len(payload) + _PUBLISH_OVERHEAD_BYTES > self._publish_bytes_max:
            # Sending it would end the connection, again and again.
            self._count("publication-too-large")
            self._post_event(PubAck(self._remember(-token - 1, token), _PACKET_TOO_LARGE))
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        name = self._aliased(topic, properties)
        info = client.publish(name, payload, qos=1, retain=retain, properties=properties)
        self._remember(info.mid, token)

    def acknowledged(self, event: PubAck) -> PubAck | None:
        """Returns the event with the core's token in place of the packet id; None for an unknown one."""
        token = self._tokens.pop(event.token, None)
        return None if token is None else PubAck(token, event.reason_code)

    def processed(self) -> None:
        """Notes that the agent has processed one posted event."""
        self._places.give_back()

    def close(self, *, is_last: bool = False) -> None:
        """End in an orderly way, so that the will is not sent; with `is_last`, where no other connection follows, so
        that it is sent after its delay: otherwise the retained "online" would outlive us. Returns at once."""
        self._closing = True
        self._places.stop()
        client = self._client
        if client is not None and client.is_connected():
            client.disconnect(reasoncode=_WITH_WILL if is_last else None)

    def _remember(self, packet_id: int, token: int) -> int:
        self._tokens[packet_id] = token
        return packet_id

    def _aliased(self, topic: str, properties: Any) -> str:
        """Returns the name to publish: topic and alias the first time, then the alias alone (MQTT 5 section
        3.3.2.3.4)."""
        alias = self._aliases.get(topic)
        if alias is not None:
            properties.TopicAlias = alias
            return ""
        if len(self._aliases) < min(self._alias_max, _ALIASES_MAX):
            self._aliases[topic] = properties.TopicAlias = len(self._aliases) + 1
        return topic

    # --- the connection's thread ----------------------------------------------------------------------------------

    def open_socket(self) -> GuardedSocket:
        """Opens TCP over the bearer, then TLS. OSError."""
        options = self._options
        made = None
        if self._own is not None:
            self._dates_unchecked = not self._clock_is_good()
            made = tls.context(self._own.files(), check_dates=not self._dates_unchecked)
        sock = mqtt_socket.open_tcp(self._addresses, self.bearer)
        if made is not None:
            sock = mqtt_socket.secure(sock, made, options.host)
        if self._closing:
            sock.close()
            raise Broken("closed: no longer wanted")
        self._sock = GuardedSocket(
            sock, self._places, packet_bytes_max=PACKET_BYTES_MAX, unanswered_max=RECEIVE_MAX, count=self._count
        )
        self._deadline_s = time.monotonic() + CONNACK_TIMEOUT_S
        self.asked = True
        return self._sock

    def beat(self) -> None:
        """Checks deadlines; called at least every `_LOOK_S`. Broken ends the connection."""
        self.alive_ms = clock.monotonic_ms()
        if self._end_why:
            raise Broken(self._end_why)
        now_s = time.monotonic()
        if self._closing and not self._accepted:
            # At once: a late answer to our CONNECT would take the session from the connection that carries.
            raise Broken("closed: no longer wanted")
        if self._deadline_s is not None and now_s > self._deadline_s:
            raise Broken("closed: said farewell" if self._closing else "mqtt-silent: no answer to CONNECT")
        if self._closing and self._deadline_s is None:
            self._deadline_s = now_s + _FAREWELL_S
        if self._subscribe_at_s is not None and now_s >= self._subscribe_at_s:
            self._subscribe_at_s = None
            self._subscribe(self._client)
        if self._dates_unchecked and self._clock_is_good():
            self._dates_unchecked = False
            assert self._sock is not None
            fault = tls.dates_fault(self._sock.peer_certificate(), unix_s=time.time())
            if fault is not None:
                raise Broken(str(fault))

    def on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._broker_why = f"mqtt-refused: {reason} ({reason.value:#04x})"
            return
        self._deadline_s, self._accepted = None, True
        if self._closing:
            client.disconnect()
            return
        if getattr(properties, "MaximumQoS", 1) < 1:
            self._end_why = "mqtt-refused: the broker takes no QoS 1"
            return
        client.bound_keepalive(self.bearer.keepalive_s)
        self._subscribe(client)
        # QoS 0: at QoS 1 it would take a place of the broker's Receive Maximum, which the core counts.
        client.publish(self._options.will_topic, b"online", qos=0, retain=True)
        self._alias_max = getattr(properties, "TopicAliasMaximum", 0)
        self._receive_max = getattr(properties, "ReceiveMaximum", _RECEIVE_MAX_DEFAULT)
        self._publish_bytes_max = getattr(properties, "MaximumPacketSize", 0)
        self._post_event(Connected(self._receive_max, self.bearer.name))

    def _subscribe(self, client: Any) -> None:
        client.subscribe([(name, SubscribeOptions(qos=1)) for name in self._subscriptions])

    def on_subscribe(self, _client: Any, _data: Any, _message_id: int, reasons: Any, _properties: Any) -> None:
        """Reports a refused subscription. The connection stays, for records still arrive, but no receipt will
        come."""
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._count("subscription-refused")
            self._subscribe_at_s = time.monotonic() + _RESUBSCRIBE_S
        if bool(refused) != self._is_refused:
            self._is_refused = bool(refused)
            why = f"{refused[0]} ({refused[0].value:#04x})" if refused else ""
            self._post_event(Subscription(why, self.bearer.name))

    def on_publish(self, _client: Any, _data: Any, message_id: int, reason: Any, _properties: Any) -> None:
        self._post_event(PubAck(message_id, reason.value))

    def on_message(self, _client: Any, _data: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._count("mqtt-malformed")
            return
        self._post_event(Message(topic, bytes(message.payload), bool(message.retain)))

    def on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if self._broker_why:
            return
        if flags.is_disconnect_packet_from_server:
            code = self._sock.dismissed() if self._sock is not None else None
            name = reason if reason.value == code else "reason code"
            self._broker_why = f"mqtt-disconnected: {name} ({code or 0:#04x})"
        elif "eep alive" in str(reason):
            self._broker_why = f"mqtt-silent: {reason}"

    def ended(self, error: Exception | None) -> None:
        """Posts the thread's last event, however it ended: without it no new attempt would be made."""
        self._places.stop()
        why = self._broker_why or self._why(error)
        if self._own is not None:
            self._own.ended(why)
        if self._sock is not None:
            self._sock.close()
            # An error holds the frames it passed through, and these hold us: without this the sockets would stay open
            # until the garbage collector runs.
            self._sock.error = None
        # paho and its own two sockets go as soon as its thread is over.
        self._client = None
        self._post_event(Disconnected(why, self.bearer.name))

    def _why(self, error: Exception | None) -> str:
        if self._sock is None:
            return mqtt_socket.why(error)
        refused = self._sock.refused()
        if refused is not None:
            return f"mqtt-refused: reason code ({refused:#04x})"
        last = error or self._sock.error
        if isinstance(last, OSError):
            return mqtt_socket.why(last)
        # paho failed on bytes of the peer.
        self._count("mqtt-malformed")
        return f"mqtt-malformed: {type(last).__name__}: {last}" if last else "mqtt-malformed: the protocol is broken"

    def _post_event(self, event: Event) -> None:
        self._places.occupy()
        self._post(self, event)


class _Client(paho.Client):
    """Is a paho client that opens our sockets, checks our deadlines, and reports what ends its thread."""

    def __init__(self, connection: Connection) -> None:
        options = connection._options
        super().__init__(
            CallbackAPIVersion.VERSION2, options.client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._connection = connection
        # The core's window is smaller than any Receive Maximum of a broker; paho must not queue behind its own.
        self.max_inflight_messages = 0
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.WillDelayInterval = _WILL_DELAY_S
        self.will_set(options.will_topic, b"offline", qos=1, retain=True, properties=properties)
        self.on_connect = connection.on_connect
        self.on_subscribe = connection.on_subscribe
        self.on_publish = connection.on_publish
        self.on_message = connection.on_message
        self.on_disconnect = connection.on_disconnect

    def _create_socket_connection(self) -> Any:
        return self._connection.open_socket()

    def loop_misc(self) -> Any:
        self._connection.beat()
        return super().loop_misc()

    def loop_forever(self, timeout: float = _LOOK_S, retry_first_connection: bool = False) -> Any:
        """Runs paho's thread from beginning to end."""
        try:
            super().loop_forever(_LOOK_S)
        except Exception as error:
            self._connection.ended(error)
        else:
            self._connection.ended(None)
        self.on_connect = self.on_subscribe = self.on_publish = self.on_message = self.on_disconnect = None
        return paho.MQTT_ERR_CONN_LOST

    def bound_keepalive(self, keepalive_s: int) -> None:
        """Limits the keep-alive. A broker may ask for a shorter one (MQTT 5 section 3.2.2.3.14), not for a longer one
        or
        none: pinging more often than it requires is no error."""
        if not 0 < self._keepalive <= keepalive_s:
            self._keepalive = keepalive_s
