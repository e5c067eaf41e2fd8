"""A technician at the foot of a lamp: locked is dark and tested is lit, above calendar, order, presence and cell;
and what a lamp's faults make of both."""

import pytest

from lighting import decision
from node.trade import LOCK, TEST
from tests.lighting.test_trade import DIMMED, PRESENCE, SUNSET_S, Lamp
from wire import event, quantity
from wire.node_order import NodeOrder

NOON_S = SUNSET_S - 4 * 3600


def order(level, rule="emergency"):
    return NodeOrder(1, b"12345678", rule, level, 2_000_000_000, 3600)


def local(lamp, word):
    lamp.trade.local = word
    lamp.turn()
    return lamp


def told(lamp):
    return [detail for _, code, _, detail in lamp.said if code == event.LEVEL_CHANGED]


@pytest.mark.parametrize("ordered", [None, "override", "emergency"])
def test_locked_is_dark_under_any_order_which_holds_again_afterwards(ordered):
    lamp = Lamp()
    lamp.order = ordered and order(80, ordered)
    before = lamp.live(1000).level
    assert before in (80, 100)
    assert local(lamp, LOCK).level == 0
    assert lamp.trade.outputs.rule == decision.LOCK
    assert lamp.live(7200_000, step_ms=60_000).level == 0
    assert local(lamp, None).level == before
    assert [detail[2] for detail in told(lamp)][-2:] == [decision.LOCK, ordered or decision.CALENDAR]


def test_a_test_by_day_is_full_light_and_ends_in_the_dark_of_the_calendar():
    lamp = Lamp(unix_s=NOON_S)
    assert lamp.level == 0
    assert local(lamp, TEST).level == 100
    assert told(lamp)[-1] == (100, 0, decision.TEST, 0)
    assert lamp.live(30_000, step_ms=1000).level == 100
    assert local(lamp, None).level == 0


def test_full_light_goes_through_the_factors_of_the_installation_as_an_order_does():
    lamp = Lamp(unix_s=NOON_S, virtual_output=85)
    lamp.order = order(100)
    assert lamp.live(1000).level == 85
    lamp.order = None
    lamp.live(1000)
    assert local(lamp, TEST).level == 85
    assert told(lamp)[-1][0] == 100, "what is told is the light that was wanted"


@pytest.mark.parametrize("word", [TEST, LOCK])
def test_what_a_hand_lit_is_not_held_for_an_order_that_is_on_its_way(word):
    lamp = Lamp(unix_s=NOON_S)
    local(lamp, TEST)
    lamp.order_expected = True
    assert local(lamp, None if word == TEST else LOCK).level == 0
    assert local(lamp, None).level == 0


def test_who_passes_by_moves_neither_a_lock_nor_a_test_and_nothing_of_both_is_a_ramp():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by().live(3000)
    assert lamp.level == 100
    assert local(lamp, LOCK).level == 0, "at once, not down a ramp of thirty seconds"
    assert lamp.passer_by().live(5000).level == 0
    assert local(lamp, TEST).level == 100
    assert lamp.live(120_000, step_ms=1000).level == 100, "the hold of the boost has run out meanwhile"
    assert local(lamp, None).level == 30


def test_a_lamp_that_burns_on_although_its_node_is_locked_is_told():
    lamp = Lamp(unix_s=NOON_S)
    local(lamp, LOCK)
    lamp.values = {quantity.POWER: 360}
    lamp.minutes(6)
    assert (event.LAMP_UNEXPECTED_ON, True) in lamp.codes()
    assert not lamp.trade.is_sound(lamp.moment())


def test_a_day_burner_is_not_mended_by_a_test_nor_made_by_one():
    lamp = Lamp(unix_s=NOON_S)
    local(lamp, TEST)
    lamp.minutes(1)
    local(lamp, None)
    lamp.minutes(10)
    assert lamp.codes(event.LAMP_UNEXPECTED_ON, event.LAMP_FAILURE) == []
    lamp.values = {quantity.POWER: 360}
    lamp.minutes(6)
    assert lamp.codes(event.LAMP_UNEXPECTED_ON) == [(event.LAMP_UNEXPECTED_ON, True)]
    local(lamp, TEST)
    lamp.minutes(1)
    local(lamp, None)
    lamp.minutes(6)
    assert lamp.codes(event.LAMP_UNEXPECTED_ON) == [(event.LAMP_UNEXPECTED_ON, True)]


def test_a_dead_lamp_stays_told_through_a_lock_and_is_not_sound_until_it_is_mended():
    lamp = Lamp()
    assert lamp.trade.is_sound(lamp.moment())
    lamp.values = {quantity.POWER: 5}
    lamp.minutes(12)
    assert lamp.codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]
    local(lamp, LOCK)
    lamp.minutes(10)
    assert lamp.codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)], "dark shows nothing of a lamp"
    assert not lamp.trade.is_sound(lamp.moment())
    local(lamp, None)
    lamp.values = {}
    lamp.minutes(12)
    assert lamp.codes(event.LAMP_FAILURE)[-1] == (event.LAMP_FAILURE, False)
    assert lamp.trade.is_sound(lamp.moment())


def test_a_silent_meter_is_not_sound_and_a_lamp_of_other_watts_is():
    lamp = Lamp()
    lamp.values = {quantity.POWER: 500}
    lamp.minutes(15)
    assert (event.POWER_TOO_HIGH, True) in lamp.codes()
    assert lamp.trade.is_sound(lamp.moment())
    lamp.values = dict.fromkeys((quantity.POWER, quantity.VOLTAGE, quantity.ENERGY))
    lamp.minutes(6)
    assert (event.METER_FAILURE, True) in lamp.codes()
    assert not lamp.trade.is_sound(lamp.moment())
