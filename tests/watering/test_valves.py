"""The owner of the outputs: deadlines that need no scheduler, pulses one at a time, a boot that shuts; a selector that
is stuck or dead, and a short in a coil, through the twins of the board."""

import pytest

from simulator.plants.pipes import LIMITED_MA
from tests.support.green import plain, programs
from tests.support.sleepy_world import Sleepy
from tests.support.valve_box import ValveBox
from watering import limits, valves
from watering.valves import ABSENT, HELD, LATCHING, MASTER, PUMP, Valves
from wire import event

KINDS = (LATCHING, LATCHING, LATCHING) + (ABSENT,) * 6 + (HELD,)


def settled(kinds=KINDS):
    valves = Valves(kinds, gap_ms=100, now_ms=0)
    now_ms = 0
    while not valves.ready():
        pulse = valves.tick(now_ms=now_ms).pulse
        if pulse:
            valves.observe_pulse(pulse[0], pulse[1], now_ms=now_ms)
        now_ms += 50
    return valves, now_ms + 100


def test_nothing_opens_before_every_latching_output_was_pulsed_shut_twice():
    valves = Valves(KINDS, gap_ms=100, now_ms=0)
    given, now_ms = [], 0
    while not valves.ready():
        assert not valves.open(PUMP, 60, now_ms=now_ms)
        pulse = valves.tick(now_ms=now_ms).pulse
        if pulse:
            given.append(pulse)
            valves.observe_pulse(pulse[0], pulse[1], now_ms=now_ms)
        now_ms += 10
    assert given == [(0, False), (1, False), (2, False)] * 2
    assert valves.open(PUMP, 60, now_ms=now_ms)


def test_nothing_opens_without_a_deadline_or_for_longer_than_the_longest():
    valves, now_ms = settled()
    assert not valves.open(1, 0, now_ms=now_ms) and not valves.open(1, -5, now_ms=now_ms)
    assert not valves.open(5, 60, now_ms=now_ms)
    assert valves.open(1, 10**9, now_ms=now_ms)
    assert valves.deadline_ms(1) == now_ms + 1000 * limits.OPEN_S_MAX


def test_tick_alone_shuts_what_is_past_its_deadline():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    valves.open(PUMP, 30, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms).held == 1 << PUMP
    valves.observe_pulse(1, True, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms + 29_999).held == 1 << PUMP
    assert valves.tick(now_ms=now_ms + 30_000).held == 0
    assert valves.tick(now_ms=now_ms + 60_000).pulse == (1, False)
    assert valves.overrun == 1 << 1 | 1 << PUMP
    assert not valves.any_open()


def test_a_renewal_moves_the_deadline_and_counts_no_opening():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    assert valves.open(1, 90, now_ms=now_ms + 1000)
    assert valves.deadline_ms(1) == now_ms + 91_000 and valves.openings[1] == 1


def test_pulses_shut_go_first_and_one_at_a_time_with_their_gap():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms).pulse == (1, True)
    valves.observe_pulse(1, True, now_ms=now_ms)
    valves.open(2, 60, now_ms=now_ms)
    valves.close(1)
    assert valves.tick(now_ms=now_ms + 99).pulse is None
    assert valves.tick(now_ms=now_ms + 100).pulse == (1, False)
    valves.observe_pulse(1, False, now_ms=now_ms + 100)
    assert valves.tick(now_ms=now_ms + 200).pulse == (2, True)
    assert valves.wake_ms(now_ms + 150) == now_ms + 200


def test_a_valve_shut_while_its_opening_is_being_given_is_pulsed_shut_after_it():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms).pulse == (1, True)
    valves.close(1)
    valves.observe_pulse(1, True, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms + 100).pulse == (1, False)


def test_an_output_that_is_being_shut_does_not_open():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    valves.close(1)
    assert not valves.open(1, 60, now_ms=now_ms) and not valves.open(2, 60, now_ms=now_ms)


@pytest.mark.parametrize("output", [MASTER, 1])
def test_a_shut_latching_valve_can_be_pulsed_shut_again(output):
    valves, now_ms = settled()
    valves.close_again(output)
    assert valves.tick(now_ms=now_ms).pulse == (output, False)
    assert valves.latching_open() == 1


def test_a_pulse_that_could_not_be_given_comes_again_after_all_the_others_and_after_a_pause():
    valves = Valves(KINDS, gap_ms=100, now_ms=0)
    asked, now_ms = [], 0
    while now_ms < 2000:
        output, opens = valves.tick(now_ms=now_ms).pulse
        asked.append(output)
        if output == 1:
            valves.put_off(50, output, now_ms=now_ms)
        else:
            valves.observe_pulse(output, opens, now_ms=now_ms)
        now_ms = valves.wake_ms(now_ms)
    assert asked[:7] == [0, 1, 2, 0, 2, 1, 1] and set(asked[6:]) == {1}
    assert not valves.ready() and len(asked) < 4 + 2000 // 50


def test_an_opening_that_could_not_be_given_lets_the_others_open_and_owes_a_closing_once_it_is_tried_again():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    valves.open(2, 60, now_ms=now_ms)
    valves.put_off(50, 1, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms + 49).pulse is None
    assert valves.tick(now_ms=now_ms + 50).pulse == (2, True)
    valves.observe_pulse(2, True, now_ms=now_ms + 50)
    assert valves.tick(now_ms=now_ms + 150).pulse == (1, True)
    valves.close(1)
    assert valves.tick(now_ms=now_ms + 150).pulse == (1, False)


def test_an_opening_that_was_just_refused_owes_no_closing():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    valves.put_off(50, 1, now_ms=now_ms)
    valves.close(1)
    assert valves.ready() and valves.tick(now_ms=now_ms + 50).pulse is None
    assert valves.open(1, 60, now_ms=now_ms + 50) and valves.tick(now_ms=now_ms + 50).pulse == (1, True)


ONE_AT_FIVE = [0, 127, 0, 0, 0, 300, 0, 1, 20]


def told(events):
    """[(active, zone, what)] of valves."""
    return [(active, detail[0], detail[1]) for _, code, active, detail in events if code == event.VALVE_FAILURE]


def test_a_zone_that_cannot_be_opened_is_told_and_ends_and_the_others_are_watered():
    box = ValveBox()
    box.run_to(30_000)
    assert box.trade.outputs.ready()
    box.parts["SELECTOR"].fault, box.parts["SELECTOR"].stuck_high = "stuck", 1 << 1
    box.run_to(9_000_000)
    assert told(box.events) == [(True, 2, "open-coil")]
    why = {
        detail[0]: detail[-2 if code == event.WATERING_SKIPPED else -1]
        for _, code, _, detail in box.events
        if code in (event.WATERING_DONE, event.WATERING_SKIPPED)
    }
    assert why[1] == why[3] == "complete" and why[2] == "valve"
    assert box.are_open() == [] and box.trade.outputs.ready()


@pytest.mark.slow
@pytest.mark.parametrize("meter", [True, False])
def test_a_battery_node_behind_a_dead_selector_sleeps_and_shuts_its_valve_at_a_waking(meter):
    settings = plain(valves=[2, 2, 2, 2, 0], battery=[2600, 1000, 12_000])
    if not meter:
        del settings["meter"]
        settings["watering"][1] = [[*zone[:9], 0, zone[10]] for zone in settings["watering"][1]]
    world = Sleepy(programs(settings, ONE_AT_FIVE))
    world.run(hours=5, minutes=2)
    assert world.pipes.open[1]
    world.space._green.unreachable.add(1)
    world.run(hours=1)
    assert world.pipes.open[1] and not world.pipes.open[0], "the master has a bridge of its own"
    assert told(world.events)[0] == (True, 1, "open-coil")
    asleep = 0
    for _ in range(3600):
        world.run(seconds=1)
        asleep += world.is_asleep
    assert asleep > 3000, "it does not wake for hours"
    world.space._green.unreachable.clear()
    world.run(minutes=20)
    assert not world.pipes.open[1]
    world.run(days=1)
    assert told(world.events)[-1][:2] == (False, 1) and world.host.boots == 1


def coil_events(current_ma):
    """(output, word, mA) of bad coils, of a box whose every coil draws this, over its first five minutes."""
    box = ValveBox()
    box.parts["COIL"].current_ma = current_ma
    box.run_to(5 * 60_000)
    return [one[3] for one in box.events if one[1] == event.VALVE_FAILURE and one[2]]


def test_a_short_is_seen_by_the_board_and_told():
    found = {output: rest for output, *rest in coil_events(LIMITED_MA)}
    assert found == {output: [valves.SHORT, LIMITED_MA] for output in range(4)}


@pytest.mark.parametrize("current_ma", [1000, 1500, 2000, -2000])
def test_a_sound_coil_is_none(current_ma):
    assert coil_events(current_ma) == []


def test_an_open_coil_is_told_by_the_last_milliamperes():
    assert {word for _, word, _ in coil_events(240)} == {valves.OPEN_COIL} and coil_events(260) == []
