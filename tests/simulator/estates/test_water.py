"""Plants of water and the checker of invariant 5: deterministic, conserving, and it catches what is planted."""

import time

import pytest

from policy import civil, watering
from simulator.checkers.water import Forbidden, WaterChecker, drought_law
from simulator.estates.season import Season
from simulator.plants.climate import Climate
from simulator.plants.green_space import Plot
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from tests.support.green import PLAIN, Green, own, programs
from wire import event

NOON = 1_783_936_800  # 13 July 2026, 12:00 in Paris
KINDS = (2, 2, 2) + (0,) * 7


def pipes():
    return Pipes(KINDS, [20_000, 10_000], main_max=60_000, pulse_ul=20_000)


def opened(world, *outputs):
    for output in outputs:
        world.pulse(output, True, 0)


def test_the_same_seed_gives_the_same_season_and_another_another():
    first, again, other = (Climate(seed, 20_544) for seed in (5, 5, 6))
    days = [[one.day(20_544 + day) for day in range(120)] for one in (first, again, other)]
    assert days[0] == days[1] != days[2]


def test_a_synthetic_summer_is_like_the_loire():
    rain = et0 = 0
    for seed in range(12):
        climate = Climate(seed, civil.days_from_civil(2026, 6, 1))
        for day in range(92):
            one = climate.day(civil.days_from_civil(2026, 6, 1) + day)
            rain += one.rain_um
            et0 += one.et0_um
            assert one.low_ck < one.high_ck and one.rain_between_um(0, 86_400) == one.rain_um
    assert 90_000 < rain // 12 < 200_000, "June to August in Angers: some 140 mm"
    assert 330_000 < et0 // 12 < 520_000


def test_soil_loses_no_water():
    plot = Plot(own().policy.zones[1], Prng(3))
    start, put = plot.depletion_um, 0
    for step in range(2000):
        irrigation, rain = (9000 if step % 60 < 3 else 0), (4000 if step % 200 == 0 else 0)
        plot.step(600, irrigation_um=irrigation, rain_um=rain, et0_um=35)
        put += irrigation + rain
    out = plot.drained_um + plot.run_off_um + plot.transpired_um + plot.uneven_um + plot.standing_um
    assert put - out == start - plot.depletion_um
    assert plot.run_off_um > 0 and plot.drained_um > 0


def test_pipes_count_what_flows_and_latching_valves_stay_through_a_power_cut():
    world = pipes()
    opened(world, 0, 1)
    world.advance(60_000)
    assert world.pulses() == 1000 and world.zone_ul[1] == 20_000_000
    world.power_off(60_000)
    world.advance(120_000)
    assert world.pulses() == 2000
    world.pulse(0, False, 120_000)
    assert world.flow_ml_min() == 0
    world.leak_upstream = 500
    assert world.flow_ml_min() == 500


def checked(**planted):
    world = pipes()
    checker = WaterChecker(world, [Forbidden(0, 660, 1080)], powered_s=NOON - 7200)
    return world, checker


def test_the_checker_sees_a_valve_past_its_deadline():
    world, checker = checked()
    opened(world, 0, 1)
    for output in (0, 1):
        checker.announced(NOON - 6000, event.VALVE_SWITCHED, (output, True, "depth", 1, 60))
    for second in range(70):
        checker.check(NOON - 6000 + second)
    assert len(checker.violations) == 2 and "past its deadline" in checker.violations[0]


def test_the_checker_sees_a_valve_that_nobody_announced():
    world, checker = checked()
    opened(world, 1)
    for second in range(10):
        checker.check(NOON - 6000 + second)
    assert "nobody said so" in checker.violations[0]


def test_the_checker_sees_a_valve_that_a_start_left_open():
    world, checker = checked()
    opened(world, 0, 1)
    checker.power(NOON - 6000)
    for second in range(10):
        checker.check(NOON - 6000 + second)
    assert checker.violations


def test_the_checkers_own_law_of_drought_and_that_of_the_policy_say_the_same():
    """Each was written down from the guide; uses as policy.watering has them."""
    uses = list(range(len(watering.USES)))
    for level in range(watering.CRISE + 1):
        law = drought_law(level, uses)
        for use in uses:
            zone = watering.Zone(use, 0, 3, 0, watering.ROTOR, 100, 1000, 0, 0, True, 60)
            for minute in range(0, 1440, 30):
                at_s = NOON - 43_200 + 60 * minute
                checked = any(rule.zone == use + 1 and rule.from_min <= minute < rule.to_min for rule in law)
                known = watering.forbidding(watering.Watering((zone,), (), (), ()), zone, level, at_s) is not None
                assert checked == known, (level, use, minute)


@pytest.mark.parametrize("has_order", [True, False])
def test_the_prefectures_order_at_crise_is_judged_beside_the_national_minimum(has_order):
    """Planted: a node whose document leaves the nights to a sports field waters it; the order of this prefecture does
    not."""
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 120, 0, 1, 200])
    settings["watering"][1][0][0] = watering.SPORTS
    last_min = 1440 if has_order else 60
    settings["watering"][3] = [[watering.CRISE, watering.BY_ORDER, 127, 0, last_min, "Préfecture", "Arrêté, art. 6"]]
    law = [*drought_law(watering.CRISE, [watering.SPORTS, 1, 4]), Forbidden(1, 0, 1440)]
    green = Green(settings, drought=watering.CRISE, law=law)
    green.run(hours=2, minutes=10)
    assert (green.checker.violations == []) is has_order


def test_the_checker_sees_water_in_forbidden_hours():
    world, checker = checked()
    opened(world, 0, 1)
    for output in (0, 1):
        checker.announced(NOON, event.VALVE_SWITCHED, (output, True, "depth", 1, 600))
    checker.check(NOON)
    assert "forbidden" in checker.violations[0] and checker.forbidden_s == 1


def test_the_checker_sees_a_burst_that_runs_for_more_than_a_minute():
    world, checker = checked()
    opened(world, 0, 1)
    world.burst[1] = 30_000
    for output in (0, 1):
        checker.announced(NOON - 6000, event.VALVE_SWITCHED, (output, True, "depth", 1, 600))
    for second in range(60):
        checker.check(NOON - 6000 + second)
    assert checker.violations == []
    for second in range(60, 63):
        checker.check(NOON - 6000 + second)
    assert "burst" in checker.violations[0]


def planted(monkeypatch, target, name, value, *, drought=0, minutes=300, law=(), burst=False, after_min=25):
    """What the checker says of a real trade with one bug in it."""
    monkeypatch.setattr(target, name, value)
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, minutes, 0, 1, 200]), drought=drought, law=law)
    green.run(hours=minutes // 60, minutes=minutes % 60 + 1)
    if burst:
        green.pipes.burst[1] = 30_000
    green.run(minutes=after_min)
    return green.checker.violations


def test_a_trade_that_ignores_drought_law_is_caught(monkeypatch):
    from watering import lockouts

    monkeypatch.setattr(lockouts, "lawful_s", lambda *_: 86_400)
    found = planted(
        monkeypatch, lockouts, "by_law", lambda *_: None, drought=2, minutes=650, law=[Forbidden(0, 660, 1080)]
    )
    assert found and "forbidden" in found[0]


@pytest.mark.slow
def test_a_trade_whose_valves_have_no_deadline_and_whose_runs_never_end_is_caught(monkeypatch):
    from watering import runs, valves

    monkeypatch.setattr(runs.Runs, "_run", lambda *_: None)
    monkeypatch.setattr(runs, "MARGIN_S", -3000)
    found = planted(
        monkeypatch,
        valves.Valves,
        "tick",
        lambda self, now_ms: valves.ValveDrive(0, self._pulse(now_ms)),
        after_min=11,
    )
    assert any("past its deadline" in text for text in found)


def test_a_trade_that_does_not_see_a_burst_is_caught(monkeypatch):
    from watering import flow

    found = planted(monkeypatch, flow.RunWatch, "sample", lambda *_, **__: None, burst=True)
    assert any("burst" in text for text in found)


def test_a_trade_that_does_not_pulse_shut_at_its_start_is_caught(monkeypatch):
    from watering import limits

    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 200]))
    green.run(hours=5, minutes=10)
    monkeypatch.setattr(limits, "BOOT_ROUNDS", 0)
    green.desk.clock_s = None
    green.cut(3000)
    green.run(minutes=1)
    assert any("nobody said so" in text for text in green.checker.violations)


def test_the_plants_alone_are_fast_and_count_no_seconds_of_the_wall():
    begun = time.process_time()
    for seed in range(8):
        season = Season(seed, "none", months=(7, 7))
        season.site.advance(86_400_000)
    assert season.site.soil_s == season.site.begin_s + 86_400
    assert time.process_time() - begun < 60
