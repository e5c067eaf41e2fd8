"""A technician at a thermostat: locked is no heat in any frost, tested is heat for two minutes, and what protects a
boiler protects it then too."""

from itertools import pairwise

import pytest

from heating import limits
from heating.actuators import OPENING
from node.limits import TEST_MAX_MS
from node.trade import LOCK, TEST
from policy import heating
from tests.support.warm_world import NEVER, WarmWorld, at, model_of
from wire import event

OUTPUTS = ["relay", "valve", "opentherm"]


def gives_heat(world):
    outputs = world.trade.outputs
    return outputs.on or outputs.valve_percent > 0


def never_heats(world):
    assert not gives_heat(world) and world.trade.outputs.flow_ck <= limits.FLOW_MIN_CK


@pytest.mark.parametrize("output", OUTPUTS)
def test_locked_is_no_heat_at_once_in_a_cold_room(output):
    world = WarmWorld(model_of(output), start_ck=1500)
    world.run(3)
    assert gives_heat(world), "the least time on of a water relay is not over yet"
    world.trade.local = LOCK
    world.step()
    never_heats(world)
    world.run(4 * 60, never_heats)
    assert world.rules()[-1] == LOCK
    world.trade.local = None
    world.run(30)
    assert gives_heat(world) and world.rules()[-1] == "programme"


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_locked_room_that_gets_as_cold_as_frost_is_told_and_heated_only_when_it_is_unlocked(output):
    world = WarmWorld(model_of(output, programme=NEVER), start_ck=900, mean_ck=-1000)
    world.trade.local = LOCK
    world.run(16 * 60, never_heats)
    assert world.room.air_ck < limits.FROST_ON_CK
    assert [active for active, _ in world.told(event.FROST_PROTECTION)] == [True]
    world.trade.local = None
    world.step()
    assert gives_heat(world) and world.rules()[-1] == "frost"


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_locked_room_whose_sensor_is_dead_gets_no_safe_duty(output):
    world = WarmWorld(model_of(output), start_ck=1500, mean_ck=-500)
    world.trade.local = LOCK
    world.ports.thermometer.absent = True
    world.run(60, never_heats)
    assert world.told(event.SENSOR_FAILURE)[-1][0] is True
    assert not world.trade.is_sound(world.moment())
    world.trade.local = None
    world.run(30)
    assert world.trade.duty_permille > 0


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hinder", ["nothing", "window", "sensor"])
def test_a_test_gives_heat_for_two_minutes_at_least_and_leaves_nothing_behind(output, hinder):
    world = WarmWorld(model_of(output, programme=NEVER), start_ck=2000, mean_ck=1200, contact=True)
    world.room.window_open = hinder == "window"
    world.run(10)
    assert not gives_heat(world)
    if hinder == "sensor":
        world.ports.thermometer.absent = True
    heated_s = 0
    on_s = world.unix_s

    def count(world):
        nonlocal heated_s
        heated_s += 10 * gives_heat(world)
        if world.trade.outputs.on and output == "opentherm":
            assert world.trade.outputs.flow_ck == limits.TEST_FLOW_CK, "moderate: it is no preheat"

    world.trade.local = TEST
    world.step()
    world.run(world.trade.test_ms // 60_000, count)
    assert heated_s >= 120 and world.unix_s - on_s <= 600
    assert world.rules()[-1] == TEST
    world.trade.local = None
    world.run(6)
    assert not gives_heat(world) or hinder == "sensor", "the least time on is over at the latest"
    assert world.rules()[-1] != TEST


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_test_fits_the_longest_that_the_panel_grants(output):
    assert limits.TEST_MS <= WarmWorld(model_of(output)).trade.test_ms <= TEST_MAX_MS


@pytest.mark.parametrize(("output", "is_water"), [("relay", False), ("relay", True), ("opentherm", True)])
def test_a_hand_that_plays_with_the_button_does_not_make_a_boiler_short_cycle(output, is_water):
    timing = model_of("opentherm" if is_water else "relay").timing
    made = model_of(output, programme=NEVER, is_water=is_water, timing=timing)
    world = WarmWorld(made, start_ck=1850)
    for turn in range(40):
        world.trade.local = TEST if turn % 2 else None
        world.run(2)
    assert len(world.edges) >= 4
    for (before_s, _), (after_s, on) in pairwise(world.edges):
        assert 1000 * (after_s - before_s) >= (made.timing.min_off_ms if on else made.timing.min_on_ms) - 10_000
    world.run(10)
    world.trade.local = LOCK
    world.step()
    world.trade.local = TEST
    locked_s = world.unix_s
    world.run(6)
    assert world.edges[-1][1] and world.edges[-1][0] - locked_s >= made.timing.min_off_ms // 1000 - 10


def test_a_test_does_not_wait_for_the_next_cycle_of_a_relay_that_heats_already():
    """At eight tenths of the duty a water relay is off for six minutes of each half hour, beyond its least time off."""
    made = model_of("relay", is_water=True, timing=model_of("opentherm").timing, safe_permille=800)
    world = WarmWorld(made, start_ck=1000, mean_ck=1100)
    world.ports.thermometer.absent = True
    while len(world.edges) < 2 or world.edges[-1][1]:
        world.run(1)
        assert world.now_ms < 4 * 3_600_000
    assert 750 < world.trade.duty_permille <= 850
    off_s = world.edges[-1][0]
    world.trade.local = TEST
    world.run(6)
    assert world.edges[-1][1] and abs(world.edges[-1][0] - off_s - 300) <= 10


@pytest.mark.parametrize("word", [LOCK, TEST])
def test_a_stroke_of_exercise_ends_when_a_hand_comes(word):
    world = WarmWorld(model_of("valve", programme=NEVER), start_s=at(2026, 9, 1, 60), start_ck=2200, mean_ck=2000)
    world.trade._exercise.last_day = world.unix_s // 86_400 - 8
    world.run(1)
    assert world.trade._exercise.phase == OPENING and gives_heat(world)
    world.trade.local = word
    world.run(3)
    assert gives_heat(world) == (word == TEST)
    assert world.told(event.VALVE_EXERCISED) == [] and world.trade.may_restart(world.moment())


def test_a_heating_that_failed_stays_told_through_a_test_and_a_lock():
    world = WarmWorld(start_ck=1700)
    world.room.heater_dead = True
    world.run(90)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    assert not world.trade.is_sound(world.moment())
    for word in (TEST, LOCK):
        world.trade.local = word
        world.run(5)
        world.trade.local = None
        world.run(5)
    world.run(120)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    world.room.heater_dead = False
    world.run(90)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True, False]
    assert world.trade.is_sound(world.moment())


def test_heat_behind_a_lock_is_told_and_a_test_is_not_taken_for_it():
    world = WarmWorld(model_of(programme=NEVER), start_ck=1500)
    for _ in range(12):
        world.trade.local = TEST
        world.run(2)
        world.trade.local = None
        world.run(15)
    assert world.told(event.HEATING_UNEXPECTED_ON) == []
    world.trade.local = LOCK
    world.room.heater_stuck = True
    while not world.told(event.HEATING_UNEXPECTED_ON):
        world.run(1)
        assert world.now_ms < 7 * 3_600_000
    assert not gives_heat(world)
    assert not world.trade.is_sound(world.moment())


def test_a_preheat_is_not_learned_from_across_a_lock():
    world = WarmWorld(
        model_of(programme=heating.DEFAULT_PROGRAMME), start_s=at(2026, 12, 1, 60), start_ck=1600
    )
    while "preheat" not in world.rules():
        world.run(5)
        assert world.now_ms < 8 * 3_600_000
    world.run(10)
    world.trade.local = LOCK
    world.run(60)
    world.trade.local = None
    world.run(4 * 60)
    lessons = [detail[0] for _, detail in world.told(event.HEATING_LEARNED)]
    assert all(minutes < 4 * 60 for minutes in lessons), "of what began after it at most"


def test_a_boiler_that_is_silent_or_at_fault_is_not_sound():
    world = WarmWorld(model_of("opentherm"))
    world.run(10)
    assert world.trade.is_sound(world.moment())
    world.ports.boiler.is_silent = True
    world.run(10)
    assert world.told(event.BOILER_COMM_FAILURE) == [(True, ())]
    assert not world.trade.is_sound(world.moment())
