"""Whether the room follows the heating, judged on plants: the office that was accused by its relay's off part, rooms at
the end of their heating's strength, heaters that are dead; and the meter of electric heaters, whose count never falls
and whose silence is reported."""

import pytest

from heating import limits, memory
from heating.meter import HeaterMeter
from heating.watch import HeatingWatch
from policy import heating
from simulator.plants.building import CLASSROOM, OFFICE, ROOM_RANGE, TOWN_HALL
from tests.support.warm_world import WarmWorld, at, model_of
from wire import event, quantity


def failures(world):
    return [active for active, _ in world.told(event.HEATING_FAILURE)]


@pytest.mark.parametrize("mean_ck", [-700, -200, 300, 800])
@pytest.mark.parametrize("start_ck", [1550, 1700])
def test_an_office_with_cold_walls_near_the_end_of_its_strength_is_no_failure(mean_ck, start_ck):
    """1.8 kW, walls a kelvin colder than the air, for ten hours more than a kelvin short of 19 °C or close to it."""
    world = WarmWorld(model_of(heater_w=1800), data=OFFICE, start_ck=start_ck, mean_ck=mean_ck)
    judged_s = 0

    def look(world):
        nonlocal judged_s
        is_full = world.trade.duty_permille >= limits.WATCH_FULL_PERMILLE
        judged_s += 10 * (is_full and world.room.air_ck < 1800)

    world.run(10 * 60, look)
    assert judged_s >= 900, "the watch had something to judge"
    assert failures(world) == []


def before_school(mean_ck):
    """A light room with a convector, at 5:00 on a Tuesday; people come at 8:00."""
    data = ROOM_RANGE["convector 10 light 0"].data
    made = model_of(programme=heating.DEFAULT_PROGRAMME)
    return WarmWorld(made, data=data, start_s=at(2026, 12, 8, 300), start_ck=1650, mean_ck=mean_ck)


@pytest.mark.parametrize("mean_ck", [-500, -300])
def test_air_that_falls_to_cold_walls_after_a_preheat_is_no_failure(mean_ck):
    """It falls for an hour by more than half a kelvin, and the relay gives two thirds of the heat meanwhile."""
    world = before_school(mean_ck)
    world.run(3 * 60)
    assert failures(world) == []


@pytest.mark.parametrize("mean_ck", [-500, -300])
def test_a_heater_that_dies_in_a_preheat_is_told_soon(mean_ck):
    world = before_school(mean_ck)
    world.run(100)
    assert world.trade.duty_permille == 1000
    world.room.heater_dead = True
    world.run(75)
    assert failures(world) == [True]


def test_a_hard_frost_beyond_the_strength_of_the_heating_is_no_failure():
    world = WarmWorld(model_of(), start_ck=1650, mean_ck=-1300)
    world.run(24 * 60)
    assert world.trade.duty_permille == 1000 and world.room.air_ck < 1750
    assert failures(world) == []


@pytest.mark.slow
def test_full_heat_in_vain_for_a_day_and_a_half_is_told_once_however_hard_the_frost():
    world = WarmWorld(model_of(), start_ck=1650, mean_ck=-1300)
    world.run(35 * 60)
    assert failures(world) == []
    world.run(37 * 60)
    assert failures(world) == [True] and world.trade.duty_permille == 1000
    world.air._mean_ck = 500
    world.run(24 * 60)
    assert failures(world) == [True, False]


@pytest.mark.parametrize("data", [OFFICE, CLASSROOM, TOWN_HALL], ids=["office", "classroom", "town-hall"])
@pytest.mark.parametrize("mean_ck", [-700, 300, 1100])
@pytest.mark.parametrize("outdoor", ["known", "unknown"])
def test_a_dead_electric_heater_is_told_within_the_hour(data, mean_ck, outdoor):
    """In hard frost a quarter of an hour later: the air falls as if a window were open, until that is given up."""
    world = WarmWorld(data=data, start_ck=1650, mean_ck=mean_ck)
    world.ports.outdoor_absent = outdoor == "unknown"
    world.run(10)
    died_s = world.unix_s
    world.room.heater_dead = True
    world.run(3 * 60)
    told = [at_s for at_s, code, active, _ in world.events if code == event.HEATING_FAILURE and active]
    assert told and told[0] - died_s <= (3600 if mean_ck > 0 else 4500)


@pytest.mark.parametrize("output", ["valve", "opentherm"])
def test_dead_radiators_are_told_once_within_three_hours_and_driven_anew_five_times(output):
    world = WarmWorld(model_of(output), data=TOWN_HALL, start_ck=1300, mean_ck=-700)
    world.run(30)
    world.room.heater_dead = True
    world.run(3 * 60)
    assert failures(world) == [True]
    world.run(5 * 60)
    assert failures(world) == [True], "letting the output go for a moment is no end of the fault"
    assert world.trade.outputs.attempt == limits.ATTEMPTS_MAX


@pytest.mark.parametrize("mean_ck", [0, 500])
def test_dead_radiators_of_a_boiler_are_told_within_three_hours_in_a_warm_room(mean_ck):
    """Its flow set-point rises as the room cools; the greatest would be demanded four kelvin later."""
    world = WarmWorld(model_of("opentherm"), data=ROOM_RANGE["boiler 20 medium 240"].data, mean_ck=mean_ck)
    world.run(60)
    world.room.heater_dead = True
    world.run(3 * 60)
    assert failures(world) == [True]


def fed(watch, readings, *, duty=970, outdoor_ck=500):
    """One reading a minute from minute 0; what was declared: [(minute, code, begins, rise)]."""
    declared = []
    for minute, room_ck in enumerate(readings):
        for change in watch.step(duty, room_ck, 1900, outdoor_ck, now_ms=60_000 * minute):
            declared.append((minute, *change))
    return declared


def saw_tooth(minute):
    """A light room on a relay of ten minutes: 0.4 K up in nine, down in the last one."""
    return (0, 5, 10, 15, 20, 25, 30, 35, 40, 20)[minute % 10]


def test_the_saw_tooth_of_the_relay_is_neither_a_rise_nor_a_fall():
    rising = [1700 + 40 * minute // 60 + saw_tooth(minute + 4) for minute in range(300)]
    watch = HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000)
    assert fed(watch, rising) == []
    falling = [1700 - 40 * minute // 60 + saw_tooth(minute + 4) for minute in range(300)]
    watch = HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000)
    (told,) = fed(watch, falling)
    assert told[0] <= 60 and told[1:3] == (event.HEATING_FAILURE, True)


def test_only_full_heat_without_a_pause_is_judged():
    """The same fall, of a dead heater and of one that gives two thirds."""
    falling = [1790 - minute // 3 for minute in range(90)]
    watch = HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000)
    paused = (1000, 1000, 1000, 900, 750, 600, 550, 650, 800, 950)
    for minute, room_ck in enumerate(falling):
        assert watch.step(paused[minute % 10], room_ck, 1950, 1000, now_ms=60_000 * minute) == []
    (told,) = fed(HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000), falling, outdoor_ck=1000)
    assert told[1:3] == (event.HEATING_FAILURE, True)


def test_a_disturbed_watch_compares_anew_and_keeps_what_is_in_force():
    watch = HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000)
    fed(watch, [1700] * 60, outdoor_ck=1600)
    assert watch.active == {event.HEATING_FAILURE}
    watch.disturb(now_ms=3_600_000)
    assert watch.active == {event.HEATING_FAILURE}
    for minute in range(60, 84):
        assert watch.step(970, 1700 + minute, 1900, 1600, now_ms=60_000 * minute) == []
    assert watch.step(970, 1790, 1900, 1600, now_ms=60_000 * 85)[0][1] is False


def test_a_run_of_full_heat_is_in_vain_by_what_it_brought_in_a_day_and_a_half():
    """Colder than the heating's strength is half spent on, so that no single window says anything."""
    minutes = range(4 * 24 * 60)
    slow = [1200 + 50 * minute // (30 * 60) for minute in minutes]
    assert fed(HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000), slow, outdoor_ck=-1300) == []
    vain = [1200 + 50 * min(minute, 30 * 60) // (30 * 60) for minute in minutes]
    (told,) = fed(HeatingWatch(limits.WATCH_ELECTRIC_MS, 600_000, 3000), vain, outdoor_ck=-1300)
    assert told[1:3] == (event.HEATING_FAILURE, True)
    assert 66 * 60 <= told[0] <= 67 * 60, "a day and a half after what it gained last"


def metered(**more):
    return WarmWorld(model_of("relay", has_meter=True, **more.pop("model", {})), **more)


def energy(world):
    return world.trade.health(world.moment())[quantity.ENERGY]


def test_energy_is_the_meters_and_not_on_time_times_rated_power():
    world = metered(start_ck=1700, model={"heater_w": 1})
    world.run(6 * 60)
    assert energy(world) > 1000
    assert abs(energy(world) - world.room.energy_wh()) < 200, "but for what the first reading found"
    readings = world.trade.readings(world.moment())
    assert readings[quantity.POWER] == 10 * world.room.drawn_w or not world.trade.outputs.on
    assert quantity.ENERGY not in readings, "the register of the meter is not the room's total"


def test_a_restart_loses_nothing_of_what_the_meter_counted_meanwhile():
    world = metered(start_ck=1700)
    world.run(2 * 60)
    kept, before = world.trade.memory(world.now_ms), energy(world)
    world.run(60)
    after = energy(world)
    assert after > before
    world.boot(kept)
    world.run(5)
    assert energy(world) >= after


def test_another_meter_one_that_began_anew_and_garbage_add_nothing_and_take_nothing():
    meter = HeaterMeter(5000, 9000, 2000, now_ms=0)
    for wh, total in ((9100, 5100), (3, 5100), (13, 5110), (9_999_000, 5110), (9_999_100, 5210), (None, 5210)):
        meter.sample({} if wh is None else {quantity.ENERGY: wh}, 0, now_ms=0)
        assert meter.wh == total


def test_memory_of_a_node_without_a_meter_is_what_it_was_and_one_with_it_reads_it():
    fresh = memory.fresh(300)
    assert len(memory.encode(fresh)) == 23 and memory.decode(memory.encode(fresh)) == fresh
    metered_ = memory.RoomMemory(fresh.learned, None, 3, 77, 5, 123_456)
    packed = memory.encode(metered_)
    assert memory.decode(packed) == metered_
    for garbage in (packed[:-1], packed[:-4], b"\x01" + packed[1:], packed + b"\x00"):
        assert memory.decode(garbage) is None


def test_a_silent_meter_is_told_with_its_end_and_no_program_is_confirmed_meanwhile():
    world = metered()
    world.run(20)
    world.ports.meter_silent = True
    world.run(5)
    assert world.told(event.METER_FAILURE) == [(True, ())]
    assert not world.trade.is_sound(world.moment())
    world.ports.meter_silent = False
    world.run(2)
    assert world.told(event.METER_FAILURE)[-1] == (False, ())
    assert world.trade.is_sound(world.moment())


def test_a_relay_that_closes_on_nothing_is_told_within_minutes_and_ends_with_the_first_power():
    world = metered(start_ck=1700)
    world.run(10)
    world.room.heater_dead = True
    world.run(8)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    assert world.trade.outputs.attempt >= 1, "and driven anew"
    world.run(90)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    world.room.heater_dead = False
    world.run(3)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True, False]


def test_heaters_whose_own_thermostats_are_content_in_a_warm_room_are_no_failure():
    world = metered(start_ck=1910, mean_ck=1400)
    read = world.ports.read
    world.ports.read = lambda: {**read(), quantity.POWER: 5}
    duties = []
    world.run(6 * 60, lambda world: duties.append(world.trade.duty_permille))
    assert sum(duties) > 0
    assert world.told(event.HEATING_FAILURE) == []


def test_a_boilers_contact_draws_nothing_and_that_is_no_failure():
    world = metered(start_ck=1700, model={"is_water": True})
    read = world.ports.read
    world.ports.read = lambda: {**read(), quantity.POWER: 0}
    world.run(30)
    assert world.trade.outputs.on
    assert world.told(event.HEATING_FAILURE) == []


def test_what_counts_as_nothing_is_ten_watts_or_a_tenth_of_what_is_installed():
    for heater_w, power_dw, is_idle in ((0, 99, True), (0, 100, False), (2000, 1999, True), (2000, 2000, False)):
        meter = HeaterMeter(0, None, heater_w, now_ms=0)
        for now_ms in range(0, limits.METER_IDLE_MS + 120_000, 60_000):
            meter.sample({quantity.POWER: power_dw, quantity.ENERGY: 0}, now_ms, now_ms=now_ms)
        assert meter.is_idle == is_idle
