"""Lamps with a photocell, a detector or a DALI gear in a territory: what they do is seen, and their faults are told."""

import pytest

from policy import civil, lighting
from simulator.checkers.lighting import GRACE_S, LightingChecker, Watched
from simulator.estates import streets
from simulator.options import Options
from simulator.plants.lamps import Air, Lamp, LampData, LampFeeder
from simulator.report import text as report
from simulator.territory import Territory
from simulator.world.chance import Prng
from tests.support.territory_world import live_through, reportable, story
from wire import event, quantity, record

# Twelve lamps on each permanent feeder: the least that has fitted ones.
FITTED = Options(cabinets=2, lamps=48, hours=24)
CAB_1 = {what: place for place, what in streets.FITTED.items()}
CAB_2 = {what: 24 + place for what, place in CAB_1.items()}
NOON_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 11, 25), 12 * 3600)
SITE = lighting.Site(474736, -5542, civil.PARIS)


@pytest.fixture(scope="module")
def lived():
    """Two gears with a fault, and a detector's lamp that dies."""
    return live_through(
        FITTED, story(dead=[(CAB_1[streets.GEAR], 5), (CAB_1[streets.DETECTOR], 9)], stuck=[(CAB_2[streets.GEAR], 3)])
    )


def bodies(territory, index):
    node = territory.streets.hosts[index].settings.node
    return [record.decode_body(row[2]) for row in territory.centre.warehouse.bodies() if row[0][0] == node]


@pytest.mark.slow
def test_every_invariant_holds_with_fitted_lamps_and_their_faults_are_told(lived):
    _, result = lived
    assert result.is_good, report.faults(reportable(result))
    assert (result.alarms.reported, result.alarms.expected, result.alarms.false) == (3, 3, 0)


@pytest.mark.slow
def test_each_cabinet_has_one_of_each_and_all_did_something(lived):
    result = reportable(lived[1])
    told = result.streets
    assert (told.cells, told.detectors, told.gears) == (2, 2, 2)
    assert 15 * 60 < told.by_cell_s < 6 * 3600, "before two sunsets and after a sunrise, two lamps"
    assert 20 < told.met == told.passed
    assert result.assets == 2
    lines = report.text(result, 1.0, "fr").splitlines()
    assert sum(line.startswith("  2 ") for line in lines) == 3
    assert report.as_json(result, 1.0)["streets"] == {**told._asdict(), "assets": 2}


@pytest.mark.slow
def test_a_gear_says_its_own_level_and_each_its_record_once(lived):
    territory, _ = lived
    said = bodies(territory, CAB_1[streets.GEAR])
    levels = {body[quantity.LEVEL_REPORTED] for body in said if isinstance(body, dict) and quantity.VOLTAGE in body}
    assert {0, 100} <= levels
    assets = [body.detail for body in said if isinstance(body, record.EventBody) and body.code == event.LAMP_ASSET]
    assert len(assets) == 1 and assets[0][0] == 3_760_123_456_789
    plain = bodies(territory, 0)
    assert not any(quantity.LEVEL_REPORTED in body for body in plain if isinstance(body, dict))


@pytest.mark.slow
def test_a_detector_that_nobody_listens_to_is_seen(monkeypatch):
    monkeypatch.setattr("lighting.trade.Streetlight.sense", lambda *_: None)
    _, result = live_through(Options(cabinets=1, lamps=24, hours=8, until_dusk=False), story())
    assert result.streets.met < result.streets.passed


@pytest.mark.parametrize(("lux", "violations"), [(None, 1), (5000, 1), (40, 0)])
def test_a_lamp_may_burn_by_day_under_a_dark_sky_and_only_where_a_cell_looks_at_it(lux, violations):
    air = Air(latitude_e4=SITE.latitude_e4, longitude_e4=SITE.longitude_e4, mean_ck=900, swing_ck=400)
    lamp = Lamp(LampData(360, 6, 360, 0), LampFeeder(Prng("f"), switched=False), air, Prng("lamp"))
    lamp.set_level(100, now_ms=0, unix_s=NOON_S)
    sky_lx = None if lux is None else lambda unix_s: lux
    checker = LightingChecker([Watched("lamp", lamp, lighting.Plan(lighting.DEFAULT_CALENDAR, SITE), sky_lx)])
    for second in range(0, GRACE_S + 90, 30):
        checker.check(unix_s=NOON_S + second)
    assert len(checker.violations) == violations
    assert (checker.by_cell_checks > 0) is (lux == 40)


@pytest.mark.slow
def test_few_lamps_have_none_of_it():
    assert set(streets.FITTED) and max(streets.FITTED) < streets._FITTED_FROM
    _, result = live_through(Options(lamps=3, hours=1, until_dusk=False))
    assert result.streets == (0, 0, 0, 0, 0, 0)


def test_a_lamps_settings_say_whether_its_feeder_is_cut_by_day():
    built = Territory(Options(cabinets=1, lamps=4, rooms=0, greens=0)).streets
    said = [host.settings.own.feeder == "switched" for host in built.hosts]
    assert said == [lamp.feeder.switched for lamp in built.lamps] and set(said) == {True, False}
