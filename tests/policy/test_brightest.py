"""`Plan.wanted` under a doubt about the time: the brightest of the levels that may be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import lighting
from tests.support.commune import EXTINCTION, FENEU, START_S

CALENDARS = (EXTINCTION, lighting.DIMMING_CALENDAR, lighting.DEFAULT_CALENDAR)
calendars = st.sampled_from(CALENDARS)
instants = st.integers(START_S, START_S + 400 * 86_400)


@given(calendars, instants, st.integers(0, 4000))
def test_it_is_the_brightest_of_all_that_may_be_right(calendar, unix_s, uncertainty_s):
    plan = lighting.Plan(calendar, FENEU)
    every = range(unix_s - uncertainty_s, unix_s + uncertainty_s + 1, max(1, uncertainty_s // 300))
    levels = {plan.wanted(at_s).level_percent for at_s in every}
    assert plan.wanted(unix_s, uncertainty_s).level_percent == max(levels)


@given(calendars, instants, st.integers(0, 90_000))
def test_the_answer_holds_until_the_instant_it_names(calendar, unix_s, uncertainty_s):
    plan = lighting.Plan(calendar, FENEU)
    answer = plan.wanted(unix_s, uncertainty_s)
    assert answer.until_s > unix_s
    for at_s in (unix_s + 1, (unix_s + answer.until_s) // 2, answer.until_s - 1):
        if unix_s <= at_s < answer.until_s:
            assert plan.wanted(at_s, uncertainty_s) is answer
            assert lighting.Plan(calendar, FENEU).wanted(at_s, uncertainty_s) == answer


@given(calendars, st.lists(st.tuples(instants, st.sampled_from((0, 0, 300, 90_000))), max_size=20))
def test_a_kept_answer_is_given_for_no_other_instant_or_doubt(calendar, asked):
    plan = lighting.Plan(calendar, FENEU)
    for unix_s, doubt_s in asked:
        for at_s in (unix_s, unix_s + 1, unix_s - 1):
            assert plan.wanted(at_s, doubt_s) == lighting.Plan(calendar, FENEU).wanted(at_s, doubt_s)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_doubt_of_a_day_lights(calendar):
    assert lighting.Plan(calendar, FENEU).wanted(START_S, 86_400).level_percent == 100
