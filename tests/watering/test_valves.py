"""The owner of the outputs: deadlines that need nobody, pulses one at a time, a boot that shuts."""

import pytest

from watering import limits
from watering.valves import ABSENT, HELD, LATCHING, MASTER, PUMP, Valves

KINDS = (LATCHING, LATCHING, LATCHING) + (ABSENT,) * 6 + (HELD,)


def settled(kinds=KINDS):
    valves = Valves(kinds, gap_ms=100, now_ms=0)
    now_ms = 0
    while not valves.ready():
        pulse = valves.tick(now_ms=now_ms).pulse
        if pulse:
            valves.pulsed(pulse[0], pulse[1], now_ms=now_ms)
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
            valves.pulsed(pulse[0], pulse[1], now_ms=now_ms)
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
    valves.pulsed(1, True, now_ms=now_ms)
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
    valves.pulsed(1, True, now_ms=now_ms)
    valves.open(2, 60, now_ms=now_ms)
    valves.close(1)
    assert valves.tick(now_ms=now_ms + 99).pulse is None
    assert valves.tick(now_ms=now_ms + 100).pulse == (1, False)
    valves.pulsed(1, False, now_ms=now_ms + 100)
    assert valves.tick(now_ms=now_ms + 200).pulse == (2, True)
    assert valves.wake_ms(now_ms + 150) == now_ms + 200


def test_a_valve_shut_while_its_opening_is_being_given_is_pulsed_shut_after_it():
    valves, now_ms = settled()
    valves.open(1, 60, now_ms=now_ms)
    assert valves.tick(now_ms=now_ms).pulse == (1, True)
    valves.close(1)
    valves.pulsed(1, True, now_ms=now_ms)
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
            valves.pulsed(output, opens, now_ms=now_ms)
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
    valves.pulsed(2, True, now_ms=now_ms + 50)
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
