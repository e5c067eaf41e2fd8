"""A whole gateway between nodes and the real warehouse for long stories: a way to the centre that takes time and fails.

Adds to `tools.prove.cabinet` simulated disks, a round trip, a broker with a Receive Maximum, and ways to be broken.
Judges nothing but what every story may ask: who is accounted for, and whether all has arrived.
"""

from functools import lru_cache
from random import Random

from gateway.core.custody import entry, segment
from simulator.checkers.delivery import DeliveryChecker
from simulator.hosts.keys import WAREHOUSE
from simulator.rig.crowd import Sender
from simulator.world.chance import Prng
from simulator.world.disk import SimDisk
from tests.support.gateway_world import unpack
from tools.prove.cabinet import START_UNIX_S, Cabinet, Disks, SimSyncs, Town, options
from wire import event, record, topic

NODES = bytes.fromhex("7c1f0a2c05")


@lru_cache(1 << 14)
def _identity(item):
    """Of an item of the journal. Long stories ask again and again for all that is held."""
    kept = entry.decode(item)
    return kept.node, kept.record.boot, kept.record.sequence


class Said(DeliveryChecker):
    """Remembers the lane of each record too."""

    def __init__(self):
        super().__init__()
        self.lanes = {}

    def made(self, node, boot, sequence, data, *, now_ms):
        super().made(node, boot, sequence, data, now_ms=now_ms)
        self.lanes[node, boot, sequence] = record.lane(record.decode_payload(data)[0])

    def alarms(self):
        return {identity for identity, lane in self.lanes.items() if lane == event.ALARM}


class _Always(Prng):
    """Chance that always says yes: to a sender, make an alarm."""

    def chance(self, permille):
        return True


class Alarmer(Sender):
    """A node that says one alarm whenever `is_due` is set, and nothing else."""

    is_due = False

    def turn(self, *, now_ms, may_make):
        makes, self.is_due = self.is_due and self.idle(), False
        return super().turn(now_ms=now_ms, may_make=makes)


class CabinetWorld(Cabinet):
    """`wire`: "good"; "silent": what is sent vanishes and no side hears of it; "forgetful": the broker acknowledges
    and passes nothing on. A connection that ends takes with it what was on its way. `arrived` are identities in the
    order of their first arrival at the centre, `arrived_ms` when."""

    def __init__(
        self,
        seed=1,
        *,
        nodes=2,
        alarmers=0,
        rtt_ms=80,
        receive_max=20,
        capacity_bytes=None,
        latency_ms=(1, 30),
        **changes,
    ):
        prng = Prng(seed)
        self.random = Random(seed)
        self.journal_disk = SimDisk(prng.split("card"), latency_ms=latency_ms, capacity_bytes=capacity_bytes)
        self.state_disk = SimDisk(prng.split("state"), latency_ms=latency_ms)
        town = Town(0, prng)
        town.delivery = self.said = Said()
        kinds = [(Sender, Prng)] * nodes + [(Alarmer, _Always)] * alarmers
        town.senders = [
            kind(NODES + number.to_bytes(3, "big"), 1, chance(f"{seed}-node-{number}"), town.delivery)
            for number, (kind, chance) in enumerate(kinds)
        ]
        disks = Disks(self.journal_disk, self.state_disk, SimSyncs(self.journal_disk), SimSyncs(self.state_disk))
        changes = {"reconnect_last_ms": 120_000, **changes}
        super().__init__(town, disks, prng=prng, options=options(**changes))
        self.rtt_ms, self.receive_max, self.wire = rtt_ms, receive_max, "good"
        self.line = 0
        self.unacked, self.unacked_most = set(), {}
        self.arrived, self.arrived_ms = [], {}
        self.batches = self.connects = 0
        self.start()

    # --- what happens to it -------------------------------------------------------------------------------------

    def start(self):
        self.line += 1
        return super().start()

    def change(self, **changes):
        """The same disks under another configuration, after an orderly end."""
        self._options = self._options._replace(**changes)
        return self.start()

    def power_cut(self):
        self.journal_disk.power_cut()
        self.state_disk.power_cut()
        return self.start()

    def hang_up(self, why="cut"):
        """The connection ends, and the gateway hears of it; the broker may be asked again."""
        self.line += 1
        self._disconnect(self.core.bearers.connection.active or "default", why)

    def cut_fibre(self):
        self.line += 1
        super().cut_fibre()

    def say(self, for_ms=1_000):
        """Every node that is idle says one payload; time passes."""
        self.run(1, making=True)
        self.run(for_ms - 1, making=False)

    def alarm(self):
        """Every alarmer says one alarm."""
        for sender in self.town.senders:
            if isinstance(sender, Alarmer):
                sender.is_due = True
        self.run(0, making=False)

    # --- what may be asked --------------------------------------------------------------------------------------

    def acknowledged(self):
        return set(self.said.identities(acknowledged=True))

    def held(self):
        """Identities of the nodes' records in the journal."""
        found, journal = set(), self.core.journal
        for stream in journal.streams():
            at, end = journal.oldest(stream), journal.durable_end(stream)
            for item in journal.read(stream, at, count_max=end - at + 1, bytes_max=1 << 40):
                if isinstance(item, bytes) and (identity := _identity(item))[0].startswith(NODES):
                    found.add(identity)
        return found

    def segments(self):
        """Names of the journal's files; those that a cut made useless are set aside under others."""
        return [name for name in self.journal_disk.list() if segment.parse_name(name) is not None]

    def stored(self):
        return {identity for identity in self.warehouse.identities() if identity[0].startswith(NODES)}

    def unaccounted(self):
        """Acknowledged, and neither in the journal nor in the warehouse."""
        return self.acknowledged() - self.stored() - self.held()

    def waiting(self):
        return sum(map(self.core.journal.waiting, self.core.journal.streams()))

    def assert_all_arrived(self):
        """After a drain: every acknowledged record once, digit for digit, and nothing that was never said."""
        self.wire = "good"
        assert self.drain(), "the journal does not drain"
        assert self.acknowledged() - self.stored() == set()
        verdict = self.said.verdict(self.warehouse, set())
        assert (verdict.duplicated, verdict.altered, verdict.invented) == (0, 0, 0), verdict.first_faults
        identities = list(self.warehouse.identities())
        assert len(identities) == len(set(identities))

    # --- the way to the centre ------------------------------------------------------------------------------------

    def _connect(self, bearer):
        self.line += 1
        self.connects += 1
        self.unacked.clear()
        self.unacked_most[self.line] = 0
        self.core.on_connected(self.receive_max, bearer, now_ms=self.town.now_ms)

    def _publish(self, publication):
        self.unacked.add(publication.token)
        self.unacked_most[self.line] = max(self.unacked_most[self.line], len(self.unacked))
        if self.wire != "silent":
            self._on_line(self._arrive, publication)

    def _arrive(self, publication):
        self._on_line(self._puback, publication.token)
        if self.wire == "forgetful":
            return
        unix_s = START_UNIX_S + self.town.now_ms // 1000
        if topic.parse(publication.topic).kind == topic.OUTCOME:
            return  # for the control centre, and there is none here
        answers = self.warehouse.accept(publication.topic, publication.payload, received_unix_s=unix_s)
        self._note(publication)
        for answer in answers:
            self._on_line(self._deliver, answer.topic, WAREHOUSE.payload(answer))

    def _note(self, publication):
        batch = unpack(publication)
        self.batches += bool(batch.items)
        for item in batch.items:
            identity = item.node, item.record.boot, item.record.sequence
            if identity not in self.arrived_ms:
                self.arrived_ms[identity] = self.town.now_ms
                self.arrived.append(identity)

    def _puback(self, token):
        self.unacked.discard(token)
        self._acknowledge(token)

    def _on_line(self, act, *values):
        """Half a round trip from now, if the connection still stands and nothing swallows it."""
        line = self.line

        def happen():
            if self.line == line and self.wire != "silent":
                act(*values)

        self._at(self.town.now_ms + self.rtt_ms // 2, happen)


def holes(warehouse):
    """[(first, last)] that hole records in the warehouse name, each once."""
    bodies = [record.decode_body(body) for _, _, body in warehouse.bodies()]
    named = {tuple(body.detail[:4]) for body in bodies if not isinstance(body, dict) and body.code == event.HOLE}
    return [(first, last) for _, _, first, last in named]
