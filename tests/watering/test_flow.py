"""The usual flow of a zone: learned from clean runs, kept, and never far from the flow of a new zone; two zones that
run together, one of them wrong; and a meter faster than its board counts is refused."""

import pytest

from boards import irrigation as board
from policy.fault import Faults
from tests.support.green import ONE, PLAIN, Green, own, plain, programs, skipped
from watering import limits, settings
from wire import event


@pytest.mark.slow
def test_a_zones_flow_is_learned_from_three_clean_runs_and_kept():
    green = Green(ONE, flows=[18_000, 20_000, 8000])
    green.run(hours=24 * 3 + 8)
    assert abs(green.desk.trade.balance.flow(1) - 18_000) < 300
    green.cut(remembered=True)
    green.run(minutes=1)
    assert abs(green.desk.trade.balance.flow(1) - 18_000) < 300


@pytest.mark.slow
def test_a_leak_that_grows_by_three_percent_a_day_is_told_and_not_learned_as_usual():
    green = Green(ONE)
    green.run(hours=24 * 4)
    usual = green.desk.trade.balance.flow(1)
    told = []
    for day in range(20):
        green.pipes.flows[0] = 20_000 * (103 + 3 * day) // 100
        green.run(hours=24)
        told += [(day, detail) for *_, active, detail in green.events(event.FLOW_TOO_HIGH)[len(told) :] if active]
    first_day, (zone, flow, reference) = told[0]
    assert zone == 1 and 5 <= first_day <= 7, "the drift, while the zone is still watered"
    assert 115 * usual <= 100 * flow <= 121 * usual and abs(reference - usual) <= usual // 100
    assert green.desk.trade.balance.flow(1) <= 116 * usual // 100
    assert any(detail[1] > 140 * usual // 100 for _, detail in told), "then its runs are ended"
    reasons = [detail[4] for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert reasons[-1] == "high" and reasons[:10] == ["complete"] * 10


@pytest.mark.slow
def test_drippers_that_clog_are_told_and_the_drift_ends_when_they_are_clean_again():
    green = Green(ONE)
    green.run(hours=24 * 4)
    for percent in (94, 88, 82, 80, 80, 80):
        green.pipes.flows[0] = 200 * percent
        green.run(hours=24)
    assert [active for *_, active, _ in green.events(event.FLOW_TOO_LOW)] == [True]
    green.cut(remembered=True)
    green.pipes.flows[0] = 20_000
    green.run(hours=24 * 4)
    assert [active for *_, active, _ in green.events(event.FLOW_TOO_LOW)] == [True, True, False]
    assert green.desk.trade.balance.flow(1) > 19_500


# Lawn and shrubs together; the bed waits for the lawn's group.
TOGETHER = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50])
TOGETHER["watering"][1][2][8] = 1


def told(green, code):
    """[(active, zone)]"""
    return [(active, detail[0]) for *_, active, detail in green.events(code)]


def ended(green):
    """{zone: how it ended} of the last runs."""
    return {detail[0]: detail[4] for *_, detail in green.events(event.WATERING_DONE)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "flow,code,why", [(4000, event.FLOW_TOO_LOW, "low"), (28_000, event.FLOW_TOO_HIGH, "high")]
)
def test_of_two_zones_that_run_together_the_wrong_one_is_stopped_and_all_others_are_watered(flow, code, why):
    green, steady = Green(TOGETHER), Green(TOGETHER)
    green.pipes.flows[0] = flow
    for one in (green, steady):
        one.run(hours=14)
    assert {detail[0] for *_, detail in green.events(event.VALVE_SWITCHED)[:3] if detail[1]} == {0, 1, 3}
    assert ended(green)[1] == why and ended(green)[2] == "complete"
    assert ended(green)[3] == "complete"
    assert all(abs(green.litres(zone) - steady.litres(zone)) <= 2 for zone in (2, 3))
    assert told(green, code) == [(True, 0), (True, 1), (False, 0)]
    green.pipes.flows[0] = 20_000
    green.run(hours=24)
    assert told(green, code)[3:] == [(False, 1)], "it ran alone, and is right"
    assert ended(green) == {1: "complete", 2: "complete", 3: "complete"}
    openings = len(green.openings(1))
    green.run(hours=24)
    assert len(green.openings(1)) == openings + 1 and len(told(green, code)) == 4
    assert green.checker.violations == []


def test_a_valve_that_does_not_open_beside_another_leaves_no_alarm_without_a_zone():
    green = Green(TOGETHER)
    green.pipes.stuck |= {1, 3}
    green.run(hours=14)
    assert sorted(told(green, event.VALVE_FAILURE)) == [(False, 0), (True, 0), (True, 1), (True, 3)]
    green.pipes.stuck.clear()
    green.run(hours=24)
    ends = sorted(zone for active, zone in told(green, event.VALVE_FAILURE) if not active)
    assert ends == [0, 1, 3] and len(told(green, event.VALVE_FAILURE)) == 6
    assert green.desk.trade.is_sound(green.desk.moment())


def test_a_zone_of_short_cycles_ends_its_alarm_too():
    settings = programs(plain(), [0, 127, 0, 0, 0, 300, 0, 2, 40])
    green = Green(settings)
    green.pipes.flows[1] = 8000
    green.run(hours=14)
    assert told(green, event.FLOW_TOO_LOW) == [(True, 2)]
    green.pipes.flows[1] = 20_000
    green.run(hours=24)
    assert max(detail[4] for *_, detail in green.events(event.VALVE_SWITCHED) if detail[:2] == (2, True)) < 270
    assert told(green, event.FLOW_TOO_LOW) == [(True, 2), (False, 2)]


def test_what_runs_alone_goes_on_alone_after_a_sleep():
    battery = programs(plain(battery=[2600, 1000, 9000]), [0, 127, 0, 0, 0, 300, 0, 7, 50])
    green = Green(battery, battery_mv=3900)
    green.run(hours=5, minutes=5)
    trade, now_ms = green.desk.trade, green.site.now_ms
    trade.runs.stop(None, "low", 0, now_ms=now_ms)
    assert [job.zone for job in trade.runs.jobs] == [1, 2, 3] and trade.runs.alone == 1 << 1
    kept, rest = trade.asleep(now_ms)
    woken = green.make(kept, now_ms)
    woken.woken(rest, 900_000, None, now_ms=now_ms)
    assert [job.zone for job in woken.runs.jobs] == [1, 2, 3] and woken.runs.alone == 1 << 1


@pytest.mark.slow
def test_too_much_of_two_together_is_no_stuck_valve_of_the_one_that_ran_alone_before():
    settings = programs(TOGETHER, [0, 127, 0, 0, 0, 300, 0, 3, 50])
    settings["watering"][1][0][5:7] = 2500, 5000
    settings["watering"][1][1] = [0, 0, 3, 2, 1, 7500, 15_000, 0, 1, 1, 60]
    green = Green(settings)
    green.pipes.flows[1] = 21_000
    for days in (1, 2):
        green.run(hours=24)
        assert told(green, event.VALVE_FAILURE) == [] and ended(green) == {1: "complete", 2: "high"}
        assert told(green, event.FLOW_TOO_HIGH) == [(True, 0), (False, 0), (True, 2)], days
    green.pipes.flows[1] = 15_000
    green.run(hours=24)
    assert told(green, event.FLOW_TOO_HIGH)[3:] == [(False, 2)] and ended(green)[2] == "complete"
    assert not green.desk.trade.guard.faulty


@pytest.mark.slow
@pytest.mark.parametrize("anchor", [0, 1])
def test_zones_that_are_doubted_have_the_patience_and_the_plan_of_one_after_the_other(anchor):
    settings = programs(plain(valves=[2] * 9 + [0]), [0, 127, 0, 0, 0, 660, anchor, 255, 60])
    settings["watering"][1] = [[0, 0, 3, 2, 1, 2500, 5000, 0, group, 1, 60] for group in range(8)]
    green = Green(settings)
    green.pipes.flows[:] = [0] * 8
    green.run(hours=24)
    doubted = [zone for zone in range(1, 9) if green.desk.trade.guard.doubts(zone)]
    assert doubted == [1, 2, 3, 4, 5, 6, 7, 8]
    green.pipes.flows[:] = [5000] * 8
    green.run(hours=24)
    assert skipped(green) == []
    assert ended(green) == dict.fromkeys(doubted, "complete")
    shut = [(hour, minute) for hour, minute, _, detail in green.events(event.VALVE_SWITCHED) if detail[0] == 8]
    assert not anchor or (10, 50) < shut[-1] < (11, 5)


def faults_of(meter, flow_ml_min=20_000):
    chosen = plain(meter=meter)
    chosen["watering"][1][0][5:7] = [10_000, flow_ml_min]
    faults = Faults()
    settings.decode(faults, chosen, own().site)
    return faults.listed()


def test_the_trade_reckons_with_what_the_board_lets_through():
    assert board.FLOW_HZ_MAX == limits.PULSES_PER_S_MAX


@pytest.mark.parametrize("meter", [[20_000, 60], [5000, 60], [2222, 26], [1_000_000, 420]])
def test_reeds_and_hall_wheels_are_taken(meter):
    assert not [fault for fault in faults_of(meter) if "a second" in fault.problem]


def test_a_meter_whose_burst_the_board_cannot_count_is_refused_with_one_that_it_can():
    (fault,) = faults_of([2222, 60])  # 450 pulses a litre at 60 L/min: 900 a second at twice that
    assert fault.path == "meter.pulse" and "900 pulses a second" in fault.problem
    least_ul = int(fault.remedy.split(" uL")[0].split()[-1])
    assert not faults_of([least_ul, 60]) and faults_of([least_ul - 10, 60])


def test_a_zone_that_passes_more_than_the_main_is_said_to_give_counts():
    assert [fault.path for fault in faults_of([2222, 20], flow_ml_min=40_000)] == ["meter.pulse"]


def test_a_meter_too_coarse_for_a_burst_in_time_is_refused():
    (fault,) = faults_of([1_000_000, 60])[:1]
    assert fault.path == "meter.pulse" and "15 a minute" in fault.remedy
