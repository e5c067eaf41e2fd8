"""Runs that would call an engineer: water without need, water that never comes, pulses without an end; master and pump
beside forbidden hours and at the longest cycle."""

import pytest

from policy import civil
from simulator.checkers.water import Forbidden
from tests.support.green import PLAIN, Green, plain, programs
from watering import balance, inputs, limits, runs
from wire import event

ONE = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50])
BATTERY = programs(plain(battery=[2600, 1000, 9000]), [0, 127, 0, 0, 0, 300, 0, 1, 50])


def skipped(green):
    return [detail[:2] for _, _, _, detail in green.events(event.WATERING_SKIPPED)]


def test_a_full_root_zone_is_not_watered_on_a_day_that_takes_more_than_raw():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 0])
    settings["watering"][1][0][2] = 0  # sand
    green = Green(settings)
    green.run(hours=4)
    need = green.desk.trade.balance
    need.depletion_cmm[0], need.et0_cmm = 0, 800
    assert need.trigger_cmm(1) == 0
    green.run(hours=2)
    assert green.openings() == [] and skipped(green) == [(1, "satisfied")]


def test_a_capacitor_that_was_left_to_discharge_is_charged_for_the_run_and_the_run_takes_place():
    green = Green(BATTERY, battery_mv=3900)
    green.ports.boost_mv = 0

    def charge(_):
        valves = green.desk.trade.outputs
        charged = valves.prepares or valves.any_open()
        green.ports.boost_mv = green.own.boost_mv if charged else 0

    green.desk.watchers.append(charge)
    green.run(hours=9)
    assert len(green.openings(1)) == 1 and skipped(green) == []


def test_rain_of_days_without_a_clock_is_counted_once_when_the_clock_comes_back():
    need = Green(ONE).desk.trade.balance
    weather = need._weather
    keys = {"wet_key": inputs.RAIN_WET, "tips_key": inputs.RAIN_TIPS}
    begin_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 6, 1), 12 * 3600)
    begin = civil.local_from_unix(civil.PARIS, begin_s)
    weather.turn_to(begin.civil_day)
    need.close_days(begin, {})
    need.depletion_cmm[0] = need.trigger_cmm(1)
    weather.sample({inputs.RAIN_TIPS: 0}, now_ms=0, **keys)
    # Three days without a clock bring 60 mm; a tip is 0.2 mm.
    weather.sample({inputs.RAIN_TIPS: 300}, now_ms=3_600_000, **keys)
    later_s = begin_s + 4 * 86400
    later = civil.local_from_unix(civil.PARIS, later_s)
    weather.turn_to(later.civil_day)
    need.close_days(later, {})
    dry = 3 * 500
    assert need.depletion_cmm[0] <= dry
    assert weather.open_rains_cmm(need.closed_day) == (0, 0)


def test_a_coil_that_stays_open_is_pulsed_again_a_few_times_and_not_for_ever():
    green = Green(ONE)
    green.run(hours=1)
    valves = green.desk.trade.outputs
    pulses = []
    given = valves.observe_pulse

    def counted(output, opens, *, now_ms):
        pulses.append((output, opens))
        given(output, opens, now_ms=now_ms)

    valves.observe_pulse = counted
    green.pipes.pulse = lambda output, opens, now_ms: 0
    valves.close_again(2)
    green.run(hours=2)
    assert 2 <= len(pulses) <= 1 + limits.CLOSE_AGAIN_MAX


def test_a_job_that_waits_after_a_stop_does_not_turn_the_loop_without_a_pause():
    green = Green(ONE)
    green.run(hours=5, minutes=2)
    trade, now_ms = green.desk.trade, green.site.now_ms
    trade.runs.stop(0, "order", 0, now_ms=now_ms)
    now_ms += 3 * 3_600_000
    plan = balance.CyclePlan(600, 600, 0)
    job = runs.Job(1, plan, ("depth", 1), ready_ms=now_ms + 60_000, give_up_ms=now_ms + 3_600_000)
    trade.runs.add(job)
    trade.runs.tick(trade.refuse, green.desk.moment()._replace(now_ms=now_ms))
    assert trade.runs.wake_ms(now_ms) > now_ms


def test_a_zone_that_opens_is_not_charged_with_what_flowed_before():
    green = Green(plain(supply=[0, 0, 0, 0]))
    green.run(hours=1, seconds=40)
    trade, now_ms = green.desk.trade, green.site.now_ms
    trade.runs.add(
        runs.Job(1, balance.CyclePlan(600, 600, 0), ("depth", 1), ready_ms=now_ms, give_up_ms=now_ms + 3_600_000)
    )
    moment = green.desk.moment()
    trade.sample({inputs.METER_PULSES: 1000}, moment)
    moment = moment._replace(now_ms=now_ms + 30_000)
    trade.decide(moment)
    assert trade.outputs.is_open(1)
    # What a dripping neighbour let pass in the half minute before.
    trade.sample({inputs.METER_PULSES: 1100}, moment)
    assert trade.meter.zone_ml == [0, 0, 0]


def test_a_burst_beside_a_drip_line_past_the_meter_shuts_the_master_within_a_minute():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 5, 50])
    settings["watering"][1][2][8:10] = [1, 0]  # a group of its own, not metered
    green = Green(settings, flows=[20_000, 20_000, 0])
    green.run(hours=5, minutes=4)
    assert len(green.openings()) == 2
    green.pipes.burst[1] = 25_000
    green.run(seconds=60)
    assert not any(green.pipes.open)
    assert [detail[0] for _, _, _, detail in green.events(event.PIPE_BURST)] == [1]


def test_two_programs_of_one_hour_share_the_main_and_both_are_done():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 60, 0, 1, 500], [0, 127, 0, 0, 0, 60, 0, 4, 50])
    settings["watering"][1][0][2] = 0  # sand: four hours without a soak, in which the other could run
    settings["watering"][1][0][10] = 240
    green = Green(settings)
    green.run(hours=12)
    done = [(detail[0], detail[4]) for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert done == [(1, "complete"), (3, "complete")] and skipped(green) == []


def test_a_zone_that_another_program_is_at_is_said_to_be_skipped():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50], [0, 127, 0, 0, 0, 305, 0, 1, 50]))
    green.run(hours=9)
    assert len(green.openings(1)) == 1 and skipped(green) == [(1, "time")]


def test_a_battery_that_falls_during_a_run_shuts_the_valves_while_it_can():
    green = Green(BATTERY, battery_mv=3700)
    green.run(hours=5, minutes=3)
    assert green.pipes.open[0] and green.pipes.open[1]
    green.ports.battery_mv = 3400
    green.run(minutes=1)
    assert green.pipes.open[1], "a valve that is open costs nothing"
    green.ports.battery_mv = 3250
    green.run(minutes=1)
    assert not any(green.pipes.open)
    green.ports.battery_mv = 3700
    green.run(minutes=5)
    assert green.pipes.open[1], "it goes on when the sun has charged it"


def test_a_zone_beside_forbidden_hours_has_what_its_masters_lead_leaves_of_them():
    settings = programs(plain(supply=[10, 5, 0, 0]), [0, 127, 0, 0, 0, 655, 0, 1, 200])
    green = Green(settings, drought=2, law=[Forbidden(0, 660, 1080)])
    green.run(hours=11)
    switched = [detail[:2] for _, _, _, detail in green.events(event.VALVE_SWITCHED)]
    assert switched == [(0, True), (1, True), (1, False), (0, False)]
    assert green.litres(1) > 0 and green.checker.violations == []


@pytest.mark.parametrize("lead_s,lag_s", [(0, 0), (60, 60), (120, 120)])
def test_the_longest_cycle_with_its_lead_and_lag_is_told_a_few_times_and_not_in_each_turn(lead_s, lag_s):
    settings = programs(plain(supply=[lead_s, lag_s, 0, 0]), [0, 127, 0, 0, 0, 300, 0, 1, 400])
    settings["watering"][1][0][2:11:8] = [0, 240]  # sand, which needs no soak, for four hours
    settings["watering"][1][0][5] = 20_000
    green = Green(settings)
    green.run(hours=12)
    opened = [detail[0] for _, _, _, detail in green.events(event.VALVE_SWITCHED) if detail[1]]
    assert opened.count(1) == 1 and 1 <= opened.count(0) <= 2
    assert green.events(event.WATERING_DONE)[0][3][1] == 4 * 3600
    assert green.checker.violations == []
