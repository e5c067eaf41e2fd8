"""The ports of a lamp: what its meter reads is one physical whole, within what the wire can say."""

import pytest

from lighting.trade import Output
from simulator.hosts.ports import LampPorts
from simulator.plants.lamps import Lamp, LampData, LampFeeder
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import quantity, quantity_table


class Air:
    def temperature_ck(self, unix_s):
        return 850


class Bench:
    """A lamp with its ports, in a world of its own."""

    def __init__(self):
        self.world = World(start_unix_s=1_800_000_000)
        self.feeder = LampFeeder(Prng("feeder"), switched=True)
        self.feeder.powered = True
        self.lamp = Lamp(LampData(360, 6, 364, 5000), self.feeder, Air(), Prng("lamp"))
        self.ports = LampPorts(self.world, self.lamp)

    def set_level(self, level_percent):
        self.ports.apply(Output(level_percent, "calendar", 0), now_ms=self.world.now_ms)


@pytest.fixture
def bench():
    return Bench()


def test_the_dimmer_orders_the_lamp_from_that_instant_on(bench):
    bench.world.run_until(3_600_000)
    bench.set_level(100)
    assert bench.lamp.level_percent == 100
    assert bench.lamp.energy_wh() == 0, "the hour before was standby"
    bench.world.run_until(7_200_000)
    bench.set_level(0)
    assert bench.lamp.energy_wh() == (364 + 6) // 10


def test_a_reading_agrees_with_itself(bench):
    for level in (0, 40, 70, 100):
        bench.set_level(level)
        read = bench.ports.read()
        volt, ampere = read[quantity.VOLTAGE] / 10, read[quantity.CURRENT] / 1000
        factor = read[quantity.POWER_FACTOR] / 100
        assert read[quantity.POWER] == bench.lamp.power_dw()
        # The current is cut to whole milliamperes: so much power at most.
        assert 0 <= read[quantity.POWER] / 10 - volt * ampere * factor < 0.001 * volt * factor + 1e-9


def test_the_register_counts_what_the_power_says(bench):
    bench.set_level(100)
    first = bench.ports.read()[quantity.ENERGY]
    bench.world.run_until(10 * 3_600_000)
    read = bench.ports.read()
    assert read[quantity.ENERGY] - first == 10 * read[quantity.POWER] // 10 == 364


def test_a_reading_is_within_what_the_wire_can_say(bench):
    for level in range(0, 101, 10):
        bench.set_level(level)
        bench.world.run_until(bench.world.now_ms + 600_000)
        read = bench.ports.read()
        assert len(read) == 6
        assert all(quantity_table.in_range(key, value) for key, value in read.items())


def test_a_meter_without_mains_is_silent(bench):
    bench.feeder.powered = False
    assert bench.ports.read() is None
