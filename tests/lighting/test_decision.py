"""The lamp's level is recomputed from clock, sun and calendar; doubt about the time lights it, never darkens it."""

import itertools

import pytest

from node import limits, streetlight
from node.streetlight import CALENDAR, FAIL_SAFE_PERCENT, NO_TIME, Output, Streetlight
from policy import civil, lighting
from policy.lighting import CLOCK, SUNRISE, SUNSET, Calendar, Plan, Rule, Step

ANGERS = lighting.Site(474736, -5516, civil.PARIS)
NOVEMBER, JUNE = 20781, 20624  # evenings of 2026-11-24 and 2026-06-20
SPRING, AUTUMN = 20540, 20750  # evenings of 2026-03-28 and 2026-10-24
EVENINGS = [NOVEMBER, JUNE, SPRING, AUTUMN]
EXTINCTION = Calendar(
    (Rule(127, 0, 0, 0),),
    ((Step(SUNSET, 0, 100, 0), Step(CLOCK, 1410, 0, 0), Step(CLOCK, 300, 100, 0), Step(SUNRISE, 0, 0, 0)),),
)
CALENDARS = [lighting.DEFAULT_CALENDAR, lighting.DIMMING_CALENDAR, EXTINCTION]


def lamp(calendar=lighting.DIMMING_CALENDAR, stagger_s=0):
    return Streetlight(Plan(calendar, ANGERS), stagger_s=stagger_s)


def night(evening, calendar=lighting.DIMMING_CALENDAR):
    return lighting.Night(calendar, ANGERS, evening)


def possible_levels(calendar, unix_s, uncertainty_s):
    """Every level that may be right, asked second by second where it can change: the slow and obvious way."""
    plan = Plan(calendar, ANGERS)
    instants = range(unix_s - uncertainty_s, unix_s + uncertainty_s + 1, max(1, uncertainty_s // 200))
    return {plan.wanted(at_s).level_percent for at_s in instants}


def test_no_time_lights_the_lamp():
    assert lamp().output(None, 0) == Output(FAIL_SAFE_PERCENT, NO_TIME, 0)


def test_a_time_too_doubtful_is_no_time():
    noon = civil.unix_from_local(civil.PARIS, JUNE, 50_000)
    assert lamp().output(noon, limits.UNCERTAINTY_USABLE_S) == Output(0, CALENDAR, 0)
    assert lamp().output(noon, limits.UNCERTAINTY_USABLE_S + 1) == Output(100, NO_TIME, 0)


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("evening", EVENINGS)
def test_a_certain_time_runs_the_calendar(calendar, evening):
    one = lamp(calendar)
    for unix_s, level_percent, reason in night(evening, calendar).changes():
        assert one.output(unix_s, 60) == Output(level_percent, CALENDAR, reason)
        assert one.output(unix_s + 30, 0).level_percent == level_percent


@pytest.mark.parametrize("evening", [SPRING, AUTUMN])
def test_summer_time_nights_have_each_edge_once(evening):
    one = lamp()
    bounds = night(evening)
    assert bounds.end_s - bounds.start_s == (23 if evening == SPRING else 25) * 3600
    levels = [one.output(unix_s, 1).level_percent for unix_s in range(bounds.start_s, bounds.end_s, 60)]
    edges = [(before, after) for before, after in itertools.pairwise(levels) if before != after]
    assert edges == [(0, 100), (100, 70), (70, 40), (40, 100), (100, 0)]
    five_thirty = civil.unix_from_local(civil.PARIS, evening + 1, 5 * 3600 + 1800)
    assert one.output(five_thirty - 1, 1).level_percent == 40
    assert one.output(five_thirty, 1).level_percent == 100


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("uncertainty_s", [61, 300, 900])
def test_an_uncertain_time_takes_the_brightest_of_what_may_be_right(calendar, uncertainty_s):
    one = lamp(calendar)
    for evening in (NOVEMBER, JUNE):
        bounds = night(evening, calendar)
        for unix_s in range(bounds.start_s, bounds.end_s, 1777):
            expected = max(possible_levels(calendar, unix_s, uncertainty_s))
            assert one.output(unix_s, uncertainty_s).level_percent == expected


def test_a_short_step_inside_the_doubt_is_not_overlooked():
    """Ten minutes of light, with dark before and after: a doubt of a quarter hour sees only dark at its ends."""
    flash = Calendar(
        (Rule(127, 0, 0, 0),),
        ((Step(CLOCK, 1200, 0, 0), Step(CLOCK, 1260, 80, 0), Step(CLOCK, 1270, 0, 0), Step(CLOCK, 480, 0, 0)),),
    )
    after = civil.unix_from_local(civil.PARIS, NOVEMBER, 21 * 3600 + 720)
    assert lamp(flash).output(after, 60).level_percent == 0
    assert lamp(flash).output(after, 900).level_percent == 80
    assert lamp(flash).output(after, 120).level_percent == 0


def test_doubt_at_dusk_lights_early_and_at_dawn_darkens_late():
    one = lamp()
    changes = night(NOVEMBER).changes()
    dusk, dawn = changes[1][0], changes[-1][0]
    assert one.output(dusk - 300, 300).level_percent == 100
    assert one.output(dusk - 301, 300).level_percent == 0
    assert one.output(dawn + 299, 300).level_percent == 100
    assert one.output(dawn + 300, 300).level_percent == 0


def test_the_stagger_shifts_each_edge_by_its_seconds():
    dusk = night(NOVEMBER).changes()[1][0]
    for stagger_s in (0, 4, 9):
        one = lamp(stagger_s=stagger_s)
        assert one.output(dusk + stagger_s - 1, 0).level_percent == 0
        assert one.output(dusk + stagger_s, 0).level_percent == 100


def test_a_clock_that_goes_back_is_followed():
    one = lamp()
    dusk = night(NOVEMBER).changes()[1][0]
    levels = [one.output(dusk + shift_s, 0).level_percent for shift_s in (10, -10, 86_400, -3600, 5)]
    assert levels == [100, 0, 100, 0, 100]


def states_that_differ_after_a_boot():
    """Boots on either side of each edge, day and night: instants at which a new lamp and an old one disagree."""
    different = []
    for calendar in CALENDARS:
        for evening in EVENINGS:
            old = lamp(calendar)
            bounds = night(evening, calendar)
            edges = [change[0] for change in bounds.changes()]
            instants = {edge + shift for edge in edges for shift in (-3600, -1, 0, 1, 3600)}
            for unix_s in sorted(instants | {bounds.end_s - 1, bounds.end_s}):
                new = lamp(calendar).output(unix_s, 1)
                recomputed = Plan(calendar, ANGERS).wanted(unix_s)
                if not old.output(unix_s, 1) == new == (recomputed.level_percent, CALENDAR, recomputed.reason):
                    different.append(unix_s)
    return different


def test_a_boot_across_each_edge_equals_the_recomputed_state():
    assert states_that_differ_after_a_boot() == []


def test_a_state_that_is_kept_instead_of_recomputed_is_seen(monkeypatch):
    """Planted: the answer is held for as long as the lamp lives."""

    def kept(self, at_s):
        self._wanted = self._wanted or self._plan.wanted(at_s)
        return self._wanted

    monkeypatch.setattr(streetlight.Streetlight, "_at", kept)
    assert states_that_differ_after_a_boot() != []


def test_the_calendar_is_asked_again_only_when_it_may_have_changed():
    asked = []

    class Counted(Plan):
        def wanted(self, unix_s):
            asked.append(unix_s)
            return super().wanted(unix_s)

    one = Streetlight(Counted(lighting.DIMMING_CALENDAR, ANGERS), stagger_s=0)
    bounds = night(NOVEMBER)
    for unix_s in range(bounds.start_s, bounds.end_s, 10):
        one.output(unix_s, 0)
    assert len(asked) == len(bounds.changes())
