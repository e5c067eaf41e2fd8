"""What ends a boost that was not told is told, whatever it is: an operator's chain of levels has no gap."""

import pytest

from lighting import decision
from node.trade import LOCK
from tests.lighting.test_trade import EXTINCTION, PRESENCE, SUNSET_S, Lamp, Order
from wire import event


def told_levels(lamp):
    return [detail for _, code, _, detail in lamp.said if code == event.LEVEL_CHANGED]


@pytest.mark.parametrize("ends", ["extinction", "dawn", "order", "lock"])
def test_what_ends_a_boost_that_was_not_told_is_told(ends):
    lamp = Lamp(calendar=EXTINCTION, presence=PRESENCE)
    lamp.somebody().live(60_000, step_ms=500)
    count = len(told_levels(lamp))
    lamp.somebody().live(3000)
    assert lamp.level == 100 and len(told_levels(lamp)) == count, "the second boost of a quarter hour is not"
    if ends == "order":
        lamp.order = Order(0, "emergency")
    elif ends == "lock":
        lamp.trade.local = LOCK
    else:
        lamp.unix_s = SUNSET_S + (8 if ends == "extinction" else 16) * 3600
    lamp.turn()
    expected = {"order": "emergency", "lock": decision.LOCK}.get(ends, decision.CALENDAR)
    assert lamp.trade.outputs.rule == expected
    assert told_levels(lamp)[count:] and told_levels(lamp)[-1][:3] == (0, 60, expected)


def test_an_order_of_the_light_before_a_boost_that_was_not_told_is_told():
    lamp = Lamp(calendar=EXTINCTION, presence=PRESENCE)
    lamp.order = Order(60)
    lamp.turn()
    lamp.order = None
    lamp.somebody().live(60_000, step_ms=500)
    lamp.somebody().live(3000)
    count = len(told_levels(lamp))
    lamp.order = Order(60)
    lamp.turn()
    assert len(told_levels(lamp)) == count + 1 and told_levels(lamp)[-1][:3] == (60, 60, "override")
