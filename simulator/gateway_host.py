"""The shell of a simulated gateway: the twin of gateway/agent.py in virtual time, around the real gateway
core.

It owns what a Raspberry Pi in a cabinet owns: power, a card that tears writes when power fails, a fibre,
and a clock that is not good until the network has told it.
"""

from typing import Any

from gateway.core.gateway import Connect, Gateway, Log, Options, Send, Start
from gateway.core.uplink import Publication
from simulator.broker import Broker
from simulator.disk import PendingSync, SimDisk
from simulator.node_host import NodeHost
from simulator.prng import Prng
from simulator.world import World
from wire import topic
from wire.session import ClearSession

_CLOCK_EVERY_MS = 60_000
# NTP needs that long after a start with a network; a keep-alive notices a silent cut after this.
_NTP_MS = 20_000
_CUT_SEEN_MS = 14_000
_AGENT_START_MS = 12_000


class GatewayHost:
    """One cabinet."""

    def __init__(self, world: World, prng: Prng, options: Options, broker: Broker) -> None:
        self._world = world
        self._prng = prng
        self.options = options
        self._broker = broker
        self._name = f"{options.insee}-{options.name}"
        self._watermark_topic = topic.build(topic.WATERMARK, options.insee, options.name)
        self.core: Gateway | None = None
        self.journal_disk = SimDisk(prng.split("card"), latency_ms=(2, 40), on_pending=self._pending)
        self.state_disk = SimDisk(prng.split("state"))
        self.fibre_up = True
        self.boot = 0
        self._life = 0
        self._connection = 0
        self._wake_ms: int | None = None
        self.logs: list[tuple[int, str]] = []
        self.counters: dict[str, int] = {}
        self.waiting_max = 0

    # --- what the world does to it --------------------------------------------------------------------------

    def power_on(self) -> None:
        self._life += 1
        self._world.after(_AGENT_START_MS, self._start, self._life)

    def power_cut(self) -> None:
        """Everything that was not synced is torn, at the seed's pleasure."""
        self._life += 1
        self._remember()
        self.core = None
        self._broker.disconnect(self._name)
        self._connection += 1
        self.journal_disk.power_cut()
        self.state_disk.power_cut()

    def fibre(self, up: bool) -> None:
        """A digger, or the repair. The cut is silent: only the keep-alive notices."""
        self.fibre_up = up
        if not up:
            self._broker.disconnect(self._name)
            self._world.after(_CUT_SEEN_MS, self._notice_cut, self._connection)

    def receive(self, datagram: bytes, host: NodeHost) -> None:
        """A datagram from a node; its host stands for its address."""
        if self.core is not None:
            self.core.on_datagram(datagram, host, now_ms=self._world.now_ms)
            self._turn()

    # --- broker.Client --------------------------------------------------------------------------------------

    def on_connected(self, receive_max: int) -> None:
        if self.core is not None:
            self.core.on_connected(receive_max, now_ms=self._world.now_ms)
            self._turn()

    def on_disconnected(self, why: str) -> None:
        self._connection += 1
        if self.core is not None:
            self.core.on_disconnected(why, now_ms=self._world.now_ms)
            self._turn()

    def on_puback(self, token: int, reason_code: int) -> None:
        if self.core is not None:
            self.core.on_puback(token, reason_code, now_ms=self._world.now_ms)
            self._turn()

    def on_message(self, name: str, payload: bytes) -> None:
        if self.core is not None:
            self.core.on_message(name, payload, now_ms=self._world.now_ms)
            self._turn()

    # --- inside ---------------------------------------------------------------------------------------------

    def _start(self, life: int) -> None:
        if life != self._life:
            return
        self.boot += 1
        prng = self._prng.split(f"boot-{self.boot}")
        self.core = Gateway(
            self.options,
            Start(prng.bits64().to_bytes(8, "big"), self.boot, "power-on"),
            journal_disk=self.journal_disk,
            state_disk=self.state_disk,
            session=ClearSession(insecure=True),
            random_below=prng.randrange,
            now_ms=self._world.now_ms,
        )
        self.core.start(now_ms=self._world.now_ms)
        self._world.after(_NTP_MS, self._tell_clock, life)
        self._wake_ms = None
        self._turn()

    def _tell_clock(self, life: int) -> None:
        if life != self._life or self.core is None:
            return
        # Good once the network has told it, carried by the kernel through a cut afterwards.
        good = self.fibre_up or self.core.clock.unix_s(now_ms=self._world.now_ms) is not None
        self.core.clock.tell(self._world.unix_ms if good else None, 1, now_ms=self._world.now_ms)
        self._world.after(_CLOCK_EVERY_MS if good else 5_000, self._tell_clock, life)

    def _turn(self) -> None:
        core = self.core
        assert core is not None
        core.poll(now_ms=self._world.now_ms)
        for effect in core.take_effects():
            self._carry_out(effect)
        deadline_ms = core.deadline_ms()
        if deadline_ms is not None and (self._wake_ms is None or deadline_ms < self._wake_ms):
            self._wake_ms = max(deadline_ms, self._world.now_ms)
            self._world.at(self._wake_ms, self._wake, self._life, self._wake_ms)

    def _wake(self, life: int, wake_ms: int) -> None:
        if life == self._life and self._wake_ms == wake_ms and self.core is not None:
            self._wake_ms = None
            self._turn()

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Send):
            effect.peer.radio.carry(effect.datagram, effect.peer.receive, effect.peer.settings.gateway)
        elif isinstance(effect, Publication):
            if self.fibre_up:
                self._broker.publish(self._name, effect.token, effect.topic, effect.payload)
        elif isinstance(effect, Connect):
            if self.fibre_up:
                self._broker.connect(self._name, self, lambda name: name == self._watermark_topic)
            else:
                self._world.after(3_000, self._refuse_connection, self._life)
        elif isinstance(effect, Log):
            self.logs.append((self._world.unix_s, effect.what))

    def _refuse_connection(self, life: int) -> None:
        if life == self._life:
            self.on_disconnected("no route to host")

    def _notice_cut(self, connection: int) -> None:
        if connection == self._connection:
            self.on_disconnected("keep-alive timeout")

    def _pending(self, sync: PendingSync) -> None:
        self._world.after(sync.latency_ms, self._synced, self._life, sync.ticket)

    def _synced(self, life: int, ticket: int) -> None:
        if life != self._life:
            return
        error = self.journal_disk.complete(ticket)
        if self.core is not None:
            self.core.on_synced(ticket, error, now_ms=self._world.now_ms)
            self._turn()

    def waiting(self) -> int:
        """Records in the journal above the watermark."""
        if self.core is None:
            return 0
        journal = self.core.journal
        return sum(journal.waiting(stream) for stream in journal.streams())

    def _remember(self) -> None:
        """Add this life's counters to the run's."""
        if self.core is None:
            return
        core = self.core
        parts = (("inbox", core.inbox.counters), ("uplink", core.uplink.counters), ("link", core.counters))
        for part, counters in parts:
            for name, value in counters.items():
                key = f"{part}.{name}"
                self.counters[key] = self.counters.get(key, 0) + value

    def totals(self) -> dict[str, int]:
        """Counters over all lives."""
        self._remember()
        totals, self.counters = dict(self.counters), {}
        return totals
