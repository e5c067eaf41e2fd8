"""Runs a simulated gateway: the twin of gateway/agent.py in virtual time, around the real gateway core.

It has what a Raspberry Pi in a cabinet has: power, a card that tears writes when power fails, a fibre and perhaps a 4G
stick, and a clock that is not good until the network has set it.
"""

from typing import Any

from gateway.core.bearers.connection import UNBOUND, Connect, Drop, Probe
from gateway.core.cabinet.equipment import Observation
from gateway.core.custody import entry
from gateway.core.custody.disk import Ticket
from gateway.core.custody.segment import parse_name, scan
from gateway.core.deadlines import NEVER
from gateway.core.directives.directive import Directive
from gateway.core.gateway import Gateway, Log, Options, Send, Start
from gateway.core.options import number_after
from gateway.core.uplink.batch import Publication
from gateway.io.crypto import verify_ed25519
from simulator.hosts.keys import CIPHER, keys_of
from simulator.hosts.node import NodeHost
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.disk import PendingSync, SimDisk
from simulator.world.time import World
from wire import event

# Journal options of a simulated cabinet: small segments, so that a night crosses their borders.
SMALL_CARD: dict[str, Any] = {
    "segment_bytes_max": 1 << 16,
    "journal_bytes_max": 64 << 20,
    "alarm_reserve_bytes": 1 << 20,
}

_CLOCK_EVERY_MS = 60_000
# NTP needs this long after a start with a network; a keep-alive notices a silent cut after the next.
_NTP_MS = 20_000
_CUT_SEEN_MS = 14_000
_AGENT_START_MS = 12_000
_PROBE_MS = {"fibre": 12, "mobile": 90}
# Bytes on the wire of a metered bearer, as measured over TLS 1.3: a connection, an acknowledged message beside its
# payload, a probe; and a keep-alive with its answer, every four minutes.
_CONNECT_BYTES, _MESSAGE_BYTES, _PROBE_BYTES, _KEEPALIVE_BYTES = 7_500, 250, 240, 280
_KEEPALIVE_MS = 240_000


class _Line:
    """Is one connection as the broker's client: passes events to the gateway with its bearer until dropped."""

    def __init__(self, host: "GatewayHost", bearer: str) -> None:
        self._host = host
        self.bearer = bearer
        self.is_dropped = False

    def on_connected(self, receive_max: int) -> None:
        self._dispatch("on_connected", receive_max, self.bearer)

    def on_disconnected(self, why: str) -> None:
        dropped, self.is_dropped = self.is_dropped, True
        if not dropped:
            self._host.dispatch("on_disconnected", why, self.bearer)

    def on_puback(self, token: int, reason_code: int) -> None:
        if token:  # the core waits for no other
            self._dispatch("on_puback", token, reason_code)

    def on_message(self, name: str, payload: bytes) -> None:
        self._host.spend(self.bearer, _MESSAGE_BYTES + len(payload))
        self._dispatch("on_message", name, payload)

    def _dispatch(self, what: str, *values: Any) -> None:
        if not self.is_dropped:
            self._host.dispatch(what, *values)


class GatewayHost:
    """Runs the gateway of one cabinet: power, card, lines to the broker, clock."""

    def __init__(self, world: World, prng: Prng, options: Options, broker: Broker) -> None:
        self._world = world
        self._prng = prng
        self.options = options
        self.nodes: list[bytes] = []  # the adopted nodes
        self._broker = broker
        self._name = f"{options.insee}-{options.name}"
        self.core: Gateway | None = None
        self.journal_disk = SimDisk(prng.split("card"), latency_ms=(2, 40), on_pending=self._pending)
        self.state_disk = SimDisk(prng.split("state"), latency_ms=(2, 40), on_pending=self._state_pending)
        self.is_up = {bearer.name: True for bearer in options.bearers or (UNBOUND,)}
        self.metered_bytes = self._counted_from = 0
        self.boot = 0
        self.previous: int | None = None
        self._life = 0
        self._lines: dict[str, _Line] = {}
        self._wake_ms: int | None = None  # of the earliest wake that is scheduled
        self._due_ms = NEVER  # the core's deadline, which may have moved behind that wake
        self.logs: list[tuple[int, str]] = []
        self.counters: dict[str, int] = {}

    # --- what the world does to it --------------------------------------------------------------------------

    def power_on(self) -> None:
        self._life += 1
        self._world.after(_AGENT_START_MS, self._start, self._life)

    def power_cut(self) -> None:
        """Cuts the power of the gateway: everything that was not synced is torn as the seed decides."""
        self._die()
        self.journal_disk.power_cut()
        self.state_disk.power_cut()

    def lose_file(self, prng: Prng) -> list[tuple[tuple[bytes, int, int], tuple[bytes, str, int]]]:
        """Lets a stranger delete a file of telemetry while the power is off; returns the records in it, each with its
        epoch, lane and position."""
        assert self.core is None
        disk = self.journal_disk
        files = [(name, who) for name in disk.list() if (who := parse_name(name)) and who.lane == event.TELEMETRY]
        if not files:
            return []
        name, who = files[prng.randrange(len(files))]
        data = disk.read(name, 0, disk.size(name))
        disk.steal(name)
        found = []
        for index, _, payload in scan(lambda at, count: data[at : at + count], len(data), who.seed):
            assert isinstance(payload, bytes), "no estate fills a journal"
            item = entry.decode(payload)
            place = (who.epoch, who.lane, who.first + index)
            found.append(((item.node, item.record.boot, item.record.sequence), place))
        return found

    def _die(self) -> None:
        """Ends the process and its connections."""
        self._life += 1
        self._remember()
        self.core = None
        self._broker.disconnect(self._name)
        for line in self._lines.values():
            line.is_dropped = True
        self._lines.clear()

    def fibre(self, up: bool) -> None:
        """Cuts or repairs the fibre. The cut is silent: only the keep-alive and the probes notice it."""
        bearer = next(iter(self.is_up))
        self.is_up[bearer] = up
        line = self._lines.get(bearer)
        if not up and line is not None:
            if self._broker.is_connected(self._name, line):
                self._broker.disconnect(self._name)
            self._world.after(_CUT_SEEN_MS, line.on_disconnected, "keep-alive timeout")

    def receive(self, datagram: bytes, host: NodeHost) -> None:
        """Accepts a datagram from a node; its host serves as its address."""
        self.dispatch("on_datagram", datagram, host)

    def observe(self, seen: Observation) -> None:
        """Accepts what is wired in the cabinet, where there is one."""
        self.dispatch("on_observation", seen)

    # --- events of its lines -----------------------------------------------------------------------------------

    def dispatch(self, what: str, *values: Any) -> None:
        """Passes an event to the core, by the name of its method; it is lost while the power is off."""
        if self.core is not None:
            getattr(self.core, what)(*values, now_ms=self._world.now_ms)
            self._turn()

    def announce(self, notice: Directive) -> bool:
        """Passes on a directive that was entered at the cabinet.

        Returns False while the gateway is down or if it is refused.
        """
        if self.core is None:
            return False
        refused = self.core.directive_service.directives.accept(notice, now_ms=self._world.now_ms)
        self.core.make_all_due()
        self._turn()
        return refused is None

    def spend(self, bearer: str, count: int) -> None:
        """Counts bytes that went by a bearer, either way."""
        if self.core is not None and bearer in self.core.bearers.budgets:
            self.metered_bytes += count

    # --- inside ---------------------------------------------------------------------------------------------

    def _start(self, life: int) -> None:
        if life != self._life:
            return
        self.previous = self.boot or None
        self.boot = number_after(self.previous, self._world.unix_s)
        self._counted_from = self.metered_bytes
        self.core = self._make_core()
        self.core.start(now_ms=self._world.now_ms)
        self._world.after(_NTP_MS, self._set_clock, life)
        if self.core.bearers.budgets:
            self._count(life)
        self._wake_ms = None
        self._turn()

    def _make_core(self) -> Gateway:
        """Returns the core of this boot, not started."""
        prng = self._prng.split(f"boot-{self.boot}")
        return Gateway(
            self.options,
            Start(prng.bits64().to_bytes(8, "big"), self.boot, "power-on", self.previous),
            journal_disk=self.journal_disk,
            state_disk=self.state_disk,
            keys=keys_of(self.nodes),
            cipher=CIPHER,
            random_below=prng.randrange,
            verify=verify_ed25519,
            now_ms=self._world.now_ms,
        )

    def _set_clock(self, life: int) -> None:
        if life != self._life or self.core is None:
            return
        # The clock is good once the network has set it; the kernel then carries it through a cut.
        good = any(self.is_up.values()) or self.core.clock.unix_s(now_ms=self._world.now_ms) is not None
        self.dispatch("on_clock", self._world.unix_ms if good else None, 1)
        self._world.after(_CLOCK_EVERY_MS if good else 5_000, self._set_clock, life)

    def _count(self, life: int) -> None:
        """Reads the kernel's counters of the metered bearer, every keep-alive."""
        if life != self._life or self.core is None:
            return
        for bearer in self.core.bearers.budgets:
            if self.core.bearers.connection.active == bearer:
                self.spend(bearer, _KEEPALIVE_BYTES)
            # The kernel counts from the machine's start, and the interface's name includes that start.
            counter, interface = self.metered_bytes - self._counted_from, f"{self.boot}/wwan0"
            self.core.bearers.count(bearer, counter, interface, now_ms=self._world.now_ms)
        self.core.make_all_due()
        self._turn()
        self._world.after(_KEEPALIVE_MS, self._count, life)

    def _turn(self) -> None:
        """Lets the core do what is due, carries it out, and schedules the next turn at its deadline."""
        core = self.core
        assert core is not None
        core.poll(now_ms=self._world.now_ms)
        for effect in core.drain_effects():
            self._carry_out(effect)
        self._due_ms = core.deadline_ms(now_ms=self._world.now_ms)
        self._arm()

    def _arm(self) -> None:
        if self._wake_ms is None or self._due_ms < self._wake_ms:
            self._wake_ms = max(self._due_ms, self._world.now_ms)
            self._world.at(self._wake_ms, self._wake, self._life, self._wake_ms)

    def _wake(self, life: int, wake_ms: int) -> None:
        if life != self._life or self._wake_ms != wake_ms or self.core is None:
            return
        self._wake_ms = None
        if self._due_ms <= self._world.now_ms:
            self._turn()
        else:
            self._arm()

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Send):
            effect.peer.radio.carry(effect.datagram, effect.peer.receive, effect.peer.settings.gateway)
        elif isinstance(effect, Probe):
            self._probe(effect)
        elif isinstance(effect, Publication):
            bearer = self.carrier()
            if bearer is not None and self.is_up[bearer]:
                self.spend(bearer, _MESSAGE_BYTES + len(effect.payload))
                self._broker.publish(self._name, effect.token, effect.topic, effect.payload)
        elif isinstance(effect, Connect):
            self._connect(effect.bearer)
        elif isinstance(effect, Drop):
            self._drop(effect.bearer)
        elif isinstance(effect, Log):
            self.logs.append((self._world.unix_s, effect.what))

    def carrier(self) -> str | None:
        """Returns the bearer that the core considers active."""
        return None if self.core is None else self.core.bearers.connection.active

    def _connect(self, bearer: str) -> None:
        self._drop(bearer)
        line = self._lines[bearer] = _Line(self, bearer)
        if self.is_up[bearer]:
            self.spend(bearer, _CONNECT_BYTES)
            assert self.core is not None
            topics = frozenset(self.core.connection_topics())
            self._broker.connect(self._name, line, topics.__contains__)
        else:
            self._world.after(3_000, line.on_disconnected, "no route to host")

    def _drop(self, bearer: str) -> None:
        line = self._lines.pop(bearer, None)
        if line is not None:
            line.is_dropped = True
            if self._broker.is_connected(self._name, line):
                self._broker.disconnect(self._name)

    def _probe(self, probe: Probe) -> None:
        """Probes the path as far as the broker's machine, whether its broker runs or not."""
        self.spend(probe.bearer, _PROBE_BYTES)
        up = self.is_up[probe.bearer]
        after_ms = _PROBE_MS.get(probe.bearer, 12) if up else probe.timeout_ms
        self._world.after(after_ms, self._probed, self._life, probe.bearer, up, after_ms if up else None)
        at_ms = self._world.now_ms + after_ms
        if self._wake_ms is None or at_ms < self._wake_ms:
            self._wake_ms = at_ms  # the outcome asks for the deadline anew: no wake is needed before

    def _probed(self, life: int, bearer: str, ok: bool, rtt_ms: int | None) -> None:
        if life == self._life:
            if self._wake_ms is not None and self._wake_ms <= self._world.now_ms:
                self._wake_ms = None
            self.dispatch("on_probed", bearer, ok, rtt_ms)

    def _pending(self, sync: PendingSync) -> None:
        self._world.after(sync.latency_ms, self._synced, self._life, sync.ticket)

    def _synced(self, life: int, ticket: Ticket) -> None:
        if life == self._life:
            self.dispatch("on_synced", ticket, self.journal_disk.complete(ticket))

    def _state_pending(self, sync: PendingSync) -> None:
        self._world.after(sync.latency_ms, self._state_synced, self._life, sync.ticket)

    def _state_synced(self, life: int, ticket: Ticket) -> None:
        if life == self._life:
            self.dispatch("on_state_synced", ticket, self.state_disk.complete(ticket))

    def waiting(self) -> int:
        """Returns the number of records in the journal that are not freed."""
        if self.core is None:
            return 0
        journal = self.core.journal
        return sum([journal.waiting(stream) for stream in journal.streams()])

    def _remember(self) -> None:
        """Adds this life's counters to the run's."""
        if self.core is None:
            return
        core = self.core
        parts = (
            ("inbox", core.inbox.counters),
            ("uplink", core.uplink.counters),
            ("receipts", core.receipts.counters),
            ("link", core.counters),
            ("connection", core.bearers.connection.counters),
            ("scrutiny", core.plausibility.counters),
        )
        for part, counters in parts:
            for name, value in counters.items():
                key = f"{part}.{name}"
                self.counters[key] = self.counters.get(key, 0) + value

    def totals(self) -> dict[str, int]:
        """Returns the counters over all lives."""
        self._remember()
        totals, self.counters = dict(self.counters), {}
        return totals
