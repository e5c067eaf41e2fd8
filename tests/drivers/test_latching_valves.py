"""Latching valves as the irrigation node drives them: `watering.valves` says which pulse, the kind's ports give it
through bridges and selector, twins of the board's parts take it. One pulse at a time; what may be open is shut first.
"""

import importlib
import random
import time
from itertools import pairwise

import pytest

from drivers.latching_valves import Bridge
from kinds import irrigation
from simulator.twins import valves as twins
from simulator.twins.board import Machine
from tests.support.green import own, plain
from tests.support.parts_bench import Bench
from watering.valves import MASTER, Valves

# Eight zones and a master, all latching.
ZONE = [0, 0, 3, 2, 1, 10000, 5000, 0, 0, 1, 60]
SETTINGS = plain(
    watering=[1, [ZONE] * 8, [[0, 127, 0, 0, 0, 300, 0, 255, 50]], [], []], valves=[2] * 9 + [0], meter=[20000, 60]
)


class Garden(Bench):
    """The board of an irrigation node with its twins; `start` is a start of the program."""

    def __init__(self, *, is_open=True, step_ms=10):
        super().__init__()
        self.step_ms = step_ms
        self.board = importlib.import_module("boards.irrigation")
        self.machine = Machine(self.board, self.ticks_ms)
        self.parts = self.machine.parts
        self.bridges = (self.parts["MASTER_BRIDGE"], self.parts["ZONES_BRIDGE"])
        self.all_valves = [*self.parts["MASTER"], *self.parts["ZONES"]]
        for valve in self.all_valves:
            valve.is_open = is_open
        self.start()

    def start(self):
        setting = own(SETTINGS)
        self.ports = irrigation.Ports(setting, self.board, self.machine, now_ms=self.now_ms)
        self.valves = Valves(setting.kinds, gap_ms=setting.gap_ms, now_ms=self.now_ms)

    def run(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.ports.apply(self.valves, now_ms=self.now_ms)
            self.pass_ms(self.step_ms)

    def are_open(self):
        return [output for output, valve in enumerate(self.all_valves) if valve.is_open]

    def is_sound(self):
        """What no story may do: a short circuit, a burnt coil, two pulses at once."""
        assert not any(bridge.shorted or bridge.burnt for bridge in self.bridges)
        pulses = sorted(self.bridges[0].pulses + self.bridges[1].pulses)
        for (begun_ms, lasted_ms, _), (next_ms, _, _) in pairwise(pulses):
            assert next_ms >= begun_ms + lasted_ms


@pytest.fixture(autouse=True)
def sleep_us(monkeypatch):
    monkeypatch.setattr(time, "sleep_us", lambda us: None, raising=False)


def test_the_second_pulse_of_a_start_closes_a_lazy_valve():
    garden = Garden()
    garden.all_valves[5].fault = "lazy"
    garden.run(6000)
    assert garden.are_open() == [] and garden.valves.ready()
    garden.is_sound()


def test_a_zone_opens_and_closes_alone():
    garden = Garden(is_open=False)
    garden.run(6000)
    for output in (3, MASTER):
        assert garden.valves.open(output, 600, now_ms=garden.now_ms)
    garden.run(1000)
    assert garden.are_open() == [MASTER, 3]
    garden.valves.close(3)
    garden.run(1000)
    assert garden.are_open() == [MASTER]
    garden.is_sound()


@pytest.mark.parametrize("cut_after_ms", range(0, 900, 37))
def test_a_restart_at_any_moment_of_a_run_ends_closed(cut_after_ms):
    garden = Garden(is_open=False)
    garden.run(6000)
    for output in (MASTER, 2):
        garden.valves.open(output, 600, now_ms=garden.now_ms)
    garden.run(cut_after_ms)
    garden.start()
    garden.run(6000)
    assert garden.are_open() == []
    garden.is_sound()


def test_no_story_shorts_burns_or_leaves_a_wish_undone():
    for seed in range(12):
        chance = random.Random(seed)
        garden = Garden(is_open=False, step_ms=chance.choice((5, 10, 100)))
        garden.run(8000)
        wanted = set()
        for _ in range(40):
            output = chance.randrange(9)
            if chance.random() < 0.5:
                if garden.valves.open(output, 3600, now_ms=garden.now_ms):
                    wanted.add(output)
            else:
                garden.valves.close(output)
                wanted.discard(output)
            garden.run(chance.randrange(400))
        garden.run(8000)
        assert garden.are_open() == sorted(wanted), seed
        garden.is_sound()


def test_a_bridge_that_is_turned_round_lets_go_first():
    garden = Garden(is_open=False)
    twin = garden.bridges[0]
    bridge = Bridge(twin.in1, twin.in2)
    bridge.drive(True)
    garden.pass_ms(50)
    bridge.drive(False)
    assert not twin.shorted and (twin.in1.level, twin.in2.level) == (0, 1)


def test_a_driver_that_forgets_to_lower_the_other_input_is_caught():
    """The twin sees a planted bug."""

    class Careless(Bridge):
        def coast(self):
            pass

        def drive(self, forward):
            (self._in1 if forward else self._in2).value(1)

    garden = Garden(is_open=False)
    twin = garden.bridges[0]
    assert isinstance(twin, twins.Bridge)
    careless = Careless(twin.in1, twin.in2)
    careless.drive(True)
    garden.pass_ms(2000)
    careless.drive(False)
    assert twin.shorted and twin.burnt
    with pytest.raises(AssertionError):
        garden.is_sound()
