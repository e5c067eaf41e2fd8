"""Boosts by presence: hold, cap, a detector that triggers without an end, and the chain of levels that is reported."""

import pytest

from lighting import decision
from lighting.presence import PresenceBoost
from node.trade import LOCK
from tests.lighting.test_trade import EXTINCTION, PRESENCE, SUNSET_S, Lamp, Order
from wire import event

STARTED_MS = (1 << 30) - 5000
HOUR_MS = 3_600_000


def presence(per_hour_max=240, hold_s=45):
    return PresenceBoost(hold_s=hold_s, per_hour_max=per_hour_max, now_ms=STARTED_MS)


def walked_by(one, from_ms, until_ms, every_ms):
    now_ms = from_ms
    while now_ms < until_ms:
        one.trigger(now_ms=now_ms)
        now_ms += every_ms


def test_a_boost_holds_so_long_after_the_last_trigger():
    one = presence()
    assert not one.is_boosted(STARTED_MS)
    one.trigger(now_ms=STARTED_MS)
    one.trigger(now_ms=STARTED_MS + 30_000)
    assert one.deadline_ms() == STARTED_MS + 75_000
    assert one.is_boosted(STARTED_MS + 74_999)
    assert not one.is_boosted(STARTED_MS + 75_000)
    assert one.deadline_ms() is None


def test_triggers_of_one_passer_by_count_once():
    one = presence()
    walked_by(one, STARTED_MS, STARTED_MS + 9_900, 100)
    assert one.triggers == 1
    one.trigger(now_ms=STARTED_MS + 10_000)
    assert one.triggers == 2


def test_a_detector_that_never_rests_is_held_and_told_until_an_hour_has_half_as_many():
    one = presence(per_hour_max=100)
    walked_by(one, STARTED_MS, STARTED_MS + 1_000_000, 10_000)
    assert one.triggers == 100 and not one.is_failed
    one.trigger(now_ms=STARTED_MS + 1_000_000)
    assert one.is_failed
    silent_ms = STARTED_MS + 1_000_000
    assert one.is_boosted(silent_ms + 600_000), "it does not blink"
    assert one.deadline_ms() is not None
    assert not one.is_boosted(silent_ms + HOUR_MS) and not one.is_failed


def test_a_busy_street_is_no_failure():
    one = presence()
    for hour in range(24):
        walked_by(one, STARTED_MS + hour * HOUR_MS, STARTED_MS + (hour + 1) * HOUR_MS, 20_000)
        assert not one.is_failed and one.triggers <= 181


def test_hours_of_silence_are_forgotten():
    one = presence()
    walked_by(one, STARTED_MS, STARTED_MS + 600_000, 10_000)
    assert not one.is_boosted(STARTED_MS + 9 * HOUR_MS)
    assert one.triggers == 0


def told_levels(lamp):
    return [detail for _, code, _, detail in lamp.said if code == event.LEVEL_CHANGED]


@pytest.mark.parametrize("ends", ["extinction", "dawn", "order", "lock"])
def test_what_ends_a_boost_that_was_not_told_is_told(ends):
    lamp = Lamp(calendar=EXTINCTION, presence=PRESENCE)
    lamp.passer_by().live(60_000, step_ms=500)
    count = len(told_levels(lamp))
    lamp.passer_by().live(3000)
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
    lamp.passer_by().live(60_000, step_ms=500)
    lamp.passer_by().live(3000)
    count = len(told_levels(lamp))
    lamp.order = Order(60)
    lamp.turn()
    assert len(told_levels(lamp)) == count + 1 and told_levels(lamp)[-1][:3] == (60, 60, "override")
