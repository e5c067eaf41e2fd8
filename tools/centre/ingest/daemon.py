"""Runs the ingest daemon, between broker and warehouse: receives messages, and acknowledges each only after its commit.

    broker ── $share/ingest/tc/1/e/# ──▶ group ──▶ commit ──▶ PUBACK ──▶ signed receipts      alarms and events
           ── $share/ingest/tc/1/t/# ──▶ group ──▶ commit ──▶ PUBACK ──▶ signed receipts      telemetry

One thread and one loop serve two sessions in turn (`tools.centre.ingest.session`), for a broker hands out what waits
in a session one after the other, and after an outage that is a minute of telemetry. What has come by one is committed,
and only then acknowledged to the broker (MQTT 5, QoS 1). So an alarm waits for the transaction that is under way, which
is bounded in bytes, and for nothing else; the process may be killed at any moment: a message that was not committed is
delivered again, a record that comes twice is recognised by its key, and a gateway sends again what no receipt answers.
Several processes with different client ids may share one warehouse, and its key of receipts; the broker deals the
messages out (`tools.centre.ingest.group`).

While the disk refuses, groups are kept until they can be written. The process must never log a payload or a key.
"""

import signal
import time
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from tools.centre.ingest.receipts import ReceiptKey
from tools.centre.ingest.session import Session, wait
from tools.centre.ingest.warehouse import Answer, Warehouse
from tools.centre.limits import INGEST_SEEN_EVERY_S, SESSION_EXPIRY_S, SHARED_SESSION_EXPIRY_S
from tools.centre.mqtt import Backoff, BrokerAddress, alarms_account, log
from tools.centre.store import database
from tools.centre.store.archive import Ingest

# In the order of `Accounts`.
TOPICS = ("tc/1/e/#", "tc/1/t/#")
_POLL_S = 0.25
# What a group of ingests has dealt to one that leaves comes within this; the rest cabinets send again.
_LEAVE_TURNS = 40


class Accounts(NamedTuple):
    """Holds the broker with the account of each session, in the order in which they are served."""

    alarms: BrokerAddress
    telemetry: BrokerAddress


def accounts(telemetry: BrokerAddress, alarms_pair: tuple[str, str] | None = None) -> Accounts:
    """Returns both accounts; `alarms_pair`: certificate and key of the alarms', where one of telemetry's names it."""
    cert, key = alarms_pair or (telemetry.cert, telemetry.key)
    return Accounts(replace(telemetry, client_id=alarms_account(telemetry.client_id), cert=cert, key=key), telemetry)


class IngestDaemon:
    """Runs the loop of the daemon; `run` returns after `stop`. It is known by the name of its telemetry's account;
    the ingests divide the messages."""

    def __init__(self, warehouse: Warehouse, key: ReceiptKey, broker: Accounts) -> None:
        self._warehouse = warehouse
        self._key = key
        self._name = broker.telemetry.client_id
        self._stopping = False
        self._since_unix_s, self._messages = int(time.time()), 0
        self._seen_s = -float(INGEST_SEEN_EVERY_S)
        self._is_whole = False  # it has both subscriptions
        self._disk_backoff = Backoff()
        self._sessions = [Session(account, topic) for account, topic in zip(broker, TOPICS, strict=True)]

    def stop(self) -> None:
        """Makes `run` return soon; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        while not self._stopping:
            self._note_presence()
            wait(self._sessions, _POLL_S)
            self._turn()
        self._close()

    def _turn(self) -> None:
        for session in self._sessions:
            self._commit(session, session.gather())

    def _note_presence(self) -> None:
        """Notes now and then that this ingest is at work, which it is with both subscriptions, and looks for others."""
        was_whole, self._is_whole = self._is_whole, all(session.is_subscribed for session in self._sessions)
        now_s, unix_s = time.monotonic(), int(time.time())
        if self._is_whole and not was_whole:
            log("subscribed")
        elif now_s - self._seen_s < INGEST_SEEN_EVERY_S:
            return
        self._seen_s = now_s
        with suppress(database.Error):  # a disk that refuses is told by the next commit
            if self._is_whole:
                self._warehouse.note_ingest(Ingest(self._name, self._since_unix_s, unix_s, self._messages))
            others = [one for one in self._warehouse.ingests() if one.name != self._name]
            is_shared = any(one.is_at_work(unix_s) for one in others)
            for session in self._sessions:
                session.expire_after(SHARED_SESSION_EXPIRY_S if is_shared else SESSION_EXPIRY_S)

    def _commit(self, session: Session, messages: list[tuple[str, bytes]]) -> None:
        answers = self._accept(messages) if messages else None
        if answers is None:
            return
        self._messages += len(messages)
        session.acknowledge(len(messages))
        for answer in answers:
            session.publish(answer.topic, self._key.payload(answer))

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

    def _rest(self, delay_s: float) -> None:
        # In slices, since a signal handler only sets a flag.
        while delay_s > 0 and not self._stopping:
            time.sleep(min(_POLL_S, delay_s))
            delay_s -= _POLL_S

    def _close(self) -> None:
        """Sends the PUBACKs and receipts that are due, and keeps our sessions at the broker; they end where other
        ingests go on. What is not committed comes again."""
        goes_on = False
        with suppress(database.Error):
            goes_on = self._warehouse.end_ingest(self._name, now_s=int(time.time()))
        if goes_on:
            self._empty_queues()
        for session in self._sessions:
            session.close(ends=goes_on)
        log("stopped", left_group=goes_on)

    def _empty_queues(self) -> None:
        """Has no more dealt to us, and commits what was."""
        for session in self._sessions:
            session.unsubscribe()
        for _ in range(_LEAVE_TURNS):
            if not wait(self._sessions, _POLL_S):
                return
            self._turn()


def run(path: str, key: ReceiptKey, broker: Accounts) -> None:
    """Opens the warehouse and serves until SIGTERM or SIGINT."""
    warehouse = Warehouse(path)
    daemon = IngestDaemon(warehouse, key, broker)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    own = broker.telemetry
    log("started", db=path, broker=f"{own.host}:{own.port}", client_id=own.client_id, receipt_key=key.kid.hex())
    try:
        daemon.run()
    finally:
        warehouse.close()
