"""Watering by a clock that is absent, wrong, set in a run or cut: each program once, and nobody is flooded."""

import pytest

from policy import civil
from tests.support.green import ONE, PLAIN, Green, plain, programs
from watering import memory
from wire import event


def test_without_a_clock_nothing_is_watered_and_somebody_is_told():
    green = Green()
    green.desk.clock_s = None
    green.run(hours=30)
    assert green.litres(1) == 0
    assert [(active, detail) for _, _, active, detail in green.events(event.TIME_FALLBACK)] == [(True, ("none",))]
    green.desk.clock_s = 0
    green.run(hours=1)
    assert green.events(event.TIME_FALLBACK)[-1][2] is False


def test_a_clock_that_is_lost_during_a_run_ends_it():
    green = Green()
    green.run(hours=5, minutes=5)
    green.desk.clock_s = None
    green.run(seconds=20)
    assert not any(green.pipes.open)


@pytest.mark.slow
@pytest.mark.parametrize("date", [(2026, 3, 28), (2026, 10, 24)])
@pytest.mark.parametrize("minutes", [90, 120, 150, 179, 180])
def test_on_the_nights_when_legal_time_changes_each_program_starts_once_a_day(date, minutes):
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, minutes, 0, 1, 20]), date=date)
    green.run(hours=72)
    assert len(green.openings(1)) == 3
    assert green.checker.violations == []


@pytest.mark.parametrize("step_s", [-3600, -7200, -86400, 3600, 7200])
def test_a_clock_that_is_set_during_a_run_doubles_and_shortens_nothing(step_s):
    steady, stepped = (Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50])) for _ in (1, 2))
    for green in (steady, stepped):
        green.run(hours=5, minutes=10)
    stepped.desk.clock_s = step_s
    for green in (steady, stepped):
        green.run(hours=3)
    assert abs(stepped.litres(1) - steady.litres(1)) <= 1
    assert len(stepped.openings(1)) == len(steady.openings(1)) == 1


@pytest.mark.parametrize("step_s", [-3600, -60, 60, 3600])
def test_a_clock_that_is_set_before_a_start_skips_and_doubles_nothing(step_s):
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 20]))
    green.run(hours=4, minutes=50)
    green.desk.clock_s = step_s
    green.run(hours=8)
    green.desk.clock_s = 0
    green.run(hours=8)
    assert len(green.openings(1)) == 1


@pytest.mark.parametrize("year", [2000, 2036, 2100])
def test_a_clock_that_was_in_another_century_stops_nothing_for_good(year):
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 20]))
    green.desk.clock_s = civil.day_s * (civil.days_from_civil(year, 6, 1) - civil.days_from_civil(2026, 6, 1))
    green.run(hours=6)
    green.desk.clock_s = 0
    green.run(hours=42)
    # The first run may have been by the wrong clock, never two on one real day.
    assert 1 <= len(green.openings(1)) <= 2
    green.run(hours=24)
    assert len(green.openings(1)) >= 2


def test_a_start_that_a_power_cut_covers_is_made_up_for_without_what_may_have_run():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50]))
    green.run(hours=4, minutes=59)
    green.desk.memory = green.desk.trade.memory(green.site.now_ms)
    green.run(minutes=6)
    before = green.litres(1)
    green.cut(60_000)
    green.run(hours=3)
    steady = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50]))
    steady.run(hours=8)
    assert before < green.litres(1) <= steady.litres(1)


def test_a_run_that_power_cuts_after_a_checkpoint_in_its_middle_is_made_up_for():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50])
    green, steady = Green(settings), Green(settings)
    green.run(hours=5, minutes=30)
    assert green.litres(1) and not green.litres(2) and not green.litres(3)
    green.cut(60_000, remembered=True)
    before = green.litres(1)
    steady.run(hours=14)
    green.run(hours=9)
    assert before < green.litres(1) <= steady.litres(1), "what has run is not run again"
    assert [green.litres(zone) for zone in (2, 3)] == [steady.litres(zone) for zone in (2, 3)]
    assert min(green.litres(2), green.litres(3)) > 0
    told = green.events(event.WATERING_DONE) + green.events(event.WATERING_SKIPPED)
    assert {detail[0] for *_, detail in told} == {1, 2, 3}


def test_a_programme_is_marked_on_flash_at_its_end_and_in_a_sleep_at_once():
    green = Green(programs(plain(valves=[2, 2, 2, 2, 0], battery=[2600, 1000, 9000]), [0, 127, 0, 0, 0, 300, 0, 1, 50]),
                  battery_mv=3900)  # fmt: skip
    green.run(hours=5, minutes=5)
    trade, now_ms = green.desk.trade, green.site.now_ms
    today = trade.schedule.marks[0]
    kept, rest = trade.asleep(now_ms)
    woken = green.make(kept, now_ms)
    woken.woken(rest, 600_000, None, now_ms=now_ms)
    for one in (trade, woken):
        assert memory.decode(one.memory(now_ms)).marks[0] == today - 1
    assert woken.schedule.marks[0] == memory.decode(kept).marks[0] == today
    keeps = trade.keeps
    green.run(hours=3)
    assert trade.keeps > keeps and memory.decode(trade.memory(green.site.now_ms)).marks[0] == today


def test_a_program_begins_at_its_second_and_a_quiet_hour_has_a_turn_a_minute():
    green, turns = Green(ONE), []
    green.desk.power_cut(17_000)
    green.run(hours=8)
    switched = [told for told in green.desk.events if told[1] == event.VALVE_SWITCHED]
    assert switched[0][0] - green.site.begin_s == 5 * 3600
    green.desk.watchers.append(turns.append)
    green.run(hours=1)
    assert len(turns) <= 61
