"""The regulator by the numbers of the project's reference (nodes, a.2): TPI, the presets of PI, what keeps its sum from
winding up, the cut-out; hysteresis with deadband and overrun, alone and in a room."""

from itertools import pairwise

import pytest

from heating import limits
from heating.actuators import ELECTRIC_CYCLE, WATER_CYCLE, CycleTiming
from heating.regulator import DEFAULT_CONTROL, PRESETS, ControlLaw, Regulator
from policy import heating
from simulator.plants.building import CLASSROOM, TOWN_HALL
from tests.support.warm_world import WarmWorld, at, model_of
from wire import event

STEP_MS = 300_000
WITHIN = {"rises": False, "rests": False, "is_full": False}
# Reference: kp, ki by step of five minutes, greatest offset in K, clamp of the sum in K · steps.
REFERENCE = {
    "slow": (0.2, 0.8 / 288, 2, 2 * 288),
    "light": (0.2, 0.05, 1.5, 10),
    "medium": (0.3, 0.05, 2, 20),
    "strong": (0.4, 0.08, 5, 50),
    "very-strong": (0.6, 0.1, 8, 80),
}


def tpi(kint=60, kext=1):
    return Regulator(ControlLaw(kint, kext, None, None))


def pi(name):
    return Regulator(ControlLaw(60, 0, PRESETS[name], None))


def steps(regulator, count, error_ck, *, from_ms=0, **changes):
    """So many steps of integration at an error of 0.01 K; returns when the next is due."""
    for number in range(count):
        regulator.step(2000, 2000 - error_ck, None, **{**WITHIN, **changes}, now_ms=from_ms + number * STEP_MS)
    return from_ms + count * STEP_MS


# --- TPI ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setpoint_ck", "room_ck", "outdoor_ck", "permille"),
    [
        (2000, 1900, 1000, 700),  # 0.6 · 1 + 0.01 · 10
        (2000, 1900, None, 600),  # no outdoor temperature: no such term
        (1900, 1850, -500, 540),  # 0.6 · 0.5 + 0.01 · 24
        (1900, 1900, 400, 150),  # what a room loses while it is as warm as it shall be
        (1900, 1920, 400, 30),  # 0.15 - 0.12
        (1900, 1650, 900, 1000),  # 1.5 + 0.1, clamped
        (1900, 1960, 1900, 0),  # -0.36, clamped
        (1900, 1900, 2900, 0),  # warmer outside
    ],
)
def test_the_duty_of_tpi_is_kint_by_the_rooms_lack_and_kext_by_the_outdoors(setpoint_ck, room_ck, outdoor_ck, permille):
    assert tpi().step(setpoint_ck, room_ck, outdoor_ck, **WITHIN, now_ms=0) == permille


def test_the_gains_are_those_that_were_set():
    assert tpi(kint=30, kext=4).step(2000, 1900, 1000, **WITHIN, now_ms=0) == 700
    assert (DEFAULT_CONTROL.kint, DEFAULT_CONTROL.kext) == (60, 1)


def test_the_offset_of_pi_moves_the_set_point_of_both_terms():
    regulator = Regulator(ControlLaw(60, 1, PRESETS["medium"], None))
    # 0.3 · 1 K and 0.05 · 1 K: aimed at is 20.35 °C, so 0.6 · 1.35 + 0.01 · 10.35 = 0.9135.
    assert regulator.step(2000, 1900, 1000, **WITHIN, now_ms=0) == 810 + 103
    assert regulator.offset_ck == 35


# --- cut-out -----------------------------------------------------------------------------------------------------


def test_two_kelvin_too_warm_and_rising_cuts_until_less_than_one():
    regulator = tpi(kint=0, kext=10)  # by the outdoors alone there would be heat at any temperature of the room

    def duty(over_ck, *, rises):
        return regulator.step(1900, 1900 + over_ck, 900, **{**WITHIN, "rises": rises}, now_ms=0)

    assert duty(200, rises=True) == 1000, "two kelvin are not more than two"
    assert duty(250, rises=False) == 1000, "it falls by itself"
    assert duty(201, rises=True) == 0
    for over_ck in (180, 150, 101, 100):
        assert duty(over_ck, rises=False) == 0
    assert duty(99, rises=False) == 1000
    assert duty(150, rises=True) == 1000, "between the two it stays as it was"


# --- presets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_each_preset_is_that_of_the_reference(name):
    assert sorted(PRESETS) == sorted(REFERENCE)
    kp, ki, offset_k, sum_k = REFERENCE[name]
    preset = PRESETS[name]
    assert preset.kp == 1000 * kp
    assert abs(preset.ki - 10_000 * ki) < 0.5
    assert (preset.offset_max_ck, preset.sum_max_ck) == (100 * offset_k, 100 * sum_k)


@pytest.mark.parametrize("name", sorted(REFERENCE))
@pytest.mark.parametrize("sign", [1, -1])
def test_each_preset_adds_and_is_bounded_as_the_reference_computes(name, sign):
    """Against the plain formula in kelvin, over five days of half a kelvin too little, or too much."""
    kp, ki, offset_k, sum_k = REFERENCE[name]
    regulator = pi(name)
    summed_k, at_ms = 0, 0
    for _ in range(5 * 288):
        regulator.duty_permille = 500  # neither full nor off: nothing is saturated
        at_ms = steps(regulator, 1, 50 * sign, from_ms=at_ms)
        summed_k = min(sum_k, summed_k + 0.5)
        expected_ck = 100 * sign * min(offset_k, kp * 0.5 + ki * summed_k)
        # ki "slow" is rounded to 0.0028, by 0.8 %.
        assert abs(regulator.offset_ck - expected_ck) <= 2 + abs(expected_ck) / 100
    bound_k = min(offset_k, kp * 0.5 + ki * sum_k)
    assert abs(abs(regulator.offset_ck) - 100 * bound_k) <= 2 + bound_k


# --- anti-windup -------------------------------------------------------------------------------------------------


def offset_of(regulator, error_ck, now_ms):
    """What it adds at this error when no step of integration is due."""
    regulator.step(2000, 2000 - error_ck, None, **WITHIN, now_ms=now_ms)
    return regulator.offset_ck


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_six_hours_of_an_output_that_gives_all_it_has_wind_nothing_up(name):
    regulator = pi(name)
    end_ms = steps(regulator, 72, 300, is_full=True)
    assert offset_of(regulator, 0, end_ms - 1) == 0


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_six_hours_too_warm_with_no_heat_wind_nothing_down(name):
    """Sun, or a class of thirty: the duty is 0, and less cannot be."""
    regulator = pi(name)
    steps(regulator, 1, -150, rests=True)
    assert regulator.duty_permille == 0
    end_ms = steps(regulator, 72, -150, from_ms=STEP_MS)
    assert offset_of(regulator, 0, end_ms - 1) == 0


def test_a_full_output_still_forgets_in_the_other_direction():
    """Saturation holds the sum only against the error that made it."""
    regulator = pi("medium")
    end_ms = steps(regulator, 5, 100)
    before_ck = offset_of(regulator, 0, end_ms - 1)
    regulator.duty_permille = 500
    regulator.step(2000, 2010, None, **{**WITHIN, "is_full": True}, now_ms=end_ms)
    assert offset_of(regulator, 0, end_ms + 1) < before_ck


def test_six_hours_of_a_great_error_are_clamped_and_gone_after_as_many_steps_as_the_clamp_holds():
    """An output that is far from full and cannot do it: the sum is at most the preset's."""
    regulator = pi("medium")
    end_ms = steps(regulator, 72, 200)
    assert offset_of(regulator, 0, end_ms - 1) == 100  # 0.05 · 20 K
    # Halved at the crossing: 10 K · steps; ten steps of 1 K too warm take them away.
    for _ in range(10):
        regulator.duty_permille = 500
        end_ms = steps(regulator, 1, -100, from_ms=end_ms)
    assert offset_of(regulator, 0, end_ms - 1) == 0


@pytest.mark.parametrize("error_ck", [100, -100])
def test_what_rests_adds_nothing(error_ck):
    """A window is open, or the sensor at fault: what is seen says nothing about the heating."""
    regulator = pi("strong")
    regulator.duty_permille = 500
    end_ms = steps(regulator, 72, error_ck, rests=True)
    assert offset_of(regulator, 0, end_ms - 1) == 0
    end_ms = steps(regulator, 1, 100, from_ms=end_ms)
    assert offset_of(regulator, 0, end_ms - 1) == 8, "and goes on afterwards"


def test_a_gap_of_hours_counts_as_one_step():
    regulator = pi("medium")
    steps(regulator, 1, 100)
    assert offset_of(regulator, 0, 1) == 5
    steps(regulator, 1, 100, from_ms=6 * 3_600_000)
    assert offset_of(regulator, 0, 6 * 3_600_000 + 1) == 10


def test_a_look_more_often_than_every_five_minutes_adds_no_more():
    regulator = pi("medium")
    for now_ms in range(0, 4 * STEP_MS, 5_000):
        regulator.step(2000, 1900, None, **WITHIN, now_ms=now_ms)
    assert offset_of(regulator, 0, 4 * STEP_MS - 1) == 20


def test_a_crossing_halves_the_sum_and_noise_does_not():
    regulator = pi("light")
    end_ms = steps(regulator, 8, 100)
    assert offset_of(regulator, 0, end_ms - 2) == 40
    noise_ck = limits.PI_CROSSED_CK - 1
    assert noise_ck == 19
    for error_ck in (noise_ck, -noise_ck, noise_ck, -noise_ck):
        regulator.step(2000, 2000 - error_ck, None, **WITHIN, now_ms=end_ms - 1)
    assert offset_of(regulator, 0, end_ms - 1) == 40
    regulator.step(2000, 2020, None, **WITHIN, now_ms=end_ms - 1)
    assert offset_of(regulator, 0, end_ms - 1) == 20


def test_another_regime_begins_with_nothing_summed_up():
    regulator = pi("medium")
    end_ms = steps(regulator, 10, 100)
    regulator.forget()
    assert regulator.offset_ck == 0 and offset_of(regulator, 0, end_ms - 1) == 0


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "data", "over_ck", "band"),
    [
        ("relay", CLASSROOM, 35, (20, 0)),
        ("relay", CLASSROOM, 35, (100, 30)),
        ("relay", TOWN_HALL, 60, (50, 50)),
        ("valve", TOWN_HALL, 60, (20, 0)),
        ("valve", TOWN_HALL, 60, (100, 30)),
        ("opentherm", CLASSROOM, 60, (20, 0)),
        ("opentherm", CLASSROOM, 60, (100, 30)),
    ],
)
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


@pytest.mark.slow
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
