"""The level for the gear: a ramp, and factors in TALQ's order, never more than the demand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighting.dimming import Flux, Ramp, constant_light

TALQ_CURVE = ((0, 80), (5000, 85), (10_000, 90), (15_000, 95), (20_000, 100))


def test_without_factors_the_gear_is_told_what_is_wanted():
    flux = Flux(100, ())
    assert [flux.drive_percent(level, 30_000) for level in range(101)] == list(range(101))


@pytest.mark.parametrize(
    ("hours", "factor"), [(0, 8000), (2500, 8250), (5000, 8500), (19_999, 9999), (20_000, 10_000), (90_000, 10_000)]
)
def test_constant_light_is_linear_between_talqs_points(hours, factor):
    """The curve of TALQ's own illustration: 80 % at 0 h to 100 % at 20 000 h."""
    assert constant_light(TALQ_CURVE, hours) == factor


def test_all_factors_multiply_and_each_is_in_force():
    """100 % wanted, of a lamp dimmed to 80, at 85 % of its age: 0.8 · 0.85."""
    flux = Flux(80, TALQ_CURVE)
    assert flux.drive_percent(100, 5000) == 68
    assert flux.drive_percent(50, 5000) == 34
    assert flux.drive_percent(100, 20_000) == 80


@given(st.integers(0, 100), st.integers(0, 100_000), st.integers(10, 100))
def test_what_is_lit_stays_lit_and_what_is_wanted_is_never_exceeded(level, hours, virtual):
    told = Flux(virtual, TALQ_CURVE).drive_percent(level, hours)
    assert told == 0 if level == 0 else 1 <= told <= level


def test_a_ramp_rises_and_falls_linearly_and_arrives():
    ramp = Ramp(30)
    ramp.begin(100, 1000, now_ms=5000)
    levels = []
    now_ms = 5000
    while (due_ms := ramp.deadline_ms(now_ms)) is not None:
        now_ms = due_ms
        levels.append(ramp.advance(now_ms=now_ms))
    assert levels == [44, 58, 72, 86, 100]
    ramp.begin(30, 10_000, now_ms=8000)
    assert [ramp.advance(now_ms=8000 + ms) for ms in (0, 5000, 9999, 10_000)] == [100, 65, 31, 30]


def test_a_ramp_that_turns_begins_where_it_is():
    ramp = Ramp(20)
    ramp.begin(100, 1000, now_ms=0)
    assert ramp.advance(now_ms=500) == 60
    ramp.begin(20, 1000, now_ms=500)
    assert ramp.level_percent == 60 and ramp.advance(now_ms=1000) == 40


def test_going_where_it_goes_already_starts_nothing_again():
    ramp = Ramp(20)
    for now_ms in (0, 300, 600, 900):
        ramp.begin(100, 1000, now_ms=now_ms)
    assert ramp.advance(now_ms=1000) == 100


@pytest.mark.parametrize("lasts_ms", [0, 1])
def test_a_ramp_of_no_time_is_a_jump(lasts_ms):
    ramp = Ramp(20)
    ramp.begin(100, lasts_ms, now_ms=7)
    assert ramp.advance(now_ms=8) == 100 and ramp.deadline_ms(8) is None
