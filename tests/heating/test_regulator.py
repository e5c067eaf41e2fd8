"""The regulator by the numbers of the project's reference (nodes, a.2): TPI, PI "medium", what keeps its sum from
winding up."""

import pytest

from heating import limits
from heating.regulator import Regulator

STEP_MS = 300_000
WITHIN = {"rests": False, "is_full": False}
# Reference: kp, ki by step of five minutes, greatest offset in K, clamp of the sum in K · steps.
KP, KI, OFFSET_K, SUM_K = 0.3, 0.05, 2, 20


def steps(regulator, count, error_ck, *, from_ms=0, **changes):
    """So many steps of integration at an error of 0.01 K; returns when the next is due."""
    for number in range(count):
        regulator.step(2000, 2000 - error_ck, None, **{**WITHIN, **changes}, now_ms=from_ms + number * STEP_MS)
    return from_ms + count * STEP_MS


@pytest.mark.parametrize(
    ("setpoint_ck", "room_ck", "outdoor_ck", "permille"),
    [
        (2000, 1900, 1000, 913),  # aimed at is 20.35 °C (0.3 · 1 K and 0.05 · 1 K): 0.6 · 1.35 + 0.01 · 10.35
        (2000, 1900, None, 810),  # no outdoor temperature: no such term
        (1900, 1900, 400, 150),  # what a room loses while it is as warm as it shall be
        (1900, 1650, 900, 1000),  # clamped
        (1900, 1960, 1900, 0),  # clamped
        (1900, 1900, 2900, 0),  # warmer outside
    ],
)
def test_the_duty_is_kint_by_the_rooms_lack_and_kext_by_the_outdoors(setpoint_ck, room_ck, outdoor_ck, permille):
    assert Regulator().step(setpoint_ck, room_ck, outdoor_ck, **WITHIN, now_ms=0) == permille


@pytest.mark.parametrize("sign", [1, -1])
def test_pi_adds_and_is_bounded_as_the_reference_computes(sign):
    """Against the plain formula in kelvin, over five hours of half a kelvin too little, or too much."""
    regulator = Regulator()
    summed_k, at_ms = 0, 0
    for _ in range(60):
        regulator.duty_permille = 500  # neither full nor off: nothing is saturated
        at_ms = steps(regulator, 1, 50 * sign, from_ms=at_ms)
        summed_k = min(SUM_K, summed_k + 0.5)
        assert abs(regulator.offset_ck - 100 * sign * min(OFFSET_K, KP * 0.5 + KI * summed_k)) <= 1
    regulator.step(2000, 2000 - 900 * sign, None, **WITHIN, now_ms=at_ms - 1)
    assert regulator.offset_ck == 100 * OFFSET_K * sign


# --- anti-windup -------------------------------------------------------------------------------------------------


def offset_of(regulator, error_ck, now_ms):
    """What it adds at this error when no step of integration is due."""
    regulator.step(2000, 2000 - error_ck, None, **WITHIN, now_ms=now_ms)
    return regulator.offset_ck


def test_six_hours_of_an_output_that_gives_all_it_has_wind_nothing_up():
    regulator = Regulator()
    end_ms = steps(regulator, 72, 300, is_full=True)
    assert offset_of(regulator, 0, end_ms - 1) == 0


def test_six_hours_too_warm_with_no_heat_wind_nothing_down():
    """Sun, or a class of thirty: the duty is 0, and less cannot be."""
    regulator = Regulator()
    steps(regulator, 1, -150, rests=True)
    assert regulator.duty_permille == 0
    end_ms = steps(regulator, 72, -150, from_ms=STEP_MS)
    assert offset_of(regulator, 0, end_ms - 1) == 0


def test_a_full_output_still_forgets_in_the_other_direction():
    """Saturation holds the sum only against the error that made it."""
    regulator = Regulator()
    end_ms = steps(regulator, 5, 100)
    before_ck = offset_of(regulator, 0, end_ms - 1)
    regulator.duty_permille = 500
    regulator.step(2000, 2010, None, **{**WITHIN, "is_full": True}, now_ms=end_ms)
    assert offset_of(regulator, 0, end_ms + 1) < before_ck


def test_six_hours_of_a_great_error_are_clamped_and_gone_after_as_many_steps_as_the_clamp_holds():
    """An output that is far from full and cannot do it: the sum has its bound."""
    regulator = Regulator()
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
    regulator = Regulator()
    regulator.duty_permille = 500
    end_ms = steps(regulator, 72, error_ck, rests=True)
    assert offset_of(regulator, 0, end_ms - 1) == 0
    end_ms = steps(regulator, 1, 100, from_ms=end_ms)
    assert offset_of(regulator, 0, end_ms - 1) == 5, "and goes on afterwards"


def test_a_gap_of_hours_counts_as_one_step():
    regulator = Regulator()
    steps(regulator, 1, 100)
    assert offset_of(regulator, 0, 1) == 5
    steps(regulator, 1, 100, from_ms=6 * 3_600_000)
    assert offset_of(regulator, 0, 6 * 3_600_000 + 1) == 10


def test_a_look_more_often_than_every_five_minutes_adds_no_more():
    regulator = Regulator()
    for now_ms in range(0, 4 * STEP_MS, 5_000):
        regulator.step(2000, 1900, None, **WITHIN, now_ms=now_ms)
    assert offset_of(regulator, 0, 4 * STEP_MS - 1) == 20


def test_a_crossing_halves_the_sum_and_noise_does_not():
    regulator = Regulator()
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
    regulator = Regulator()
    end_ms = steps(regulator, 10, 100)
    regulator.forget()
    assert regulator.offset_ck == 0 and offset_of(regulator, 0, end_ms - 1) == 0
