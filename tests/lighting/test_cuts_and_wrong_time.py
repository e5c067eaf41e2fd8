"""A lamp whose mains are cut and whose time is bent: the real node code finds the state that calendar and sun want.

It is recomputed, never restored; and the hours of a lamp never fall.
"""


import pytest

from lighting import decision
from policy import civil, lighting, lighting_form, sun
from tests.portable.node_day import World
from wire import event, quantity
from wire.record import Answer

HOUR_S = 3600
GRACE_S = 120
SITE = lighting.Site(474736, -5516, civil.PARIS)
EXTINCTION = [1, [[127, 0, 0, 0]], [[[1, 0, 100], [0, 1410, 0], [0, 300, 60], [2, 0, 0]]]]
CALENDAR = lighting_form.decode(EXTINCTION)[0]
NOVEMBER = civil.days_from_civil(2026, 11, 24)
SPRING, AUTUMN = civil.days_from_civil(2027, 3, 27), civil.days_from_civil(2026, 10, 24)
EDGES = lighting.Night(CALENDAR, SITE, NOVEMBER).changes()[1:]


def daylight_lx(unix_s):
    """Of a clear sky, roughly: what a healthy cell sees."""
    elevation = sun.elevation_cdeg(unix_s, SITE.latitude_e4, SITE.longitude_e4)
    return 0 if elevation < -600 else 40 * (elevation + 600) // 600 if elevation < 0 else 40 + 10 * elevation


class Street(World):
    """A world whose lamp has a photocell, if its settings say so. `lux`: what it sees; None: it is dead."""

    def __init__(self, *, has_cell=False, **options):
        plain = {"calendar": EXTINCTION, **({"photocell": {}} if has_cell else {}), **options.pop("plain", {})}
        super().__init__(plain=plain, **options)
        self.lux = daylight_lx if has_cell else None

    def _meter(self):
        values = super()._meter()
        if values is not None and self.lux is not None:
            values[quantity.ILLUMINANCE] = self.lux(self.unix_s())
        return values


def wanted(unix_s):
    return lighting.Plan(CALENDAR, SITE).wanted(unix_s).level_percent


def live(unix_s, **options):
    street = Street(unix_s=unix_s, **options)
    street.power_on()
    return street


# --- 4: wrong state after power returns ------------------------------------------------------------------------------


def states_that_differ_after_a_cut(cut_s):
    """Mains cut for `cut_s` across each edge of the night, begun at several distances before it: [(edge, what)]."""
    different = []
    for edge_s, _, _ in EDGES:
        for before_s in (cut_s - 30, cut_s // 2, 30):
            street = live(edge_s - before_s - 900)
            street.run(900)
            street.power_cut()
            street.run(cut_s)
            street.power_on()
            if street._level != 100:
                different.append((edge_s, "dark at boot"))
            street.run(GRACE_S + 180)
            if street._level != wanted(street.unix_s()):
                different.append((edge_s, street._level))
    return different


@pytest.mark.parametrize("cut_s", [60, 1200])
def test_power_that_returns_across_each_edge_finds_the_state_recomputed(cut_s):
    """Day to night, night to extinction, extinction to night, night to day."""
    assert [level for _, level, _ in EDGES] == [100, 0, 60, 0]
    assert states_that_differ_after_a_cut(cut_s) == []


def test_a_cut_within_day_and_night_changes_nothing_but_the_first_seconds():
    for hours in (-3, 3, 9):
        street = live(EDGES[0][0] + hours * HOUR_S)
        street.run(600)
        before = street._level
        street.power_cut()
        street.run(5)
        street.power_on()
        street.run(GRACE_S)
        assert street._level == before == wanted(street.unix_s())


def test_without_a_gateway_a_lamp_whose_power_returns_is_lit_at_any_hour():
    for hours in (-3, 3, 9):
        street = live(EDGES[0][0] + hours * HOUR_S)
        street.run(600)
        street.power_cut()
        street.reachable = False
        street.run(60)
        street.power_on()
        street.run(3 * HOUR_S)
        assert street.edges[-1][1:] == (100, "boot")


def test_a_state_that_is_restored_is_seen(monkeypatch):
    """Planted: the level of before the cut is taken for the truth."""
    kept = {}

    class Restored(decision.LightDecision):
        def decide(self, unix_s, *more):
            if unix_s is not None and "demand" not in kept:
                kept["demand"] = super().decide(unix_s, *more)
            return kept.get("demand") or super().decide(unix_s, *more)

    monkeypatch.setattr("lighting.trade.LightDecision", Restored)
    assert states_that_differ_after_a_cut(1200) != []


# --- 8: time wrong or absent -----------------------------------------------------------------------------------------


def test_a_boot_without_time_is_lit_and_the_programme_runs_once_the_time_comes():
    street = live(EDGES[0][0] - 4 * HOUR_S)
    street.gateway.knows_time = False
    street.run(HOUR_S)
    assert (street._level, street.edges[-1][2]) == (100, "boot")
    street.gateway.knows_time = True
    street.run(60)
    assert street._level == 0
    street.run(6 * HOUR_S)
    assert street._level == 100 == wanted(street.unix_s())


@pytest.mark.slow
def test_with_a_photocell_a_lamp_without_time_is_dark_by_day_and_lit_by_night():
    street = live(EDGES[0][0] - 4 * HOUR_S, has_cell=True)
    street.gateway.knows_time = False
    street.run(24 * HOUR_S)
    lit = [unix_s for unix_s, level, _ in street.edges if level == 100]
    dark = [unix_s for unix_s, level, _ in street.edges if level == 0]
    assert {rule for _, level, rule in street.edges if rule != "boot"} == {decision.CELL_ALONE}
    assert len(lit) == 2 and len(dark) == 2, "once on, once off, after the boot"
    assert abs(lit[1] - EDGES[0][0]) < 1800 and abs(dark[1] - EDGES[3][0]) < 1800


def test_a_dead_photocell_without_time_ends_lit():
    street = live(EDGES[0][0] - 4 * HOUR_S, has_cell=True)
    street.gateway.knows_time = False
    street.run(1800)
    assert street._level == 0
    street.lux = None
    street.run(900)
    assert street.edges[-1][1:] == (100, decision.NO_TIME)


@pytest.mark.parametrize("year", [1970, 2000, 2025, 2099])
def test_a_time_that_no_node_of_today_can_have_is_no_time(year):
    street = live(EDGES[0][0] - 4 * HOUR_S)
    street.gateway.unix_lead_s = 86_400 * civil.days_from_civil(year, 6, 21) + 12 * HOUR_S - street.unix_s()
    street.run(2 * HOUR_S)
    assert street._level == 100 and street.node.unix_s(street.now_ms) is None


@pytest.mark.parametrize("year", [2036, 2038, 2059])
def test_far_years_run_their_own_nights(year):
    evening = civil.days_from_civil(year, 11, 24)
    night = lighting.Night(CALENDAR, SITE, evening)
    street = live(night.start_s + 600)
    street.run(night.end_s - night.start_s - 1200)
    assert [level for _, level, _ in street.edges] == [100, *[level for _, level, _ in night.changes()]]


@pytest.mark.parametrize("lead_s", [-HOUR_S, HOUR_S, 7 * 86_400])
def test_a_false_time_that_is_put_right_leaves_the_state_of_the_right_one(lead_s):
    for edge_s, _, _ in EDGES:
        street = live(edge_s - 1800)
        street.gateway.unix_lead_s = lead_s
        street.run(1200)
        street.gateway.unix_lead_s = 0
        street.power_cut()
        street.power_on()
        street.run(1200 + GRACE_S)
        assert street._level == wanted(street.unix_s())


def test_a_clock_that_jumps_back_over_an_edge_switches_as_the_new_time_wants_and_no_more():
    """Ten minutes ahead, dusk comes early; the better answer takes it back, and the true dusk brings it once more."""
    dusk_s = EDGES[0][0]
    street = live(dusk_s - 1500)
    street.run(300)
    assert street._level == 0
    street.reachable = False
    node_time = street.node.time
    node_time._unix_ms += 1_500_000
    street.node.receive(b"", street.node, now_ms=street.now_ms)  # a time comes with a datagram
    street.run(120)
    assert street._level == 100
    answer = Answer(node_time.unix_s(street.now_ms) - 1500, 0, None, 0)
    assert node_time.learn(answer, asked_ms=street.now_ms, now_ms=street.now_ms)
    street.node.receive(b"", street.node, now_ms=street.now_ms)
    street.run(120)
    assert street._level == 0
    street.run(1200)
    assert street._level == 100
    assert [level for _, level, _ in street.edges] == [100, 0, 100, 0, 100]


@pytest.mark.parametrize(("evening", "hours"), [(SPRING, 23), (AUTUMN, 25)])
@pytest.mark.parametrize("has_cell", [False, True])
def test_both_nights_of_summer_time_have_each_edge_once(evening, hours, has_cell):
    night = lighting.Night(CALENDAR, SITE, evening)
    assert night.end_s - night.start_s == hours * HOUR_S
    street = live(night.start_s + 60, has_cell=has_cell)
    street.run(night.end_s - night.start_s - 120)
    edges = street.edges[1:]
    assert [level for _, level, _ in edges] == [0, 100, 0, 60, 0]
    planned = night.changes()[1:]
    for (at_s, _, _), (planned_s, _, _) in zip(edges[1:], planned, strict=True):
        assert -2700 <= at_s - planned_s <= 2700 if has_cell else 0 <= at_s - planned_s <= GRACE_S
    for at_s, planned_s in ((edges[2][0], planned[1][0]), (edges[3][0], planned[2][0])):
        assert 0 <= at_s - planned_s <= GRACE_S, "a step of the clock is never the cell's"


# --- 14: counters ----------------------------------------------------------------------------------------------------


def test_the_hours_of_a_lamp_never_fall_over_power_cuts():
    street = live(EDGES[0][0] + 600)
    for _ in range(12):
        street.run(5400)
        street.power_cut()
        street.run(30)
        street.power_on()
    hours = [made.body[quantity.LAMP_HOURS] for _, made in street.telemetry()]
    assert len(street.events(event.BOOT)) == 13
    # Lit from 18:00 to 23:30 and from 5:00 on, in lives of an hour and a half of which each last half hour is lost.
    assert hours == sorted(hours) and 5 <= hours[-1] <= 10
