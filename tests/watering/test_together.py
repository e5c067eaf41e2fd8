"""Two zones of two groups run together, and one of them is wrong: it is found out and told, the others have their
water, and each alarm ends."""

import pytest

from tests.support.green import PLAIN, Green, plain, programs, skipped
from wire import event

# Lawn and shrubs together; the bed waits for the lawn's group.
TOGETHER = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50])
TOGETHER["watering"][1][2][8] = 1


def told(green, code):
    """[(active, zone)]"""
    return [(active, detail[0]) for *_, active, detail in green.events(code)]


def ended(green):
    """{zone: how it ended} of the last runs."""
    return {detail[0]: detail[4] for *_, detail in green.events(event.WATERING_DONE)}


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


def test_a_valve_that_does_not_open_beside_another_leaves_no_alarm_of_nobody():
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
