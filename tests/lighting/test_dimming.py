"""The level for the gear: a ramp, and factors in TALQ's order, never more than the demand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighting.dimming import Flux, FluxModel, Ramp, constant_light, maintained
from policy import civil

TALQ_CURVE = ((0, 80), (5000, 85), (10_000, 90), (15_000, 95), (20_000, 100))
CLEANED = civil.days_from_civil(2026, 1, 1)
DAY_S = 86_400


def test_without_factors_the_gear_is_told_what_is_wanted():
    flux = Flux(FluxModel(100, (), None))
    assert [flux.drive_percent(level, 30_000, None) for level in range(101)] == list(range(101))


@pytest.mark.parametrize(
    ("hours", "factor"), [(0, 8000), (2500, 8250), (5000, 8500), (19_999, 9999), (20_000, 10_000), (90_000, 10_000)]
)
def test_constant_light_is_linear_between_talqs_points(hours, factor):
    """The curve of TALQ's own illustration: 80 % at 0 h to 100 % at 20 000 h."""
    assert constant_light(TALQ_CURVE, hours) == factor


@pytest.mark.parametrize(("days", "factor"), [(-5, 9000), (0, 9000), (500, 9500), (1000, 10_000), (4000, 10_000)])
def test_clean_glass_needs_less_and_dirt_takes_it_back(days, factor):
    assert maintained((90, 1000, CLEANED), CLEANED + days) == factor


def test_an_unknown_date_counts_as_dirty():
    assert maintained((90, 1000, CLEANED), None) == 10_000


def test_all_factors_multiply_and_each_is_in_force():
    """100 % wanted, of a lamp dimmed to 80, at 85 % of its age, half a period after cleaning: 0.8 · 0.85 · 0.95."""
    flux = Flux(FluxModel(80, TALQ_CURVE, (90, 1000, CLEANED)))
    assert flux.drive_percent(100, 5000, (CLEANED + 500) * DAY_S) == 65
    assert flux.drive_percent(50, 5000, (CLEANED + 500) * DAY_S) == 32
    assert flux.drive_percent(100, 20_000, None) == 80


@given(st.integers(0, 100), st.integers(0, 100_000), st.integers(10, 100), st.integers(50, 100), st.integers(0, 6000))
def test_what_is_lit_stays_lit_and_what_is_wanted_is_never_exceeded(level, hours, virtual, clean, days):
    told = Flux(FluxModel(virtual, TALQ_CURVE, (clean, 1000, CLEANED))).drive_percent(
        level, hours, (CLEANED + days) * DAY_S
    )
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
