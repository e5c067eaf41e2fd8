"""The thermostat on a room: what it holds, obeys, refuses, tells and remembers."""

from itertools import pairwise

import pytest

from heating import actuators, limits, memory, model
from heating.trade import Thermostat
from policy import heating
from policy.heating import Limit, Programme, Rule, Span
from tests.support.warm_world import ALWAYS, NEVER, WarmWorld, at, model_of
from wire import directive, event, quantity, quantity_table

WEEK = heating.DEFAULT_PROGRAMME


@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_an_occupied_room_is_held_at_its_setpoint_by_every_output(output):
    world = WarmWorld(model_of(output), start_ck=1800)
    world.run(12 * 60)
    assert 1840 <= world.room.air_ck <= 1950
    assert world.told(event.SENSOR_FAILURE) == world.told(event.HEATING_FAILURE) == []


def test_a_relay_never_switches_faster_than_its_least_times():
    made = model_of("relay")
    world = WarmWorld(made)
    world.run(24 * 60)
    assert len(world.edges) > 20
    for (before_s, _), (after_s, on) in pairwise(world.edges):
        least_ms = made.timing.min_off_ms if on else made.timing.min_on_ms
        assert 1000 * (after_s - before_s) >= least_ms - 10_000


def test_a_relay_gives_the_duty_that_is_asked():
    world = WarmWorld(start_ck=1900)
    on_s = duty = 0

    def count(world):
        nonlocal on_s, duty
        on_s += 10 * world.trade.outputs.on
        duty += 10 * world.trade.duty_permille

    world.run(12 * 60, count)
    assert abs(on_s - duty / 1000) < 0.06 * 12 * 3600


@pytest.mark.slow
def test_the_room_is_warm_when_people_come_and_learns_how_long_it_takes():
    world = WarmWorld(model_of(programme=WEEK), start_s=at(2026, 12, 1, 60), start_ck=1600)
    shortfalls = []

    def look(world):
        if world.unix_s == at(2026, 12, 4, 480):
            shortfalls.append(1900 - world.room.air_ck)

    world.run(4 * 24 * 60, look)
    assert shortfalls[0] < 80
    lessons = world.told(event.HEATING_LEARNED)
    assert lessons
    assert {"preheat", "programme"} <= set(world.rules())


def test_a_room_that_keeps_its_warmth_stops_before_its_people_leave():
    world = WarmWorld(model_of(programme=WEEK), start_s=at(2026, 12, 1, 600), start_ck=2000, mean_ck=1200)
    world.run(7 * 60 + 55)
    assert "early-stop" in world.rules()
    assert world.room.air_ck >= 1900 - limits.COMFORT_CK - 30


@pytest.mark.parametrize("hinder", ["shed", "window"])
def test_frost_is_above_everything(hinder):
    world = WarmWorld(model_of(programme=NEVER), start_ck=650, mean_ck=-800, contact=True)
    if hinder == "shed":
        world.directives = {directive.LOAD_SHED: 500}
    world.room.window_open = hinder == "window"
    coldest = 9999

    def look(world):
        nonlocal coldest
        coldest = min(coldest, world.room.air_ck)

    world.run(3 * 60, look)
    if hinder != "shed":
        assert world.told(event.FROST_PROTECTION)[0][0] is True
        assert coldest > 350
    assert world.room.air_ck > 480


def test_frost_is_released_at_seven_degrees():
    world = WarmWorld(model_of(programme=NEVER), start_ck=480, mean_ck=200)
    world.run(240)
    told = [active for active, _ in world.told(event.FROST_PROTECTION)]
    assert told[:2] == [True, False]


def test_load_shedding_lowers_by_what_is_said_and_says_when():
    world = WarmWorld()
    world.directives = {directive.LOAD_SHED: 200}
    world.run(5)
    assert world.trade.setpoint_ck == 1700
    assert world.rules()[-1] == "load-shed"
    world.directives = {}
    world.run(5)
    assert world.trade.setpoint_ck == 1900
    assert [active for active, _ in world.told(event.LOAD_SHED)] == [True, False]


def test_a_wish_above_the_ceiling_is_limited_and_told_with_its_text():
    wish = Programme((Rule(127, 0, 0, 0),), ((Span(0, 1440, 2200),),), heating.Setpoints(2200, 1600, 1600, 800), (), ())
    world = WarmWorld(model_of(programme=wish))
    world.run(10)
    assert world.trade.setpoint_ck == 1900
    assert world.told(event.CEILING_APPLIED) == [(None, (2200, 1900, "Code de l’énergie, R241-26"))]
    assert world.told(event.SETPOINT_CHANGED)[-1][1][2:] == ("ceiling", "R241-26")


def test_a_recorded_exemption_lets_the_wish_through_on_its_dates():
    creche = Limit(heating.OCCUPIED, 2200, 20261201, 20270331, "Préfet", "Arrêté 2026-12")
    wish = Programme(ALWAYS.rules, ((Span(0, 1440, 2200),),), heating.Setpoints(2200, 1600, 1600, 800), (), (creche,))
    world = WarmWorld(model_of(programme=wish))
    world.run(10)
    assert world.trade.setpoint_ck == 2200
    assert world.told(event.CEILING_APPLIED) == []


def test_an_open_window_seen_by_its_contact_stops_the_heat_until_it_shuts():
    world = WarmWorld(contact=True, start_ck=1600)
    world.run(20)
    world.room.window_open = True
    world.run(4)
    assert world.told(event.WINDOW_OPEN) == [(True, ("contact",))]
    assert not world.trade.outputs.on
    world.room.window_open = False
    world.run(3)
    assert world.told(event.WINDOW_OPEN)[-1][0] is False
    assert world.trade.outputs.on


def test_an_open_window_is_seen_by_the_fall_of_the_air_too_and_given_up_after_half_an_hour():
    world = WarmWorld(mean_ck=0)
    world.run(180)
    world.room.window_open = True
    world.run(15)
    assert world.told(event.WINDOW_OPEN) == [(True, ("slope",))]
    assert world.trade.duty_permille == 0
    world.run(45)
    assert world.told(event.WINDOW_OPEN)[-1][0] is False
    assert world.trade.duty_permille > 0


def test_heat_that_does_not_come_is_told_and_the_output_is_driven_anew():
    world = WarmWorld(start_ck=1700)
    world.run(10)
    world.room.heater_dead = True
    world.run(60)
    assert world.told(event.HEATING_FAILURE)[0][0] is True
    assert world.trade.outputs.attempt >= 1
    world.room.heater_dead = False
    world.run(120)
    assert world.told(event.HEATING_FAILURE)[-1][0] is False


def test_a_heavy_room_that_warms_slowly_for_half_a_day_is_no_failure():
    world = WarmWorld(start_ck=800, mean_ck=-500)
    world.run(10 * 60)
    assert world.trade.duty_permille > 500
    assert world.told(event.HEATING_FAILURE) == []


def test_heat_without_an_order_is_told():
    world = WarmWorld(model_of(programme=NEVER), start_ck=1500)
    world.run(60)
    world.room.heater_stuck = True
    world.run(120)
    assert world.told(event.HEATING_UNEXPECTED_ON)[0][0] is True


def test_without_a_clock_the_room_is_held_at_the_safe_comfort_and_says_so():
    world = WarmWorld(model_of(programme=NEVER), start_ck=1500)
    world.clock = None
    world.run(5)
    assert (world.trade.setpoint_ck, world.rules()[-1]) == (1700, "no-time")
    assert world.told(event.TIME_FALLBACK) == []
    world.run(10)
    assert world.told(event.TIME_FALLBACK) == [(True, ("safety",))]
    world.run(8 * 60)
    assert 1640 <= world.room.air_ck <= 1760
    world.clock = 0
    world.run(5)
    assert world.trade.setpoint_ck == 800
    assert world.told(event.TIME_FALLBACK)[-1][0] is False


@pytest.mark.slow
def test_a_valve_is_exercised_every_week_in_an_empty_room():
    world = WarmWorld(model_of("valve", programme=WEEK), start_s=at(2026, 6, 1, 0), start_ck=2400, mean_ck=2200)
    strokes = []

    def look(world):
        if world.trade.outputs.valve_percent == 100:
            strokes.append(world.unix_s)

    world.run(16 * 24 * 60, look)
    assert len(world.told(event.VALVE_EXERCISED)) == 2
    plan = heating.Plan(WEEK, world.model.zone)
    assert strokes and all(plan.wanted(unix_s).kind != heating.OCCUPIED for unix_s in strokes)


def test_what_was_learned_survives_a_restart_and_garbage_does_not():
    world = WarmWorld(model_of(programme=WEEK, heater_w=5000), start_s=at(2026, 12, 1, 60), start_ck=1600)
    world.run(24 * 60)
    kept = world.trade.memory(world.now_ms)
    assert len(kept) <= 192
    world.boot(kept)
    assert world.trade.memory(world.now_ms) == kept
    assert world.trade.health(world.moment())[quantity.ENERGY] > 1000
    fresh = Thermostat(world.model, b"", now_ms=0).memory(0)
    for garbage in (kept[:-1], b"\x02" + kept[1:], b"\x01" + bytes(len(kept) - 1), b"\xff" * len(kept), b"x" * 192):
        trade = Thermostat(world.model, garbage, now_ms=0)
        assert trade.memory(0) == fresh
        assert trade.counters["memory"] == 1
    assert memory.decode(kept).learned != memory.decode(fresh).learned


def test_every_change_of_the_setpoint_says_from_what_by_which_rule_and_why():
    world = WarmWorld(model_of(programme=WEEK), start_s=at(2026, 12, 1, 60), start_ck=1600)
    world.run(24 * 60)
    changes = [detail for _, detail in world.told(event.SETPOINT_CHANGED)]
    assert all(change[1] == before[0] for before, change in pairwise(changes))
    assert all(rule for _, _, rule, _ in changes)


def test_readings_and_health_are_quantities_that_the_table_knows():
    world = WarmWorld(model_of("opentherm"), contact=True)
    world.run(30)
    for key, value in {**world.trade.readings(world.moment()), **world.trade.health(world.moment())}.items():
        assert quantity_table.in_range(key, value) and key % 256 in quantity_table.BY_CODE


def test_a_valve_whose_converter_falls_silent_is_told_and_so_is_its_return():
    world = WarmWorld(model_of("valve"))
    read = world.ports.read
    world.run(30)
    world.ports.read = lambda: {**read(), model.OUTPUT_SILENT: 1}
    world.run(2)
    assert world.trade.is_sound(world.moment())
    world.run(3)
    assert world.told(event.VALVE_FAILURE) == [(True, (1, "silent", None))]
    assert not world.trade.is_sound(world.moment())
    assert model.OUTPUT_SILENT not in world.trade.readings(world.moment())
    world.ports.read = read
    world.run(2)
    assert world.told(event.VALVE_FAILURE)[-1] == (False, (1, "silent", None))
    assert world.trade.is_sound(world.moment())


def test_a_boiler_that_falls_silent_is_told_and_so_is_its_return():
    world = WarmWorld(model_of("opentherm"))
    world.run(30)
    world.ports.boiler.is_silent = True
    world.run(10)
    assert world.told(event.BOILER_COMM_FAILURE) == [(True, ())]
    world.ports.boiler.is_silent = False
    world.run(5)
    assert world.told(event.BOILER_COMM_FAILURE)[-1][0] is False


def test_a_decision_that_comes_eight_seconds_late_moves_no_edge_by_more():
    quick, slow = WarmWorld(start_ck=1900), WarmWorld(start_ck=1900)
    quick.run(240)
    skipped = 0
    end_s = slow.unix_s + 240 * 60
    while slow.unix_s < end_s:
        slow.unix_s += 10
        slow.ports.settle()
        skipped = (skipped + 1) % 2
        if skipped == 0:
            slow.step()
    assert abs(quick.room.air_ck - slow.room.air_ck) < 30


def test_a_preheat_that_came_too_late_is_not_carried_on_into_a_cooler_span():
    warm = Limit(heating.OCCUPIED, 2200, 20260101, 20261231, "Maire", "arrêté 7")
    programme = Programme(
        (Rule(0b0011111, 0, 0, 0),), ((Span(480, 540, 2150), Span(540, 1080, 1700)),), WEEK.setpoints, (), (warm,)
    )
    world = WarmWorld(model_of(programme=programme), start_s=at(2026, 12, 7, 450), start_ck=1500)
    world.run(80)
    assert world.trade.duty_permille == 1000
    world.run(180)
    assert "preheat" in world.rules() and world.trade.setpoint_ck == 1700
    assert world.room.air_ck < 1800


@pytest.mark.slow
def test_a_sensor_that_stands_at_20_degrees_for_a_day_does_not_let_the_room_freeze():
    world = WarmWorld(start_ck=1900, mean_ck=-300)
    world.ports.settle()
    read = world.ports.read
    world.ports.read = lambda: {**(read() or {}), quantity.TEMPERATURE: 2050}
    world.run(30 * 60)
    assert world.told(event.SENSOR_FAILURE)[0] == (True, ("room", "stuck"))
    assert world.trade.duty_permille >= limits.SAFE_FLOOR_PERMILLE
    world.run(24 * 60)
    assert world.room.air_ck > 500


def test_starts_in_a_row_do_not_make_a_boilers_relay_chatter():
    world = WarmWorld(model_of("relay", is_water=True, timing=actuators.WATER_CYCLE), start_ck=1500)
    for _ in range(10):
        world.run(2)
        world.boot()
    assert world.edges == []
    world.run(6)
    assert [on for _, on in world.edges] == [True]
