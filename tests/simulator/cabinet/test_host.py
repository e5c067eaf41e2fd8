"""An agent in a cabinet may be killed, frozen, unplugged, and its card may die; the real core comes back each time."""

import pytest

from simulator.cabinet.points import WHOLE
from simulator.cabinet.system_clock import RIGHT, Absent, Drifting, SystemClock, TenYearsAhead
from simulator.checkers.street import KNOWN, NIGHTLY, ORDINARY
from simulator.plants.cabinet import AGENT, CLOCK
from simulator.world.disk import ERRORS, FULL, SOUND, STALLS
from tests.support.street_world import SETUP, StreetWorld

NO_CELL = SETUP._replace(wiring=WHOLE._replace(photocell=False))


@pytest.fixture
def world():
    return StreetWorld(from_h=16.75)


def sound(world):
    world.street.finish()
    return world.checker.violations == [] and world.host.crashes == 0


@pytest.mark.slow
def test_the_agent_takes_the_contactors_and_keeps_the_policy():
    world = StreetWorld()
    world.until(14.003)
    assert world.plant.in_charge() == CLOCK
    world.until(14.1)
    assert world.plant.in_charge() == AGENT and world.lit() == [False, False]
    world.until(18)
    assert world.lit() == [True, True]
    world.until(23)
    assert world.lit() == [False, False]
    assert sound(world) and world.checker.worst_dark_s <= 1 and world.checker.worst_burning_s <= 1


@pytest.mark.parametrize("lines_fall", [True, False])
def test_killed_it_leaves_the_street_to_the_clock_and_takes_it_again(world, lines_fall):
    world.until(18)
    world.host.kill(lines_fall=lines_fall)
    world.until(18.05)
    assert world.plant.in_charge() == CLOCK and world.lit() == [True, True]
    world.until(22.6)
    assert world.lit() == [False, False]
    world.host.power_on()
    world.until(22.7)
    assert world.plant.in_charge() == AGENT and world.host.boot == 2
    assert sound(world)


@pytest.mark.slow
def test_frozen_it_neither_looks_nor_pulses_and_finds_everything_when_it_thaws(world):
    world.until(22.4)
    world.host.freeze()
    looks = world.street.twin.counters["samples"]
    world.until(22.6)
    assert world.plant.in_charge() == CLOCK and world.lit() == [False, False]
    assert world.street.twin.counters["samples"] <= looks + 1
    world.host.thaw()
    world.until(22.7)
    assert world.plant.in_charge() == AGENT and world.host.boot == 1
    assert sound(world)


def test_a_frozen_agent_that_is_killed_does_not_thaw(world):
    world.until(18)
    world.host.freeze()
    world.until(18.1)
    world.host.kill(lines_fall=True)
    world.host.thaw()
    assert world.host.core is None
    world.host.power_on()
    world.until(18.2)
    assert world.host.core is not None and sound(world)


def test_unplugged_it_forgets_the_time_and_asks_for_it_again(world):
    world.until(18)
    world.host.power_cut()
    world.until(18.2)
    assert world.street.wanting.mode == ORDINARY
    world.host.power_on()
    world.until(18.3)
    assert world.street.wanting.mode == KNOWN and world.plant.in_charge() == AGENT
    assert sound(world)


@pytest.mark.slow
def test_a_battery_that_ends_unplugs_it_and_the_mains_bring_it_back(world):
    world.at(18, world.plant.set_mains, False)
    world.until(18.7)
    assert world.host.core is not None
    world.until(18.8)  # after 45 minutes
    assert world.host.core is None and not world.plant.has_supply
    world.at(20, world.plant.set_mains, True)
    world.until(20.01)
    assert world.lit() == [True, True]
    world.until(20.1)
    assert world.plant.in_charge() == AGENT and world.host.boot == 2
    assert sound(world)


@pytest.mark.slow
@pytest.mark.parametrize("state", [ERRORS, STALLS, FULL])
def test_a_card_that_dies_under_a_running_agent_changes_nothing_on_the_street(world, state):
    world.until(17)
    world.host.card(state)
    world.until(23)
    assert world.plant.in_charge() == AGENT and world.lit() == [False, False]
    world.host.card(SOUND)
    world.until(24)
    assert sound(world) and world.host.boot == 1
    waiting = [world.host.core.journal.waiting(stream) for stream in world.host.core.journal.streams()]
    assert sum(waiting) <= 12  # it drains again


@pytest.mark.slow
def test_on_a_dead_card_no_agent_starts_and_the_clock_has_the_street(world):
    world.until(17)
    world.host.card(ERRORS)
    world.host.kill(lines_fall=True)
    world.host.power_on()
    world.until(23)
    assert world.host.core is None and world.host.failed_starts > 10
    assert world.plant.in_charge() == CLOCK and world.lit() == [False, False]
    world.host.card(SOUND)
    world.until(23.2)
    assert world.plant.in_charge() == AGENT and sound(world)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clock", "setup", "mode", "in_charge", "end_h"),
    [
        (SystemClock(), SETUP, KNOWN, AGENT, 33),
        (Absent(), SETUP, NIGHTLY, AGENT, 33),
        (Absent(), NO_CELL, ORDINARY, CLOCK, 33),
        (TenYearsAhead(0, 1 << 60), SETUP, NIGHTLY, AGENT, 33),
        (TenYearsAhead(0, 1 << 60), NO_CELL, ORDINARY, CLOCK, 23),
        (Drifting(20_000, 30), NO_CELL, KNOWN, AGENT, 23),
        (Drifting(-300_000, 400), NO_CELL, KNOWN, AGENT, 23),
        (Drifting(-300_000, 2_000), NO_CELL, ORDINARY, CLOCK, 23),
    ],
)
def test_what_a_clock_is_worth_decides_who_keeps_the_street(clock, setup, mode, in_charge, end_h):
    world = StreetWorld(setup=setup, clock=clock, from_h=16.75)
    world.until(18)
    assert world.street.wanting.mode == mode and world.plant.in_charge() == in_charge
    assert world.lit() == [True, True]
    world.until(end_h)  # dawn, or the extinction
    assert world.lit() == [False, False] and sound(world)


def test_the_kernel_carries_the_time_through_a_cut_for_hours_and_says_how_well():
    clock = SystemClock()
    assert clock.read(0, has_network=False).unix_ms is None
    assert clock.read(1_000, has_network=True) == (1_000, 1, RIGHT)
    assert clock.read(3_601_000, has_network=False) == (3_601_000, 2, RIGHT)
    assert clock.read(10 * 3_600_000, has_network=False).unix_ms is None
    clock.boot()
    assert clock.read(11 * 3_600_000, has_network=False).unix_ms is None


@pytest.mark.slow
def test_an_agent_that_sees_nothing_any_more_keeps_the_calendar(world):
    world.until(17)
    world.side.is_blind = True
    world.until(23)
    assert world.lit() == [False, False] and sound(world) and world.checker.worst_dark_s <= 1


@pytest.mark.slow
def test_an_emergency_of_the_mayor_lights_the_street_at_once_and_outlives_a_restart(world):
    world.until(25)
    world.street.order_emergency("recherche", from_s=world.world.unix_s, to_s=world.unix_s(26))
    world.until(25.001)
    assert world.lit() == [True, True]
    world.until(25.5)
    world.host.power_cut()
    world.host.power_on()
    world.until(25.7)
    assert world.lit() == [True, True]
    world.until(26.1)
    assert world.lit() == [False, False] and sound(world)
