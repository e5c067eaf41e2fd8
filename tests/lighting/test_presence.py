"""Boosts by presence: hold, cap, a detector that triggers without an end; and no record tells of a passage."""

from random import Random

import pytest

from lighting import decision
from lighting.presence import PresenceBoost
from node.trade import LOCK
from tests.lighting.test_trade import DIMMED, EXTINCTION, PRESENCE, SUNSET_S, Lamp, Order
from wire import event, quantity

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
def test_what_changes_the_light_under_a_boost_is_told_and_the_boost_is_not(ends):
    lamp = Lamp(calendar=EXTINCTION, presence=PRESENCE)
    count = len(told_levels(lamp))
    lamp.passer_by().live(3000)
    assert lamp.level == 100 and len(told_levels(lamp)) == count
    if ends == "order":
        lamp.order = Order(0, "emergency")
    elif ends == "lock":
        lamp.trade.local = LOCK
    else:
        lamp.unix_s = SUNSET_S + (8 if ends == "extinction" else 16) * 3600
    lamp.turn()
    expected = {"order": "emergency", "lock": decision.LOCK}.get(ends, decision.CALENDAR)
    assert lamp.trade.outputs.rule == expected
    assert [detail[:3] for detail in told_levels(lamp)[count:]] == [(0, 60, expected)]


def test_a_calendar_that_dims_under_a_boost_is_told_at_its_hour():
    lamp = Lamp(calendar=[1, [[127, 0, 0, 0]], [[[1, 0, 60], [0, 1410, 40], [2, 0, 0]]]], presence=PRESENCE)
    lamp.passer_by().live(3000)
    lamp.unix_s = SUNSET_S + 8 * 3600
    lamp.turn()
    assert lamp.level == 100 and told_levels(lamp)[-1][:3] == (40, 60, decision.CALENDAR)
    count = len(told_levels(lamp))
    assert lamp.live(90_000).level == 40 and len(told_levels(lamp)) == count


def test_the_end_of_a_boost_is_held_while_an_order_may_come():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by().live(3000)
    lamp.order_expected = True
    assert lamp.live(90_000, step_ms=500).level == 100
    lamp.order_expected = False
    assert lamp.live(40_000, step_ms=500).level == 30


def test_no_record_tells_of_a_passer_by():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE).minutes(3)
    alone = Lamp(calendar=DIMMED, presence=PRESENCE).minutes(3)
    assert lamp.trade.readings(lamp.moment())[quantity.LEVEL_ORDERED] == 30
    for _ in range(20):
        lamp.passer_by().minutes(1, came=True)
        assert lamp.level == 100
        alone.minutes(1)
        assert lamp.trade.readings(lamp.moment()) == alone.trade.readings(alone.moment())
    assert lamp.said == alone.said
    assert quantity.ENERGY not in lamp.trade.readings(lamp.moment()), "it is told by the hour"
    health = lamp.trade.health(lamp.moment())
    assert quantity.ENERGY in health and health == alone.trade.health(alone.moment())


@pytest.mark.parametrize("output", ["relay", "dali"])
def test_where_presence_lights_an_extinction_no_record_counts_the_starts(output):
    presence = {**PRESENCE, "in_extinction": 1}
    lamp = Lamp(unix_s=SUNSET_S + 8 * 3600, calendar=EXTINCTION, output=output, presence=presence)
    lamp.values = {quantity.GEAR_STARTS: 41}
    lamp.minutes(3)
    assert not {quantity.LAMP_STARTS, quantity.GEAR_STARTS} & set(lamp.trade.health(lamp.moment()))


def test_a_lamp_that_dies_under_people_who_never_cease_to_pass_is_told():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE).minutes(10)
    lamp.values = {quantity.POWER: 10}
    for minute in range(5):
        lamp.passer_by().minutes(1, came=True)
        assert lamp.codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)] * (minute >= 2)
    shown = next(detail for _, code, _, detail in lamp.said if code == event.LAMP_FAILURE)
    assert shown[quantity.LEVEL_ORDERED] == 30
    lamp.values = {}
    for _ in range(5):
        lamp.passer_by().minutes(1, came=True)
    assert len(lamp.codes(event.LAMP_FAILURE)) == 1, "the watts that show its end are those of a passage"
    assert lamp.minutes(6).codes(event.LAMP_FAILURE)[1:] == [(event.LAMP_FAILURE, False)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("output", ["0-10v", "dali", "relay"])
def test_who_passes_changes_neither_when_a_dead_lamp_is_told_nor_what(seed, output):
    draw = Random(f"{seed} {output}")
    calendar = [1, [[127, 0, 0, 0]], [[[1, 0, 60], [0, 1140, 0], [0, 1160, 30], [2, 0, 0]]]]
    presence = {**PRESENCE, "in_extinction": draw.randrange(2)}
    both = [Lamp(calendar=calendar, presence=presence, output=output) for _ in range(2)]
    dies = draw.choice((draw.randrange(2, 35), draw.randrange(60, 75)))
    dead = [one for one in range(dies, 90) if draw.randrange(6)]  # and flickers
    for minute in range(90):
        one_in = draw.choice((2, 20))
        comes = [not draw.randrange(one_in) for _ in range(12)]
        for lamp, passages in zip(both, (comes, [False] * 12), strict=True):
            lamp.values = {quantity.POWER: 6} if minute in dead else {}
            for comes_now in passages:
                if comes_now:
                    lamp.passer_by()
                lamp.live(5000, step_ms=5000)
            lamp.trade.sample(lamp.reading(), lamp.moment())
            lamp.turn()
    told = [next(one for one in lamp.said if one[1] == event.LAMP_FAILURE) for lamp in both]
    assert told[0] == told[1]


def test_the_watts_that_show_an_order_are_not_those_from_before_a_boost():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE).minutes(3)
    lamp.passer_by().minutes(1, came=True)
    lamp.order = Order(100, "command")
    lamp.turn()
    lamp.minutes(3)
    assert lamp.trade.measured(lamp.moment()) == 360
    assert lamp.trade.readings(lamp.moment())[quantity.LEVEL_ORDERED] == 100
