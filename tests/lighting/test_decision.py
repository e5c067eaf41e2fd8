"""The lamp's level is recomputed from clock, sun and calendar; doubt about the time lights it, never darkens it."""

import itertools

import pytest

from lighting import limits
from lighting.decision import CALENDAR, CARRIED, CELL_ALONE, FEEDER, NO_TIME, PHOTOCELL, Demand, LightDecision, Sunlight
from lighting.photocell import Photocell
from policy import civil, lighting, sun
from policy.lighting import CLOCK, SUNRISE, SUNSET, Calendar, Plan, Rule, Step
from wire import node_order

ANGERS = lighting.Site(474736, -5516, civil.PARIS)
NOVEMBER, JUNE = 20781, 20624  # evenings of 2026-11-24 and 2026-06-20
SPRING, AUTUMN = 20540, 20750  # evenings of 2026-03-28 and 2026-10-24
EVENINGS = [NOVEMBER, JUNE, SPRING, AUTUMN]
EXTINCTION = Calendar(
    (Rule(127, 0, 0, 0),),
    ((Step(SUNSET, 0, 100, 0), Step(CLOCK, 1410, 0, 0), Step(CLOCK, 300, 100, 0), Step(SUNRISE, 0, 0, 0)),),
)
CALENDARS = [lighting.DEFAULT_CALENDAR, lighting.DIMMING_CALENDAR, EXTINCTION]


class Cell:
    """A photocell that says what it is told to."""

    def __init__(self, is_dark, lux=20, is_day=False):
        self.is_dark = self.reads_dark = is_dark
        self.is_day = is_day
        self.changed_lx = lux


def lamp(calendar=lighting.DIMMING_CALENDAR, stagger_s=0, **options):
    return LightDecision(Plan(calendar, ANGERS), Sunlight(ANGERS), stagger_s=stagger_s, **options)


def night(evening, calendar=lighting.DIMMING_CALENDAR):
    return lighting.Night(calendar, ANGERS, evening)


def possible_levels(calendar, unix_s, uncertainty_s):
    """Every level that may be right, asked second by second where it can change: the slow and obvious way."""
    plan = Plan(calendar, ANGERS)
    instants = range(unix_s - uncertainty_s, unix_s + uncertainty_s + 1, max(1, uncertainty_s // 200))
    return {plan.wanted(at_s).level_percent for at_s in instants}


def test_no_time_lights_the_lamp():
    assert lamp().decide(None, 0) == Demand(100, NO_TIME, 0)


def test_an_order_between_dark_and_full_lowers_and_never_raises():
    def ordered(level, unix_s):
        order = node_order.NodeOrder(1, b"12345678", node_order.OVERRIDE, level, unix_s + 600, 600)
        return lamp(EXTINCTION).decide(unix_s, 0, order)

    lit_s, out_s = night(NOVEMBER).sunset_s + 3600, civil.unix_from_local(civil.PARIS, NOVEMBER + 1, 3600)
    assert ordered(50, lit_s) == Demand(50, node_order.OVERRIDE, b"12345678")
    assert ordered(50, out_s)[:2] == (0, CALENDAR), "an hour of extinction stays dark"
    assert [ordered(level, out_s)[:2] for level in (0, 100)] == [(0, "override"), (100, "override")]
    dimmed = night(NOVEMBER).end_s - 8 * 3600  # 40 % after midnight
    assert [lamp().decide(dimmed, 0, node_order.NodeOrder(1, b"1", "override", level, dimmed + 9, 9))[0]
            for level in (30, 40, 50)] == [30, 40, 40]  # fmt: skip


def test_a_doubtful_time_without_a_cell_is_carried_and_one_too_doubtful_is_no_time():
    """Noon ± 4 h in June is day at any true time; beyond it that is not known."""
    noon = civil.unix_from_local(civil.PARIS, JUNE, 50_000)
    assert lamp().decide(noon, limits.USABLE_S) == Demand(0, CALENDAR, 0)
    assert lamp().decide(noon, limits.USABLE_S + 1) == Demand(0, CARRIED, 0)
    assert lamp().decide(noon, limits.CARRIED_S) == Demand(0, CARRIED, 0)
    assert lamp().decide(noon, limits.CARRIED_S + 1) == Demand(100, NO_TIME, 0)
    assert lamp(fail_safe_percent=60).decide(noon, limits.CARRIED_S + 1) == Demand(60, NO_TIME, 0)


def test_a_carried_time_is_lit_wherever_the_calendar_may_be():
    one = lamp()
    bounds = night(NOVEMBER)
    for unix_s in range(bounds.start_s, bounds.end_s, 1801):
        expected = max(possible_levels(lighting.DIMMING_CALENDAR, unix_s, 7200))
        assert one.decide(unix_s, 7200)[:2] == (expected, CARRIED)


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("evening", EVENINGS)
def test_a_certain_time_runs_the_calendar(calendar, evening):
    one = lamp(calendar)
    for unix_s, level_percent, reason in night(evening, calendar).changes():
        assert one.decide(unix_s, 60) == Demand(level_percent, CALENDAR, reason)
        assert one.decide(unix_s + 30, 0).level_percent == level_percent


@pytest.mark.parametrize("evening", [SPRING, AUTUMN])
def test_summer_time_nights_have_each_edge_once(evening):
    one = lamp()
    bounds = night(evening)
    assert bounds.end_s - bounds.start_s == (23 if evening == SPRING else 25) * 3600
    levels = [one.decide(unix_s, 1).level_percent for unix_s in range(bounds.start_s, bounds.end_s, 60)]
    edges = [(before, after) for before, after in itertools.pairwise(levels) if before != after]
    assert edges == [(0, 100), (100, 70), (70, 40), (40, 100), (100, 0)]
    five_thirty = civil.unix_from_local(civil.PARIS, evening + 1, 5 * 3600 + 1800)
    assert one.decide(five_thirty - 1, 1).level_percent == 40
    assert one.decide(five_thirty, 1).level_percent == 100


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("uncertainty_s", [61, 300, 900])
def test_an_uncertain_time_takes_the_brightest_of_what_may_be_right(calendar, uncertainty_s):
    one = lamp(calendar)
    for evening in (NOVEMBER, JUNE):
        bounds = night(evening, calendar)
        for unix_s in range(bounds.start_s, bounds.end_s, 1777):
            expected = max(possible_levels(calendar, unix_s, uncertainty_s))
            assert one.decide(unix_s, uncertainty_s).level_percent == expected


def test_a_short_step_inside_the_doubt_is_not_overlooked():
    """Ten minutes of light, with dark before and after: a doubt of a quarter hour sees only dark at its ends."""
    flash = Calendar(
        (Rule(127, 0, 0, 0),),
        ((Step(CLOCK, 1200, 0, 0), Step(CLOCK, 1260, 80, 0), Step(CLOCK, 1270, 0, 0), Step(CLOCK, 480, 0, 0)),),
    )
    after = civil.unix_from_local(civil.PARIS, NOVEMBER, 21 * 3600 + 720)
    assert lamp(flash).decide(after, 60).level_percent == 0
    assert lamp(flash).decide(after, 900).level_percent == 80
    assert lamp(flash).decide(after, 120).level_percent == 0


def test_doubt_at_dusk_lights_early_and_at_dawn_darkens_late():
    one = lamp()
    changes = night(NOVEMBER).changes()
    dusk, dawn = changes[1][0], changes[-1][0]
    assert one.decide(dusk - 300, 300).level_percent == 100
    assert one.decide(dusk - 301, 300).level_percent == 0
    assert one.decide(dawn + 299, 300).level_percent == 100
    assert one.decide(dawn + 300, 300).level_percent == 0


def test_the_stagger_shifts_each_edge_by_its_seconds():
    dusk = night(NOVEMBER).changes()[1][0]
    for stagger_s in (0, 4, 9):
        one = lamp(stagger_s=stagger_s)
        assert one.decide(dusk + stagger_s - 1, 0).level_percent == 0
        assert one.decide(dusk + stagger_s, 0).level_percent == 100


def test_a_clock_that_goes_back_is_followed():
    one = lamp()
    dusk = night(NOVEMBER).changes()[1][0]
    levels = [one.decide(dusk + shift_s, 0).level_percent for shift_s in (10, -10, 86_400, -3600, 5)]
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
                new = lamp(calendar).decide(unix_s, 1)
                recomputed = Plan(calendar, ANGERS).wanted(unix_s)
                if not old.decide(unix_s, 1) == new == (recomputed.level_percent, CALENDAR, recomputed.reason):
                    different.append(unix_s)
    return different


def test_a_boot_across_each_edge_equals_the_recomputed_state():
    assert states_that_differ_after_a_boot() == []


def test_a_state_that_is_kept_instead_of_recomputed_is_seen(monkeypatch):
    """Planted: the answer is held for as long as the lamp lives."""

    def kept(self, unix_s, doubt_s=0):
        self._wanted = self._wanted or self.night(unix_s).wanted(unix_s)
        return self._wanted

    monkeypatch.setattr(Plan, "wanted", kept)
    assert states_that_differ_after_a_boot() != []


@pytest.mark.parametrize("doubt_s", [0, 300])
def test_the_calendar_is_asked_again_only_when_it_may_have_changed(monkeypatch, doubt_s):
    asked, plain = [], lighting.Night.wanted

    def counted(self, unix_s):
        asked.append(unix_s)
        return plain(self, unix_s)

    bounds, one = night(NOVEMBER), lamp(lighting.DIMMING_CALENDAR)
    monkeypatch.setattr(lighting.Night, "wanted", counted)
    for unix_s in range(bounds.start_s, bounds.end_s, 10):
        one.decide(unix_s, doubt_s)
    assert len(asked) == len(bounds.changes()) if not doubt_s else len(asked) < 60


# --- the photocell beside the sun -------------------------------------------------------------------------------------


def lit_window(one, cell, evening=NOVEMBER):
    """(seconds before sunset, seconds after sunrise) for which the lamp burns outside of the night."""
    bounds = night(evening)
    lit = [
        unix_s for unix_s in range(bounds.start_s, bounds.end_s, 10) if one.decide(unix_s, 1, None, cell).level_percent
    ]
    return bounds.sunset_s - lit[0], lit[-1] - bounds.sunrise_s


@pytest.mark.parametrize("evening", EVENINGS)
def test_a_dark_cell_lights_and_keeps_lit_for_three_quarters_of_an_hour_at_most(evening):
    before_s, after_s = lit_window(lamp(), Cell(True), evening)
    assert limits.CELL_WINDOW_S - 20 <= before_s <= limits.CELL_WINDOW_S
    assert limits.CELL_WINDOW_S - 20 <= after_s <= limits.CELL_WINDOW_S


def test_a_bright_or_silent_cell_changes_nothing():
    for cell in (Cell(False), Cell(None), None):
        before_s, after_s = lit_window(lamp(), cell)
        assert -20 <= before_s <= 0 and -20 <= after_s <= 0


def test_the_cell_brings_the_level_of_dusk_and_says_so():
    one = lamp()
    bounds = night(NOVEMBER)
    assert one.decide(bounds.sunset_s - 1200, 1, None, Cell(True, 28)) == Demand(100, PHOTOCELL, 28)
    assert one.decide(bounds.sunset_s + 1, 1, None, Cell(True, 28)).rule == CALENDAR


def test_the_cell_does_not_light_hours_of_extinction_nor_what_the_clock_switches():
    one = lamp(EXTINCTION)
    bounds = night(NOVEMBER)
    midnight = civil.unix_from_local(civil.PARIS, NOVEMBER + 1, 600)
    assert one.decide(midnight, 1, None, Cell(True)).level_percent == 0
    by_clock = Calendar((Rule(127, 0, 0, 0),), ((Step(CLOCK, 1260, 100, 0), Step(CLOCK, 60, 0, 0)),))
    heritage = lamp(by_clock)
    assert heritage.decide(bounds.sunset_s - 600, 1, None, Cell(True)).level_percent == 0
    assert heritage.decide(bounds.sunrise_s + 600, 1, None, Cell(True)).level_percent == 0


def test_a_dirty_cell_burns_no_lamp_by_day():
    one = lamp()
    bounds = night(JUNE)
    for unix_s in range(bounds.start_s, bounds.end_s, 300):
        elevation = sun.elevation_cdeg(unix_s, ANGERS.latitude_e4, ANGERS.longitude_e4)
        if elevation > limits.SUN_DAY_CDEG + 30:
            assert one.decide(unix_s, 1, None, Cell(True)).level_percent == 0
            assert one.decide(unix_s, 5000, None, Cell(True)).level_percent in (0, 100)


def test_a_switched_feeder_that_has_mains_around_dusk_counts_as_darkness():
    one = lamp(switched=True)
    bounds = night(NOVEMBER)
    assert one.decide(bounds.sunset_s - 900, 1) == Demand(100, FEEDER, 0)
    assert one.decide(bounds.sunrise_s + 900, 1).rule == FEEDER
    assert one.decide(bounds.sunset_s - 2800, 1).level_percent == 0
    assert lamp().decide(bounds.sunset_s - 900, 1).level_percent == 0


def test_without_a_usable_time_the_cell_decides():
    assert lamp().decide(None, 0, None, Cell(True, 12)) == Demand(100, CELL_ALONE, 12)
    assert lamp().decide(None, 0, None, Cell(False, 900)) == Demand(0, CELL_ALONE, 900)
    assert lamp().decide(None, 0, None, Cell(None)) == Demand(100, NO_TIME, 0)


def test_on_a_switched_feeder_without_a_time_mains_are_night_until_a_cell_has_seen_the_day_for_long():
    one = lamp(switched=True)
    assert one.decide(None, 0, None, Cell(False, 350)) == Demand(100, FEEDER, 0)
    assert one.decide(None, 0, None, Cell(True, 12)) == Demand(100, CELL_ALONE, 12)
    assert one.decide(None, 0, None, Cell(False, 350, is_day=True)) == Demand(0, CELL_ALONE, 350)
    noon = civil.unix_from_local(civil.PARIS, JUNE, 14 * 3600)
    assert one.decide(noon, 3600, None, Cell(False, 350)).level_percent == 0, "the sun rules the night out"


def test_a_rough_time_overrules_a_cell_that_the_sun_rules_out():
    one = lamp()
    deep_night = civil.unix_from_local(civil.PARIS, NOVEMBER + 1, 3600)
    noon = civil.unix_from_local(civil.PARIS, JUNE, 14 * 3600)
    dusk = night(NOVEMBER).sunset_s
    assert one.decide(deep_night, 3600, None, Cell(False)).level_percent == 100, "headlamps"
    assert one.decide(noon, 3600, None, Cell(True)).level_percent == 0, "dirt"
    assert one.decide(dusk, 3600, None, Cell(False)).level_percent == 0
    assert one.decide(dusk, 3600, None, Cell(True)).level_percent == 100


def test_an_order_is_above_calendar_and_cell():
    class Order:
        level_percent, rule, id = 30, "override", b"12345678"

    assert lamp().decide(None, 0, Order(), Cell(True)) == Demand(30, "override", b"12345678")


def test_an_hour_of_extinction_is_told_from_the_day():
    one = lamp(EXTINCTION)
    bounds = night(NOVEMBER, EXTINCTION)
    for unix_s, expected in (
        (bounds.sunset_s - 3600, False),
        (bounds.sunset_s + 60, False),
        (bounds.sunset_s + 7 * 3600, True),
        (bounds.sunrise_s + 60, False),
    ):
        assert one.is_extinction(one.decide(unix_s, 1), unix_s) is expected


# --- fourteen July and market days ------------------------------------------------------------------------------------

MARKET = Calendar(
    (Rule(127, 714, 714, 1), Rule(127, 20261224, 20261224, 2), Rule(0b0010000, 0, 0, 3), Rule(127, 0, 0, 0)),
    (
        (Step(SUNSET, 0, 100, 0), Step(CLOCK, 1380, 0, 0), Step(CLOCK, 330, 100, 0), Step(SUNRISE, 0, 0, 0)),
        (Step(SUNSET, 0, 100, 0), Step(CLOCK, 150, 50, 0), Step(SUNRISE, 0, 0, 0)),
        (Step(SUNSET, 0, 100, 0), Step(SUNRISE, 0, 0, 0)),
        (Step(SUNSET, 0, 100, 0), Step(CLOCK, 1380, 0, 0), Step(CLOCK, 240, 100, 0), Step(SUNRISE, 0, 0, 0)),
    ),
)


def level_at(year, month, day, hour, minute):
    """The level at this civil time; hours from 24 on are those of the morning after."""
    unix_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, day), 3600 * hour + 60 * minute)
    return lamp(MARKET).decide(unix_s, 1).level_percent


@pytest.mark.parametrize("year", [2026, 2027, 2031])
def test_the_fourteenth_of_july_is_lit_till_half_past_two_every_year(year):
    assert [level_at(year, 7, 14, hour, 0) for hour in (23, 25, 26, 27)] == [100, 100, 100, 50]
    assert [level_at(year, 7, 13, hour, 0) for hour in (23, 25)] == [0, 0], "the evening before is as usual"
    assert [level_at(year, 7, 15, hour, 0) for hour in (23, 25)] == [0, 0]


def test_one_dated_night_is_lit_through_in_its_year_only():
    assert [level_at(2026, 12, 24, hour, 0) for hour in (20, 25, 28, 30)] == [100] * 4
    assert [level_at(2028, 12, 24, hour, 0) for hour in (20, 25, 28)] == [100, 0, 0]


def test_the_night_before_a_saturday_market_is_lit_at_four():
    """The lighting day bears the date of its evening: stalls are put up on Saturday, so the rule says Friday."""
    assert civil.weekday(civil.days_from_civil(2026, 11, 27)) == 4
    assert [level_at(2026, 11, 27, hour, 15) for hour in (25, 28, 29)] == [0, 100, 100]
    assert [level_at(2026, 11, 28, hour, 15) for hour in (25, 28, 29)] == [0, 0, 0]


def test_a_feast_goes_before_the_market_of_its_weekday():
    assert civil.weekday(civil.days_from_civil(2028, 7, 14)) == 4
    assert level_at(2028, 7, 14, 25, 0) == 100


def test_the_photocells_word_is_used_by_the_ladder():
    cell = Photocell(now_ms=0)
    cell.observe(10, None, now_ms=0)
    assert lamp().decide(None, 0, None, cell) == Demand(100, CELL_ALONE, 10)
