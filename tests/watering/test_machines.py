"""Meter, flow, leaks, coils, energy, cycles, memory and need, one by one."""

import random
from collections import namedtuple

import pytest

from policy import civil
from policy import watering as policy
from tests.support.green import own, plain
from watering import balance, flow, limits, lockouts, memory, valves
from watering.balance import WaterBalance
from watering.flow import WaterMeter
from watering.guard import PipeGuard
from watering.valves import HELD, LATCHING, Valves
from watering.weather import Weather
from wire import directive

ZONES = own().policy.zones
LAWN, SLOPE, SHRUBS = ZONES


def test_a_meter_counts_whole_pulses_a_restart_and_what_is_too_fast_as_fast_as_a_board_counts():
    meter = WaterMeter(20_000, 1, now_ms=0)
    meter.sample(1000, now_ms=0)
    meter.sample(1050, now_ms=5000)
    assert meter.total_ml == 1000 and meter.delta_ml == 1000
    meter.sample(10, now_ms=10_000)
    assert meter.total_ml == 1200
    meter.sample(1_000_000, now_ms=15_000)
    assert meter.total_ml == 1200 + 20 * 6 * 400 and meter.refused == 1
    meter.sample(None, now_ms=20_000)
    assert meter.delta_ml is None


def test_a_coarse_meter_is_averaged_for_longer():
    fine, coarse = WaterMeter(20_000, 1, now_ms=0), WaterMeter(1_000_000, 1, now_ms=0)
    for second in range(0, 61, 5):
        fine.sample(second * 50 // 3, now_ms=1000 * second)
        coarse.sample(second // 3, now_ms=1000 * second)
    assert abs(fine.flow_ml_min() - 20_000) < 800
    assert abs(coarse.flow_ml_min() - 20_000) <= 2000
    assert coarse.total_ml == 20_000 and fine.total_ml == 20_000


def test_the_usual_flow_is_the_median_of_three_clean_runs_and_the_design_before():
    history = []
    for rate in (19_000, 18_500):
        flow.remember(history, rate)
    assert flow.nominal(history, 20_000) == 20_000
    flow.remember(history, 25_000)
    assert flow.nominal(history, 20_000) == 19_000
    flow.remember(history, 18_000)
    assert history == [18_500, 25_000, 18_000] and flow.nominal(history, 20_000) == 18_500


def run_of(rates, *, expected=20_000, main=60_000):
    """[(second, verdict)] of a run whose flow is `rates(second)`."""
    meter, watch = WaterMeter(10_000, 1, now_ms=0), flow.RunWatch(main)
    volume_ml = 0
    meter.sample(0, now_ms=0)
    meter.restart()
    watch.begin(now_ms=0)
    for second in range(5, 601, 5):
        volume_ml += rates(second) * 5 // 60
        meter.sample(volume_ml * 1000 // 10_000, now_ms=1000 * second)
        verdict = watch.sample(meter, expected, now_ms=1000 * second)
        if verdict:
            return second, verdict[0], watch
    return None, None, watch


@pytest.mark.parametrize(
    "percent,what,within",
    [(100, None, None), (65, None, None), (120, None, None), (50, flow.LOW, (150, 175)), (0, flow.NO_FLOW, (150, 175)),
     (135, flow.HIGH, (150, 185)), (170, flow.BURST, (30, 50)), (400, flow.BURST, (15, 35))],
)  # fmt: skip
def test_low_high_and_burst_with_their_limits_and_delays(percent, what, within):
    second, verdict, watch = run_of(lambda _: 200 * percent)
    assert verdict == what
    if within:
        assert within[0] <= second <= within[1]
    else:
        assert abs(watch.clean_ml_min() - 200 * percent) < 300


def test_a_line_that_fills_raises_nothing():
    assert run_of(lambda second: 29_000 if second < 30 else 20_000 if second > 60 else 4000)[1] is None


@pytest.mark.parametrize("ml_min,found", [(0, None), (300, flow.LEAK), (2000, flow.LEAK)])
def test_water_behind_shut_valves_is_a_leak(ml_min, found):
    meter, watch = WaterMeter(10_000, 1, now_ms=0), flow.LeakWatch()
    verdicts = []
    for minute in range(0, 200):
        meter.sample(minute * ml_min // 10, now_ms=60_000 * minute)
        verdict = watch.sample(meter, now_ms=60_000 * minute)
        if verdict:
            verdicts.append(verdict[0])
    assert verdicts == ([found] if found else [])


def test_a_slow_leak_that_shows_a_pulse_in_some_minutes_is_found_in_two_hours_and_ends():
    meter, watch = WaterMeter(100_000, 1, now_ms=0), flow.LeakWatch()
    verdicts = []
    for minute in range(0, 200):
        meter.sample(min(minute, 150) // 6, now_ms=60_000 * minute)
        verdict = watch.sample(meter, now_ms=60_000 * minute)
        if verdict:
            verdicts.append((verdict[0], minute))
    assert [what for what, _ in verdicts] == [flow.LEAK, flow.LEAK_OVER]
    assert 120 <= verdicts[0][1] <= 132 and verdicts[1][1] <= 172


def judged(kind, mean_ma, currents):
    """(words of a coil with these currents, what is learned of it)."""
    words, odd = [], 0
    for current_ma in currents:
        word, mean_ma, odd = valves.judge_coil(kind, mean_ma, odd, current_ma)
        words.append(word)
    return words, mean_ma


@pytest.mark.parametrize("kind,sound,broken,shorted", [(HELD, 250, 99, 1201), (LATCHING, 1500, 249, 2501)])
def test_a_coil_that_is_open_or_shorted_is_told_by_its_current(kind, sound, broken, shorted):
    assert judged(kind, 0, (sound, broken, shorted)) == ([None, valves.OPEN_COIL, valves.SHORT], sound)


def test_a_coil_that_changes_is_told_the_third_time_and_one_that_warms_is_not():
    assert judged(HELD, 250, [120] * 3)[0] == [None, None, valves.CHANGED]
    assert judged(HELD, 250, [120, 120, 250, 120, 120])[0] == [None] * 5
    assert judged(HELD, 250, [250 - 5 * step for step in range(10)])[0] == [None] * 10


def test_what_no_sound_coil_draws_was_not_learned():
    coils = (1500, 249, 4001, *[0] * 7)
    valves = Valves((LATCHING,) * 10, gap_ms=0, now_ms=0)
    guard = PipeGuard(valves, None, None, 0, memory.empty()._replace(coils=coils), None)
    assert guard.coils_ma == [1500, *[0] * 9]


Cell = namedtuple("Cell", ("capacity_mah", "pulse_mj", "boost_mv"))
CELL = Cell(2600, 1000, 9000)


def test_nothing_opens_without_the_energy_to_close_it():
    store = lockouts.BatteryStore(CELL)
    assert store.refuses(1, now_ms=0) == -1
    store.sample(3900, 9000, now_ms=0)
    assert store.refuses(2, now_ms=1000) is None
    assert store.refuses(2, now_ms=3_600_000) == -1
    store.sample(3499, 9000, now_ms=0)
    assert store.refuses(1, now_ms=0) == 3499
    store.sample(3900, 8000, now_ms=0)
    assert store.refuses(1, now_ms=0) == 8000
    store.sample(3900, None, now_ms=0)
    assert store.refuses(1, now_ms=0) == -1
    small = lockouts.BatteryStore(Cell(100, 20_000, 0))
    small.sample(3510, None, now_ms=0)
    assert small.refuses(1, now_ms=0) is None
    assert small.refuses(9, now_ms=0) == small.usable_mj() > 0


def test_a_low_battery_is_told_once_and_ends_with_a_distance():
    store = lockouts.BatteryStore(CELL)
    assert [store.sample(mv, 9000, now_ms=0) for mv in (3900, 3590, 3650, 3580, 3760)] == [
        None,
        True,
        None,
        None,
        False,
    ]
    assert lockouts.BatteryStore(Cell(0, 0, 0)).refuses(5, now_ms=0) is None


def test_a_run_brings_its_depth_to_the_roots_and_credits_the_same():
    seconds = balance.run_s(LAWN, 20_000, 600)
    # 12 mm/h on the ground of which 75 % arrive: 6 mm take 40 minutes.
    assert balance.rate_dmm_h(LAWN, 20_000) == 120 and abs(seconds - 2400) <= 1
    assert abs(balance.net_cmm(LAWN, 20_000 * seconds // 60) - 600) <= 2
    assert balance.run_s(LAWN, 20_000, 5000) == LAWN.run_max_s and balance.run_s(LAWN, 20_000, 0) == 0


def test_no_cycle_lets_more_stand_than_the_surface_holds():
    for soil in range(len(policy.SOILS)):
        for slope in (0, 4, 7, 11, 14, 40):
            for rate in (5000, 20_000, 60_000):
                zone = policy.Zone(0, 0, soil, slope, 0, 10_000, rate, 0, 0, 1, 14_400)
                cut = balance.plan_cycles(zone, rate, 7200)
                gained = balance.rate_dmm_h(zone, rate) - balance.intake_dmm_h(zone)
                if cut.soak_s:
                    assert gained * cut.cycle_s // 3600 <= max(balance.surface_dmm(zone), gained // 60 + 1)
                    assert limits.SOAK_S_MIN <= cut.soak_s <= limits.SOAK_S_MAX and cut.cycle_s < cut.total_s
                else:
                    assert gained <= 0 or gained * 7200 // 3600 <= balance.surface_dmm(zone) + 1


def test_clay_soaks_longer_than_sand_and_a_slope_shortens_the_cycle():
    sand, clay = (policy.Zone(0, 0, soil, 0, 0, 10_000, 60_000, 0, 0, 1, 3600) for soil in (0, 6))
    steep = policy.Zone(0, 0, 0, 14, 0, 10_000, 60_000, 0, 0, 1, 3600)
    assert balance.plan_cycles(clay, 60_000, 3600).soak_s > balance.plan_cycles(sand, 60_000, 3600).soak_s
    assert balance.plan_cycles(steep, 60_000, 3600).cycle_s < balance.plan_cycles(sand, 60_000, 3600).cycle_s


def test_p_follows_the_days_demand_within_its_bounds():
    assert balance.fraction_permille(LAWN, 500) == 400
    assert balance.fraction_permille(LAWN, 300) == 480
    assert balance.fraction_permille(LAWN, 1200) == 120
    assert balance.fraction_permille(SHRUBS, 0) == 700
    assert balance.total_cmm(LAWN) == 3250


def kept(**changes):
    values = {name: getattr(memory.empty(), name) for name in memory.WateringMemory._fields}
    values.update(changes)
    return memory.WateringMemory(**values)


def test_memory_comes_back_and_fits_the_flash():
    zones = tuple(
        memory.ZoneMemory(100 * zone, (1000 * zone + 10, 20, 30), 2**31 + zone, 7 * zone, 90 + zone)
        for zone in range(1, 9)
    )
    one = kept(zones=zones, volume_l=2**32 - 1, drought=3,
               burst=0, burst_flow=41_230, marks=tuple(range(20_600, 20_608)),
               coils=(1500,) * 10, closed_day=20_700, rain_day=20_701, rain_cmm=1234, et0_cmm=433,
               dry_until=2_000_000_000)  # fmt: skip
    data = memory.encode(one)
    assert len(data) == memory.LENGTH <= 192
    assert memory.decode(data) == one


def test_garbage_and_every_single_flipped_bit_end_in_safe_defaults():
    data = memory.encode(kept(volume_l=77, drought=2))
    assert memory.decode(b"") == memory.decode(bytes(len(data))) == memory.empty()
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        assert memory.decode(bytes(broken)) == memory.empty()
    for length in range(len(data)):
        assert memory.decode(data[:length]) == memory.empty()


def need():
    setting = own()
    return WaterBalance(setting.policy, Weather(setting, 0, None), memory.empty())


def local(unix_s):
    return civil.local_from_unix(civil.PARIS, unix_s)


def test_the_bucket_stays_between_full_and_the_wilting_point_in_any_weather():
    one, chance = need(), random.Random(4)
    unix_s = 1_780_000_000
    for _ in range(400):
        unix_s += 86_400 * chance.choice((1, 1, 1, 2, 40))
        one._weather.turn_to(unix_s // 86_400)
        one._weather.today.rain_cmm = chance.choice((0, 0, 200, 30_000))
        one.close_days(local(unix_s), {3: chance.choice((0, 500, 1200, 1500, -4))})
        one.credit(chance.randint(1, 3), chance.choice((0, 10, 10**7)))
        for zone in range(1, 4):
            assert 0 <= one.lacking_cmm(zone) <= one.depletion_cmm[zone - 1] <= balance.total_cmm(one.zone(zone))


@pytest.mark.parametrize("before_cmm", [0, 60, 79, 80, 500])
@pytest.mark.parametrize("today_cmm", [0, 60, 500])
def test_a_day_that_closes_changes_what_is_lacking_by_its_evapotranspiration_alone(before_cmm, today_cmm):
    """Two drizzles below a fifth of ET0 are no rain together, and a rain counts once and in full."""
    one, noon_s = need(), 43_200
    day = 20_600
    for later in (0, 1):
        one._weather.turn_to(day + later)
        one.close_days(local((day + later) * 86_400 + noon_s), {directive.EVAPOTRANSPIRATION: 400})
    one._weather.today.rain_cmm = before_cmm
    one._weather.turn_to(day + 2)
    one._weather.today.rain_cmm = today_cmm
    one.depletion_cmm = [1000, 1000, 1000]
    lacking = one.lacking_cmm(1)
    assert lacking == 1000 - sum(rain for rain in (before_cmm, today_cmm) if rain >= 80)
    assert one.close_days(local((day + 2) * 86_400 + noon_s), {directive.EVAPOTRANSPIRATION: 400})
    assert one.lacking_cmm(1) - lacking == balance.crop_cmm(one.zone(1), 400)


def test_weeks_without_a_clock_are_made_up_for_by_climatology():
    one = need()
    one.close_days(local(1_780_000_000), {})
    assert one.close_days(local(1_780_000_000 + 20 * 86_400), {}) and one.depletion_cmm[0] > one.trigger_cmm(1)
    assert not one.close_days(local(1_780_000_000 + 20 * 86_400), {})


@pytest.mark.parametrize("told,rung", [({3: 510}, "gateway"), ({}, "climatology"), ({3: 1500}, "climatology")])
def test_the_ladder_of_et0_steps_down_when_a_rung_is_missing(told, rung):
    one = need()
    one.close_days(local(1_780_000_000), told)
    one.close_days(local(1_780_086_400), told)
    assert one.rung == rung and one.et0_cmm == (510 if rung == "gateway" else one._weather.climate_cmm(one.closed_day))


@pytest.mark.parametrize("late_days,rung,rain_cmm", [(0, "gateway", 50), (1, "climatology", 0), (-1, "climatology", 0)])
def test_what_is_told_of_another_day_is_not_booked_for_this_one(late_days, rung, rain_cmm):
    setting = own(plain(weather=[40, 2, 0, []]))
    weather = Weather(setting, 0, None)
    day = 20_700
    closed = weather.close(day, {3: 510, 4: 5, 10: day + late_days})
    assert closed[1:] == (rung, rain_cmm)
    assert weather.close(day, {3: 510, 4: 5})[1] == "gateway", "an older gateway says no day"
