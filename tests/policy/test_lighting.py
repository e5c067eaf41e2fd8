"""What the calendar wants of a lamp: crossings, daylight, summer-time nights, the promise of `until_s`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import civil, lighting, lighting_form, sun
from policy.lighting import CLOCK, SUNRISE, SUNSET

BREST = lighting.Site(483904, -44861, civil.PARIS)
NICE = lighting.Site(437102, 72620, civil.PARIS)
JANUARY, JUNE = 20454 + 14, 20454 + 170  # 2026-01-15, 2026-06-20
SPRING, AUTUMN = 20540, 20750  # evenings of 2026-03-28 and 2026-10-24


def calendar(*steps):
    made, faults = lighting_form.decode([1, [[127, 0, 0, 0]], [[list(step) for step in steps]]])
    assert faults == ()
    return made


def night(made, evening, site=BREST):
    return lighting.Night(made, site, evening)


def at(evening, hour, minute=0):
    """Unix second of a wall clock time of the lighting day."""
    return civil.unix_from_local(civil.PARIS, evening + (hour < 12), hour * 3600 + minute * 60)


def lit_s(nights):
    total = 0
    for one in nights:
        changes = [*one.changes(), (one.end_s, 0, 0)]
        total += sum(changes[i + 1][0] - changes[i][0] for i in range(len(changes) - 1) if changes[i][1])
    return total


EXTINCTION = calendar((SUNSET, 0, 100), (CLOCK, 23 * 60 + 30, 0), (CLOCK, 5 * 60, 100), (SUNRISE, 0, 0))


def test_the_default_is_lit_from_sunset_to_sunrise():
    for site in (BREST, NICE):
        for evening in (JANUARY, JUNE):
            dusk = sun.sun_times(evening, site.latitude_e4, site.longitude_e4)[1]
            dawn = sun.sun_times(evening + 1, site.latitude_e4, site.longitude_e4)[0]
            changes = night(lighting.DEFAULT_CALENDAR, evening, site).changes()
            assert [change[:2] for change in changes[1:]] == [(dusk, 100), (dawn, 0)]


def test_the_heart_of_the_night_is_dark_and_the_morning_lit_again():
    plan = lighting.Plan(EXTINCTION, BREST)
    levels = [plan.wanted(at(JANUARY, hour, minute)).level_percent for hour, minute in
              ((13, 0), (18, 30), (23, 29), (23, 30), (4, 59), (5, 0), (8, 30), (11, 59))]  # fmt: skip
    assert levels == [0, 100, 100, 0, 0, 100, 100, 0]


def test_a_relight_after_sunrise_does_not_happen():
    late = calendar((SUNSET, 0, 100), (CLOCK, 0, 0), (CLOCK, 7 * 60, 100), (SUNRISE, 0, 0))
    june = night(late, JUNE)
    assert [change[1] for change in june.changes()] == [0, 100, 0, 0]
    assert june.overtaken == (3,)
    assert [change[1] for change in night(late, JANUARY).changes()] == [0, 100, 0, 100, 0]


def test_a_dimming_before_sunset_takes_the_place_of_the_full_level():
    dimmed = calendar((SUNSET, 0, 100), (CLOCK, 22 * 60, 50), (SUNRISE, 0, 0))
    june = night(dimmed, JUNE)
    dusk = sun.sun_times(JUNE, BREST.latitude_e4, BREST.longitude_e4)[1]
    assert dusk > at(JUNE, 22)
    lit = [change for change in june.changes() if change[1]]
    assert [(change[0], change[1]) for change in lit] == [(dusk, 50)]
    assert june.overtaken == (1,)


def test_an_extinction_before_sunset_never_lights():
    early = calendar((SUNSET, 0, 100), (CLOCK, 22 * 60, 0))
    assert all(change[1] == 0 for change in night(early, JUNE).changes())


def test_a_dark_morning_step_before_sunrise_is_not_undone_by_a_later_clock_step():
    crossing = calendar((SUNSET, 0, 100), (CLOCK, 5 * 60 + 50, 50), (SUNRISE, -30, 0))
    june = night(crossing, JUNE)
    dawn = sun.sun_times(JUNE + 1, BREST.latitude_e4, BREST.longitude_e4)[0]
    assert dawn - 1800 < at(JUNE, 5, 50)
    assert june.changes()[-1][:2] == (dawn - 1800, 0)
    assert june.overtaken == (2,)


def test_a_clock_step_by_day_waits_for_sunset():
    clock = calendar((CLOCK, 17 * 60, 80), (SUNRISE, 0, 0))
    dusk = sun.sun_times(JUNE, BREST.latitude_e4, BREST.longitude_e4)[1]
    waiting = lighting.wanted(clock, BREST, at(JUNE, 18))
    assert waiting.level_percent == 0
    assert lighting.reason_parts(waiting.reason) == (0, lighting.DAYLIGHT)
    assert waiting.until_s == dusk
    assert lighting.wanted(clock, BREST, dusk).level_percent == 80


def test_a_step_that_says_so_burns_by_day():
    tunnel = calendar((CLOCK, 12 * 60, 100, 1))
    assert night(tunnel, JUNE).changes() == [(at(JUNE, 12), 100, 1)]
    before = calendar((SUNSET, -30, 30), (SUNSET, 0, 100), (SUNRISE, 20, 0))
    dusk = sun.sun_times(JUNE, BREST.latitude_e4, BREST.longitude_e4)[1]
    assert night(before, JUNE).changes()[1][:2] == (dusk - 1800, 30)


@pytest.mark.parametrize(("evening", "length_h", "dark_min"), [(SPRING, 23, 270), (AUTUMN, 25, 390)])
def test_summer_time_nights_run_every_step_once_by_the_wall_clock(evening, length_h, dark_min):
    one = night(EXTINCTION, evening)
    assert one.end_s - one.start_s == length_h * 3600
    assert [lighting.reason_parts(change[2])[1] for change in one.changes()] == [0, 1, 2, 3, 4]
    assert one.changes()[3][0] - one.changes()[2][0] == dark_min * 60
    assert one.overtaken == ()


def test_a_step_in_the_spring_gap_acts_at_the_change_and_one_in_the_fold_at_its_first_passage():
    gap = calendar((SUNSET, 0, 100), (CLOCK, 150, 0))
    assert night(gap, SPRING).changes()[2][0] == (SPRING + 1) * 86400 + 3600
    assert night(gap, AUTUMN).changes()[2][0] == (AUTUMN + 1) * 86400 + 1800


def test_two_steps_in_the_spring_gap_leave_the_last_and_name_the_other():
    both = calendar((SUNSET, 0, 100), (CLOCK, 130, 60), (CLOCK, 150, 30), (SUNRISE, 0, 0))
    spring = night(both, SPRING)
    assert [change[1] for change in spring.changes()] == [0, 100, 30, 0]
    assert spring.overtaken == (2,)


def test_the_first_rule_that_matches_the_evening_wins():
    weekend, feast, summer, rest = (
        (48, 0, 0, 0),
        (127, 20260714, 20260714, 0),
        (127, 601, 831, 0),
        (127, 1101, 301, 0),
    )
    rules = tuple(lighting.Rule(*rule) for rule in (feast, weekend, summer, rest))
    made = lighting.Calendar(rules, (lighting.DEFAULT_PROGRAM,))

    def rule_of(year, month, day):
        return lighting.matching_rule(made, civil.days_from_civil(year, month, day))

    assert rule_of(2026, 7, 14) == 0
    assert rule_of(2027, 7, 14) == 2
    assert rule_of(2026, 7, 18) == 1
    assert [rule_of(2026, 6, 1), rule_of(2026, 8, 31), rule_of(2026, 9, 1)] == [2, 2, lighting.NO_RULE]
    assert [rule_of(2026, 12, 31), rule_of(2027, 1, 3), rule_of(2027, 3, 1)] == [3, 3, 3]
    assert [rule_of(2027, 3, 2), rule_of(2028, 2, 29)] == [lighting.NO_RULE, 3]


def test_the_morning_after_belongs_to_the_evening_before():
    saturday = lighting.Calendar((lighting.Rule(1 << 5, 0, 0, 0),), ((lighting.Step(CLOCK, 12 * 60, 7, 1),),))
    sunday_morning = at(20456, 10)  # evening of Saturday 2026-01-03
    assert lighting.wanted(saturday, BREST, sunday_morning).level_percent == 7
    assert lighting.wanted(saturday, BREST, sunday_morning + 7200).level_percent == 0


def test_an_evening_without_a_rule_is_lit_and_says_so():
    empty = lighting.Calendar((), ())
    answer = lighting.wanted(empty, BREST, at(JANUARY, 20))
    assert answer.level_percent == 100
    assert lighting.reason_text(answer.reason) == "no rule, step 1"


@pytest.mark.parametrize(("day", "lit"), [(20454, True), (20625, False)])
def test_polar_night_is_dark_and_the_midnight_sun_is_day(day, lit):
    tromso = lighting.Site(696492, 189553, civil.PARIS)
    for made in (lighting.DEFAULT_CALENDAR, calendar((SUNSET, -60, 100), (SUNRISE, 60, 0))):
        levels = {change[1] for change in night(made, day, tromso).changes()}
        assert levels == ({100} if lit else {0})


def test_a_year_is_lit_for_as_long_as_the_sun_is_down():
    year = range(20454, 20454 + 365)
    full = lit_s(night(lighting.DEFAULT_CALENDAR, evening, NICE) for evening in year)
    assert 4150 * 3600 < full < 4350 * 3600  # half a year less refraction and the sun's radius
    assert lit_s(night(lighting.DIMMING_CALENDAR, evening, NICE) for evening in year) == full
    short = lit_s(night(EXTINCTION, evening, NICE) for evening in year)
    assert full - 365 * 5.5 * 3600 - 7200 < short < full - 365 * 5.5 * 3600 + 7200


def test_an_answer_in_between_comes_from_the_same_night_whichever_way_time_jumps():
    plan = lighting.Plan(EXTINCTION, BREST)
    first = plan.night(at(JANUARY, 20))
    assert plan.night(at(JANUARY, 4)) is first
    assert plan.night(at(JANUARY + 1, 13)) is not first
    assert plan.night(at(JANUARY, 20)).changes() == first.changes()


clock_steps = st.tuples(st.just(CLOCK), st.integers(0, 1439))
sun_steps = st.tuples(st.sampled_from((SUNSET, SUNRISE)), st.integers(-180, 180))
any_step = st.tuples(st.one_of(clock_steps, sun_steps), st.sampled_from((0, 1, 50, 100)), st.integers(0, 1))
any_calendar = st.builds(
    # Sound or not by the form's rules of order: the evaluation must hold its promises for either.
    lambda mask, programs: lighting.Calendar(
        (lighting.Rule(mask, 0, 0, 0), lighting.Rule(127, 401, 1031, len(programs) - 1)),
        tuple(tuple(lighting.Step(*step[0], *step[1:]) for step in program) for program in programs),
    ),
    st.integers(1, 127),
    st.lists(st.lists(any_step, min_size=1, max_size=6), min_size=1, max_size=2),
)
any_instant = st.one_of(
    st.integers(1_500_000_000, 2_200_000_000),
    st.integers(1774656000 - 90000, 1774656000 + 180000),  # around the spring change of 2026
    st.integers(1792800000 - 90000, 1792800000 + 180000),  # around its autumn change
)


@given(any_calendar, st.sampled_from((BREST, NICE)), any_instant, st.data())
def test_the_answer_is_constant_until_the_instant_it_names(made, site, unix_s, data):
    answer = lighting.wanted(made, site, unix_s)
    assert unix_s < answer.until_s <= unix_s + 25 * 3600
    between = data.draw(st.integers(unix_s, answer.until_s - 1))
    for moment in (between, answer.until_s - 1):
        later = lighting.wanted(made, site, moment)
        assert later == answer


@given(any_calendar, st.sampled_from((BREST, NICE)), any_instant)
def test_by_day_only_a_step_that_says_so_is_lit(made, site, unix_s):
    answer = lighting.wanted(made, site, unix_s)
    if not answer.level_percent or sun.elevation_cdeg(unix_s, site.latitude_e4, site.longitude_e4) < -82:
        return
    rule, number = lighting.reason_parts(answer.reason)
    steps = lighting.DEFAULT_PROGRAM if rule == lighting.NO_RULE else made.programs[made.rules[rule].program]
    assert steps[number - 1].by_day or any(
        (step.reference == SUNSET and step.minutes < 0) or (step.reference == SUNRISE and step.minutes > 0)
        for step in steps
    )


@given(any_calendar, any_instant)
def test_every_step_acts_or_is_named_as_overtaken(made, unix_s):
    one = lighting.Plan(made, BREST).night(unix_s)
    steps = (
        lighting.DEFAULT_PROGRAM
        if one.rule == lighting.NO_RULE
        else made.programs[made.rules[one.rule].program]
    )
    by_day = lighting.Calendar(  # without the guard every step that acts is seen
        (lighting.Rule(127, 0, 0, 0),), (tuple(lighting.Step(s.reference, s.minutes, 50, 1) for s in steps),)
    )
    seen = lighting.Plan(by_day, BREST).night(unix_s)
    acting = [lighting.reason_parts(change[2])[1] for change in seen.changes()]
    assert len(acting) == len(set(acting))
    assert {*acting, *seen.overtaken} - {0} == set(range(1, len(steps) + 1))
    assert not set(acting) & set(seen.overtaken)
