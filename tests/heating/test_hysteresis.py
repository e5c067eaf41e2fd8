"""Hysteresis with deadband and overrun: what it does at each temperature, and what becomes of a room under it."""

from itertools import pairwise

import pytest

from heating.actuators import ELECTRIC_CYCLE, WATER_CYCLE, CycleTiming
from heating.regulator import ControlLaw, Regulator
from policy import heating
from simulator.plants.building import CLASSROOM, TOWN_HALL
from tests.support.warm_world import WarmWorld, at, model_of
from wire import event

FALSE_ALARMS = (event.WINDOW_OPEN, event.HEATING_FAILURE, event.HEATING_UNEXPECTED_ON, event.SENSOR_FAILURE)


def control(deadband_ck, overrun_ck):
    return ControlLaw(60, 1, None, (deadband_ck, overrun_ck))


def test_heat_begins_below_the_deadband_and_ends_above_the_overrun_and_outdoors_does_not_matter():
    regulator = Regulator(control(50, 30))
    duties = []
    for room_ck in (1900, 1850, 1849, 1900, 1930, 1931, 1900, 1850, 1840):
        duties.append(
            regulator.step(1900, room_ck, -500, rises=True, rests=False, is_full=False, now_ms=60_000 * len(duties))
        )
    assert duties == [0, 0, 1000, 1000, 1000, 0, 0, 0, 1000]
    assert regulator.offset_ck == 0


def lived(output, deadband_ck, overrun_ck, hours=36, data=CLASSROOM, start_ck=1900, mean_ck=300, **changes):
    made = model_of(output, control=control(deadband_ck, overrun_ck), **changes)
    world = WarmWorld(made, start_ck=start_ck, mean_ck=mean_ck, data=data)
    world.airs = []
    world.run(4 * 60)
    world.edges.clear()
    world.run(60 * hours, lambda world: world.airs.append(world.room.air_ck))
    return world


def between_edges_ms(world):
    return [(1000 * (after - before), on) for (before, _), (after, on) in pairwise(world.edges)]


@pytest.mark.parametrize(
    ("output", "data", "over_ck"),
    [("relay", CLASSROOM, 35), ("relay", TOWN_HALL, 60), ("valve", TOWN_HALL, 60), ("opentherm", CLASSROOM, 60)],
)
@pytest.mark.parametrize("band", [(50, 50), (20, 0), (100, 30)])
def test_a_room_is_held_in_its_band_by_every_output_and_nothing_is_suspected(output, data, over_ck, band):
    """What it goes beyond the band by is the thermometer's lag and the heat that is left in a radiator."""
    world = lived(output, *band, data=data, is_water=data is TOWN_HALL or output == "opentherm")
    assert 1900 - band[0] - over_ck <= min(world.airs)
    assert max(world.airs) <= 1900 + band[1] + over_ck
    assert abs(sum(world.airs) // len(world.airs) - (1900 + (band[1] - band[0]) // 2)) <= over_ck
    for code in FALSE_ALARMS:
        assert world.told(code) == []


@pytest.mark.parametrize("timing", [ELECTRIC_CYCLE, WATER_CYCLE, CycleTiming(7_200_000, 1_800_000, 1_800_000)])
def test_the_narrowest_band_switches_no_faster_than_the_least_times(timing):
    world = lived("relay", 10, 0, timing=timing)
    lasted = between_edges_ms(world)
    assert lasted
    assert all(ms >= (timing.min_off_ms if on else timing.min_on_ms) - 10_000 for ms, on in lasted)


def test_a_wide_band_has_long_runs_and_few_of_them():
    assert len(lived("relay", 50, 50).edges) * 2 < len(lived("relay", 10, 0).edges)


def test_a_cold_start_is_full_heat_at_once_and_a_lower_set_point_ends_it():
    world = WarmWorld(model_of(control=control(50, 50), programme=heating.DEFAULT_PROGRAMME),
                      start_s=at(2026, 12, 7, 1020), start_ck=1700)  # fmt: skip
    world.run(10)
    assert world.trade.outputs.on and world.trade.duty_permille == 1000
    world.run(60)
    assert not world.trade.outputs.on and world.trade.setpoint_ck == 1600


def test_a_preheat_is_followed_and_learned_of():
    world = WarmWorld(model_of(control=control(50, 50), programme=heating.DEFAULT_PROGRAMME),
                      start_s=at(2026, 12, 8, 60), start_ck=1650)  # fmt: skip
    world.run(8 * 60)
    assert "preheat" in world.rules() and world.told(event.HEATING_LEARNED)
    assert world.room.air_ck >= 1850
