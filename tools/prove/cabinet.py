"""Runs a cabinet for proofs: the real gateway core on disks that a proof damages, between nodes and the real warehouse.

One process, virtual time. Nodes are `simulator.rig.crowd.Sender`s that send CoAP to the core; the broker is a wire
without memory; the centre is the real warehouse on SQLite in memory. Nodes, warehouse and the list of what was sent
outlive the gateway, which is started, cut and started again. Must judge nothing but whether everything has been
drained; a test of the gateway's decisions belongs in `tests/gateway`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from gateway.config import config
from gateway.core.bearers.connection import UNBOUND, Connect
from gateway.core.custody import ledger
from gateway.core.custody.disk import Disk, Ticket
from gateway.core.custody.journal import RecoveryReport
from gateway.core.gateway import Gateway, Options, Send, Start
from gateway.core.uplink.batch import Publication
from gateway.io.crypto import verify_ed25519
from gateway.io.disk import FileDisk
from simulator.checkers.delivery import DeliveryChecker, Identity
from simulator.hosts.keys import CIPHER, WAREHOUSE, keys_of, keyset_of
from simulator.rig.crowd import Sender
from simulator.world.chance import Prng
from simulator.world.disk import SimDisk
from tools.centre.ingest.warehouse import Warehouse

GATEWAY_ID = bytes.fromhex("7c1f0a2cfe000001")
START_UNIX_S = 1_790_000_000
_NODE_PREFIX = bytes.fromhex("7c1f0a2c02")
_RECEIVE_MAX = 20
_UNREACHABLE_MS = 3_000
# A core that keeps asking to be called at a time that has already come would use all of a processor.
_TURNS_MAX = 200
# Virtual time after which a drain is called stuck: longer than the longest silence of an uplink.
_DRAIN_MS_MAX = 3_600_000


class Syncs(Protocol):
    """Describes the syncs under way: the time at which the next one ends, and its outcome."""

    def due_ms(self, now_ms: int) -> int | None:
        """Returns the time at which the next one ends; None when nothing is under way."""

    def drain(self, now_ms: int) -> list[tuple[Ticket, str | None]]:
        """Returns (ticket, error) of those that have ended."""


class SimSyncs:
    """Reports the syncs of a `SimDisk`: each takes the virtual time that the disk has drawn."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk
        self._begun_ms: dict[Ticket, int] = {}

    def due_ms(self, now_ms: int) -> int | None:
        ends = [self._begun_ms.setdefault(sync.ticket, now_ms) + sync.latency_ms for sync in self._disk.pending]
        return min(ends, default=None)

    def drain(self, now_ms: int) -> list[tuple[Ticket, str | None]]:
        begun = {sync.ticket: self._begun_ms.setdefault(sync.ticket, now_ms) for sync in self._disk.pending}
        self._begun_ms = begun
        done = [sync for sync in self._disk.pending if begun[sync.ticket] + sync.latency_ms <= now_ms]
        return [(sync.ticket, self._disk.complete(sync.ticket)) for sync in done]


class FileSyncs:
    """Reports the syncs of a `FileDisk`; `note` is its `on_synced`. All are awaited at once, while virtual time stands
    still."""

    def __init__(self) -> None:
        self._reports: SimpleQueue[tuple[Ticket, str | None]] = SimpleQueue()
        self.asked = 0
        self._taken = 0

    def note(self, ticket: Ticket, error: str | None) -> None:
        """Notes the end of a sync; called in the disk's thread."""
        self._reports.put((ticket, error))

    def due_ms(self, now_ms: int) -> int | None:
        return now_ms if self.asked > self._taken else None

    def drain(self, now_ms: int) -> list[tuple[Ticket, str | None]]:
        found = [self._reports.get() for _ in range(self.asked - self._taken)]
        self._taken = self.asked
        return found


class Disks(NamedTuple):
    """Holds the disks of one life of the gateway."""

    journal: Disk
    state: Disk
    syncs: Syncs
    state_syncs: Syncs


class _CountedDisk(FileDisk):
    """Counts the syncs that it was asked for, so that their reports can be awaited."""

    def __init__(self, folder: Path, syncs: FileSyncs) -> None:
        super().__init__(folder, syncs.note)
        self._syncs = syncs

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        self._syncs.asked += 1
        super().sync(names, ticket)


@contextmanager
def real_disks(folder: Path) -> Iterator[Disks]:
    """Opens the agent's own disks in a folder, and closes them at the end."""
    syncs, state_syncs = FileSyncs(), FileSyncs()
    journal = _CountedDisk(folder / "journal", syncs)
    state = _CountedDisk(folder / "state", state_syncs)
    try:
        yield Disks(journal, state, syncs, state_syncs)
    finally:
        journal.close()
        state.close()


class Town:
    """Holds the part that a power cut in the cabinet does not affect: nodes, and the list of what they sent."""

    def __init__(self, nodes: int, prng: Prng) -> None:
        self.delivery = DeliveryChecker()
        self.senders = [
            Sender(_NODE_PREFIX + number.to_bytes(3, "big"), 1, prng.split(f"node-{number}"), self.delivery)
            for number in range(1, nodes + 1)
        ]
        self.now_ms = 1_000

    @property
    def nodes(self) -> list[bytes]:
        """Returns the nodes whose keys the cabinet has."""
        return [sender.id for sender in self.senders]


class Cabinet:
    """Runs one gateway between a town and a warehouse. `fibre` False: the broker cannot be reached."""

    def __init__(self, town: Town, disks: Disks, *, prng: Prng, options: Options) -> None:
        self.town = town
        self.disks = disks
        self.warehouse = Warehouse(":memory:", synchronous="OFF")
        self.fibre = False
        self.boot = 0
        self._prng = prng
        self._options = options
        self._making = False
        self._later: list[tuple[int, Callable[[], None]]] = []
        self.core: Gateway

    def start(self) -> RecoveryReport:
        """Starts a new process on what the disks hold; everything that the previous one had under way is lost."""
        self.boot += 1
        self._later = []
        prng = self._prng.split(f"boot-{self.boot}")
        self.core = Gateway(
            self._options,
            Start(prng.bits64().to_bytes(8, "big"), self.boot, "power-on", self.boot - 1 or None),
            journal_disk=self.disks.journal,
            state_disk=self.disks.state,
            keys=keys_of(self.town.nodes),
            cipher=CIPHER,
            random_below=prng.randrange,
            verify=verify_ed25519,
            now_ms=self.town.now_ms,
        )
        report: RecoveryReport = self.core.start(now_ms=self.town.now_ms)
        self.core.on_clock(1000 * START_UNIX_S + self.town.now_ms, 1, now_ms=self.town.now_ms)
        return report

    def run(self, for_ms: int, *, making: bool) -> None:
        """Lets time pass; nodes make records, each as soon as its last is acknowledged, or only finish."""
        self._making = making
        end_ms = self.town.now_ms + for_ms
        turns = 0
        while True:
            self._settle()
            due_ms = self._due_ms()
            if due_ms is None or due_ms > end_ms:
                break
            turns = 0 if due_ms > self.town.now_ms else turns + 1
            assert turns < _TURNS_MAX, "the gateway asks to be called again, and again does nothing"
            self.town.now_ms = max(due_ms, self.town.now_ms)
        self.town.now_ms = end_ms

    def cut_fibre(self) -> None:
        """Makes the broker unreachable, and reports that to the gateway."""
        self.fibre = False
        self._disconnect(self.core.bearers.connection.active or UNBOUND.name, "cut")

    def drain(self) -> bool:
        """Runs with the broker there until every node is idle and the journal is empty; False when it never is."""
        self.fibre = True
        end_ms = self.town.now_ms + _DRAIN_MS_MAX
        while not self.is_drained():
            if self.town.now_ms >= end_ms:
                return False
            self.run(1_000, making=False)
        return True

    def is_drained(self) -> bool:
        """Returns True when all that nodes sent is durable, and all of it is freed."""
        journal = self.core.journal
        idle = all(sender.idle() for sender in self.town.senders)
        return idle and not any(journal.waiting(stream) for stream in journal.streams())

    # --- inside -------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Runs turns until nothing more happens at this instant."""
        for _ in range(_TURNS_MAX):
            if not self._turn():
                return
        raise AssertionError("one turn leads to another without end")

    def _turn(self) -> bool:
        """Runs one turn of all parts; returns True when one of them did something."""
        now_ms = self.town.now_ms
        due = [act for at_ms, act in self._later if at_ms <= now_ms]
        self._later = [entry for entry in self._later if entry[0] > now_ms]
        for act in due:
            act()
        ended = self.disks.syncs.drain(now_ms)
        for ticket, error in ended:
            self.core.on_synced(ticket, error, now_ms=now_ms)
        for ticket, error in self.disks.state_syncs.drain(now_ms):
            self.core.on_state_synced(ticket, error, now_ms=now_ms)
        sent = 0
        for number, sender in enumerate(self.town.senders):
            for datagram in sender.turn(now_ms=now_ms, may_make=self._making):
                sent += 1
                self.core.on_datagram(datagram, number, now_ms=now_ms)
        self.core.poll(now_ms=now_ms)
        effects = self.core.drain_effects()
        for effect in effects:
            self._carry_out(effect)
        return bool(due or ended or sent or effects)

    def _carry_out(self, effect: Any) -> None:
        now_ms = self.town.now_ms
        if isinstance(effect, Send):
            self.town.senders[effect.peer].receive(effect.datagram, now_ms=now_ms)
        elif isinstance(effect, Publication):
            if self.fibre:
                self._publish(effect)
        elif isinstance(effect, Connect):
            if self.fibre:
                self._at(now_ms, partial(self._connect, effect.bearer))
            else:
                self._at(now_ms + _UNREACHABLE_MS, partial(self._disconnect, effect.bearer, "no route"))

    def _connect(self, bearer: str) -> None:
        self.core.on_connected(_RECEIVE_MAX, bearer, now_ms=self.town.now_ms)

    def _disconnect(self, bearer: str, why: str) -> None:
        self.core.on_disconnected(why, bearer, now_ms=self.town.now_ms)

    def _publish(self, publication: Publication) -> None:
        """Gives the publication to the broker and the warehouse, which commits it; both answer at the next turn."""
        unix_s = START_UNIX_S + self.town.now_ms // 1000
        answers = self.warehouse.accept(publication.topic, publication.payload, received_unix_s=unix_s)
        self._at(self.town.now_ms, partial(self._acknowledge, publication.token))
        for answer in answers:
            self._at(self.town.now_ms, partial(self._deliver, answer.topic, WAREHOUSE.payload(answer)))

    def _acknowledge(self, token: int) -> None:
        self.core.on_puback(token, 0, now_ms=self.town.now_ms)

    def _deliver(self, topic: str, payload: bytes) -> None:
        self.core.on_message(topic, payload, now_ms=self.town.now_ms)

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        self._later.append((at_ms, act))

    def _due_ms(self) -> int | None:
        dues = [at_ms for at_ms, _ in self._later]
        for deadline_ms in (
            self.core.deadline_ms(now_ms=self.town.now_ms),
            self.disks.syncs.due_ms(self.town.now_ms),
            self.disks.state_syncs.due_ms(self.town.now_ms),
            *(sender.deadline_ms() for sender in self.town.senders),
        ):
            if deadline_ms is not None:
                dues.append(deadline_ms)
        return min(dues, default=None)


def listed(state: Disk) -> Iterator[Identity]:
    """Yields every record that the gateway let go on purpose, as its loss ledger names it."""
    for line in ledger.entries(state):
        if "node" in line:
            for sequence in ledger.expand(line["sequences"]):
                yield bytes.fromhex(line["node"]), line["boot"], sequence


def options(**changes: Any) -> Options:
    """Returns the options of a small cabinet: segments of a few records, so that a run of seconds crosses every
    limit."""
    plain = {
        "gateway": {"id": GATEWAY_ID.hex(), "insee": "49007", "name": "cab-1", "data": "/nowhere"},
        "link": {"bind": "127.0.0.1:5683", "commit_ms": 50},
        "uplink": {"broker": "127.0.0.1:1883", "batch_age_s": 1, "batch_records": 20, "reconnect_max_s": 4},
    }
    core = config.check(plain, insecure=True).core
    small = {"segment_bytes_max": 1_200, "journal_bytes_max": 400_000, "alarm_reserve_bytes": 8_000}
    return core._replace(keyset=keyset_of(core.insee), **{**small, **changes})
