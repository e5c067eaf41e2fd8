"""Light that is wanted, and what the gear is told: factors in TALQ's order, never more than is wanted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighting.dimming import PLAIN, Flux, FluxModel, constant_light, maintained
from policy import civil

TALQ_CURVE = ((0, 80), (5000, 85), (10_000, 90), (15_000, 95), (20_000, 100))
CLEANED = civil.days_from_civil(2026, 1, 1)
DAY_S = 86_400


def test_without_factors_the_gear_is_told_what_is_wanted():
    flux = Flux(PLAIN)
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
