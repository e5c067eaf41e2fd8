"""Joins the gateway's decisions: node link, inbox, journal, uplink, cabinet. Events in, effects out.

The shell (`gateway/agent.py`, or the simulator) reports datagrams, finished syncs, the broker's connection, PUBACKs,
messages and the clock, passes the time with each call, calls `poll` after each event and when `deadline_ms` has come,
and carries out the effects that `drain_effects` returns. What it reports to a part directly (an order of the
technician's page, a directive, counted bytes) it completes with `make_all_due`. One owner, one thread. It must not open
a socket or read a clock.

The order matters in one place only: a node's 2.04 leaves after the flush that made its records durable.

Long because every event of the shell and every part of the core meet here.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from gateway.core.bearers.bearers import BearerEffect, Bearers
from gateway.core.bearers.connection import UNBOUND
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.cabinet.equipment import Observation, SetContactor, Watchdog
from gateway.core.cabinet.reports import GatewayServices
from gateway.core.campaigns.campaign import Plan
from gateway.core.campaigns.campaigns import Campaigns
from gateway.core.custody.disk import Disk, SharedFolder, Ticket
from gateway.core.custody.inventory import Inventory
from gateway.core.custody.journal import Journal, RecoveryReport, Refused
from gateway.core.custody.ledger import Ledger
from gateway.core.custody.thinning import Thinner
from gateway.core.deadlines import NEVER, earliest
from gateway.core.directives.directives import DirectiveService
from gateway.core.inbox.anchors import BootAnchors
from gateway.core.inbox.fair_use import FairUse, Use
from gateway.core.inbox.inbox import Inbox
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.inbox.plausibility import PlausibilityCheck
from gateway.core.link.downlink import Downlink
from gateway.core.link.images import NodeImage, NodeImages
from gateway.core.link.link import Link, LinkEvent, NodeRequest
from gateway.core.link.sessions import NodeKey
from gateway.core.options import Options, Start
from gateway.core.own_records import OwnRecords
from gateway.core.placement import Placements
from gateway.core.refused_store import RefusedStore
from gateway.core.uplink.batch import Publication
from gateway.core.uplink.receipts import ReceiptCheck
from gateway.core.uplink.uplink import Uplink
from gateway.core.wallclock import WallClock
from policy.keyset import KeySet
from wire import coap_message, event, record, topic
from wire.faults import WireFault
from wire.record import EventBody, Record

KIND = "gateway"

__all__ = ["KIND", "Effect", "Gateway", "Log", "Options", "Send", "Start"]

# The token of messages whose PUBACK is not waited for; the tokens of batches count from 1.
_NO_TOKEN = 0
# Deadlines that are over: one that is to be asked for again, and one that an event has made so, which goes before it.
_UNKNOWN, _DUE = 0, -1
_SERVICE_UNAVAILABLE = 0xA3
_TOO_MANY_REQUESTS = 0x9D  # RFC 8516
_PATHS = ((b"t",), (b"e",), (b"b",))


class Send(NamedTuple):
    """Sends one datagram to a node."""

    peer: Any
    datagram: bytes


class Log(NamedTuple):
    """Writes one line to the operator's log: a stable word and plain values, never a secret."""

    what: str
    values: dict[str, Any]


Effect = Send | Publication | BearerEffect | SetContactor | Watchdog | Log


class Gateway:
    """Accepts events and returns effects. Call `start` once, first."""

    def __init__(
        self,
        options: Options,
        start: Start,
        *,
        journal_disk: Disk,
        state_disk: Disk,
        keys: Iterable[NodeKey] = (),
        cipher: Any = None,
        random_below: Callable[[int], int],
        verify: Callable[[bytes, bytes, bytes], bool] = lambda _key, _signature, _data: False,
        now_ms: int,
    ) -> None:
        self._options, self._start, self._random_below = options, start, random_below
        self.clock = WallClock(started_ms=now_ms)
        self.inventory = Inventory(state_disk)
        self.journal = Journal(
            journal_disk,
            epoch=start.epoch,
            inventory=self.inventory,
            segment_bytes_max=options.segment_bytes_max,
            journal_bytes_max=options.journal_bytes_max,
            alarm_reserve_bytes=options.alarm_reserve_bytes,
        )
        self.refused = RefusedStore(state_disk)
        self.ledger = Ledger(state_disk)
        self.own = OwnRecords(
            self.journal,
            self.ledger,
            self.clock,
            node=options.gateway,
            boot=start.boot,
            ask_flush=partial(self._ask_flush, options.commit_ms),
            keep=self._keep_refused,
            log=self._log,
        )
        self.fair_use = FairUse(options.fair_use_percent, self.own.report, SharedFolder(state_disk, "fair-use"))
        self.inbox = Inbox(self.journal, self.own.append, self._witness, self.fair_use)
        self.known_nodes = KnownNodes(SharedFolder(state_disk, "nodes"))
        self.plausibility = PlausibilityCheck(self.clock, self.known_nodes, self.own.try_report)
        self.anchors = BootAnchors(self.clock, self.own.try_report, self.own.report, boot=start.boot)
        explain, loss_time = self.own.explain, self.own.loss_time
        flush = partial(self._ask_flush, 0)
        self.thinner = Thinner(self.journal, self.ledger, explain=explain, flush=flush, loss_time=loss_time)
        self.uplink = self._make_uplink(options, start)
        self.link = Link(keys, cipher, random_below=random_below, ack_timeout_ms=options.ack_timeout_ms)
        self.downlink = Downlink(self.link, self.clock, {} if options.cabinet is None else options.cabinet.nodes())
        self._effects: list[Effect] = []
        self._started_ms = now_ms
        self._flush_at_ms = NEVER
        self._records_due_ms = self._others_due_ms = _DUE  # see `deadline_ms`
        self.bearers = self._make_bearers(options, state_disk)
        self.cabinet = self._make_cabinet(options, state_disk, verify)
        self.campaigns = Campaigns(state_disk, self.clock, self.known_nodes, self.cabinet, self.own.report)
        self.images = NodeImages(self.link, self.campaigns.judge)
        self.placements = self._make_placements(state_disk)
        self.receipts = ReceiptCheck(options.gateway, self._keyset, verify, self.own.try_report)
        self.directive_service = self._make_directive_service(options, state_disk)
        self._malformed = 0  # datagrams so far that were not CoAP
        self.counters = {"unknown-path": 0, "messages-refused": 0}

    def _make_uplink(self, options: Options, start: Start) -> Uplink:
        return Uplink(
            self.journal,
            gateway=options.gateway,
            epoch=start.epoch,
            insee=options.insee,
            name=options.name,
            batch_age_ms=options.batch_age_ms,
            batch_records_max=options.batch_records_max,
            window_max=options.window_max,
            on_lost=self.own.explain_hole,
            on_quarantined=self.own.explain_quarantined,
        )

    def _make_bearers(self, options: Options, state_disk: Disk) -> Bearers:
        return Bearers(
            options.bearers,
            reconnect_last_ms=options.reconnect_last_ms,
            disk=state_disk,
            clock=self.clock,
            random_below=self._random_below,
            log=self._log,
            report=self.own.report,
            now_ms=self._started_ms,
        )

    def _make_cabinet(
        self, options: Options, state_disk: Disk, verify: Callable[[bytes, bytes, bytes], bool]
    ) -> Cabinet | None:
        if options.cabinet is None:
            return None
        shared = GatewayServices(
            own=self.own,
            clock=self.clock,
            disk=state_disk,
            verify=verify,
            keyset=options.keyset,
            random_below=self._random_below,
            log=self._log,
            publish=self._publish,
            keep_refused=self._keep_refused,
        )
        return Cabinet(options.cabinet, shared, insee=options.insee, gateway=options.name, now_ms=self._started_ms)

    def _make_placements(self, state_disk: Disk) -> Placements | None:
        if self.cabinet is None:
            return None
        return Placements(
            self.link,
            self.downlink,
            self.known_nodes,
            self.clock,
            self.cabinet,
            self.own,
            SharedFolder(state_disk, "places"),
            self._random_below,
        )

    def _make_directive_service(self, options: Options, state_disk: Disk) -> DirectiveService:
        return DirectiveService(
            state_disk, self.clock, self.cabinet, groups=options.node_groups(), own=self.own, log=self._log
        )

    def _keyset(self) -> KeySet | None:
        """Return the key set in force: in a cabinet a later one may have come from the centre."""
        return self._options.keyset if self.cabinet is None else self.cabinet.policies.keyset

    def start(self, *, now_ms: int) -> RecoveryReport:
        """Recover the journal, open this epoch and report the boot."""
        recovery = self.journal.recover()
        detail = [self._start.previous, None, self._start.cause, KIND, self._start.version]
        self.own.report(EventBody(event.BOOT, None, detail), now_ms=now_ms)
        self.fair_use.start(now_ms=now_ms)
        self.known_nodes.start()
        self.known_nodes.keep_only(self.link.sessions.nodes())
        self.campaigns.start()
        kept = self.directive_service.start()
        if self.cabinet is not None:
            self.cabinet.start(kept=kept, now_ms=now_ms)
        return recovery

    # --- events -------------------------------------------------------------------------------------------------

    def on_datagram(self, datagram: bytes, peer: Any, *, now_ms: int) -> None:
        """Receive bytes from the node link. The cabinet acts at once on what a node reports, all other parts when its
        records are durable, or at their time."""
        self._plan_anew()
        found = self.link.receive(datagram, peer, now_ms=now_ms)
        for heard in found:
            self._on_heard(heard, now_ms)
        if not found and self.link.malformed() > self._malformed:
            self._malformed += 1
            self._keep_refused("malformed", peer, datagram, now_ms=now_ms)
        if self.cabinet is not None:
            self._poll_cabinet(self.cabinet, now_ms)

    def on_keys(self, keys: Iterable[NodeKey], *, now_ms: int) -> None:
        """Replace the set of nodes that belong here, after an operator has adopted a node or taken one away."""
        self.make_all_due()
        self.link.sessions.set_keys(keys)
        self.known_nodes.keep_only(self.link.sessions.nodes())
        self.directive_service.directives.keep_only(self.link.sessions.nodes())

    def on_programs(self, images: Iterable[NodeImage], plans: Iterable[Plan], *, now_ms: int) -> None:
        """Replace the programs for nodes, and the campaigns that bring them, after a person has changed either."""
        self.make_all_due()
        self.images.set_images(images)
        self.campaigns.set_plans(plans, now_ms=now_ms)

    def on_synced(self, ticket: Ticket, error: str | None, *, now_ms: int) -> None:
        """Answer the nodes whose records a flush has made durable."""
        if error is not None:
            self._log("journal-sync-failed", error=error)
            self._ask_flush(1000, now_ms=now_ms)
        self.inbox.advance(self.journal.on_synced(ticket, error))
        self._settle(now_ms)
        self._records_due_ms = _DUE

    def on_state_synced(self, ticket: Ticket, error: str | None, *, now_ms: int) -> None:
        """Pass on the end of a sync of the state disk: inventory, ledger and directives wait for their own syncs."""
        self._records_due_ms = _DUE
        if error is not None:
            self._others_due_ms = _DUE  # directives are to be written again
        self.journal.on_state_synced(ticket, error)
        self.ledger.on_synced(ticket, error)
        self.directive_service.directives.on_synced(ticket, error, now_ms=now_ms)

    def on_connected(self, receive_max: int, bearer: str = UNBOUND.name, *, now_ms: int) -> None:
        """Note that the broker has accepted a connection over `bearer`; it replaces the one that carried until now."""
        self.make_all_due()
        if self.bearers.connected(bearer, now_ms=now_ms):
            self.uplink.connected(receive_max, now_ms=now_ms)
            if self.cabinet is not None:
                self.cabinet.on_connected(now_ms=now_ms)
            self._log("connected", receive_max=receive_max, bearer=bearer)

    def on_disconnected(self, why: str, bearer: str = UNBOUND.name, *, now_ms: int) -> None:
        """Note that a connection has ended or was never established. `bearers` decides when to retry and over which
        one."""
        self.make_all_due()
        if not self.bearers.disconnected(bearer, why, now_ms=now_ms):
            self.uplink.disconnected()

    def on_probed(self, bearer: str, is_good: bool, rtt_ms: int | None, *, now_ms: int) -> None:
        """Note the outcome of a `Probe`; `rtt_ms` of a good one."""
        if self.bearers.connection.probed(bearer, is_good, rtt_ms, now_ms=now_ms):
            self.make_all_due()

    def on_puback(self, token: int, reason_code: int, *, now_ms: int) -> None:
        """Pass on that the broker has accepted, or refused, a publication."""
        self._records_due_ms = _DUE
        if token != _NO_TOKEN:
            self.uplink.acknowledged(token, reason_code, now_ms=now_ms)

    def on_observation(self, seen: Observation, *, now_ms: int) -> None:
        """Observe what is wired in the cabinet, and decide by it. Call it only where there is a cabinet."""
        assert self.cabinet is not None
        self._plan_anew()
        self.cabinet.on_observation(seen, now_ms=now_ms)
        self._poll_cabinet(self.cabinet, now_ms)

    def on_clock(self, unix_ms: int | None, uncertainty_s: int, *, is_disciplined: bool = True, now_ms: int) -> None:
        """Observe the system clock, as `WallClock.observe`; a time that is as it was carried makes nothing due."""
        clock = self.clock
        before = clock.good_since_ms, clock.steps, clock.uncertainty_s
        clock.observe(unix_ms, uncertainty_s, is_disciplined=is_disciplined, now_ms=now_ms)
        if before != (clock.good_since_ms, clock.steps, clock.uncertainty_s):
            self.make_all_due()

    def on_message(self, name: str, payload: bytes, is_retained: bool = False, *, now_ms: int) -> None:
        """Receive a message from the centre: receipts, and where there is a cabinet commands, leases and policies.

        `is_retained`: the broker kept the message for later subscribers, so the time at which it was meant is unknown.
        """
        self._records_due_ms = _DUE
        try:
            kind = topic.parse(name).kind
            if self.cabinet is not None and kind in (topic.COMMAND, topic.POLICY):
                self.make_all_due()
                if kind == topic.COMMAND:
                    self.cabinet.on_control(payload, is_retained=is_retained, now_ms=now_ms)
                else:
                    self.cabinet.on_bundle(payload, now_ms=now_ms)
                return
            if kind != topic.RECEIPT:
                raise WireFault("topic")
            message = self.receipts.open(payload, now_ms=now_ms)
        except WireFault as fault:
            self.counters["messages-refused"] += 1
            self._keep_refused(f"message-{fault.reason}", name, payload, now_ms=now_ms)
            return
        self.receipts.note_altered(self.uplink.receive(message, now_ms=now_ms), now_ms=now_ms)

    def make_all_due(self) -> None:
        """Have the next `poll` ask all parts, not only those whose time has come."""
        self._records_due_ms = self._others_due_ms = _DUE

    def poll(self, *, now_ms: int) -> None:
        """Do what is due, by time or by what was reported. Mostly that is a probe, a flush or records that move on, and
        all other parts stay as they are."""
        if now_ms < self.deadline_ms(now_ms=now_ms):
            return
        is_all_due = now_ms >= self._others_due_ms
        self._effects += self.bearers.poll(now_ms=now_ms)
        if is_all_due or now_ms >= self._records_due_ms:
            self._poll_records(now_ms)
        if now_ms >= self._others_due_ms:  # or a node has answered a request of ours
            self._poll_others(now_ms)
        self._flush(now_ms)

    def _poll_records(self, now_ms: int) -> None:
        """Let the parts act that move records on: from nodes, to the centre, out of a full journal."""
        self._records_due_ms = _UNKNOWN
        for heard in self.link.poll(now_ms=now_ms):
            self._others_due_ms = _DUE
            self._on_heard(heard, now_ms)
        if self.bearers.connection.active is not None:  # what was spared keeps its place until a bearer carries it
            self.uplink.allow(self.bearers.policy(), surplus=self.bearers.passes_surplus())
        self._effects += self.uplink.poll(now_ms=now_ms)
        self.thinner.poll(now_ms=now_ms)

    def _poll_others(self, now_ms: int) -> None:
        self._records_due_ms = self._others_due_ms = _UNKNOWN
        if self.cabinet is not None:
            self._poll_cabinet(self.cabinet, now_ms)
        self.directive_service.poll(now_ms=now_ms)
        self.known_nodes.poll(now_ms=now_ms)
        self.campaigns.poll(now_ms=now_ms)
        self.anchors.poll(now_ms=now_ms)
        self.fair_use.poll(now_ms=now_ms)
        self.own.poll(now_ms=now_ms)

    def _poll_cabinet(self, cabinet: Cabinet, now_ms: int) -> None:
        """Let the cabinet decide, and tell nodes the orders that are in force by it."""
        self._effects += cabinet.poll(is_metered=self.bearers.is_metered(), now_ms=now_ms)
        wanted = cabinet.orders_for_nodes(self.downlink.feeders, now_ms=now_ms)
        self.downlink.set_orders(wanted, now_ms=now_ms)
        self.downlink.poll(now_ms=now_ms)

    def _flush(self, now_ms: int) -> None:
        if now_ms < self._flush_at_ms:
            return
        self._flush_at_ms = NEVER
        self.journal.flush()
        # Where everything was durable already (a node repeats itself), no later sync will settle these exchanges.
        self._settle(now_ms)

    # --- effects ------------------------------------------------------------------------------------------------

    def drain_effects(self) -> list[Effect]:
        """Return the effects that the shell is to carry out, in order, and empty the queue."""
        effects, self._effects = self._effects, []
        return [*[Send(peer, datagram) for peer, datagram in self.link.outgoing()], *effects]

    def deadline_ms(self, *, now_ms: int) -> int:
        """Return when `poll` is due at the latest; NEVER: only an event will make it due."""
        # In two groups: the parts in which records move on, and all others but bearers and flush.
        if self._records_due_ms == _UNKNOWN:
            records = self.link.deadline_ms(), self.uplink.deadline_ms(), self.thinner.deadline_ms(), NEVER
            self._records_due_ms = earliest(records) or _UNKNOWN
        if self._others_due_ms == _UNKNOWN:
            others = (
                self.downlink.deadline_ms(),
                self.directive_service.directives.deadline_ms(now_ms=now_ms),
                self.known_nodes.deadline_ms(),
                self.campaigns.deadline_ms(),
                self.anchors.deadline_ms(),
                self.fair_use.deadline_ms(),
                self.own.deadline_ms(),
                None if self.cabinet is None else self.cabinet.deadline_ms(now_ms=now_ms),
                NEVER,
            )
            self._others_due_ms = earliest(others) or _UNKNOWN
        bearers_ms = self.bearers.deadline_ms()
        bearers_ms = NEVER if bearers_ms is None else bearers_ms
        return min(bearers_ms, self._flush_at_ms, self._records_due_ms, self._others_due_ms)

    def connection_topics(self) -> list[str]:
        """Return the topics that the shell subscribes to after each connection."""
        kinds = (topic.RECEIPT,) if self.cabinet is None else (topic.RECEIPT, topic.COMMAND, topic.POLICY)
        return [topic.build(kind, self._options.insee, self._options.name) for kind in kinds]

    def health(self, *, now_ms: int) -> dict[str, Any]:
        """Return the counters of every part, for the log and the status page."""
        return {
            "gateway": {**self.counters, "own-refused": self.own.refused, "image-requests": self.images.asked},
            "link": {name: count for name, count in self.link.counters.items() if count},
            "downlink": {name: count for name, count in self.downlink.health().items() if count},
            "directives": {name: count for name, count in self.directive_service.directives.health().items() if count},
            "inbox": dict(self.inbox.counters),
            "fair-use": dict(self.fair_use.counters),
            "scrutiny": dict(self.plausibility.counters),
            "time": {"steps": self.clock.steps, **self.anchors.counters},
            "uplink": dict(self.uplink.counters),
            "receipts": dict(self.receipts.counters),
            **self.bearers.health(),
            "refused": dict(self.refused.counters),
            "nodes": len(self.known_nodes),
            "unknown_nodes": self.unknown_nodes(now_ms=now_ms),
            "journal_bytes": self.journal.bytes_held,
            "wear": self.journal.wear(lasted_ms=now_ms - self._started_ms),
            "inventory": dict(self.inventory.counters),
            "thinning": dict(self.thinner.counters),
            "losses": dict(self.ledger.totals),
            "ledger": dict(self.ledger.counters),
            **({} if self.cabinet is None else {"cabinet": self.cabinet.health()}),
            "waiting": sum(self.journal.waiting(stream) for stream in self.journal.streams()),
        }

    def unknown_nodes(self, *, now_ms: int) -> list[dict[str, Any]]:
        return self.link.unknown_nodes(now_ms=now_ms)

    # --- inside -------------------------------------------------------------------------------------------------

    def _on_heard(self, request: LinkEvent, now_ms: int) -> None:
        if self.downlink.handle(request, now_ms=now_ms) or self.images.handle(request, now_ms=now_ms):
            return
        assert isinstance(request, NodeRequest)
        node = request.node
        if self.directive_service.directives.is_question(request):
            self.downlink.observe_other(node)
            code, payload = self.directive_service.answer(request, now_ms=now_ms)
            self.link.respond(request.exchange, code, payload, now_ms=now_ms)
            return
        if request.path not in _PATHS or request.code != coap_message.POST:
            self.counters["unknown-path"] += 1
            self._keep_refused("unknown-path", request.peer, request.payload, now_ms=now_ms)
            self.link.respond(request.exchange, coap_message.NOT_FOUND, now_ms=now_ms)
            return
        if not request.payload:
            # A node without a clock asks for the time: there is no record to keep, so no sync to wait for.
            self._answer(request.exchange, now_ms)
            return
        outcome = self.inbox.accept(node, request.payload, request.exchange, now_ms=now_ms)
        if isinstance(outcome, Refused | Use):
            if isinstance(outcome, Refused):  # a thief must not fill the log
                self._log("record-refused", node=node.hex(), why=outcome.value)
            code = _SERVICE_UNAVAILABLE if isinstance(outcome, Refused) else _TOO_MANY_REQUESTS
            self.link.respond(request.exchange, code, now_ms=now_ms)
            # The records before the refused one are written: an alarm among them is sent to the centre all the same.
            self._ask_flush(0, now_ms=now_ms)
            return
        if not outcome.records:
            self._keep_refused("undecodable", request.peer, request.payload, now_ms=now_ms)
        self.known_nodes.observe(node, outcome.records, now_ms=now_ms)
        self.campaigns.observe(node, outcome.records, now_ms=now_ms)
        self._ask_flush(0 if outcome.urgent else self._options.commit_ms, now_ms=now_ms)

    def _witness(self, node: bytes, made: Record, conflicts: bool, *, now_ms: int) -> None:
        """Observe a record that was journaled for the first time."""
        self.anchors.observe(node, made, now_ms=now_ms)
        self.plausibility.observe(node, made, now_ms=now_ms)
        if self.placements is not None:
            self.placements.observe(node, made)
        if self.cabinet is not None:
            self.cabinet.outcomes.observe_node(node, made)
        if conflicts:
            self.plausibility.conflict(node, made, now_ms=now_ms)

    def _plan_anew(self) -> None:
        """Have the deadlines asked for again, of what an event has not made due already."""
        self._records_due_ms = min(self._records_due_ms, _UNKNOWN)
        self._others_due_ms = min(self._others_due_ms, _UNKNOWN)

    def _settle(self, now_ms: int) -> None:
        self._records_due_ms = min(self._records_due_ms, _UNKNOWN)
        for exchange in self.inbox.drain_settled():
            self._answer(exchange, now_ms)

    def _answer(self, exchange: int, now_ms: int) -> None:
        lease_s = None if self.cabinet is None else self.cabinet.lease_left_s(now_ms=now_ms)
        answer = self.clock.answer(lease_s, self.downlink.waiting_for(exchange), now_ms=now_ms)
        self.link.respond(exchange, coap_message.CHANGED, record.encode_answer(answer), now_ms=now_ms)

    def _ask_flush(self, delay_ms: int, *, now_ms: int) -> None:
        """Set when to flush: the first record of a group sets the time, an alarm brings it forward."""
        self._flush_at_ms = min(self._flush_at_ms, now_ms + delay_ms)

    def _publish(self, kind: str, payload: bytes, expiry_s: int) -> None:
        """Publish a message that nothing depends on; without a connection it is dropped."""
        if self.bearers.connection.active is not None:
            name = topic.build(kind, self._options.insee, self._options.name)
            self._effects.append(Publication(_NO_TOKEN, name, payload, expiry_s=expiry_s))

    def _keep_refused(self, why: str, source: Any, data: bytes, *, now_ms: int) -> None:
        unix_s = self.clock.unix_s(now_ms=now_ms)
        self.refused.append(why, str(source), data, unix_s=unix_s, now_ms=now_ms)

    def _log(self, what: str, **values: Any) -> None:
        self._effects.append(Log(what, values))
