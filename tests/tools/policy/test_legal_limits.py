"""Limits and calendars: a breach is found on every night on which there is one, and told by its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import ceiling, civil, document, lighting
from policy.document import FeederRule, Lighting, Limit
from policy.lighting import CLOCK, SUNRISE, SUNSET, Calendar, Rule, Step
from tests.support.commune import FENEU
from tests.support.sample_policy import SAMPLE
from tools.policy import legal_limits
from tools.policy.compiler import compile_text

PARK = FeederRule("parc", document.SWITCHED, 0, "parcs")
JUNE = civil.days_from_civil(2027, 6, 20)
SPRING, AUTUMN = civil.days_from_civil(2027, 3, 27), civil.days_from_civil(2027, 10, 30)


def section(steps, *limits):
    calendar = Calendar((Rule(127, 0, 0, 0),), (tuple(steps),))
    return Lighting(FENEU, (calendar,), (PARK,), limits)


def dark(a, b, first=0, last=0, target="parcs"):
    return Limit(target, document.DARK_WINDOW, a, b, "État", "Arrêté", first, last)


UNTIL_TWO = (Step(SUNSET, 0, 100, 0), Step(CLOCK, 120, 0, 0))


def test_a_park_that_burns_until_two_is_a_fault_that_names_the_text_and_the_step():
    changed = SAMPLE.replace('["sunset on", "22:00 off"]', '["sunset on", "02:00 off"]')
    (found,) = compile_text(changed).faults
    assert '"02:00 off"' in changed.split("\n")[found.line - 1]
    problem = found.problem("fr")
    assert "Arrêté du 27 décembre 2018, article 2 (État)" in problem
    assert "mail, etang" in problem and "05/01/2027 à 01:00" in problem
    assert found.values["nights"] == 3 * 365 + 1 - 3 * (12 + 3) - 1  # but the illuminations and the feast
    assert "[[exemption]]" in found.remedy("en")


def test_an_exemption_allows_its_night_and_no_other():
    assert compile_text(SAMPLE).faults == ()
    changed = SAMPLE.replace('dates = "2027-06-21"\nauthority', 'dates = "2027-06-22"\nauthority')
    (found,) = compile_text(changed).faults
    assert (found.key, found.values["nights"]) == ("breach", 1)
    assert found.values["when"].text("fr") == "22/06/2027 à 01:00"


def test_relighting_before_dawn_is_a_fault_too():
    changed = SAMPLE.replace('["sunset on", "22:00 off"]', '["sunset on", "22:00 off", "06:00 on", "sunrise off"]')
    (found,) = compile_text(changed).faults
    assert found.values["when"].text("en").endswith("06:00")


def test_limits_on_commands_are_not_the_calendars():
    by_day = (Step(CLOCK, 720, 100, 1),)
    limits = (
        Limit("*", document.DARK_BY_DAY, 0, 0, "a", "t", 0, 0),
        Limit("*", document.NO_DARKENING, 0, 0, "a", "t", 0, 0),
    )
    assert list(legal_limits.breaches(section(by_day, *limits), PARK, JUNE)) == []


@pytest.mark.parametrize("evening", [SPRING, AUTUMN])
def test_the_nights_of_the_changes_are_held_to_the_wall_clock(evening):
    until_one = (Step(SUNSET, 0, 100, 0), Step(CLOCK, 60, 0, 0))
    assert list(legal_limits.breaches(section(until_one, dark(60, 720)), PARK, evening)) == []
    (found,) = legal_limits.breaches(section(UNTIL_TWO, dark(60, 720)), PARK, evening)
    assert found.unix_s == civil.unix_from_local(civil.PARIS, evening + 1, 3600)


def test_feeders_with_one_calendar_and_the_same_limits_are_told_together():
    names = ", ".join(f'"p{number}"' for number in range(9))
    changed = SAMPLE.replace('["mail", "etang"]', f"[{names}]").replace('"22:00 off"', '"02:00 off"')
    (found,) = compile_text(changed).faults
    assert found.values["feeders"] == "p0, p1, p2…"


clock_steps = st.tuples(st.just(CLOCK), st.integers(0, 1439))
sun_steps = st.tuples(st.sampled_from((SUNSET, SUNRISE)), st.integers(-60, 60))
programs = st.lists(
    st.tuples(clock_steps | sun_steps, st.sampled_from((0, 50, 100))).map(lambda one: Step(*one[0], one[1], 0)),
    min_size=1,
    max_size=4,
)


@given(programs, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from((JUNE, SPRING, AUTUMN, JUNE + 180)))
def test_a_breach_is_told_exactly_when_a_lit_second_is_forbidden(steps, a, b, evening):
    if a == b:
        return
    law = section(steps, dark(a, b))
    plan = lighting.Plan(law.calendars[0], FENEU)
    night = lighting.Night(law.calendars[0], FENEU, evening)
    edges = {night.start_s, *(change[0] for change in night.changes())}
    spans = ceiling.dark_spans(law, PARK, evening)
    edges |= {edge for span in spans for edge in span[:2] if edge < night.end_s}

    def is_forbidden(at_s):
        return plan.wanted(at_s).level_percent and any(first <= at_s < last for first, last, _ in spans)

    lit = [at_s for at_s in edges if is_forbidden(at_s)]
    found = list(legal_limits.breaches(law, PARK, evening))
    assert bool(found) == bool(lit)
    for breach in found:
        assert is_forbidden(breach.unix_s)
        assert plan.wanted(breach.unix_s).reason == breach.reason
