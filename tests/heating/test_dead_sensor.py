"""A thermostat whose sensor dies, sticks or was never there: what hurt the users of other thermostats, on a plant."""

import pytest

from heating import limits
from tests.support.warm_world import ALWAYS, NEVER, WarmWorld, at, model_of
from wire import event, quantity

WAYS = ("silent", "cold", "hot", "wild")
DUTIES = ((1890, "low"), (1850, "half"), (1500, "full"))


def kill(world, how):
    thermometer = world.ports.thermometer
    if how == "silent":
        thermometer.absent = True
    elif how == "cold":
        thermometer.reads_ck = -12_700
    elif how == "hot":
        thermometer.reads_ck = 8500
    else:
        thermometer.reads_ck = world.room.air_ck - 2500  # a loose wire: 25 K at once, and it stays


def killed(how, start_ck):
    """A world five minutes after its sensor died."""
    world = WarmWorld(start_ck=start_ck, mean_ck=800)
    world.run(60)
    kill(world, how)
    world.run(6)
    return world


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("start_ck", "_duty"), DUTIES)
def test_a_sensor_that_dies_at_any_duty_leads_to_the_safe_duty_within_five_minutes(how, start_ck, _duty):
    world = killed(how, start_ck)
    assert world.told(event.SENSOR_FAILURE)[-1][0] is True
    safe = max(100, 1000 * (limits.SAFE_KEEP_CK - world.room.outdoor_ck) // 3000)
    assert abs(world.trade.duty_permille - safe) <= 5


@pytest.mark.parametrize("how", WAYS)
def test_a_room_whose_sensor_died_neither_freezes_nor_cooks_in_a_day(how):
    world = killed(how, 1850)
    world.run(24 * 60)
    # Where a false reading is believed once the room could have got there, it is found to be stuck in the end.
    assert 700 < world.room.air_ck < 2200
    assert world.told(event.SENSOR_FAILURE)[-1][0] is True


@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_a_sensor_that_is_absent_from_boot_heats_by_the_safe_duty_and_the_room_does_not_freeze(output):
    world = WarmWorld(model_of(output), start_ck=1000, mean_ck=-500)
    world.ports.thermometer.absent = True
    world.run(6)
    assert world.told(event.SENSOR_FAILURE) == [(True, ("room", "absent"))]
    assert world.trade.duty_permille >= limits.SAFE_FLOOR_PERMILLE
    coldest = world.room.air_ck

    def look(world):
        nonlocal coldest
        coldest = min(coldest, world.room.air_ck)

    world.run(48 * 60, look)
    assert coldest > 500


def test_with_nobody_to_say_how_cold_it_is_outside_winter_has_a_floor_and_summer_has_not():
    for month, expected in ((1, 500), (7, 100)):
        world = WarmWorld(start_s=at(2027, month, 12, 600), start_ck=1900, mean_ck=1500)
        world.ports.outdoor_absent = True
        world.ports.thermometer.absent = True
        world.run(7)
        assert world.trade.duty_permille == expected


@pytest.mark.slow
@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_a_dead_sensor_keeps_12_degrees_by_every_output_and_not_the_comfort_of_the_programme(output):
    world = WarmWorld(model_of(output), start_ck=1900, mean_ck=300)
    world.ports.thermometer.absent = True
    world.run(4 * 24 * 60)
    assert 950 <= world.room.air_ck <= 1450


@pytest.mark.slow
def test_a_boiler_without_any_thermometer_does_not_let_a_room_freeze_in_winter():
    world = WarmWorld(model_of("opentherm"), start_ck=1200, mean_ck=-700)
    world.ports.thermometer.absent = world.ports.outdoor_absent = True
    world.run(4 * 24 * 60)
    assert world.room.air_ck > 500


@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_a_dead_sensor_heats_nothing_on_a_warm_day_of_september(output):
    world = WarmWorld(model_of(output), start_s=at(2026, 9, 7, 600), start_ck=2200, mean_ck=1900)
    world.ports.thermometer.absent = True
    world.run(60)
    before_wh = world.room.energy_wh()
    world.run(6 * 60)
    assert world.room.energy_wh() - before_wh <= 5


def test_a_sensor_that_sticks_at_full_heat_is_found_out_after_three_hours():
    world = WarmWorld(start_ck=1500)
    world.run(20)
    world.ports.thermometer.stuck = True
    world.run(3 * 60 + 5)
    assert world.told(event.SENSOR_FAILURE)[-1] == (True, ("room", "stuck"))
    assert world.trade.duty_permille < 500
    world.ports.thermometer.stuck = False
    world.run(5)
    assert world.told(event.SENSOR_FAILURE)[-1][0] is False


def test_the_frost_floor_works_again_as_soon_as_the_sensor_does():
    world = WarmWorld(model_of(programme=NEVER), start_ck=520, mean_ck=-300)
    world.ports.thermometer.absent = True
    world.run(10)
    world.room.heater_dead = True
    world.run(60)
    world.room.heater_dead = False
    world.ports.thermometer.absent = False
    world.run(5)
    assert world.told(event.FROST_PROTECTION)[-1][0] is True
    assert world.trade.duty_permille == 1000


@pytest.mark.parametrize("start_ck", [1600, 1900, 2100])
def test_a_room_whose_temperature_stands_still_is_not_in_safe_mode(start_ck):
    """A coarse sensor in a quiet room says the same for days."""
    model = model_of(programme=ALWAYS)
    world = WarmWorld(model, start_ck=start_ck, mean_ck=1850)
    world.ports.thermometer.reads_ck = start_ck if start_ck > 1800 else None
    world.ports.thermometer.step_ck = 50
    world.run(24 * 60)
    assert world.told(event.SENSOR_FAILURE) == []


def test_a_sensor_that_is_frozen_at_55_degrees_is_not_believed_for_having_been_silent():
    world = WarmWorld(start_ck=1900, mean_ck=0)
    world.run(30)
    world.ports.thermometer.absent = True
    world.run(40)
    world.ports.thermometer.absent = False
    world.ports.thermometer.reads_ck = 5500
    world.run(6 * 60)
    assert world.told(event.SENSOR_FAILURE)[-1][0] is True
    assert world.trade.duty_permille >= limits.SAFE_FLOOR_PERMILLE


def test_a_sensor_that_was_moved_to_a_colder_place_is_believed_once_its_reading_moves():
    world = WarmWorld(start_ck=1900)
    world.run(30)
    read = world.ports.read
    world.ports.read = lambda: {**read(), quantity.TEMPERATURE: read()[quantity.TEMPERATURE] - 600}
    world.run(60)
    assert [active for active, _ in world.told(event.SENSOR_FAILURE)] in ([], [True, False])


@pytest.mark.slow
@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_no_room_freezes_with_a_dead_sensor_and_no_outdoor_temperature(output):
    """Four days at -6 °C: a quarter of the heating let it fall to 3.5 °C."""
    world = WarmWorld(model_of(output), start_ck=1900, mean_ck=-600)
    world.ports.thermometer.absent = world.ports.outdoor_absent = True
    coldest = []
    world.run(4 * 24 * 60, lambda world: coldest.append(world.room.air_ck))
    assert min(coldest) > 500
