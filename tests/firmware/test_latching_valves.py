"""Latching valves: pulses of the right length, one at a time, closings first, nothing opened that cannot be closed."""

import random
from itertools import pairwise

import pytest

from drivers import latching_valves
from drivers.latching_valves import ENERGY, SELECTOR, Bridge, Done, LatchingValves, Valve
from drivers.pcf8574 import Pcf8574
from simulator.twins import pcf8574 as pcf8574_twin
from simulator.twins import valves as twins
from tests.support.parts_bench import Bench

PULSE_MS = 100
ZONES = range(1, 9)
MASTER = 0


class Garden(Bench):
    """A master valve on its own bridge, eight zones behind another and an expander."""

    def __init__(self, *, is_open=True, step_ms=10):
        super().__init__()
        self.step_ms = step_ms
        self.expander = self.i2c.attach(0x20, pcf8574_twin.Pcf8574())
        self.zone_valves = [twins.Valve(is_open) for _ in ZONES]
        self.master_valve = twins.Valve(is_open)
        self.zone_bridge = twins.Bridge(self.ticks_ms, twins.selected(self.expander, self.zone_valves))
        self.master_bridge = twins.Bridge(self.ticks_ms, lambda: [self.master_valve])
        self.enough = {True: True, False: True}
        self.done = []
        self.valves = self.driver()

    def driver(self):
        """As after a start of the program."""
        selector = Pcf8574(self.bus, 0x20)
        shared = Bridge(self.zone_bridge.in1, self.zone_bridge.in2)
        valves = {zone: Valve(shared, selector, zone - 1) for zone in ZONES}
        valves[MASTER] = Valve(Bridge(self.master_bridge.in1, self.master_bridge.in2), None, 0)
        return LatchingValves(valves, pulse_ms=PULSE_MS, energy=lambda opening: self.enough[opening])

    def turn(self):
        self.done += self.valves.poll(now_ms=self.now_ms)
        wanted_ms = self.valves.deadline_ms
        left_ms = self.step_ms if wanted_ms is None else min(self.step_ms, max(1, wanted_ms - self.now_ms))
        self.pass_ms(left_ms)

    def run(self, ms=60_000):
        """Until nothing waits."""
        end_ms = self.now_ms + ms
        while self.valves.busy() and self.now_ms < end_ms:
            self.turn()
        assert not self.valves.busy(), "it never comes to its end"

    def all_valves(self):
        return [self.master_valve, *self.zone_valves]

    def are_open(self):
        return [zone for zone, valve in enumerate(self.all_valves()) if valve.is_open]

    def pulses(self):
        return sorted(self.zone_bridge.pulses + self.master_bridge.pulses)

    def is_sound(self):
        """What no story may do: a short circuit, a burnt coil, two pulses at once."""
        assert not any(bridge.shorted or bridge.burnt for bridge in (self.zone_bridge, self.master_bridge))
        pulses = self.pulses()
        for (begun_ms, lasted_ms, _), (next_ms, _, _) in pairwise(pulses):
            assert next_ms >= begun_ms + lasted_ms


@pytest.fixture
def garden():
    return Garden(is_open=False)


def test_the_first_act_closes_every_valve_twice():
    garden = Garden(is_open=True)
    garden.valves.close_all(now_ms=0)
    garden.run()
    assert garden.are_open() == []
    assert len(garden.pulses()) == 18 and not any(forward for _, _, forward in garden.pulses())
    assert [garden.valves.position(zone) for zone in (MASTER, *ZONES)] == [False] * 9
    assert garden.done == [Done(zone, False, None) for zone in (MASTER, *ZONES)] * 2
    garden.is_sound()


def test_the_second_pulse_closes_a_lazy_valve():
    garden = Garden(is_open=True)
    garden.zone_valves[3].fault = "lazy"
    garden.valves.close_all(now_ms=0)
    garden.run()
    assert garden.are_open() == []


def test_a_zone_opens_and_closes_alone(garden):
    assert garden.valves.open(5, now_ms=0) is True
    garden.run()
    assert garden.are_open() == [5] and garden.valves.position(5) is True
    garden.valves.close(5, now_ms=garden.now_ms)
    garden.run()
    assert garden.are_open() == [] and garden.valves.position(5) is False
    assert garden.expander.outputs == 0xFF, "nothing stays connected"
    assert [(lasted_ms, forward) for _, lasted_ms, forward in garden.pulses()] == [(100, True), (100, False)]
    garden.is_sound()


def test_before_the_first_pulse_nobody_knows_where_a_valve_is(garden):
    assert [garden.valves.position(zone) for zone in (MASTER, *ZONES)] == [None] * 9


def test_the_master_needs_no_selector(garden):
    garden.expander.fault = "absent"
    garden.valves.open(MASTER, now_ms=0)
    garden.run()
    assert garden.are_open() == [MASTER]
    garden.valves.close(MASTER, now_ms=garden.now_ms)
    garden.run()
    assert garden.are_open() == []


def test_a_pulse_ends_at_its_deadline(garden):
    garden.valves.open(MASTER, now_ms=0)
    garden.turn()
    assert garden.master_bridge.in1.level == 1
    assert garden.valves.deadline_ms == PULSE_MS
    garden.now_ms = PULSE_MS - 1
    garden.valves.poll(now_ms=garden.now_ms)
    assert garden.master_bridge.in1.level == 1
    garden.now_ms = PULSE_MS
    garden.valves.poll(now_ms=garden.now_ms)
    assert garden.master_bridge.in1.level == garden.master_bridge.in2.level == 0
    assert garden.valves.deadline_ms is None and garden.valves.pulse_longest_ms == PULSE_MS


def test_a_slow_loop_lengthens_a_pulse_and_it_is_told(garden):
    garden.valves.open(MASTER, now_ms=0)
    garden.turn()
    garden.now_ms = 190
    garden.valves.poll(now_ms=garden.now_ms)
    assert garden.master_bridge.in1.level == 0
    assert garden.valves.pulse_longest_ms == 190


def test_an_opening_without_the_energy_to_close_is_refused(garden):
    garden.enough[True] = False
    assert garden.valves.open(2, now_ms=0) is False
    garden.run()
    assert garden.pulses() == [] and garden.valves.faults == 1


def test_energy_that_went_while_an_opening_waited_stops_it(garden):
    garden.valves.open(1, now_ms=0)
    garden.valves.open(2, now_ms=0)
    garden.turn()
    garden.enough[True] = False
    garden.run()
    assert garden.are_open() == [1]
    assert garden.done == [Done(1, True, None), Done(2, True, ENERGY)]


def test_a_closing_waits_for_its_energy_and_is_tried_all_the_same():
    garden = Garden(is_open=True)
    garden.enough[False] = False
    garden.valves.close(3, now_ms=0)
    garden.run()
    assert 3 not in garden.are_open()
    assert garden.pulses()[0][0] >= latching_valves.ENERGY_WAIT_MS
    garden = Garden(is_open=True)
    garden.enough[False] = False
    garden.valves.close(3, now_ms=0)
    while garden.now_ms < 2000:
        garden.turn()
    garden.enough[False] = True
    garden.run()
    assert 2000 <= garden.pulses()[0][0] <= 2000 + latching_valves.GAP_MS + latching_valves.SETTLE_MS + 20


def test_a_closing_that_has_waited_once_does_not_wait_again_for_the_selector():
    garden = Garden(is_open=True)
    garden.enough[False] = False
    garden.expander.fault = "absent"
    garden.valves.close(3, now_ms=0)
    garden.run()
    assert garden.done == [Done(3, False, SELECTOR)]
    assert garden.now_ms < latching_valves.ENERGY_WAIT_MS + latching_valves.CLOSE_TRIES_MAX * 2 * latching_valves.GAP_MS


def test_closings_go_before_openings_and_take_them_back(garden):
    for zone in (1, 2, 3):
        garden.valves.open(zone, now_ms=0)
    garden.valves.close(2, now_ms=0)
    garden.run()
    assert garden.done == [Done(2, False, None), Done(1, True, None), Done(3, True, None)]
    assert garden.are_open() == [1, 3]


def test_a_wish_said_twice_is_one_pulse(garden):
    for _ in range(3):
        garden.valves.open(4, now_ms=0)
    garden.run()
    for _ in range(3):
        garden.valves.close(4, now_ms=garden.now_ms)
    garden.run()
    assert len(garden.pulses()) == 2


def test_between_two_pulses_the_capacitor_has_its_pause(garden):
    for zone in (1, 2, 3):
        garden.valves.open(zone, now_ms=0)
    garden.run()
    starts = [begun_ms for begun_ms, _, _ in garden.pulses()]
    assert min(later - earlier for earlier, later in pairwise(starts)) >= PULSE_MS + latching_valves.GAP_MS


def test_without_its_selector_no_zone_gets_a_pulse(garden):
    garden.expander.fault = "absent"
    garden.valves.open(1, now_ms=0)
    garden.run()
    assert garden.done == [Done(1, True, SELECTOR)]
    assert garden.pulses() == []


def test_a_selector_that_also_connects_another_valve_is_not_trusted(garden):
    garden.expander.fault, garden.expander.stuck_low = "stuck", 0b1000_0000
    garden.valves.open(1, now_ms=0)
    garden.run()
    assert garden.done == [Done(1, True, SELECTOR)] and garden.are_open() == []


def test_a_closing_is_tried_again_while_the_selector_does_not_answer():
    garden = Garden(is_open=True)
    garden.expander.fault = "absent"
    garden.valves.close(6, now_ms=0)
    while garden.now_ms < 2 * latching_valves.GAP_MS:
        garden.turn()
    garden.expander.fault = ""
    garden.run()
    assert 6 not in garden.are_open() and garden.done == [Done(6, False, None)]
    garden.expander.fault = "absent"
    garden.valves.close(7, now_ms=garden.now_ms)
    garden.run()
    assert garden.done[-1] == Done(7, False, SELECTOR)


@pytest.mark.parametrize("cut_after_ms", range(0, 900, 37))
def test_a_restart_at_any_moment_of_a_run_ends_closed(cut_after_ms):
    garden = Garden(is_open=False)
    garden.valves.open(MASTER, now_ms=0)
    garden.valves.open(2, now_ms=0)
    while garden.now_ms < cut_after_ms:
        garden.turn()
    for bridge in (garden.zone_bridge, garden.master_bridge):  # boot.py
        bridge.in1.value(0)
        bridge.in2.value(0)
    garden.valves = garden.driver()
    garden.valves.close_all(now_ms=garden.now_ms)
    garden.run()
    assert garden.are_open() == []
    garden.is_sound()


def test_no_story_shorts_burns_or_leaves_a_wish_undone():
    for seed in range(30):
        chance = random.Random(seed)
        garden = Garden(is_open=False, step_ms=chance.choice((1, 10, 100)))
        wanted = {}
        for _ in range(60):
            zone = chance.randrange(9)
            if chance.random() < 0.5:
                garden.valves.open(zone, now_ms=garden.now_ms)
                wanted[zone] = True
            else:
                garden.valves.close(zone, now_ms=garden.now_ms)
                wanted[zone] = False
            for _ in range(chance.randrange(40)):
                garden.turn()
        garden.run()
        assert garden.are_open() == sorted(zone for zone, opened in wanted.items() if opened), seed
        garden.is_sound()


def test_a_bridge_that_is_turned_round_lets_go_first(garden):
    bridge = Bridge(garden.master_bridge.in1, garden.master_bridge.in2)
    bridge.drive(True)
    garden.pass_ms(50)
    bridge.drive(False)
    assert not garden.master_bridge.shorted
    assert (garden.master_bridge.in1.level, garden.master_bridge.in2.level) == (0, 1)


def test_a_driver_that_forgets_to_lower_the_other_input_is_caught(garden):
    """The twin sees a planted bug."""

    class Careless(Bridge):
        def coast(self):
            pass

        def drive(self, forward):
            (self._in1 if forward else self._in2).value(1)

    careless = Careless(garden.master_bridge.in1, garden.master_bridge.in2)
    careless.drive(True)
    garden.pass_ms(2000)
    careless.drive(False)
    assert garden.master_bridge.shorted and garden.master_bridge.burnt
    with pytest.raises(AssertionError):
        garden.is_sound()
