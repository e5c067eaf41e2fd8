"""Keeps one session at the broker: subscribes to one class of messages, gathers what comes, and acknowledges it.

Where a broker has no shared subscriptions (RabbitMQ) it subscribes plainly: its session is then a queue bound to the
topic, a quorum queue where the broker is set so. A broker that is unreachable or refuses is tried again for ever. A
message id belongs to the connection that brought it: after a reconnect it may name another message, so a PUBACK is sent
on its own connection or not at all. Must not log a payload.
"""

import select
import time
from collections.abc import Iterable
from typing import Any

from tools.centre import mqtt
from tools.centre.limits import GROUP_BYTES_MAX, SESSION_EXPIRY_S
from tools.centre.mqtt import Backoff, BrokerAddress, log

_CLOSE_TURNS = 8
_CLOSE_S = 0.25


class Session:
    """Is used from one thread. The ingests divide the messages. Both `messages` and `client` are read by
    `wait`."""

    def __init__(self, account: BrokerAddress, topic: str) -> None:
        self.is_subscribed = False
        self.messages: list[tuple[str, bytes]] = []  # topic and payload, not acknowledged yet
        self._acks: list[tuple[int, int]] = []  # message id and QoS of these, while their connection lasts
        self._account, self._topic = account, topic
        self._expiry_s = SESSION_EXPIRY_S
        self._pattern = topic
        self._backoff, self._due_s = Backoff(), 0.0
        self.client = mqtt.new_client(account)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message

    def gather(self) -> list[tuple[str, bytes]]:
        """Receives what has come, and returns as much as one transaction holds (topic, payload); connects when it is
        time. Never waits."""
        if self.client.socket() is None:
            self._connect()
        before = None
        while before != len(self.messages) and self.client.socket() is not None:
            before = len(self.messages)
            if self.client.loop(timeout=0.0) != 0 or self._group_size() < len(self.messages):
                break
        return self.messages[: self._group_size()]

    def _group_size(self) -> int:
        """Returns how many of the messages are one transaction's."""
        size = 0
        for count, (_, payload) in enumerate(self.messages):
            size += len(payload)
            if size > GROUP_BYTES_MAX:
                return max(1, count)
        return len(self.messages)

    def acknowledge(self, count: int) -> None:
        """Sends the PUBACKs of the first messages, and lets go of them."""
        for message_id, qos in self._acks[:count]:
            self.client.ack(message_id, qos)
        del self.messages[:count], self._acks[:count]

    def publish(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, qos=1)

    def expire_after(self, seconds: int) -> None:
        """Sets for how long the broker keeps the session while we are away: it is agreed on by connecting."""
        if seconds != self._expiry_s:
            self._log("session", expires_after_s=seconds)
            self._expiry_s, self._due_s = seconds, 0.0
            self.client.disconnect()

    def unsubscribe(self) -> None:
        """Has no more dealt to us."""
        self.client.unsubscribe(self._pattern)

    def close(self, *, ends: bool) -> None:
        """Sends what is due; `ends`: the session with its connection."""
        for _ in range(_CLOSE_TURNS):
            if not self.client.is_connected() or not self.client.want_write():
                break
            self.client.loop(timeout=_CLOSE_S)
        self.client.disconnect(properties=mqtt.ending() if ends else None)

    def _connect(self) -> None:
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        delay_s = self._backoff.next_s()
        self._due_s = now_s + delay_s
        try:
            mqtt.connect(self.client, self._account, session_s=self._expiry_s)
        except OSError as error:
            # Includes ssl.SSLError: a wrong certificate may be put right while we wait.
            self._log("broker-unreachable", error=str(error), retry_delay_s=delay_s)

    def _log(self, what: str, **fields: object) -> None:
        log(what, client_id=self._account.client_id, **fields)

    # --- called by the client, inside `loop` ---

    def _on_connect(self, client, _userdata, flags, reason, properties):
        if reason.is_failure:
            self._log("broker-refused", reason=str(reason), remedy="check --client-id, certificate and access rules")
            return
        # Messages that the disk refused were not acknowledged, so the broker sends them again.
        self.messages.clear()
        self._acks.clear()
        self._log("connected", session_present=flags.session_present)
        offer = mqtt.report_offer(properties)
        if offer is None:
            client.disconnect()
            return
        # Subscribed on every connection: a restarted Mosquitto 2.0 reports our session as present although it has lost
        # the shared subscriptions.
        self._pattern = ("$share/ingest/" if offer.shares else "") + self._topic
        client.subscribe(self._pattern, 1)

    def _on_disconnect(self, _client, _userdata, _flags, reason, _properties):
        self.is_subscribed = False
        self._acks.clear()
        self._log("disconnected", reason=str(reason))

    def _on_subscribe(self, client, _userdata, _mid, reasons, _properties):
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self._log("subscription-refused", reasons=refused, remedy=f"allow it to subscribe to {self._pattern}")
            client.disconnect()
            return
        self._backoff.reset()
        self.is_subscribed = True

    def _on_message(self, _client, _userdata, message):
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # refused as `topic`, like any other unknown topic
        self.messages.append((topic, message.payload))
        self._acks.append((message.mid, message.qos))


def wait(sessions: Iterable[Session], timeout_s: float) -> bool:
    """Waits until a session may have something to do, and returns True; False where none had in that time."""
    sessions = [session for session in sessions if session.client.socket() is not None]
    sockets: list[Any] = [session.client.socket() for session in sessions]
    if not sockets:
        time.sleep(timeout_s)
        return False
    # More than one transaction's, or what TLS has deciphered already: no socket says so.
    if any(session.messages for session in sessions) or any(getattr(one, "pending", int)() for one in sockets):
        return True
    writing: list[Any] = [session.client.socket() for session in sessions if session.client.want_write()]
    readable, writable, _ = select.select(sockets, writing, [], timeout_s)
    return bool(readable or writable)
