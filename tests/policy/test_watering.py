"""Watering as policy: the plain form and its faults, programmes' days, drought law, leases and exemptions."""

import copy

import pytest

from policy import civil, lighting, watering, watering_form
from tests.support.green import PLAIN

SOUND = PLAIN["watering"]
ORDER = [2, 1, 127, 480, 1200, "Préfet de Maine-et-Loire", "Arrêté 2026-07"]
LIFTED = [1 << watering.YOUNG_PLANTING, 4, 3, 20260701, 20260930, "Préfet", "Arrêté 2026-07, art. 4"]
LAWN = watering_form.decode(SOUND)[0].zones[0]
DRIP = watering_form.decode(SOUND)[0].zones[2]


def decoded(**parts):
    names = ("version", "zones", "programs", "bans", "exemptions")
    data = copy.deepcopy(SOUND)
    for name, value in parts.items():
        data[names.index(name)] = value
    policy, faults = watering_form.decode(data)
    assert not faults, faults
    return policy


def at(month, day, hour, minute=0):
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, month, day), hour * 3600 + minute * 60)


def test_a_sound_document_comes_back_as_it_was():
    policy = decoded(bans=[ORDER], exemptions=[LIFTED])
    assert watering_form.decode(watering_form.encode(policy))[0] == policy


FAULTS = [
    ([0], 2, "version"),
    ([1], [], "zones"),
    ([1], [SOUND[1][0]] * 9, "zones"),
    ([1, 0, 0], 6, "zones[0].use"),
    ([1, 0, 2], 7, "zones[0].soil"),
    ([1, 0, 3], 61, "zones[0].slope"),
    ([1, 0, 5], 0, "zones[0].area"),
    ([1, 0, 6], 5, "zones[0].flow"),
    ([1, 0, 7], 10, "zones[0].efficiency"),
    ([1, 0, 10], 0, "zones[0].run_max"),
    ([2, 0, 0], 6, "programs[0].kind"),
    ([2, 0, 1], 128, "programs[0].days"),
    ([2, 0, 2], 401, "programs[0].last"),
    ([2, 0, 3], 1331, "programs[0].last"),
    ([2, 0, 5], 1440, "programs[0].minutes"),
    ([2, 0, 7], 8, "programs[0].zones"),
    ([2, 0, 8], 501, "programs[0].depth"),
    ([2, 0], [4, 20260231, 0, 0, 0, 0, 0, 1, 0], "programs[0].days"),
    ([2, 0], [5, 0, 0, 0, 0, 0, 0, 1, 0], "programs[0].days"),
    ([2, 0], [5, 1 << 31, 0, 0, 0, 0, 0, 1, 0], "programs[0].days"),
    ([3], [[*ORDER[:5], "", "x"]], "bans[0].authority"),
    ([3], [[*ORDER[:4], 480, *ORDER[5:]]], "bans[0].to"),
    ([4], [[*LIFTED[:3], 20260930, 20260701, *LIFTED[5:]]], "exemptions[0].last"),
    ([4], [[*LIFTED[:3], 20260230, *LIFTED[4:]]], "exemptions[0].first"),
    ([4], [[*LIFTED[:6], "x" * 200]], "exemptions[0].text"),
]


@pytest.mark.parametrize("place,value,path", FAULTS)
def test_each_fault_is_named_with_its_path_and_a_remedy(place, value, path):
    data = copy.deepcopy(SOUND)
    part = data
    for index in place[:-1]:
        part = part[index]
    part[place[-1]] = value
    policy, faults = watering_form.decode(data)
    assert policy is None and path in [fault.path for fault in faults], faults
    assert all(fault.remedy for fault in faults)


@pytest.mark.parametrize(
    "data", [None, 7, [], {}, [1, 2, 3, 4, 5], [1, [[None] * 11], [[b""] * 9], [[1.5] * 7], [0]], "x"]
)
def test_noise_is_refused_and_never_raises(data):
    assert watering_form.decode(data)[0] is None and watering_form.validate(data)


@pytest.mark.parametrize(
    "kind,days,expected",
    [
        (watering.WEEKLY, 0b0000101, [3, 5, 10]),
        (watering.ODD, 0, [1, 3, 5, 7, 9, 11]),
        (watering.EVEN, 0, [2, 4, 6, 8, 10]),
        (watering.ONCE, 20260604, [4]),
        (watering.INTERVAL, 4, [3, 7, 11]),
    ],
)
def test_the_days_of_each_kind_of_program_in_june_2026(kind, days, expected):
    program = watering.Program(kind, days, 401, 930, 0, 300, 0, 1, 0)
    first = civil.days_from_civil(2026, 6, 1)
    assert civil.weekday(first) == 0
    found = [day for day in range(1, 12) if watering.matches(program, first + day - 1)]
    if kind == watering.WEEKLY:
        expected = [1, 3, 8, 10]
    if kind == watering.INTERVAL:
        expected = [day for day in range(1, 12) if (first + day - 1) % 4 == 0]
    assert found == expected


def days_of(program, year):
    """{month: its days with a start}."""
    first = civil.days_from_civil(year, 1, 1)
    found = {}
    for civil_day in range(first, first + 366):
        if watering.matches(program, civil_day):
            _, month, day = civil.civil_from_days(civil_day)
            found.setdefault(month, []).append(day)
    return found


def test_a_monthly_program_runs_on_its_days_and_what_a_month_does_not_have_on_its_last():
    last = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
    every_31st = decoded(programs=[[watering.MONTHLY, 1 << 30, 0, 0, 0, 300, 0, 1, 50]]).programs[0]
    assert days_of(every_31st, 2027) == {month: [day] for month, day in last.items()}
    assert days_of(every_31st, 2028)[2] == [29], "a leap year"
    days = 1 | 1 << 14 | 1 << 28 | 1 << 30
    season = decoded(programs=[[watering.MONTHLY, days, 201, 331, 0, 300, 0, 1, 50]]).programs[0]
    assert days_of(season, 2027) == {2: [1, 15, 28], 3: [1, 15, 29, 31]}, "and once where two fall on one"


def test_a_season_ends_and_may_pass_new_year():
    summer = watering.Program(watering.WEEKLY, 127, 401, 930, 0, 300, 0, 1, 0)
    winter = watering.Program(watering.WEEKLY, 127, 1101, 228, 0, 300, 0, 1, 0)
    for month, day, in_summer, in_winter in (
        (4, 1, True, False),
        (9, 30, True, False),
        (10, 1, False, False),
        (1, 5, False, True),
    ):
        civil_day = civil.days_from_civil(2026, month, day)
        assert watering.matches(summer, civil_day) is in_summer
        assert watering.matches(winter, civil_day) is in_winter


def test_an_hour_may_follow_the_sun():
    site = lighting.Site(474700, -5500, civil.PARIS)
    day = civil.days_from_civil(2026, 6, 21)
    sunrise = watering.instant_s(watering.Program(0, 127, 0, 0, watering.SUNRISE, 0, 0, 1, 0), site, day)
    before = watering.instant_s(watering.Program(0, 127, 0, 0, watering.SUNRISE, -90, 0, 1, 0), site, day)
    sunset = watering.instant_s(watering.Program(0, 127, 0, 0, watering.SUNSET, 30, 0, 1, 0), site, day)
    assert sunrise - before == 5400
    assert civil.local_from_unix(civil.PARIS, sunrise).second // 3600 == 6
    assert civil.local_from_unix(civil.PARIS, sunset).second // 3600 == 22


NATIONAL = [
    (watering.LAWN, 1, 12, False), (watering.LAWN, 2, 12, True), (watering.LAWN, 2, 10, False),
    (watering.LAWN, 2, 18, False),
    (watering.LAWN, 3, 3, True), (watering.BEDS, 3, 23, True), (watering.KITCHEN_GARDEN, 3, 12, True),
    (watering.KITCHEN_GARDEN, 3, 21, False), (watering.SPORTS, 3, 8, False), (watering.YOUNG_PLANTING, 4, 3, True),
    (watering.LAWN, 4, 3, True), (watering.SHRUBS, 4, 3, True),
    # What crise adds for these two is the prefecture's order.
    (watering.SPORTS, 4, 3, False), (watering.SPORTS, 4, 12, True), (watering.KITCHEN_GARDEN, 4, 21, False),
    (watering.KITCHEN_GARDEN, 4, 12, True),
]  # fmt: skip


@pytest.mark.parametrize("use,level,hour,forbidden", NATIONAL)
def test_the_national_minimum_by_use_level_and_hour(use, level, hour, forbidden):
    zone = watering.Zone(*((use, *tuple(LAWN[1:]))))
    found = watering.forbidding(decoded(), zone, level, at(7, 10, hour))
    assert (found is not None) is forbidden


CRISE_ORDER = [4, 12, 127, 0, 1440, "Préfet de Maine-et-Loire", "Arrêté 2026-07, art. 6"]


@pytest.mark.parametrize("use", [watering.KITCHEN_GARDEN, watering.SPORTS])
def test_a_document_says_what_the_prefecture_forbids_at_crise_to_kitchen_gardens_and_sports(use):
    zone = [use, *SOUND[1][0][1:]]
    policy, faults = watering_form.decode([1, [zone], [], [ORDER], []])
    assert policy is None and [fault.path for fault in faults] == ["bans"]
    assert watering.USES[use] in faults[0].problem and f"[4, {1 << use}, 127, from min" in faults[0].remedy
    nights = [4, 1 << use, 127, 480, 1200, *CRISE_ORDER[5:]]
    for order, at_night in ((CRISE_ORDER, True), (nights, False)):
        policy, faults = watering_form.decode([1, [zone], [], [order], []])
        assert not faults
        found = [watering.forbidding(policy, policy.zones[0], 4, at(7, 10, hour)) for hour in (3, 12)]
        assert [ban is not None for ban in found] == [at_night, True]
        assert watering.forbidding(policy, policy.zones[0], 3, at(7, 10, 3)) is None, "the level before is left alone"


# FAO-56 table 19: ranges of water content at field capacity and at wilting point, in 0.01; by policy.watering.SOILS.
TABLE_19 = (
    (7, 17, 2, 7), (11, 19, 3, 10), (18, 28, 6, 16), (20, 30, 7, 17), (30, 37, 17, 24), (30, 42, 17, 29),
    (32, 40, 20, 24),
)  # fmt: skip


def test_soils_hold_the_middle_of_the_ranges_of_fao_56():
    for soil, (low_fc, high_fc, low_wp, high_wp) in zip(watering.SOILS, TABLE_19, strict=True):
        assert soil[:2] == (5 * (low_fc + high_fc), 5 * (low_wp + high_wp))


def test_a_local_order_adds_and_never_takes_away():
    policy = decoded(bans=[ORDER])
    assert watering.forbidding(policy, LAWN, 2, at(7, 10, 9)).authority == ORDER[5]
    assert watering.forbidding(policy, LAWN, 2, at(7, 10, 12)) is watering.NATIONAL[0]
    assert watering.forbidding(policy, LAWN, 1, at(7, 10, 9)) is None


def test_hours_of_a_park_hold_without_any_drought_and_over_midnight():
    policy = decoded(bans=[[0, 63, 1 << 4, 1200, 120, "Maire", "Règlement du parc"]])
    friday, saturday = (7, 10), (7, 11)
    assert watering.forbidding(policy, LAWN, 0, at(*friday, 23)) is not None
    assert watering.forbidding(policy, LAWN, 0, at(*saturday, 1)) is not None
    assert watering.forbidding(policy, LAWN, 0, at(*saturday, 2)) is None
    assert watering.forbidding(policy, LAWN, 0, at(*saturday, 23)) is None


def test_an_exemption_lifts_for_its_use_emitter_level_and_dates_only():
    policy = decoded(exemptions=[[1 << watering.SHRUBS, 1 << watering.DRIP, 3, 20260701, 20260930, "Préfet", "art. 4"]])
    noon = at(7, 10, 12)
    assert watering.forbidding(policy, DRIP, 3, noon) is None
    assert watering.exempting(policy, watering.NATIONAL[0], DRIP, civil.days_from_civil(2026, 7, 10)).text == "art. 4"
    assert watering.forbidding(policy, DRIP, 4, noon) is not None
    assert watering.forbidding(policy, LAWN, 3, noon) is not None
    assert watering.forbidding(policy, DRIP, 3, at(10, 10, 12)) is not None
    assert watering.forbidding(policy, watering.Zone(*((*DRIP[:4], watering.SPRAY, *DRIP[5:]))), 3, noon) is not None


def test_the_hours_of_a_park_are_not_lifted_by_an_exemption_of_drought():
    policy = decoded(
        bans=[[0, 63, 127, 600, 700, "Maire", "x"]], exemptions=[[63, 7, 4, 20260101, 20261231, "Préfet", "y"]]
    )
    assert watering.forbidding(policy, LAWN, 4, at(7, 10, 11)).text == "x"
    assert watering.forbidding(policy, LAWN, 4, at(7, 10, 13)) is None


def test_a_doubtful_clock_widens_a_window_on_both_sides():
    policy = decoded()
    for minute, slack, forbidden in ((50, 0, False), (50, 900, True), (40, 900, False)):
        assert (watering.forbidding(policy, LAWN, 2, at(7, 10, 10, minute), slack) is not None) is forbidden
    assert watering.forbidding(policy, LAWN, 2, at(7, 10, 18, 10), 900) is not None


def test_how_long_a_zone_is_free():
    policy = decoded()
    assert watering.free_for_s(policy, LAWN, 2, at(7, 10, 9)) == 7200
    assert watering.free_for_s(policy, LAWN, 2, at(7, 10, 12)) == 0
    assert watering.free_for_s(policy, LAWN, 2, at(7, 10, 20)) == 15 * 3600
    assert watering.free_for_s(policy, LAWN, 0, at(7, 10, 9)) == 86400
    # Real seconds until 11:00 over the nights in which legal time changes.
    assert watering.free_for_s(policy, LAWN, 2, at(3, 28, 20)) == 14 * 3600
    assert watering.free_for_s(policy, LAWN, 2, at(10, 24, 20)) == 16 * 3600


@pytest.mark.parametrize(
    "told,last,binds",
    [(0, 4, 0), (3, None, 3), (None, None, 2), (None, 0, 2), (None, 1, 2), (None, 3, 3), (None, 4, 4)],
)
def test_a_drought_level_that_ran_out_leaves_the_stricter_of_the_last_and_alerte(told, last, binds):
    assert watering.level_in_force(told, last) == binds
