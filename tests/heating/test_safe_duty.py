"""What a room without a thermometer is really given: by every output and at the ends of what the settings accept, the
safe duty over some hours, and not much more; and edges no closer than the least times."""

from itertools import pairwise

import pytest

from heating import actuators, limits
from heating.actuators import CycleTiming, RelayCycle
from heating.regulator import safe_permille
from kinds import thermostat
from policy.fault import Faults
from simulator.plants.building import TOWN_HALL
from tests.support.warm_world import NEVER, WarmWorld

# The shortest and the longest cycle that settings accept, with the shortest and the longest least times.
TIMINGS = ([120, 10, 10], [120, 60, 60], [600, 300, 10], [900, 300, 300], [1800, 300, 300], [7200, 10, 3600],
           [7200, 3600, 10], [7200, 3600, 3600])  # fmt: skip
HOUR_MS = 3_600_000


def timing_of(seconds):
    faults = Faults()
    made = thermostat.decode(faults, {"output": "relay", "cycle": seconds}).model.timing
    assert not faults.listed()
    return made


def given(timing, duties, *, look_ms):
    """(mean of what is given, of what is asked, in 1/1000; edges) of a cycle in blindness that is looked at when it
    says, and every `look_ms`."""
    cycle = RelayCycle(timing, now_ms=0)
    on = asked = now_ms = 0
    edges = []
    while now_ms < 400 * HOUR_MS:
        was, duty = cycle.is_on, duties(now_ms)
        if cycle.step(duty, now_ms=now_ms, blind=True) != was:
            edges.append(now_ms)
        next_ms = min(now_ms + look_ms, cycle.deadline_ms(now_ms))
        assert next_ms > now_ms, "a deadline in the past would never let the loop rest"
        on += cycle.is_on * (next_ms - now_ms)
        asked += duty * (next_ms - now_ms)
        now_ms = next_ms
    # The least off-time that a boot owes is not counted.
    return 1000 * on // (now_ms - timing.min_off_ms), asked // now_ms, edges


@pytest.mark.slow
@pytest.mark.parametrize("seconds", TIMINGS)
@pytest.mark.parametrize("permille", [50, 250, 566, 960])
def test_a_relay_gives_the_safe_duty_with_any_minimum_times(seconds, permille):
    timing = timing_of(seconds)
    mean, _, edges = given(timing, lambda now_ms: permille, look_ms=HOUR_MS)
    assert permille * 98 // 100 <= mean <= permille * 106 // 100
    for before_ms, after_ms in pairwise(edges):
        assert after_ms - before_ms >= min(timing.min_on_ms, timing.min_off_ms)


@pytest.mark.parametrize("seconds", TIMINGS)
def test_a_safe_duty_that_follows_the_weather_is_given_too(seconds):
    def weather(now_ms):
        return 250 + 200 * (now_ms // HOUR_MS % 24) // 24 + now_ms // 60_000 % 3

    mean, asked, _ = given(timing_of(seconds), weather, look_ms=60_000)
    assert asked * 95 // 100 <= mean <= asked * 108 // 100


def test_blindness_begins_with_heat_however_long_the_pause_will_be():
    timing = CycleTiming(7_200_000, 3_600_000, 3_600_000)
    cycle = RelayCycle(timing, now_ms=0)
    for now_ms in range(0, 7_200_000, 10_000):
        cycle.step(0, now_ms=now_ms)
    assert cycle.step(50, now_ms=7_200_000, blind=True)
    waiting = RelayCycle(timing, now_ms=0)
    heats = [waiting.step(50, now_ms=now_ms, blind=True) for now_ms in range(0, 9_000_000, 10_000)]
    assert heats.index(True) == 360 and sum(heats) == 360, "an hour, once the relay may close"


def test_where_the_room_is_measured_a_duty_below_the_least_time_is_none():
    cycle = RelayCycle(CycleTiming(900_000, 300_000, 300_000), now_ms=0)
    assert not any(cycle.step(249, now_ms=now_ms) for now_ms in range(0, 7_200_000, 10_000))


EXTREMES = [
    ("relay", {}),
    ("relay", {"safe_percent": 5}),
    ("relay", {"cycle": [120, 60, 60], "safe_percent": 5}),
    ("relay", {"water": True}),
    ("relay", {"water": True, "cycle": [900, 300, 300]}),
    ("relay", {"water": True, "cycle": [7200, 3600, 3600], "span_k": 60}),
    ("relay", {"water": True, "cycle": [7200, 3600, 3600], "safe_percent": 50}),
    ("valve", {}),
    ("valve", {"safe_percent": 5, "span_k": 60}),
    ("valve", {"safe_percent": 50}),
    ("opentherm", {}),
    ("opentherm", {"curve_percent": 20}),
    ("opentherm", {"curve_percent": 20, "cycle": [7200, 3600, 3600], "safe_percent": 5}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "plain", "mean_ck"),
    [(*extreme, 500 if turn % 2 else -700) for turn, extreme in enumerate(EXTREMES)],
)
def test_every_output_gives_a_blind_room_its_safe_duty_in_winter(output, plain, mean_ck):
    made = thermostat.decode(Faults(), {"output": output, **plain}).model._replace(programme=NEVER)
    world = WarmWorld(made, data=TOWN_HALL, start_ck=1200, mean_ck=mean_ck)
    world.ports.thermometer.absent = True
    world.run(2 * 24 * 60 if output == "opentherm" else 60)
    asked = steps = 0

    def look(world):
        nonlocal asked, steps
        asked += safe_permille(made.safe_permille, world.room.outdoor_ck, None, True, made.span_ck)
        steps += 1

    before_ws = world.room.energy_ws
    world.run(24 * 60, look)
    mean = 1000 * (world.room.energy_ws - before_ws) // (10 * steps * TOWN_HALL.heater_w)
    assert asked // steps * 93 // 100 <= mean <= asked // steps * 150 // 100
    assert world.trade.duty_permille >= limits.SAFE_FLOOR_PERMILLE or mean_ck > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "plain", "outdoor", "mean_ck"),
    [
        ("relay", {"water": True, "cycle": [7200, 3600, 3600]}, False, 0),
        ("relay", {"water": True, "cycle": [7200, 3600, 3600]}, True, -700),
        ("opentherm", {"curve_percent": 20}, True, -700),
    ],
)
def test_a_blind_room_stays_above_frost_with_any_settings(output, plain, outdoor, mean_ck):
    made = thermostat.decode(Faults(), {"output": output, **plain}).model
    world = WarmWorld(made, data=TOWN_HALL, start_ck=1000, mean_ck=mean_ck)
    world.ports.thermometer.absent, world.ports.outdoor_absent = True, not outdoor
    coldest = 1000

    def look(world):
        nonlocal coldest
        coldest = min(coldest, world.room.air_ck)

    world.run(6 * 24 * 60, look)
    assert coldest > 500


def test_a_valve_that_stood_lower_gives_the_safe_duty_in_full_and_noise_does_not_move_it():
    assert actuators.valve_percent(120, 8, False) == 8
    assert actuators.valve_percent(120, 8, True) == 12
    assert [actuators.valve_percent(duty, 13, True) for duty in (111, 121, 130, 100)] == [13, 13, 13, 10]
    assert actuators.valve_percent(0, 13, True) == 0
