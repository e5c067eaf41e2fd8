"""Decides what the control centre sends: leases to gateways that ask, policies to those behind, commands.

`receive` is given what came from the broker, in one transaction, and returns what to publish; `poll` returns what is to
be published unasked: new commands, new policies. `on_acknowledged` is given the broker's answers to publications. Every
publication may be sent late, twice or never: a grant names the ask, a policy its version, a command its id.

Knows no socket and no clock: `now_s` is Unix time, against which commands expire, `now_ms` monotonic, for pauses. Bytes
from the broker that are none of ours are counted by reason and dropped. sqlite3.Error passes, with nothing accepted.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tools.centre.control import communes, gateways, orders
from tools.centre.control.gateways import Refusals
from tools.centre.limits import (
    NONCES_MAX,
    POLICY_RESEND_S_MAX,
    POLICY_RESEND_S_MIN,
    RESEND_S_MAX,
    RESEND_S_MIN,
    STATE_BYTES_MAX,
)
from tools.centre.store import database
from wire import command
from wire import topic as topics
from wire.faults import WireFault

_STATES = {b"online": True, b"offline": False}
_DELETE_EVERY_MS = 3_600_000
# Why a message is refused, beside the reasons of `wire.command` and `tools.centre.control.orders`.
RETAINED = "retained"
STATE = "state"
STALE_ASK = "ask-stale"

Name = tuple[str, str]  # INSEE code and name of a gateway
Log = Callable[..., None]


class Message(NamedTuple):
    """A message as it came. `retained`: the broker kept it from earlier."""

    topic: str
    payload: bytes
    retained: bool


class Publication(NamedTuple):
    """A message to send with QoS 1. `expiry_s`: the broker forgets it then. `about`: (id, gateway) of a command."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    about: tuple[bytes, Name] | None = None


class _SentPolicy(NamedTuple):
    """The versions that a gateway was sent, when it may be sent them again, and how long it waits after that."""

    versions: tuple[int, int]
    again_ms: int
    delay_s: int


class _SentCommand(NamedTuple):
    """A pending command that was sent: when it may be sent again, and how long it waits after that."""

    again_ms: int
    delay_s: int


class Dispatcher:
    """The decisions on one connection; its owner is one thread. `lease_s`: the longest that is granted."""

    def __init__(self, connection: sqlite3.Connection, *, lease_s: int, log: Log) -> None:
        self._connection = connection
        self._lease_s = lease_s
        self._log = log
        self._notes: list[tuple[str, dict[str, object]]] = []  # for the log, once they are committed
        self._refusals = Refusals(self._note)
        self._nonces: dict[Name, deque[bytes]] = {}
        self._sent_policies: dict[Name, _SentPolicy] = {}
        self._sent_commands: dict[tuple[bytes, Name], _SentCommand] = {}
        self._data_version = -1
        # What may be due: all commands, all policies, the commands of those gateways that came or asked.
        self._check_commands = self._check_policies = True
        self._check_gateways: set[Name] = set()
        self._recall = True
        self._delete_ms: int | None = None

    def on_connected(self, *, session_present: bool) -> None:
        """The broker is reached: what was on its way is not known to have arrived, either way. One without our session
        may have lost what it retained, too."""
        self._sent_commands.clear()
        self._check_commands = self._check_policies = self._recall = True
        if not session_present:
            self._sent_policies.clear()

    # --- what came --------------------------------------------------------------------------------------------

    def receive(self, messages: Iterable[Message], *, now_s: int, now_ms: int) -> list[Publication]:
        """Keep what was reported; the grants and bundles that answer it."""
        asks: dict[Name, command.Ask] = {}
        with self._transaction():
            for message in messages:
                refused = self._accept(message, asks, now_s)
                if refused is not None:
                    self._refusals.add(refused, message.topic, now_ms=now_ms)
            answers = [answer for name, ask in asks.items() for answer in self._answer(name, ask, now_s, now_ms)]
            self._refusals.write(self._connection)
        return answers

    def on_acknowledged(self, answers: Iterable[tuple[tuple[bytes, Name], str | None]], *, now_s: int) -> None:
        """Keep the broker's answers to commands, as (about, problem): None that it accepted one for a gateway."""
        with self._transaction():
            for (id, (insee, gateway)), problem in answers:
                orders.note_sent(self._connection, id, gateway, problem, now_s=now_s)
                self._note("command-sent", command=id.hex(), gateway=f"{insee}-{gateway}", problem=problem)
        self._check_commands = True  # what ends one of them may go now

    def _accept(self, message: Message, asks: dict[Name, command.Ask], now_s: int) -> str | None:
        try:
            kind, *rest = topics.parse(message.topic)
            insee, gateway = rest
            content = _decode(kind, message)
        except WireFault as fault:
            return fault.reason
        speaks = content is not False and not message.retained  # "offline" comes from the broker
        full = gateways.note_seen(self._connection, insee, gateway, speaks=speaks, now_s=now_s)
        if full is not None:
            return full
        if isinstance(content, bool):
            self._note_state((insee, gateway), content, now_s)
            return None
        if isinstance(content, command.Ask):
            return self._accept_ask((insee, gateway), content, asks)
        return self._accept_outcome((insee, gateway), content, now_s)

    def _note_state(self, name: Name, online: bool, now_s: int) -> None:
        if gateways.note_state(self._connection, *name, online, now_s=now_s):
            self._note("gateway-online" if online else "gateway-offline", gateway="-".join(name))
        if online:
            self._check_gateways.add(name)

    def _accept_ask(self, name: Name, ask: command.Ask, asks: dict[Name, command.Ask]) -> str | None:
        nonces = self._nonces.setdefault(name, deque(maxlen=NONCES_MAX))
        if ask.nonce in nonces and ask.nonce != nonces[-1]:
            return STALE_ASK
        if ask.nonce not in nonces:
            nonces.append(ask.nonce)
        asks[name] = ask  # of several that waited, the last
        return None

    def _accept_outcome(self, name: Name, outcome: command.Outcome, now_s: int) -> str | None:
        refused = orders.accept_outcome(self._connection, *name, outcome, now_s=now_s)
        if refused is None:
            about = {"command": outcome.id.hex(), "gateway": "-".join(name), "feeder": outcome.feeder}
            self._note("outcome", **about, outcome=outcome.outcome, why=outcome.why)
        return refused

    def _answer(self, name: Name, ask: command.Ask, now_s: int, now_ms: int) -> list[Publication]:
        granted_s = min(ask.duration_s, self._lease_s)
        gateways.note_ask(self._connection, *name, ask, granted_s, now_s=now_s)
        self._check_gateways.add(name)
        grant = command.encode_grant(command.Grant(ask.nonce, granted_s))
        answers = [Publication(topics.build(topics.COMMAND, *name), grant, expiry_s=granted_s)]
        bundle = self._bundle(name, ask.policy_version, ask.keyset_version, now_ms, is_asked=True)
        return answers if bundle is None else [*answers, bundle]

    # --- what goes unasked ----------------------------------------------------------------------------------

    def poll(self, room: int, *, now_s: int, now_ms: int) -> list[Publication]:
        """The publications that are due, at most `room` of them; the rest comes at the next call."""
        self._delete_old(now_s, now_ms)
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:  # another process wrote: a new command, a new policy
            self._data_version = version
            self._check_commands = self._check_policies = True
        found: list[Publication] = []
        too_early: set[Name] = set()
        if self._check_commands or self._check_gateways:
            found += self._commands(room, too_early, now_s, now_ms)
        if self._recall and len(found) < room:
            self._recall = False
            recalled = orders.unsettled(self._connection, now_s=now_s)[: room - len(found)]
            found += [_publication(one, now_s) for one in recalled]
        if self._check_policies:
            found += self._bundles(room - len(found), now_ms)
        if len(found) < room:
            self._check_commands = self._check_policies = False
            self._check_gateways = too_early
        self._write_notes()
        return found

    def _commands(self, room: int, too_early: set[Name], now_s: int, now_ms: int) -> list[Publication]:
        """The commands that were never sent, and those of gateways that came or asked.

        `too_early` gets the gateways that came a little too soon."""
        pending = orders.pending(self._connection, now_s=now_s)
        found: list[Publication] = []
        for one in pending:
            about = (one.id, (one.insee, one.gateway))
            sent = self._sent_commands.get(about)
            if len(found) == room or (sent is not None and about[1] not in self._check_gateways):
                continue
            if sent is not None and now_ms < sent.again_ms:
                if sent.again_ms - now_ms <= 1000 * RESEND_S_MIN:
                    too_early.add(about[1])
                continue
            delay_s = RESEND_S_MIN if sent is None else min(2 * sent.delay_s, RESEND_S_MAX)
            self._sent_commands[about] = _SentCommand(now_ms + 1000 * delay_s, delay_s)
            found.append(_publication(one, now_s))
        waiting = {(one.id, (one.insee, one.gateway)) for one in pending}
        self._sent_commands = {about: sent for about, sent in self._sent_commands.items() if about in waiting}
        return found

    def _bundles(self, room: int, now_ms: int) -> list[Publication]:
        found: list[Publication] = []
        for one in gateways.list_gateways(self._connection):
            if one.policy_version is None or one.keyset_version is None or len(found) == room:
                continue
            name = (one.insee, one.name)
            bundle = self._bundle(name, one.policy_version, one.keyset_version, now_ms, is_asked=False)
            found += [] if bundle is None else [bundle]
        return found

    def _bundle(
        self, name: Name, policy_version: int, keyset_version: int, now_ms: int, *, is_asked: bool
    ) -> Publication | None:
        """The bundle that a gateway with these versions lacks, unless it was sent a short while ago."""
        bundle = communes.bundle_for(self._connection, name[0], policy_version, keyset_version)
        if bundle is None:
            self._sent_policies.pop(name, None)
            return None
        versions = (bundle.policy_version, bundle.keyset_version)
        sent = self._sent_policies.get(name)
        delay_s = POLICY_RESEND_S_MIN
        if sent is not None and sent.versions == versions:
            if not is_asked or now_ms < sent.again_ms:
                return None
            delay_s = min(2 * sent.delay_s, POLICY_RESEND_S_MAX)
        self._sent_policies[name] = _SentPolicy(versions, now_ms + 1000 * delay_s, delay_s)
        self._note("policy-sent", gateway="-".join(name), policy=versions[0], keyset=versions[1])
        return Publication(topics.build(topics.POLICY, *name), bundle.payload, retain=True)

    def _delete_old(self, now_s: int, now_ms: int) -> None:
        if self._delete_ms is None or now_ms >= self._delete_ms:
            self._delete_ms = now_ms + _DELETE_EVERY_MS
            with self._transaction():
                orders.delete_old(self._connection, now_s=now_s)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._notes.clear()
        with database.transaction(self._connection):
            yield
        self._write_notes()

    def _note(self, what: str, **fields: object) -> None:
        self._notes.append((what, fields))

    def _write_notes(self) -> None:
        for what, fields in self._notes:
            self._log(what, **fields)
        self._notes.clear()


def _publication(one: orders.PendingOrder, now_s: int) -> Publication:
    """The message of a command, which the broker forgets when the command has expired."""
    to = topics.build(topics.COMMAND, one.insee, one.gateway)
    return Publication(to, one.signed, expiry_s=one.expires_s - now_s, about=(one.id, (one.insee, one.gateway)))


def _decode(kind: str, message: Message) -> bool | command.Ask | command.Outcome:
    """The content of a message: online or not, an ask, an outcome. WireFault for anything else."""
    if kind not in (topics.STATE, topics.OUTCOME):
        raise WireFault("topic")
    if kind == topics.STATE:
        if len(message.payload) > STATE_BYTES_MAX or bytes(message.payload) not in _STATES:
            raise WireFault(STATE)
        return _STATES[bytes(message.payload)]
    if message.retained:
        raise WireFault(RETAINED)
    return command.decode_reply(message.payload)
