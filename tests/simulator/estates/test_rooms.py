"""Rooms: the plant obeys physics and its seed; the checker of invariant 4 sees bugs planted in the real trade."""

import pytest

from heating import limits
from heating.setpoint import SetpointLadder
from heating.trade import Thermostat
from policy import civil, heating
from policy.heating import Limit, Programme, Rule, Span
from simulator.checkers.rooms import RoomsChecker, WatchedRoom
from simulator.plants.building import CLASSROOM, OFFICE, TOWN_HALL, Room, Thermometer
from simulator.plants.climate import Climate, Weather
from simulator.plants.lamps import Air
from simulator.world.chance import Prng
from tests.support.warm_world import NEVER, WarmWorld, at, model_of
from wire import directive

MIDDAY_S = at(2026, 12, 7, 600)
DARK = Air(latitude_e4=474700, longitude_e4=-5500, mean_ck=300, swing_ck=0)


def lived(data, hours, demand=0, start_ck=1900, **state):
    room = Room(data, DARK, start_ck=start_ck)
    for name, value in state.items():
        setattr(room, name, value)
    room.settle(at(2026, 12, 7, 1200))
    room.demand_permille = demand
    room.settle(at(2026, 12, 7, 1200) + 3600 * hours)
    return room


@pytest.mark.slow
def test_a_room_that_nobody_heats_goes_to_the_outdoors_and_one_at_full_power_to_its_span():
    assert 300 <= lived(OFFICE, 24 * 30).air_ck <= 700  # the sun helps by day
    for data in (CLASSROOM, TOWN_HALL, OFFICE):
        span_k = data.heater_w // (data.air_out_w_k + data.mass_out_w_k)
        assert span_k - 4 <= (lived(data, 24 * 30, demand=1000).air_ck - 300) // 100 <= span_k + 6


def test_energy_is_power_times_time_and_a_dead_heater_draws_none():
    assert lived(CLASSROOM, 10, demand=500).energy_wh() == 25_000
    assert lived(CLASSROOM, 10, demand=1000, heater_dead=True).energy_wh() == 0
    assert lived(CLASSROOM, 10, heater_stuck=True).energy_wh() == 50_000


def test_an_open_window_and_people_are_felt():
    assert lived(CLASSROOM, 1, demand=300, window_open=True).air_ck < lived(CLASSROOM, 1, demand=300).air_ck - 150
    assert lived(CLASSROOM, 1, people=26).air_ck > lived(CLASSROOM, 1).air_ck + 80


def test_the_steps_change_nothing_and_one_seed_gives_one_room():
    coarse = lived(CLASSROOM, 6, demand=700)
    fine = Room(CLASSROOM, DARK, start_ck=1900)
    fine.settle(at(2026, 12, 7, 1200))
    fine.demand_permille = 700
    for second in range(0, 6 * 3600 + 10, 10):
        fine.settle(at(2026, 12, 7, 1200) + second)
    assert abs(coarse.air_ck - fine.air_ck) <= 5
    reads = [[Thermometer(coarse, Prng("one")).read(MIDDAY_S + 60 * n) for n in range(5)] for _ in range(2)]
    assert reads[0] == reads[1]


def test_the_winter_is_a_winter():
    weather = Weather(Climate(1, civil.days_from_civil(2026, 11, 1)))
    hours = [weather.temperature_ck(at(2026, 11, 1) + 3600 * hour) for hour in range(151 * 24)]
    assert 600 < sum(hours) // len(hours) < 850
    assert -900 < min(hours) < -200
    assert max(hours) < 2200
    assert max(weather.sun_permille(at(2026, 11, 1) + 3600 * hour) for hour in range(151 * 24)) < 600


def judged(world, minutes, programme, ordered=None, exceptions=()):
    watched = WatchedRoom(
        "class", world.room, programme, ordered=ordered, thermometer=world.ports.thermometer, exceptions=exceptions
    )
    checker = RoomsChecker([watched])

    def look(world):
        if world.unix_s % 60 == 0:
            checker.check(unix_s=world.unix_s)

    world.run(minutes, look)
    assert checker.checks == minutes
    return checker.violations


def cold_world():
    return WarmWorld(model_of(programme=NEVER), start_ck=700, mean_ck=-900)


@pytest.mark.slow
def test_sound_code_passes_the_checker_in_hard_frost_and_in_a_working_week():
    assert judged(cold_world(), 24 * 60, NEVER) == []
    week = heating.DEFAULT_PROGRAMME
    world = WarmWorld(model_of(programme=week), start_s=at(2026, 12, 1), start_ck=1600)
    assert judged(world, 3 * 24 * 60, week) == []


def test_a_trade_that_forgets_frost_and_emptiness_is_caught(monkeypatch):
    """The planted bug: the set-point of a long emptiness counts as off, and frost is not looked at."""
    monkeypatch.setattr(limits, "FROST_ON_CK", -5000)
    monkeypatch.setattr(Thermostat, "_duty", lambda self, choice, room_ck, outdoor_ck, moment: 0)
    assert "freezes" in judged(cold_world(), 24 * 60, NEVER)[0]


def test_a_trade_that_forgets_the_law_is_caught_and_an_exemption_is_not(monkeypatch):
    warm = Programme((Rule(127, 0, 0, 0),), ((Span(0, 1440, 2300),),), heating.Setpoints(2300, 1600, 1600, 800), (), ())
    sound = WarmWorld(model_of(programme=warm), start_ck=1950)
    assert judged(sound, 10 * 60, warm) == []
    creche = Limit(heating.OCCUPIED, 2300, 20261101, 20270331, "Préfet", "Arrêté 2026-12")
    exempted = Programme(warm.rules, warm.days, warm.setpoints, (), (creche,))
    assert judged(WarmWorld(model_of(programme=exempted), start_ck=2200), 10 * 60, exempted) == []
    monkeypatch.setattr(heating.Plan, "allowed", lambda self, ck, kind, unix_s: heating.Allowed(ck, None))
    bad = WarmWorld(model_of(programme=warm), start_ck=1950)
    assert "above its ceiling" in judged(bad, 10 * 60, warm)[0]


def test_a_room_that_is_heated_all_weekend_is_caught(monkeypatch):
    week = heating.DEFAULT_PROGRAMME
    kept = SetpointLadder._programme

    def eager(self, wanted, unix_s, room_ck, outdoor_ck):
        return (1900, "programme", heating.OCCUPIED) if wanted.kind else kept(self, wanted, unix_s, room_ck, outdoor_ck)

    monkeypatch.setattr(SetpointLadder, "_programme", eager)
    world = WarmWorld(model_of(programme=week), start_s=at(2026, 12, 5, 300), start_ck=1700)
    assert "above its ceiling" in judged(world, 12 * 60, week)[0]


CLOSED_DAYS = (heating.CLOSED, at(2026, 12, 8), at(2026, 12, 11))  # Tuesday to Thursday


def closed_world():
    """A warm room at midnight, whose gateway says that nobody comes before Friday."""
    world = WarmWorld(model_of("valve", programme=heating.DEFAULT_PROGRAMME), start_s=at(2026, 12, 8), start_ck=1900)
    ends_ms = 1000 * (CLOSED_DAYS[2] - world.unix_s)
    world.directives = {directive.EXCEPTION: heating.CLOSED, directive.ENDS + directive.EXCEPTION: ends_ms}
    return world


@pytest.mark.slow
def test_closed_days_are_judged_as_the_long_emptiness_that_they_are():
    week = heating.DEFAULT_PROGRAMME
    assert judged(closed_world(), 48 * 60, week, exceptions=(CLOSED_DAYS,)) == []
    usual = WarmWorld(model_of("valve", programme=week), start_s=at(2026, 12, 8), start_ck=1900)
    assert "above its ceiling" in judged(usual, 30 * 60, week, exceptions=(CLOSED_DAYS,))[0]


@pytest.mark.slow
def test_a_trade_that_takes_closed_days_one_by_one_is_caught(monkeypatch):
    """The planted bug: an exception is of today alone."""
    kept = SetpointLadder._closure

    def short_sighted(self, moment):
        told = kept(self, moment)
        midnight_s = at(2026, 12, 8) + (moment.unix_s - at(2026, 12, 8)) // 86400 * 86400
        return told and (told[0], midnight_s, midnight_s + 86400)

    monkeypatch.setattr(SetpointLadder, "_closure", short_sighted)
    found = judged(closed_world(), 48 * 60, heating.DEFAULT_PROGRAMME, exceptions=(CLOSED_DAYS,))
    assert "above its ceiling" in found[0]


def blind_world(output):
    world = WarmWorld(model_of(output, programme=NEVER), start_ck=1800, mean_ck=300)
    world.ports.thermometer.absent = True
    return world


@pytest.mark.slow
@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_a_room_without_a_thermometer_is_judged_by_its_heat_and_not_by_the_ceiling_of_empty_rooms(output):
    assert judged(blind_world(output), 48 * 60, NEVER) == []


def test_a_blind_room_that_is_heated_for_comfort_is_caught(monkeypatch):
    monkeypatch.setattr(limits, "SAFE_KEEP_CK", 1900)
    assert "heated blind" in judged(blind_world("opentherm"), 24 * 60, NEVER)[0]
