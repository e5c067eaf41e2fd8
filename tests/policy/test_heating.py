"""The heating programme: set-points, empty hours, binding texts, both nights of summer time; and its plain form with
every fault."""

import pytest

from policy import civil, heating, heating_form
from policy.heating import Limit, Plan, Programme, Rule, Span

WEEK = heating.DEFAULT_PROGRAMME


def at(year, month, day, minutes=0):
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, day), 60 * minutes)


def programme(rules, days, exemptions=(), ceilings=()):
    return Programme(tuple(rules), tuple(days), heating.DEFAULT_SETPOINTS, tuple(ceilings), tuple(exemptions))


def test_an_occupied_hour_names_its_rule_and_its_end():
    wanted = Plan(WEEK, civil.PARIS).wanted(at(2026, 11, 24, 600))
    assert (wanted.setpoint_ck, wanted.kind) == (1900, heating.OCCUPIED)
    assert wanted.until_s == at(2026, 11, 24, 1080)
    assert heating.reason_text(wanted.reason) == "rule 1, span 1"


def test_a_night_a_weekend_and_a_holiday_are_empty_for_different_times():
    plan = Plan(WEEK, civil.PARIS)
    night = plan.wanted(at(2026, 11, 24, 1200))
    assert (night.kind, night.setpoint_ck, night.next_s) == (heating.EMPTY, 1600, at(2026, 11, 25, 480))
    weekend = plan.wanted(at(2026, 11, 27, 1200))
    assert (weekend.kind, weekend.setpoint_ck) == (heating.EMPTY_48H, 800)
    assert weekend.empty_s == 62 * 3600
    day_off = programme([Rule(127, 20261125, 20261125, 1), Rule(0b11111, 0, 0, 0)], [(Span(480, 1080, 0),), ()])
    assert Plan(day_off, civil.PARIS).wanted(at(2026, 11, 25, 600)).kind == heating.EMPTY_24H


def test_a_date_without_a_rule_is_closed_and_says_so():
    wanted = Plan(WEEK, civil.PARIS).wanted(at(2026, 11, 28, 600))
    assert wanted.setpoint_ck == 800
    assert heating.reason_text(wanted.reason) == "no rule, empty"


def closed(since_s, ends_s):
    return ((heating.CLOSED, since_s, ends_s),)


def test_an_exception_of_today_closes_or_opens_today_alone():
    plan = Plan(WEEK, civil.PARIS)
    tuesday = at(2026, 11, 24, 600)
    today = closed(at(2026, 11, 24), at(2026, 11, 25))
    wanted = plan.wanted(tuesday, today)
    assert (wanted.kind, wanted.next_s) == (heating.EMPTY_24H, at(2026, 11, 25, 480))
    assert heating.reason_text(wanted.reason) == "exception: closed, rule 1, empty"
    assert plan.wanted(tuesday).kind == heating.OCCUPIED
    saturday = plan.wanted(at(2026, 11, 28, 600), ((heating.ORDERED, at(2026, 11, 28), at(2026, 11, 29)),))
    assert (saturday.kind, saturday.setpoint_ck) == (heating.OCCUPIED, 1900)
    assert saturday.until_s == at(2026, 11, 29)


def test_days_that_are_closed_together_are_one_emptiness_before_during_and_after():
    """Tuesday to Thursday: from Monday evening to Friday morning nobody comes."""
    plan, days = Plan(WEEK, civil.PARIS), closed(at(2026, 11, 24), at(2026, 11, 27))
    for day, minute in ((24, 1), (24, 600), (25, 600), (26, 1439), (27, 1), (27, 470)):
        wanted = plan.wanted(at(2026, 11, day, minute), days)
        assert (wanted.kind, wanted.setpoint_ck) == (heating.EMPTY_48H, 800)
        assert wanted.empty_s >= heating.LOOK_DAYS * 24 * 3600 and wanted.next_s == at(2026, 11, 27, 480)
    assert plan.wanted(at(2026, 11, 27, 480), days).kind == heating.OCCUPIED


def test_nobody_is_expected_on_a_day_that_is_closed_too():
    """Said on a Saturday for the week: on Sunday evening there is no Monday to heat for, nor on Monday a Tuesday."""
    plan, week = Plan(WEEK, civil.PARIS), closed(at(2026, 11, 28), at(2026, 12, 5))
    for day in (29, 30):
        assert plan.wanted(at(2026, 11, day, 1300), week).next_s is None
    assert plan.wanted(at(2026, 12, 4, 1300), week).next_s == at(2026, 12, 7, 480)


def test_one_without_a_known_beginning_has_been_for_long():
    wanted = Plan(WEEK, civil.PARIS).wanted(at(2026, 11, 24, 600), closed(0, at(2026, 11, 25)))
    assert (wanted.kind, wanted.next_s) == (heating.EMPTY_48H, at(2026, 11, 25, 480))


def test_the_day_in_which_an_exception_ends_goes_on_as_usual():
    """Said at nine for two days, it ends at nine: who comes then is expected, and the room is heated for them."""
    plan = Plan(WEEK, civil.PARIS)
    early, late = (closed(at(2026, 11, 24), at(2026, 11, 26, minute)) for minute in (360, 540))
    assert plan.wanted(at(2026, 11, 25, 1300), early).next_s == at(2026, 11, 26, 480)
    assert plan.wanted(at(2026, 11, 25, 1300), late).next_s == at(2026, 11, 26, 540)
    assert plan.wanted(at(2026, 11, 26, 539), late).kind != heating.OCCUPIED
    assert plan.wanted(at(2026, 11, 26, 540), late).until_s == at(2026, 11, 26, 1080)
    asleep = plan.wanted(at(2026, 11, 26, 1), early)
    assert asleep.until_s == early[0][2] and asleep.reason >> 10 == heating.CLOSED
    assert plan.wanted(early[0][2], early).reason >> 10 == heating.AS_USUAL


def test_days_that_are_occupied_all_day_have_no_night_between_them():
    plan, days = Plan(WEEK, civil.PARIS), ((heating.ORDERED, at(2026, 11, 25), at(2026, 11, 27, 720)),)
    for day, minute in ((25, 5), (25, 1439), (26, 5), (27, 600)):
        assert plan.wanted(at(2026, 11, day, minute), days).kind == heating.OCCUPIED
    assert plan.peek(at(2026, 11, 26), days).kind == heating.OCCUPIED
    assert plan.wanted(at(2026, 11, 27, 719), days).until_s == at(2026, 11, 27, 720)
    assert plan.wanted(at(2026, 11, 27, 720), days).until_s == at(2026, 11, 27, 1080)
    assert plan.wanted(at(2026, 11, 27, 1100), days).empty_s == 62 * 3600


def every_minute(from_s, to_s):
    """[(instant, occupied)] at each change."""
    plan = Plan(programme([Rule(127, 0, 0, 0)], [(Span(60, 150, 0), Span(480, 720, 0))]), civil.PARIS)
    changes, last = [], None
    for unix_s in range(from_s, to_s, 60):
        occupied = plan.wanted(unix_s).kind == heating.OCCUPIED
        if occupied != last:
            changes.append((unix_s, occupied))
            last = occupied
    begins = [unix_s for unix_s, occupied in changes if occupied]
    return begins, [unix_s for unix_s, occupied in changes if not occupied]


def test_in_the_night_of_spring_a_span_into_the_gap_ends_at_the_change_and_happens_once():
    begins, _ = every_minute(at(2026, 3, 28, 1200), at(2026, 3, 29, 800))
    assert begins == [at(2026, 3, 29, 60), at(2026, 3, 29, 480)]
    plan = Plan(programme([Rule(127, 0, 0, 0)], [(Span(60, 150, 0),)]), civil.PARIS)
    assert plan.wanted(at(2026, 3, 29, 90)).until_s == at(2026, 3, 29, 180)  # 3:00, where 2:30 was jumped over


def test_in_the_night_of_autumn_a_span_over_the_fold_happens_once():
    begins, ends = every_minute(at(2026, 10, 24, 1200), at(2026, 10, 25, 800))
    assert begins == [at(2026, 10, 25, 60), at(2026, 10, 25, 480)]
    assert len(ends) == 3
    assert ends[1] == at(2026, 10, 25, 150)  # the first passage


def test_the_law_binds_whoever_wishes_more_and_names_its_article():
    plan = Plan(WEEK, civil.PARIS)
    allowed = plan.allowed(2200, heating.OCCUPIED, at(2026, 11, 24))
    assert (allowed.setpoint_ck, allowed.limit.text) == (1900, "R241-26")
    assert plan.allowed(1900, heating.OCCUPIED, at(2026, 11, 24)).limit is None
    assert plan.allowed(1800, heating.EMPTY_24H, at(2026, 11, 24)).setpoint_ck == 1600
    assert plan.allowed(1600, heating.EMPTY_48H, at(2026, 11, 24)).setpoint_ck == 800
    assert plan.allowed(2200, heating.EMPTY, at(2026, 11, 24)).limit.text == "R241-26"


def test_an_exemption_holds_on_its_dates_alone_and_not_without_a_clock():
    creche = Limit(heating.OCCUPIED, 2200, 20261101, 20270331, "Préfet", "Arrêté du 25 juillet 1977")
    plan = Plan(programme([Rule(127, 0, 0, 0)], [()], exemptions=[creche]), civil.PARIS)
    assert plan.allowed(2200, heating.OCCUPIED, at(2026, 11, 24)).limit is None
    assert plan.allowed(2400, heating.OCCUPIED, at(2026, 11, 24)).limit == creche
    assert plan.allowed(2200, heating.OCCUPIED, at(2027, 4, 1)).setpoint_ck == 1900
    assert plan.allowed(2200, heating.OCCUPIED, None).setpoint_ck == 1900


def test_a_stricter_ceiling_of_ones_own_binds_beside_the_law():
    own = Limit(heating.OCCUPIED, 1800, 0, 0, "Conseil municipal", "Délibération 2026-41")
    plan = Plan(programme([Rule(127, 0, 0, 0)], [()], ceilings=[own]), civil.PARIS)
    assert plan.allowed(1900, heating.OCCUPIED, at(2026, 11, 24)).limit == own


def test_an_uncertain_clock_chooses_the_warmest_of_what_may_be_right():
    plan = Plan(WEEK, civil.PARIS)
    assert plan.warmest(at(2026, 11, 24, 470), 900).setpoint_ck == 1900
    assert plan.warmest(at(2026, 11, 24, 1090), 900).setpoint_ck == 1900
    assert plan.warmest(at(2026, 11, 24, 440), 900).setpoint_ck == 1600


def test_an_answer_holds_until_it_says_and_no_longer():
    plan = Plan(WEEK, civil.PARIS)
    unix_s = at(2026, 12, 24)
    while unix_s < at(2027, 1, 4):
        wanted = plan.wanted(unix_s)
        assert wanted.until_s > unix_s
        last = Plan(WEEK, civil.PARIS).wanted(wanted.until_s - 1)
        assert (last.setpoint_ck, last.kind, last.next_s) == (wanted.setpoint_ck, wanted.kind, wanted.next_s)
        unix_s = wanted.until_s


SOUND = [
    1,
    [[127, 20261219, 20270103, 1], [0b0011011, 0, 0, 0]],
    [[[510, 720], [810, 990, 1850]], []],
    [1900, 1600, 1600, 800],
    [[0, 1800, 0, 0, "Conseil municipal", "Délibération 2026-41"]],
    [[0, 2200, 20261101, 20270331, "Préfet", "Arrêté 2026-12"]],
]


def altered(change):
    data = [list(part) if isinstance(part, list) else part for part in SOUND]
    change(data)
    return data


def test_a_sound_programme_comes_back_as_it_went():
    programme, faults = heating_form.decode(SOUND)
    assert faults == ()
    assert heating_form.encode(programme) == SOUND
    assert programme.days[0][1] == heating.Span(810, 990, 1850)


def test_the_default_programme_has_a_plain_form():
    plain = heating_form.encode(heating.DEFAULT_PROGRAMME)
    assert heating_form.decode(plain)[0] == heating.DEFAULT_PROGRAMME


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d.__setitem__(0, 2), "version"),
        (lambda d: d.pop(), "programme"),
        (lambda d: d.__setitem__(1, []), "rules"),
        (lambda d: d.__setitem__(1, [[0, 0, 0, 0]]), "rules[0].weekdays"),
        (lambda d: d.__setitem__(1, [[127, 0, 0, 2]]), "rules[0].day"),
        (lambda d: d.__setitem__(1, [[127, 20261301, 20261302, 0]]), "rules[0].first"),
        (lambda d: d.__setitem__(1, [[127, 20270103, 20261219, 0]]), "rules[0].last"),
        (lambda d: d.__setitem__(2, [[[600, 500]]] * 2), "days[0][0].to"),
        (lambda d: d.__setitem__(2, [[[600, 700], [690, 800]]] * 2), "days[0][1].from"),
        (lambda d: d.__setitem__(2, [[[600, 1441]]] * 2), "days[0][0].to"),
        (lambda d: d.__setitem__(2, [[[600, 700, 3500]]] * 2), "days[0][0].setpoint"),
        (lambda d: d.__setitem__(3, [1900, 1600, 1700, 800]), "setpoints"),
        (lambda d: d.__setitem__(3, [1900, 1600, 1600, 400]), "setpoints[3]"),
        (lambda d: d.__setitem__(5, [[0, 2200, 0, 0, "Préfet", "Arrêté"]]), "exemptions[0].first"),
        (lambda d: d.__setitem__(5, [[0, 2200, 20261101, 20270331, "", "Arrêté"]]), "exemptions[0].authority"),
        (lambda d: d.__setitem__(5, [[0, 2200, 20261101, 20270331, "Préfet", "é" * 61]]), "exemptions[0].text"),
        (lambda d: d.__setitem__(4, [[3, 1800, 0, 0, "a", "b"]]), "ceilings[0].kind"),
    ],
)
def test_each_fault_is_named_with_its_place_and_a_remedy(change, path):
    faults = heating_form.validate(altered(change))
    assert path in [fault.path for fault in faults]
    assert all(fault.problem and fault.remedy for fault in faults)
    assert heating_form.decode(altered(change))[0] is None


@pytest.mark.parametrize("data", [None, 7, "x", [], [1, 2, 3, 4], [1, [None], [[None]], [True] * 4, {}, 3.5]])
def test_whatever_is_given_it_never_raises(data):
    assert heating_form.decode(data)[0] is None
    assert heating_form.validate(data)
