"""Valves that stay open, do not open, or whose node loses its power in a run: the real trade with pipes and soil.

With the real ports it is in test_power_cuts.py.
"""

import pytest

from tests.support.green import Green, plain, programs
from wire import event

SECONDS_OF_A_RUN = [3, 5, 6, 7, 30, 95, 600, 1500, 1800, 2405, 2410]


def shut_within_2s(green):
    """True when no valve of the world is open 2 s from now."""
    green.desk.run(2)
    return not any(green.pipes.open)


@pytest.mark.parametrize("second", SECONDS_OF_A_RUN)
def test_a_power_cut_at_any_step_of_a_run_leaves_every_valve_shut_2s_after_the_boot(second):
    green = Green()
    green.run(hours=5)
    green.run(seconds=second)
    green.cut(3000)
    assert shut_within_2s(green)
    green.run(hours=1)
    assert green.checker.violations == []


def test_valves_that_were_open_before_the_start_are_pulsed_shut_master_first_and_twice():
    green = Green()
    for output in range(4):
        green.pipes.open[output] = True
    pulses = []
    real = green.pipes.pulse
    green.pipes.pulse = lambda output, opens, now_ms: (pulses.append((output, opens)), real(output, opens, now_ms))[1]
    assert shut_within_2s(green)
    assert pulses == [(output, False) for _ in (1, 2) for output in range(4)]


@pytest.mark.slow
def test_a_scheduler_that_never_runs_again_leaves_no_valve_past_its_deadline():
    green = Green()
    green.run(hours=5, minutes=2)
    assert green.pipes.open[1]
    green.desk.frozen = True
    green.run(hours=2)
    assert not any(green.pipes.open)
    assert green.checker.violations == [] and green.checker.checks > 3000


def test_a_valve_that_stays_open_is_seen_by_its_water_told_and_pulsed_again():
    green = Green(programs(plain(valves=[0, 2, 2, 2, 0]), [0, 127, 0, 0, 0, 300, 0, 1, 50]))
    green.run(hours=5, minutes=1)
    green.pipes.stuck.add(1)
    pulses = []
    real = green.pipes.pulse
    green.pipes.pulse = lambda output, opens, now_ms: (pulses.append((output, opens)), real(output, opens, now_ms))[1]
    green.run(hours=1)
    told = [(detail[0], detail[1]) for _, _, active, detail in green.events(event.VALVE_FAILURE) if active]
    assert told == [(1, "stuck-open")]
    assert [active for _, _, active, _ in green.events(event.WATER_LEAK)] == [True]
    assert pulses.count((1, False)) == 1 + 3
    green.pipes.stuck.clear()
    green.pipes.open[1] = False
    green.run(hours=1)
    assert [active for _, _, active, _ in green.events(event.WATER_LEAK)] == [True, False]


NO_MASTER = programs(plain(valves=[0, 2, 2, 2, 0]), [0, 127, 0, 0, 0, 300, 0, 7, 20])


def stuck(green):
    """[(active, zone)] of valves that stay open."""
    told = green.events(event.VALVE_FAILURE)
    return [(active, detail[0]) for _, _, active, detail in told if detail[1] == "stuck-open"]


@pytest.mark.slow
@pytest.mark.parametrize("first,second", [(1, 2), (1, 3), (3, 1)])
def test_a_valve_that_stays_open_while_the_next_zone_runs_is_named_and_everything_is_stopped(first, second):
    bits = 1 << first - 1 | 1 << second - 1
    green = Green(programs(NO_MASTER, [0, 127, 0, 0, 0, 300, 0, 1 << first - 1, 20],
                           [0, 127, 0, 0, 0, 301, 0, bits & ~(1 << first - 1), 20]))  # fmt: skip
    green.run(hours=5, minutes=1)
    green.pipes.stuck.add(first)
    pulses = []
    real = green.pipes.pulse
    green.pipes.pulse = lambda output, opens, now_ms: (pulses.append((output, opens)), real(output, opens, now_ms))[1]
    green.run(hours=2)
    assert green.openings(second), "nobody can know before the next zone's water is looked at"
    assert stuck(green) == [(True, first)] and not green.pipes.open[second]
    assert green.events(event.FLOW_TOO_HIGH) == []
    assert 2 <= pulses.count((first, False)) <= 1 + 1 + 3
    openings = len(green.openings())
    green.run(hours=24)
    assert len(green.openings()) == openings, "nothing may hide what flows"


def test_a_valve_that_stuck_and_is_shut_again_lets_the_others_drink_the_next_morning():
    green = Green(NO_MASTER)
    green.run(hours=5, minutes=1)
    green.pipes.stuck.add(1)
    while not stuck(green):
        green.run(minutes=1)
    green.pipes.stuck.clear()
    green.run(hours=2)
    assert not any(green.pipes.open)
    if green.desk.trade.guard.burst is None:
        assert stuck(green) == [(True, 1), (False, 1)]
    else:
        green.desk.trade.guard.acknowledge()
    green.run(hours=24)
    assert {zone for _, _, zone, _ in green.openings()} >= {1, 2, 3}
    assert stuck(green)[-1] == (False, 1)


def test_a_drip_valve_that_sticks_for_a_moment_is_told_and_its_alarm_ends_with_the_pipe_at_rest():
    green = Green(programs(NO_MASTER, [0, 127, 0, 0, 0, 300, 0, 4, 20]), flows=[20_000, 20_000, 8000])
    green.run(hours=5, minutes=1)
    green.pipes.stuck.add(3)
    while not stuck(green):
        green.run(seconds=10)
    green.pipes.stuck.clear()
    green.run(minutes=30)
    assert stuck(green) == [(True, 3), (False, 3)] and not any(green.pipes.open)


def test_a_burst_that_is_no_other_zones_water_is_blamed_on_no_valve():
    green = Green(programs(NO_MASTER, [0, 127, 0, 0, 0, 300, 0, 7, 20]))
    green.run(hours=5)
    while not green.pipes.open[2]:
        green.run(seconds=10)
    green.pipes.burst[2] = 60_000
    green.run(minutes=3)
    assert stuck(green) == [] and green.events(event.PIPE_BURST)[0][3][0] == 2


def test_a_valve_that_does_not_open_is_told_and_its_run_ended():
    green = Green()
    green.pipes.stuck.add(1)
    green.run(hours=5, minutes=10)
    assert [(active, detail[:2]) for _, _, active, detail in green.events(event.VALVE_FAILURE)] == [
        (True, (1, "no-flow"))
    ]
    assert green.events(event.WATERING_DONE)[0][3][0] == 1 and green.events(event.WATERING_DONE)[0][3][4] == "no-flow"
