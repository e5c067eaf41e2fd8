"""The control daemon holds the connection to the broker through which `tools.centre.control.dispatch` receives and
sends.

    gateways ── tc/1/{r,s,q}/+/+ ──▶ receive, commit ──▶ PUBACK ──▶ grants, policies, commands ──▶ tc/1/{c,p}/…
                                                                └─▶ certificates that were renewed ──▶ tc/1/k/…

One thread and one loop. What arrives is gathered, committed to the control file and only then acknowledged (MQTT 5, QoS
1, persistent session), so an outcome survives the end of this process. Each connection is a new client that remembers
nothing: what the broker has not acknowledged is dispatched again, with the rest of its time, and nothing is sent while
there is no connection. Retained states come by a wildcard from Mosquitto; RabbitMQ matches them with whole topics only,
so the state of a gateway that we know and that has not come is asked for by its topic, once. An unreachable broker is
tried again for ever; when the disk refuses, the connection is ended, so that the broker delivers everything again. The
process must never log a payload or a key.
"""

import signal
import sqlite3
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tools.centre import mqtt
from tools.centre.control import file, renewals
from tools.centre.control.dispatch import Dispatcher, Message, Name, Publication
from tools.centre.control.file import DaemonLock
from tools.centre.control.outbox import Outbox, path_of
from tools.centre.control.renewals import Renewals
from tools.centre.limits import CONTROL_POLL_S, GROUP_MESSAGES_MAX, PUBLICATIONS_UNACKNOWLEDGED_MAX
from tools.centre.mqtt import Backoff, log

# By then the states that the broker retains have come, where wildcards bring them.
_STATES_WAIT_MS = 3_000
# Topics of one SUBSCRIBE: some 3 kB.
_STATES_ASKED_AT_ONCE = 100
TOPICS = ("tc/1/r/+/+", "tc/1/s/+/+", "tc/1/q/+/+")
_CLOSE_TURNS = 8
_REST_S = 0.25

_About = tuple[bytes, Name]


class ControlDaemon:
    """Runs the loop of the daemon; `run` returns after `stop`."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        address: mqtt.BrokerAddress,
        lock: DaemonLock,
        asked: Renewals,
        *,
        outbox: Outbox | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._address = address
        self._lock = lock
        self._renewals = asked
        self._outbox = outbox
        self._stopping = False
        self._backoff = Backoff()
        self._client = self._new_client()
        self._subscribed = False
        self._states_due_ms: int | None = None
        self._states_asked: dict[int, list[str]] = {}  # by message id
        self._group: list[tuple[int, int, Message]] = []  # message id, QoS, message; not committed yet
        self._unacknowledged: dict[int, _About | None] = {}  # by message id
        self._answered: list[tuple[_About, str | None]] = []  # the broker's answers to commands, not stored yet

    def stop(self) -> None:
        """Makes `run` return soon; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        while not self._stopping:
            problem = self._connect() or self._serve()
            self._lock.report(connected=False, now_s=int(time.time()))
            if problem is not None:
                self._pause(*problem)
        self._close()

    # --- one connection ---------------------------------------------------------------------------------------

    def _connect(self) -> tuple[str, str] | None:
        """Connects to the broker; returns None, or the problem and its text for the log."""
        self._subscribed = False
        self._states_due_ms = None
        self._states_asked.clear()
        self._group.clear()
        self._unacknowledged.clear()
        try:
            self._client = self._new_client()
            mqtt.connect(self._client, self._address)
            return None
        except OSError as error:  # ssl.SSLError too: a wrong certificate may be put right while we wait
            return "broker-unreachable", str(error)

    def _serve(self) -> tuple[str, str] | None:
        while not self._stopping:
            problem = self._gather()
            try:
                self._turn()
            except (sqlite3.Error, OSError) as error:
                self._client.disconnect()
                return "disk-refused", str(error)
            if problem is not None:
                return "broker-lost", problem
            if len(self._unacknowledged) >= PUBLICATIONS_UNACKNOWLEDGED_MAX:
                self._client.disconnect()
                return "broker-lost", "it acknowledges nothing"
        return None

    def _gather(self) -> str | None:
        """Waits for a message, then receives the others that are waiting; returns None, or why the connection ended."""
        timeout_s = CONTROL_POLL_S
        while True:
            count = len(self._group)
            result = self._client.loop(timeout=timeout_s)
            if result != 0:
                return str(result.name)
            if len(self._group) == count or len(self._group) >= GROUP_MESSAGES_MAX:
                return None
            timeout_s = 0.0

    def _turn(self) -> None:
        now = {"now_s": int(time.time()), "now_ms": time.monotonic_ns() // 1_000_000}
        if self._answered:
            self._dispatcher.on_acknowledged(self._answered, now_s=now["now_s"])
            self._answered.clear()
        if self._group:
            messages = [message for _, _, message in self._group]
            asked = self._renewals.receive((one for one in messages if renewals.is_request(one)), now_s=now["now_s"])
            answers = self._dispatcher.receive([one for one in messages if not renewals.is_request(one)], **now)
            for message_id, qos, _ in self._group:
                self._client.ack(message_id, qos)
            self._group.clear()
            self._publish([*answers, *asked])
        if self._outbox is not None:
            self._outbox.fetch(now_s=now["now_s"])
        if self._subscribed and self._client.is_connected():
            self._publish(self._dispatcher.poll(PUBLICATIONS_UNACKNOWLEDGED_MAX - len(self._unacknowledged), **now))
        if self._states_due_ms is not None and now["now_ms"] >= self._states_due_ms:
            self._states_due_ms = None
            self._ask_states()

    def _ask_states(self) -> None:
        topics = self._dispatcher.states_to_ask()
        for start in range(0, len(topics), _STATES_ASKED_AT_ONCE):
            asked = topics[start : start + _STATES_ASKED_AT_ONCE]
            _, mid = self._client.subscribe([(topic, 1) for topic in asked])
            if mid is not None:
                self._states_asked[mid] = asked

    def _publish(self, publications: list[Publication]) -> None:
        if not self._client.is_connected():
            return  # a gateway asks again, and what was due is sent again
        for one in publications:
            properties = Properties(PacketTypes.PUBLISH)
            if one.expiry_s is not None:
                properties.MessageExpiryInterval = one.expiry_s
            info = self._client.publish(one.topic, one.payload, qos=1, retain=one.retain, properties=properties)
            self._unacknowledged[info.mid] = one.about

    def _pause(self, what: str, error: str) -> None:
        delay_s = self._backoff.next_s()
        log(what, error=error, retry_delay_s=delay_s)
        while delay_s > 0 and not self._stopping:  # in slices, since a signal handler only sets a flag
            time.sleep(min(_REST_S, delay_s))
            delay_s -= _REST_S

    def _close(self) -> None:
        """Sends what is written but not sent yet; the broker keeps our session for the next start."""
        for _ in range(_CLOSE_TURNS):
            if not self._client.is_connected() or not self._client.want_write():
                break
            self._client.loop(timeout=_REST_S)
        self._client.disconnect()
        log("stopped")

    # --- called by the client, inside `loop` ---------------------------------------------------------------------

    def _new_client(self) -> Client:
        client = mqtt.new_client(self._address)
        client.on_connect = self._on_connect
        client.on_disconnect = lambda _client, _userdata, _flags, reason, _: log("disconnected", reason=str(reason))
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _on_connect(self, client, _userdata, flags, reason, properties):
        if reason.is_failure:
            log("broker-refused", reason=str(reason), remedy="check --client-id, certificate and access rules")
            return
        log("connected", session_present=flags.session_present)
        if mqtt.report_offer(properties) is None:
            client.disconnect()
            return
        self._dispatcher.on_connected(session_present=flags.session_present)
        client.subscribe([(topic, 1) for topic in TOPICS])

    def _on_subscribe(self, client, _userdata, mid, reasons, _properties):
        if mid in self._states_asked:
            # The answer comes with the subscription, which is of no more use.
            client.unsubscribe(self._states_asked.pop(mid))
            return
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            remedy = f"allow this client to subscribe to {' and '.join(TOPICS)}"
            log("subscription-refused", reasons=refused, remedy=remedy)
            client.disconnect()
            return
        self._subscribed = True
        self._states_due_ms = time.monotonic_ns() // 1_000_000 + _STATES_WAIT_MS
        self._backoff.reset()
        self._lock.report(connected=True, now_s=int(time.time()))
        log("subscribed")

    def _on_message(self, _client, _userdata, message):
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # refused as `topic`, like any other unknown topic
        self._group.append((message.mid, message.qos, Message(topic, message.payload, bool(message.retain))))

    def _on_publish(self, _client, _userdata, mid, reason, _properties):
        about = self._unacknowledged.pop(mid, None)
        # "No matching subscribers": the gateway has no session, so the broker drops the message.
        problem = None if str(reason) == "Success" else str(reason)
        if about is not None:
            self._answered.append((about, problem))
        elif reason.is_failure:
            log("publication-refused", reason=problem, remedy="allow this client to publish on tc/1/c, p and k")


def run(
    path: str, address: mqtt.BrokerAddress, *, lease_s: int, issued: Path | None = None, web: str | None = None
) -> None:
    """Opens the control file and serves until SIGTERM or SIGINT. Raises sqlite3.Error, OSError or ssl.SSLError when it
    cannot start, `file.Busy` when another daemon serves the file. `web`: the web's own database, beside which people's
    orders wait."""
    connection = file.open_to_write(path)
    outbox = None if web is None else Outbox(path_of(web), path, log)
    try:
        broker = f"{address.host}:{address.port}"
        lock = DaemonLock(path, broker)
        lock.report(connected=False, now_s=int(time.time()))
        asked = Renewals(Path(path).parent / renewals.FOLDER, issued)
        dispatcher = Dispatcher(connection, lease_s=lease_s, log=log)
        daemon = ControlDaemon(dispatcher, address, lock, asked, outbox=outbox)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.stop())
        log("started", db=path, broker=broker, client_id=address.client_id, lease_s=lease_s)
        daemon.run()
        lock.close()
    finally:
        if outbox is not None:
            outbox.close()
        connection.close()
