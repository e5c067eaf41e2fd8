"""The whole way with the real warehouse: every acknowledged record arrives once, digit for digit, whatever fails.

Longer outages, cuts and reconnections are in test_backlog.py and test_kept.py.
"""

from random import Random

import pytest

from gateway.core.bearers.bearer import Bearer
from simulator.world.disk import PowerCut
from tests.support.cabinet_world import holes
from tests.support.gateway_world import (
    NODE,
    OTHER,
    GatewayWorld,
    alarm,
    level,
    payload,
    reading,
    unpack,
)
from tools.centre.ingest.warehouse import Warehouse
from wire import coap_message, event, record

CHANGED = coap_message.CHANGED


class Centre:
    """A broker and the real warehouse in memory: loses, delays and repeats what its chances say."""

    def __init__(self, world, random):
        self.world, self.random = world, random
        self.warehouse = Warehouse(":memory:", synchronous="OFF")
        self.lossy = True
        self.unacked = 0

    def loses(self):
        return self.lossy and self.random.randrange(4) == 0

    def turn(self):
        """Take what was published, in any order; False when there was nothing."""
        publications = self.world.take_publications()
        if self.lossy:
            self.random.shuffle(publications)
        for publication in publications:
            if not self.loses():
                self._take(publication)
            if not self.loses():
                self.world.core.on_puback(publication.token, 0, now_ms=self.world.now_ms)
                self.world.turn()
        return bool(publications)

    def _take(self, publication):
        for _ in range(1 + (self.lossy and self.random.randrange(5) == 0)):
            answers = self.warehouse.accept(publication.topic, publication.payload, received_unix_s=1)
            for answer in answers:
                if not self.loses():
                    self.world.hear(answer.message, answer.topic)

    def settle(self):
        """Faults have ended: everything arrives."""
        self.lossy = False
        self.world.connect()
        for _ in range(400):
            if not self.turn() and not self.world.waiting():
                return
            self.world.wait(2000)
        raise AssertionError("the journal does not drain")


class DrainWorld(GatewayWorld):
    """Nodes that keep every record until its 2.04, power cuts included."""

    def __init__(self, seed, **options):
        self.acknowledged, self.open, self.sequence = {}, {}, 0
        super().__init__(seed, auto_sync=True, **options)

    def waiting(self):
        return sum(self.core.journal.waiting(stream) for stream in self.core.journal.streams())

    def produce(self, random):
        node = random.choice((NODE, OTHER))
        made = []
        for _ in range(random.randrange(1, 4)):
            make = random.choice((reading, reading, reading, level, alarm))
            made.append(make(self.sequence, boot=1 + self.sequence // 50))
            self.sequence += 1
        if not self.node(node).link.deadline_ms():
            self.open[node, self.ask(payload(*made), node=node)] = made
            self._collect()

    def wait(self, duration_ms):
        super().wait(duration_ms)
        self._collect()

    def _collect(self):
        for node, peer in self.nodes.items():
            for exchange, code in peer.answers:
                for made in self.open.pop((node, exchange), []) if code == CHANGED else []:
                    self.acknowledged[node, made.boot, made.sequence] = made
            peer.answers.clear()

    def restart_nodes(self):
        """Their open requests end without an outcome."""
        self.nodes.clear()
        self.open.clear()


def assert_all_arrived_once(world, warehouse):
    stored = {identity: (stamp, body) for identity, stamp, body in warehouse.bodies()}
    for identity, made in world.acknowledged.items():
        assert stored[identity] == (made.stamp, record.encode_body(made.body)), f"{identity} is not what was said"
    identities = list(warehouse.identities())
    assert len(identities) == len(set(identities))
    assert warehouse.counters.get("conflicts", 0) == 0 and warehouse.counters.get("refused", 0) == 0
    # What a cut tears out of the middle was never durable; even so each such position is explained.
    assert warehouse.counters.get("positions_skipped", 0) == sum(last - first + 1 for first, last in holes(warehouse))


@pytest.mark.parametrize("seed", range(12))
def test_every_acknowledged_record_arrives_once_whatever_was_lost_cut_or_restarted(seed):
    world = DrainWorld(seed, segment_bytes_max=600, batch_records_max=5, window_max=6)
    random = Random(seed)
    centre = Centre(world, random)
    for _ in range(150):
        choice = random.randrange(20)
        if choice < 9:
            world.produce(random)
        elif choice < 13:
            centre.turn()
        elif choice == 13:
            world.connect(random.choice((1, 2, 5, 100)))
        elif choice == 14:
            world.core.on_disconnected("cut", now_ms=world.now_ms)
            world.take_publications()
        elif choice == 15 and random.randrange(3) == 0:
            _cut_within_an_operation(world, random)
        world.wait(random.randrange(3000))
    centre.settle()
    assert len(world.acknowledged) > 30
    assert_all_arrived_once(world, centre.warehouse)


def _cut_within_an_operation(world, random):
    world.journal_disk.stop_after(random.randrange(4))
    try:
        for _ in range(4):
            world.produce(random)
            world.wait(700)
    except PowerCut:
        pass
    world.power_cut()
    world.restart_nodes()


def test_damage_on_the_card_goes_up_as_hole_records_and_all_else_arrives():
    world = DrainWorld(7, segment_bytes_max=1500)
    random = Random(7)
    for _ in range(60):
        world.produce(random)
        world.wait(600)
    disk = world.journal_disk
    damaged = [name for name in disk.list() if "-telemetry-" in name][1]
    data = disk.read(damaged, 0, disk.size(damaged))
    disk.put(damaged, data[:300] + bytes(400) + data[700:])
    world.power_cut()
    centre = Centre(world, random)
    centre.settle()
    missing = set(world.acknowledged) - set(centre.warehouse.identities())
    assert 0 < len(missing) == sum(last - first + 1 for first, last in holes(centre.warehouse))


def test_a_warehouse_restored_from_an_old_backup_gets_what_the_gateway_still_holds():
    world = DrainWorld(5)
    random = Random(5)
    for _ in range(20):
        world.produce(random)
        world.wait(600)
    Centre(world, random).settle()
    before = len(world.acknowledged)
    world.acknowledged.clear()
    for _ in range(20):
        world.produce(random)
        world.wait(600)
    restored = Centre(world, random)
    restored.settle()
    assert before and world.acknowledged
    stored = set(restored.warehouse.identities())
    assert stored.issuperset(world.acknowledged)


def test_what_a_short_budget_spares_is_not_sent_again_at_each_reconnection():
    world = GatewayWorld(auto_sync=True, bearers=(Bearer("mobile", is_metered=True, monthly_bytes=1_000_000),))
    for counter in (0, 850_000):
        world.core.bearers.count("mobile", counter, "boot/1", now_ms=world.now_ms)
    sent = []
    for part in range(3):
        for number in range(40):
            world.ask(payload(reading(40 * part + number)))
            world.wait(1000)
        world.connect(bearer="mobile")
        while publications := world.take_publications():
            for publication in filter(lambda one: one.token, publications):
                batch = unpack(publication)
                sent += [batch.first] if batch.lane == event.TELEMETRY and batch.items else []
                world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
            world.wait(5000)
        world.core.on_disconnected("lost", "mobile", now_ms=world.now_ms)
        world.turn()
    assert sent == [0, 40, 80], "one batch of ten in four, each once"
