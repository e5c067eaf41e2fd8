"""Runs the ingest daemon, between broker and warehouse: receives messages, and acknowledges each only after its commit.

    broker ── $share/ingest/tc/1/{t,e}/# ──▶ group ──▶ commit ──▶ PUBACK ──▶ signed receipts

One thread and one loop: messages are gathered until no more are waiting or the group is full, committed, and only then
acknowledged to the broker (MQTT 5, QoS 1, persistent session). So the process may be killed at any moment: a message
that was not committed is delivered again, a record that comes twice is recognised by its key, and a gateway sends again
what no receipt answers. Several processes with different client ids may share one warehouse, and its key of receipts;
the broker deals the messages out (`tools.centre.ingest.group`). Where a broker has no shared subscriptions (RabbitMQ),
one process subscribes plainly: its session is then a queue bound to the topics, a quorum queue where the broker is set
so.

A message id belongs to the connection that brought it: after a reconnect it may name another message, so a PUBACK is
sent on its own connection or not at all. An unreachable broker is tried again for ever; while the disk refuses, the
group is kept until it can be written. The process must never log a payload or a key.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tools.centre import mqtt
from tools.centre.ingest.receipts import ReceiptKey
from tools.centre.ingest.warehouse import Answer, Warehouse
from tools.centre.limits import (
    GROUP_MESSAGES_MAX,
    INGEST_SEEN_EVERY_S,
    SESSION_EXPIRY_S,
    SHARED_SESSION_EXPIRY_S,
)
from tools.centre.mqtt import Backoff, log
from tools.centre.store import database
from tools.centre.store.archive import Ingest

TOPICS = ("tc/1/t/#", "tc/1/e/#")
_POLL_S = 0.25
_CLOSE_TURNS = 8
# What a group of ingests has dealt to one that leaves comes within this; the rest cabinets send again.
_LEAVE_TURNS = 40


@dataclass
class BrokerShare(mqtt.BrokerAddress):
    """Holds the broker, and the group of ingests that divide its messages."""

    client_id: str = "ingest-1"
    share: str = "ingest"
    topics: tuple[str, ...] = TOPICS


class IngestDaemon:
    """Runs the loop of the daemon; `run` returns after `stop`."""

    def __init__(
        self,
        warehouse: Warehouse,
        key: ReceiptKey,
        broker: BrokerShare,
        *,
        wait: Callable[[float], None] = time.sleep,
    ):
        self._warehouse = warehouse
        self._key = key
        self._broker = broker
        self._wait = wait
        self._stopping = False
        self._connection = 0  # raised at every CONNACK: names the connection a message id belongs to
        # (connection, message id, QoS, topic, payload), not committed yet
        self._group: list[tuple[int, int, int, str, bytes]] = []
        self._since_unix_s, self._messages = int(time.time()), 0
        self._seen_s = -float(INGEST_SEEN_EVERY_S)
        self._session_s = SESSION_EXPIRY_S
        self._patterns: list[str] = []
        self._broker_backoff = Backoff()
        self._disk_backoff = Backoff()
        self._client = mqtt.new_client(broker)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def stop(self) -> None:
        """Makes `run` return soon; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        while not self._stopping:
            if self._connect():
                self._serve()
        self._close()

    def _connect(self) -> bool:
        try:
            mqtt.connect(self._client, self._broker, session_s=self._session_s)
            return True
        except OSError as error:
            # Includes ssl.SSLError: a wrong certificate may be put right while we wait.
            self._pause("broker-unreachable", error)
            return False

    def _pause(self, what, error):
        delay_s = self._broker_backoff.next_s()
        log(what, error=str(error), retry_delay_s=delay_s)
        self._rest(delay_s)

    def _rest(self, delay_s):
        # In slices, since a signal handler only sets a flag.
        while delay_s > 0 and not self._stopping:
            self._wait(min(_POLL_S, delay_s))
            delay_s -= _POLL_S

    def _serve(self):
        while not self._stopping:
            problem = self._gather()
            self._commit()
            self._note_presence()
            if problem:
                self._pause("broker-lost", problem)
                return

    def _gather(self):
        """Waits for a message, then receives the others that are waiting; returns None, or why the connection ended."""
        timeout_s = _POLL_S
        while True:
            count = len(self._group)
            result = self._client.loop(timeout=timeout_s)
            if result != 0:
                return result.name
            if len(self._group) == count or len(self._group) >= GROUP_MESSAGES_MAX:
                return None
            timeout_s = 0.0

    def _note_presence(self):
        now_s = time.monotonic()
        if now_s - self._seen_s < INGEST_SEEN_EVERY_S:
            return
        self._seen_s = now_s
        with suppress(database.Error):  # a disk that refuses is told by the next commit
            unix_s = int(time.time())
            self._warehouse.note_ingest(Ingest(self._broker.client_id, self._since_unix_s, unix_s, self._messages))
            others = [one for one in self._warehouse.ingests() if one.name != self._broker.client_id]
            session_s = SHARED_SESSION_EXPIRY_S if any(one.is_at_work(unix_s) for one in others) else SESSION_EXPIRY_S
            if session_s != self._session_s:
                log("session", expires_after_s=session_s)
                self._session_s = session_s
                self._client.disconnect()  # it is agreed on by connecting

    def _commit(self):
        if not self._group:
            return
        answers = self._accept([entry[3:] for entry in self._group])
        if answers is None:
            return
        for connection, message_id, qos, *_ in self._group:
            if connection == self._connection:
                self._client.ack(message_id, qos)
        self._messages += len(self._group)
        self._group.clear()
        self._publish(answers)

    def _accept(self, messages) -> list[Answer] | None:
        """Returns what to answer, or None when the disk refused: then the group stays and nothing is acknowledged."""
        try:
            answers = self._warehouse.accept_group(messages, received_unix_s=int(time.time()))
        except database.Error as error:
            delay_s = self._disk_backoff.next_s()
            log("disk-refused", error=str(error), messages=len(messages), retry_delay_s=delay_s)
            self._rest(delay_s)
            return None
        self._disk_backoff.reset()
        return answers

    def _publish(self, answers):
        for answer in answers:
            self._client.publish(answer.topic, self._key.payload(answer), qos=1)

    def _close(self):
        """Commits the group, sends the PUBACKs and receipts that are due, and keeps our session at the broker; it ends
        where other ingests go on."""
        self._commit()
        goes_on = False
        with suppress(database.Error):
            goes_on = self._warehouse.end_ingest(self._broker.client_id, now_s=int(time.time()))
        if goes_on and self._client.is_connected():
            self._empty_queue()
        for _ in range(_CLOSE_TURNS):
            if not self._client.is_connected() or not self._client.want_write():
                break
            self._client.loop(timeout=_POLL_S)
        self._client.disconnect(properties=mqtt.ending() if goes_on else None)
        log("stopped", left_group=goes_on)

    def _empty_queue(self):
        """Has no more dealt to us, and commits what was."""
        self._client.unsubscribe(self._patterns)
        for _ in range(_LEAVE_TURNS):
            if self._gather() is not None or not self._group:
                return
            self._commit()

    # --- called by the client, inside `loop` ---

    def _on_connect(self, client, _userdata, flags, reason, properties):
        if reason.is_failure:
            log("broker-refused", reason=str(reason), remedy="check --client-id, certificate and access rules")
            return
        self._connection += 1
        # Messages that the disk refused were not acknowledged, so the broker sends them again.
        self._group.clear()
        log("connected", session_present=flags.session_present)
        offer = mqtt.report_offer(properties)
        if offer is None:
            client.disconnect()
            return
        # Subscribed on every connection: a restarted Mosquitto 2.0 reports our session as present although it has lost
        # the shared subscriptions.
        prefix = f"$share/{self._broker.share}/" if offer.shares else ""
        self._patterns = [prefix + topic for topic in self._broker.topics]
        client.subscribe([(pattern, 1) for pattern in self._patterns])

    def _on_disconnect(self, _client, _userdata, _flags, reason, _properties):
        self._connection += 1
        log("disconnected", reason=str(reason))

    def _on_subscribe(self, client, _userdata, _mid, reasons, _properties):
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log("subscription-refused", reasons=refused, remedy="allow this client to subscribe to $share")
            client.disconnect()
            return
        self._broker_backoff.reset()
        log("subscribed")

    def _on_message(self, _client, _userdata, message):
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # refused as `topic`, like any other unknown topic
        self._group.append((self._connection, message.mid, message.qos, topic, message.payload))


def run(path: str, key: ReceiptKey, broker: BrokerShare) -> None:
    """Opens the warehouse and serves until SIGTERM or SIGINT."""
    warehouse = Warehouse(path)
    daemon = IngestDaemon(warehouse, key, broker)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    at = f"{broker.host}:{broker.port}"
    log("started", db=path, broker=at, client_id=broker.client_id, receipt_key=key.kid.hex())
    try:
        daemon.run()
    finally:
        warehouse.close()
