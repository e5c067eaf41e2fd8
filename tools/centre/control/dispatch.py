"""Decides what the control centre sends: leases to gateways that ask, policies to those that hold an older one,
commands.

`receive` accepts messages from the broker, in one transaction, and returns what to publish in answer; `poll` returns
what to publish unasked: new commands, new policies. `on_acknowledged` accepts the broker's answers to publications.
Every publication may be sent late, twice or never: a grant names the ask that it answers, a policy its version, a
command its id.

Must use no socket and no clock: `now_s` is Unix time, by which commands expire, `now_ms` is monotonic, for pauses.
Messages that are not valid are counted by reason and dropped. sqlite3.Error passes to the caller, and nothing is
accepted.
"""

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
from tools.centre.store import database, sqlite_file
from wire import command
from wire import topic as topics
from wire.faults import WireFault

_STATES = {b"online": True, b"offline": False}
_DELETE_EVERY_MS = 3_600_000
# Reasons to refuse a message, beside those of `wire.command` and `tools.centre.control.orders`.
RETAINED = "retained"
STATE = "state"
STALE_ASK = "ask-stale"

Name = tuple[str, str]  # INSEE code and name of a gateway
Log = Callable[..., None]


class Message(NamedTuple):
    """Holds a message from the broker. `retained`: the broker had kept it from earlier."""

    topic: str
    payload: bytes
    retained: bool


class Publication(NamedTuple):
    """Holds a message to send with QoS 1. `expiry_s`: the broker drops it after that. `about`: (id, gateway) of a
    command."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    about: tuple[bytes, Name] | None = None


class _SentPolicy(NamedTuple):
    """Holds the versions that a gateway was sent, the time from which they may be sent again, and the delay after
    that."""

    versions: tuple[int, int]
    again_ms: int
    delay_s: int


class _SentCommand(NamedTuple):
    """Holds a pending command that was sent: the time from which it may be sent again, and the delay after that."""

    again_ms: int
    delay_s: int


class Dispatcher:
    """Makes the decisions, on one connection and from one thread. `lease_s`: the longest lease that is granted."""

    def __init__(self, connection: sqlite_file.Connection, *, lease_s: int, log: Log) -> None:
        self._connection = connection
        self._lease_s = lease_s
        self._log = log
        self._notes: list[tuple[str, dict[str, object]]] = []  # for the log, written after the commit
        self._refusals = Refusals(self._note)
        self._nonces: dict[Name, deque[bytes]] = {}
        self._sent_policies: dict[Name, _SentPolicy] = {}
        self._sent_commands: dict[tuple[bytes, Name], _SentCommand] = {}
        self._data_version = -1
        # What to check at the next poll: all commands, all policies, the commands of the gateways that came online or
        # asked.
        self._check_commands = self._check_policies = True
        self._check_gateways: set[Name] = set()
        # Orders that gateways have accepted: asked of all of them, of those that came online, or waiting for room.
        self._recall_all = True
        self._recall_of: set[Name] = set()
        self._recalled: list[orders.PendingOrder] = []
        self._delete_ms: int | None = None
        self._states_heard: set[Name] = set()  # on this connection

    def on_connected(self, *, session_present: bool) -> None:
        """Notes that the broker is reached: it is unknown whether what was under way has arrived, so it is sent again.
        A broker without our session may have lost what it retained, too."""
        self._sent_commands.clear()
        self._states_heard.clear()
        self._check_commands = self._check_policies = self._recall_all = True
        if not session_present:
            self._sent_policies.clear()

    def states_to_ask(self) -> list[str]:
        """Returns the topics of the states that this connection has not brought, of gateways that we know."""
        known = ((one.insee, one.name) for one in gateways.list_gateways(self._connection))
        return [topics.build(topics.STATE, *name) for name in known if name not in self._states_heard]

    # --- what came --------------------------------------------------------------------------------------------

    def receive(self, messages: Iterable[Message], *, now_s: int, now_ms: int) -> list[Publication]:
        """Keeps what gateways reported; returns the grants and bundles that answer them."""
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
        """Keeps the broker's answers to commands, as (about, problem); problem None: it accepted the command for a
        gateway."""
        with self._transaction():
            for (id, (insee, gateway)), problem in answers:
                orders.note_sent(self._connection, id, gateway, problem, now_s=now_s)
                self._note("command-sent", command=id.hex(), gateway=f"{insee}-{gateway}", problem=problem)
        self._check_commands = True  # a command that ends one of them may be sent now

    def _accept(self, message: Message, asks: dict[Name, command.Ask], now_s: int) -> str | None:
        try:
            kind, *rest = topics.parse(message.topic)
            insee, gateway = rest
            content = _decode(kind, message)
        except WireFault as fault:
            return fault.reason
        is_own = content is not False and not message.retained  # "offline" comes from the broker
        full = gateways.note_seen(self._connection, insee, gateway, is_own=is_own, now_s=now_s)
        if full is not None:
            return full
        if isinstance(content, bool):
            self._note_state((insee, gateway), content, now_s)
            if is_own:
                self._recall_of.add((insee, gateway))
            return None
        if isinstance(content, command.Ask):
            return self._accept_ask((insee, gateway), content, asks)
        return self._accept_outcome((insee, gateway), content, now_s)

    def _note_state(self, name: Name, online: bool, now_s: int) -> None:
        self._states_heard.add(name)
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
        asks[name] = ask  # of several that are waiting, the last counts
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
        """Returns the publications that are due, at most `room` of them; the others follow at the next call."""
        self._delete_old(now_s, now_ms)
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:  # another process wrote: a new command, a new policy
            self._data_version = version
            self._check_commands = self._check_policies = True
        found: list[Publication] = []
        too_early: set[Name] = set()
        if self._check_commands or self._check_gateways:
            found += self._commands(room, too_early, now_s, now_ms)
        found += self._recalls(room - len(found), now_s)
        if self._check_policies:
            found += self._bundles(room - len(found), now_ms)
        if len(found) < room:
            self._check_commands = self._check_policies = False
            self._check_gateways = too_early
        self._write_notes()
        return found

    def _commands(self, room: int, too_early: set[Name], now_s: int, now_ms: int) -> list[Publication]:
        """Returns the commands that were never sent, and those of gateways that came online or asked.

        Adds to `too_early` the gateways whose pause is not over, but will be soon."""
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

    def _recalls(self, room: int, now_s: int) -> list[Publication]:
        """Returns once more the commands that gateways have accepted: what they reported of them may be lost."""
        if self._recall_all or self._recall_of:
            accepted = orders.under_way(self._connection, now_s=now_s)
            names = self._recall_of
            self._recalled += [one for one in accepted if self._recall_all or (one.insee, one.gateway) in names]
            self._recall_all, self._recall_of = False, set()
        due, self._recalled = self._recalled[:room], self._recalled[room:]
        return [_publication(one, now_s) for one in due if one.expires_s > now_s]

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
        """Returns the bundle that a gateway with these versions lacks; None when it was sent that a short while ago."""
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
    """Returns the message of a command; the broker drops it when the command has expired."""
    to = topics.build(topics.COMMAND, one.insee, one.gateway)
    return Publication(to, one.signed, expiry_s=one.expires_s - now_s, about=(one.id, (one.insee, one.gateway)))


def _decode(kind: str, message: Message) -> bool | command.Ask | command.Outcome:
    """Returns the content of a message: True for online, False for offline, an ask, or an outcome. WireFault for
    anything else."""
    if kind not in (topics.STATE, topics.OUTCOME):
        raise WireFault("topic")
    if kind == topics.STATE:
        if len(message.payload) > STATE_BYTES_MAX or bytes(message.payload) not in _STATES:
            raise WireFault(STATE)
        return _STATES[bytes(message.payload)]
    if message.retained:
        raise WireFault(RETAINED)
    return command.decode_reply(message.payload)
