"""The RS-485 bearer over real pyserial: 32 nodes behind a pseudo-terminal that loses, garbles and answers late."""

import asyncio
import time

import pytest

from gateway.io.node_links import Bus
from simulator.world.chance import Prng
from tests.support.bus_bench import BusBench
from wire import bus

pytestmark = pytest.mark.live
GENEROUS_S = 90
LINE = bus.line()
ADDRESSES = range(1, 33)


class Rig:
    """A bus, its bench, and a CoAP of sorts: what has not come is said again."""

    def __init__(self, folder, addresses=ADDRESSES):
        self.bench = BusBench(folder / "rs485", addresses, LINE)
        self.arrived = set()
        self.bus = Bus(str(folder / "rs485"), ADDRESSES, self._receive, line=LINE)
        prng = Prng("datagrams")
        self.up = {(address, self._datagram(prng)) for address in addresses for _ in range(2)}
        self.down = {(address, self._datagram(prng)) for address in addresses for _ in range(2)}

    @staticmethod
    def _datagram(prng):
        return bytes(prng.randrange(256) for _ in range(20 + prng.randrange(100)))

    def _receive(self, datagram, peer):
        assert peer[0] == "bus"
        self.arrived.add((peer[1], datagram))

    def repeat(self):
        """Say what is missing; how many that is."""
        came = {(address, datagram) for address in self.bench.nodes for datagram in self.bench.said[address]}
        for address, datagram in sorted(self.down - came):
            self.bus.send(("bus", address), datagram)
        for address in self.bench.nodes:
            self.bench.up[address] = sorted(datagram for who, datagram in self.up - self.arrived if who == address)
        return len(self.up - self.arrived) + len(self.down - came)


async def until(is_so, why):
    end_s = time.monotonic() + GENEROUS_S
    while not is_so():
        assert time.monotonic() < end_s, why()
        await asyncio.sleep(0.02)


async def carry(rig):
    end_s = time.monotonic() + GENEROUS_S
    while rig.repeat():
        assert time.monotonic() < end_s, rig.bus.health()
        await asyncio.sleep(1)


def run(tmp_path, body, **options):
    async def main():
        rig = Rig(tmp_path, **options)
        rig.bench.start()
        rig.bus.start()
        try:
            await body(rig)
        finally:
            rig.bus.close()
            rig.bench.close()

    asyncio.run(main())


@pytest.mark.slow
def test_everything_arrives_over_a_line_that_loses_garbles_and_answers_late_and_nobody_speaks_unasked(tmp_path):
    async def body(rig):
        rig.bench.lost, rig.bench.garbled, rig.bench.late = 30, 50, 20
        await carry(rig)
        await until(lambda: min(rig.bench.turns.values()) >= 8, rig.bus.health)
        assert rig.bench.unasked == 0
        health = rig.bus.health()
        assert health["late"] > 0 and health["garbled"] > 0 and health["missed"] > 0
        # Faults take turns from everybody alike; nobody gets twice as many as another.
        rig.bench.lost = rig.bench.garbled = rig.bench.late = 0
        await until(lambda: not rig.bus.health()["silent"], rig.bus.health)
        before = dict(rig.bench.turns)
        await until(lambda: min(rig.bench.turns[a] - before[a] for a in before) >= 5, rig.bus.health)
        turns = [rig.bench.turns[address] - before[address] for address in before]
        assert max(turns) <= 2 * min(turns), turns

    run(tmp_path, body)


def test_an_adapter_that_vanishes_and_returns_loses_nothing_that_is_said_again(tmp_path):
    async def body(rig):
        await until(lambda: rig.bus.health()["silent"] == list(range(5, 33)), rig.bus.health)
        rig.repeat()
        rig.bench.pty.unplug()
        await until(lambda: rig.bus.health()["lost"] == 1, rig.bus.health)
        rig.bench.pty.plug()
        await carry(rig)
        assert rig.bench.unasked == 0 and rig.bus.health()["silent"] == list(range(5, 33))

    run(tmp_path, body, addresses=range(1, 5))
