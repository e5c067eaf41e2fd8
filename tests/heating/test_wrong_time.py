"""A thermostat whose time is wrong, jumps or is absent, and both nights of summer time."""

from itertools import pairwise

import pytest

from policy import civil, heating
from simulator.world.chance import Prng
from tests.support.warm_world import ALWAYS, WarmWorld, at, model_of
from wire import event

MORNINGS = heating.Programme(
    (heating.Rule(127, 0, 0, 0),),
    ((heating.Span(60, 210, 0), heating.Span(480, 720, 0)),),
    heating.DEFAULT_SETPOINTS,
    (),
    (),
)


@pytest.mark.parametrize(("day", "length_h"), [((2026, 3, 29), 1.5), ((2026, 10, 25), 3.5)])
def test_in_both_nights_of_summer_time_each_span_happens_once(day, length_h):
    """1:00 to 3:30: an hour of it is missing in spring, and lived twice in autumn."""
    start_s = at(*day) - 3600
    world = WarmWorld(model_of(programme=MORNINGS), start_s=start_s, start_ck=1900, mean_ck=1000)
    occupied_s = 0

    def look(world):
        nonlocal occupied_s
        unix_s = world.unix_s
        local = civil.local_from_unix(civil.PARIS, unix_s)
        if local.second < 14_400 and local.civil_day == civil.days_from_civil(*day):
            rule, setpoint_ck = world.rules()[-1], world.trade.setpoint_ck
            occupied_s += 10 * (rule == "early-stop" or (rule == "programme" and setpoint_ck == 1900))

    world.run(13 * 60, look)
    assert abs(occupied_s - 3600 * length_h) < 120
    changes = [(detail[2], detail[0]) for _, detail in world.told(event.SETPOINT_CHANGED)]
    begun = [
        change for before, change in pairwise(changes)
        if change == ("programme", 1900) and before[0] != "early-stop"
    ]  # fmt: skip
    assert len(begun) == 2


@pytest.mark.parametrize("jump_s", [3600, -3600, 86_400, -86_400, 10 * 365 * 86_400])
def test_a_clock_that_jumps_and_comes_back_leaves_no_trace(jump_s):
    steady, jumped = (WarmWorld(model_of(programme=MORNINGS), start_s=at(2026, 12, 1, 300)) for _ in range(2))
    for world in (steady, jumped):
        world.run(60)
    jumped.clock = jump_s
    jumped.run(20)
    jumped.clock = 0
    steady.run(20)
    for world in (steady, jumped):
        world.run(180)
    assert jumped.trade.setpoint_ck == steady.trade.setpoint_ck
    assert abs(jumped.room.air_ck - steady.room.air_ck) < 80
    assert jumped.told(event.HEATING_FAILURE) == []


def test_least_times_of_a_relay_hold_through_every_jump_of_the_clock():
    world = WarmWorld(model_of(programme=MORNINGS), start_s=at(2026, 12, 1, 0), mean_ck=0)
    prng = Prng("jumps")
    for _ in range(60):
        world.clock = prng.between(-20, 20) * 1800
        world.run(7)
    for (before_s, _), (after_s, _on) in pairwise(world.edges):
        assert after_s - before_s >= 30


def test_a_boot_without_time_and_a_clock_of_long_ago_are_no_reason_to_be_cold():
    for clock, uncertainty_s in ((None, 0), (0, 5000)):
        world = WarmWorld(model_of(programme=ALWAYS), start_ck=1700)
        world.clock, world.uncertainty_s = clock, uncertainty_s
        world.run(6 * 60)
        assert world.room.air_ck > 1640
        assert world.rules()[-1] == "no-time"
