"""A simulated board: safe output first, RAM lost with the mains, flash kept, its own crystal, never woken early."""

from typing import ClassVar

import pytest

from kinds import streetlight
from lighting import memory
from lighting.trade import Output
from node.checkpoint import Checkpoint
from node.trade import Moment
from policy import civil, lighting
from simulator.estates.streets import lamp_settings
from simulator.hosts import node as node_host
from simulator.hosts.keys import pairing_of
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import LampPorts
from simulator.plants.lamps import Lamp, LampData, LampFeeder
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import limits, quantity

WRAP_MS = 1 << 30
DUE_MS = 7_777


class Air:
    def temperature_ck(self, unix_s):
        return 850


class Settings:
    node = bytes(8)
    ack_timeout_ms = limits.COAP_ACK_TIMEOUT_MIN_MS
    pairing = pairing_of(node)
    gateway = ("cab-1", 5683)
    own = lamp_settings(lighting.Site(474736, -5542, civil.PARIS), (360, 6), lighting.DEFAULT_CALENDAR)


class Scripted:
    """Stands for the node application: asks to be woken every DUE_MS and writes down when it was."""

    made: ClassVar[list] = []  # every node of a test, in the order of their starts

    def __init__(self, settings, boot, link, trade, *, random_below, now_ms, tap, own):
        self.boot = boot
        self.trade = trade
        self.started_ms = now_ms
        self.outputs = Output(100, "boot", 0)
        self.due_ms = now_ms
        self.turns = []
        self.received = []
        self.flash = None
        self.level_next = None
        Scripted.made.append(self)

    def sample_due(self, now_ms):
        return False

    def lamp_hours(self):
        return self.trade.readings(Moment(self.started_ms, None, 0, None, False, {}))[quantity.LAMP_HOURS]

    def poll(self, *, now_ms):
        self.turns.append((self.due_ms, now_ms))
        self.due_ms = now_ms + DUE_MS
        if self.level_next is not None:
            self.outputs = Output(self.level_next, "calendar", 0)

    def receive(self, datagram, peer, *, now_ms):
        self.received.append((datagram, peer, now_ms))

    def checkpoint(self, now_ms):
        return self.flash

    def outgoing(self):
        return []

    def deadline_ms(self, now_ms):
        return self.due_ms


class Bench:
    """One board on a permanent feeder with the scripted application."""

    def __init__(self, seed=1):
        self.world = World(start_unix_s=1_800_000_000)
        feeder = LampFeeder(Prng("feeder"), switched=False)
        self.lamp = Lamp(LampData(360, 6, 364, 0), feeder, Air(), Prng("lamp"))
        radio = Radio(self.world, Prng("radio"), LinkQuality(0, 0, 5, 80, 0, 0))
        ports = LampPorts(self.world, self.lamp)
        self.host = NodeHost(
            self.world, Prng(seed), Settings(), streetlight, ports, radio, lambda datagram, host: None, lambda *_: None
        )

    def later(self, delay_ms):
        self.world.run_until(self.world.now_ms + delay_ms)

    def restart(self):
        self.host.power_off()
        self.later(1000)
        self.host.power_on()
        self.later(5000)
        return Scripted.made[-1]


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    monkeypatch.setattr(node_host, "Node", Scripted)
    monkeypatch.setattr(Scripted, "made", [])


@pytest.fixture
def bench():
    return Bench()


def test_the_output_is_safe_before_the_code_runs(bench):
    bench.host.power_on()
    assert bench.lamp.level_percent == 100
    assert bench.host.node is None
    bench.later(799)
    assert bench.host.node is None
    bench.later(1601)
    assert bench.host.node is not None


def test_ram_and_output_go_with_the_mains(bench):
    bench.host.power_on()
    bench.later(5000)
    bench.host.power_off()
    assert bench.host.node is None
    assert bench.lamp.level_percent == 0
    bench.host.receive(b"x", "peer")
    bench.later(60_000)
    assert Scripted.made[0].received == []


def test_mains_that_fails_while_it_starts_does_not_start_it_twice(bench):
    bench.host.power_on()
    bench.host.power_off()
    bench.host.power_on()
    bench.later(10_000)
    assert len(Scripted.made) == 1
    assert bench.host.boots == 1


def test_a_boot_knows_the_one_before_it_and_its_own_checkpoint_only(bench):
    first = bench.restart()
    assert (first.boot.boot, first.boot.previous_boot, first.boot.durable_sequence) == (1, None, None)
    first.flash = Checkpoint(1, 41, memory.encode(memory.EMPTY._replace(lamp_s=3600)), b"")
    bench.later(DUE_MS + 100)
    second = bench.restart()
    assert second.boot == (2, 1, 41, "power-on") and second.lamp_hours() == 1
    third = bench.restart()
    assert third.boot == (3, 2, None, "power-on") and third.lamp_hours() == 1, "boot 2 wrote nothing"


def test_a_node_is_never_woken_before_its_own_clock_says_so_nor_late(bench):
    bench.host.power_on()
    bench.later(3_600_000)
    turns = Scripted.made[0].turns
    assert len(turns) > 400
    assert all(0 <= now_ms - due_ms <= 1 for due_ms, now_ms in turns)


def test_a_deadline_that_a_datagram_has_moved_brings_no_turn_at_the_old_one(bench):
    bench.host.power_on()
    bench.later(5000)
    node = Scripted.made[0]
    node.due_ms += 3000
    bench.host.receive(b"an answer ends a retransmission", "peer")
    bench.later(30_000)
    assert len(node.turns) > 2 and all(0 <= now_ms - due_ms <= 1 for due_ms, now_ms in node.turns)


def test_crystals_differ_and_are_within_40_ppm():
    rates = set()
    for seed in range(12):
        bench = Bench(seed)
        bench.host.power_on()
        bench.later(10_000_000)
        node = Scripted.made[-1]
        begun_ms = node.turns[0][1]
        bench.host.receive(b"now", "peer")
        world_ms = bench.world.now_ms - bench.host._world_start_ms
        ppm = 1_000_000 * (node.received[0][2] - begun_ms - world_ms) / world_ms
        assert abs(ppm) <= 40
        rates.add(round(ppm))
    assert len(rates) > 6


def test_clocks_start_anywhere_and_near_the_wrap_of_the_ticks_too(bench):
    starts = [bench.restart().started_ms for _ in range(40)]
    near = [start for start in starts if 0 < WRAP_MS - start <= 3_600_000]
    assert 10 < len(near) < 30
    assert len(set(near)) == len(near)
    assert all(0 <= start < WRAP_MS + 3_600_000 for start in starts)


def test_a_new_level_reaches_the_lamp_in_the_same_turn(bench):
    bench.host.power_on()
    bench.later(5000)
    Scripted.made[0].level_next = 40
    bench.later(DUE_MS)
    assert bench.lamp.level_percent == 40
