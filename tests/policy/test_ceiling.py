"""Limits: when light is forbidden, on which feeders and nights, over midnight and both changes of the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import ceiling, civil, document, lighting, sun
from policy.document import FeederRule, Limit
from tests.support.commune import FENEU, LIGHTING

PARK, STREET, ROAD = LIGHTING.feeders[2], LIGHTING.feeders[0], LIGHTING.feeders[1]
JUNE_20 = civil.days_from_civil(2027, 6, 20)
SPRING, AUTUMN = civil.days_from_civil(2027, 3, 27), civil.days_from_civil(2027, 10, 30)


def at(evening, hour, minute=0):
    """Unix second of a wall clock time of the lighting day."""
    return civil.unix_from_local(civil.PARIS, evening + (hour < 12), hour * 3600 + minute * 60)


def forbids_light(section, feeder, unix_s):
    """The first Limit that forbids light on this feeder at this instant, or None."""
    for first, last, limit in ceiling.dark_spans(section, feeder, lighting.evening_of(section.site, unix_s)):
        if first <= unix_s < last:
            return limit
    return None


def limited(*bounds):
    return LIGHTING._replace(limits=bounds)


def dark(target, a, b, first=0, last=0):
    return Limit(target, document.DARK_WINDOW, a, b, "État", "texte", first, last)


def test_a_park_is_dark_from_one_o_clock():
    for hour, minute, forbidden in ((23, 0, False), (0, 59, False), (1, 0, True), (4, 0, True), (11, 59, True)):
        found = forbids_light(LIGHTING, PARK, at(JUNE_20, hour, minute))
        assert (found == LIGHTING.limits[0]) == forbidden
    assert forbids_light(LIGHTING, STREET, at(JUNE_20, 4)) is None


def test_an_exemption_lifts_it_for_its_night_and_no_other():
    at_three = [forbids_light(LIGHTING, PARK, at(JUNE_20 + day, 3)) for day in (0, 1, 2)]
    assert [one is None for one in at_three] == [False, True, False]


def test_an_exemption_lifts_one_kind_only():
    noon_light = forbids_light(LIGHTING, PARK, at(JUNE_20 + 1, 15))
    assert noon_light.kind == document.DARK_BY_DAY


def test_by_day_is_between_the_suns_instants():
    dusk = sun.crossing_s(JUNE_20, FENEU.latitude_e4, FENEU.longitude_e4, rising=False)
    dawn = sun.crossing_s(JUNE_20 + 1, FENEU.latitude_e4, FENEU.longitude_e4, rising=True)
    allowed = [
        forbids_light(LIGHTING, STREET, unix_s) is None
        for unix_s in (dusk - 1801, dusk - 1800, dawn + 1799, dawn + 1800, at(JUNE_20, 12))
    ]
    assert allowed == [False, True, True, False, False]


def test_a_limit_begins_with_its_first_night():
    before = civil.days_from_civil(2026, 12, 31)
    assert forbids_light(LIGHTING, STREET, at(before, 11)) is None
    assert forbids_light(LIGHTING, STREET, at(before, 11, 59) + 60).kind == document.DARK_BY_DAY
    assert forbids_light(LIGHTING, STREET, at(before + 1, 14)).kind == document.DARK_BY_DAY


def test_darkness_by_command_is_forbidden_on_the_road_only():
    evening = at(JUNE_20, 23), at(JUNE_20, 23, 30)
    assert ceiling.broken(LIGHTING, ROAD, *evening, 0).text == "Article 3"
    assert ceiling.broken(LIGHTING, ROAD, *evening, 99) is not None, "a limit without a level forbids any lowering"
    assert ceiling.broken(LIGHTING, STREET, *evening, 0) is None


def test_a_limit_with_a_level_lets_a_command_lower_to_it_and_no_further():
    section = limited(document.Limit("*", document.NO_DARKENING, 50, 0, "Conseil", "2026-42", 0, 0))
    evening = at(JUNE_20, 23), at(JUNE_20, 23, 30)
    broken = [ceiling.broken(section, ROAD, *evening, level) is not None for level in (0, 49, 50, 70, 100)]
    assert broken == [True, True, False, False, False]


@pytest.mark.parametrize("target", ["*", "rues", "bourg"])
def test_a_target_is_all_a_group_or_a_feeder(target):
    section = limited(dark(target, 0, 60))
    assert forbids_light(section, STREET, at(JUNE_20, 0, 30))
    assert (forbids_light(section, PARK, at(JUNE_20, 0, 30)) is not None) == (target == "*")


@pytest.mark.parametrize(("evening", "length_h"), [(SPRING, 5), (AUTUMN, 7), (JUNE_20, 6)])
def test_a_window_follows_the_wall_clock_over_the_changes(evening, length_h):
    section = limited(dark("*", 60, 7 * 60))
    ((first, last, _),) = ceiling.dark_spans(section, STREET, evening)
    assert (first, last) == (at(evening, 1), at(evening, 7))
    assert last - first == length_h * 3600


def test_a_window_around_noon_is_two_spans_of_one_lighting_day():
    section = limited(dark("*", 10 * 60, 15 * 60))
    spans = [span[:2] for span in ceiling.dark_spans(section, STREET, JUNE_20)]
    assert spans == [(at(JUNE_20, 12), at(JUNE_20, 15)), (at(JUNE_20, 10), at(JUNE_20 + 1, 12))]


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(20_000, 40_000), st.integers(0, 86_399))
def test_a_window_is_what_the_wall_clock_says(a, b, evening, second):
    if a == b:
        return
    unix_s = at(evening, 12) + second
    local = civil.local_from_unix(civil.PARIS, unix_s)
    minute = local.second // 60
    inside = a <= minute < b if a < b else minute >= a or minute < b
    if civil.weekday(local.civil_day) == 6 and minute < 240:
        return  # the hour that happens twice or never is told above
    assert (forbids_light(limited(dark("*", a, b)), STREET, unix_s) is not None) == inside


def test_dates_are_those_of_the_evening():
    section = limited(dark("*", 60, 120, 20270620, 20270620))
    assert forbids_light(section, STREET, at(JUNE_20, 1, 30))
    assert not forbids_light(section, STREET, at(JUNE_20 - 1, 1, 30))
    assert not forbids_light(section, STREET, at(JUNE_20 + 1, 1, 30))


def test_a_feeder_of_no_limit_is_free():
    other = FeederRule("stade", document.PERMANENT, 0, "stade")
    assert ceiling.binding(limited(dark("parcs", 60, 120)), other, JUNE_20) == []
