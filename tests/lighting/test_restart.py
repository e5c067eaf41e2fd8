"""A restart of its own lights a lamp fully for some seconds: when it may come."""

import pytest

from tests.lighting.test_trade import DIMMED, PRESENCE, SUNSET_S, Lamp, Order


def restarts_after(lamp, hours):
    """Hours of asking, ten times an hour, until a restart is allowed; None within `hours`."""
    for asked in range(10 * hours + 1):
        if lamp.trade.may_restart(lamp.moment()):
            return asked / 10
        lamp.live(360_000, step_ms=360_000)
    return None


def test_a_lamp_that_is_fully_lit_restarts_at_once_and_one_without_a_time_too():
    assert restarts_after(Lamp(), 0) == 0
    assert restarts_after(Lamp(unix_s=None), 0) == 0
    assert restarts_after(Lamp(unix_s=None, fail_safe=50), 0) == 0
    assert restarts_after(Lamp(calendar=DIMMED, output="relay"), 0) == 0, "lit at all, it is lit fully"


def test_by_day_and_in_hours_of_extinction_a_restart_waits_for_the_light():
    assert restarts_after(Lamp(unix_s=SUNSET_S - 5 * 3600), 24) == pytest.approx(5, abs=0.2)
    full = [1, [[127, 0, 0, 0]], [[[1, 0, 100], [0, 1410, 0], [0, 300, 100], [2, 0, 0]]]]
    assert restarts_after(Lamp(unix_s=SUNSET_S + 8 * 3600, calendar=full), 24) == pytest.approx(3.8, abs=0.3)


def test_a_lamp_that_is_never_so_bright_restarts_after_a_day_when_it_is_lit_at_all():
    assert restarts_after(Lamp(calendar=DIMMED), 72) == 24
    assert restarts_after(Lamp(unix_s=SUNSET_S - 5 * 3600, calendar=DIMMED), 72) == pytest.approx(29, abs=0.2)
    never = [1, [[127, 0, 0, 0]], [[[1, 0, 0], [2, 0, 0]]]]
    assert restarts_after(Lamp(calendar=never), 72) == 48


def test_on_a_switched_feeder_it_does_so_in_the_middle_of_the_night():
    assert restarts_after(Lamp(calendar=DIMMED, feeder="switched"), 72) == 3


def test_what_was_asked_long_ago_and_not_since_does_not_shorten_the_wait():
    lamp = Lamp(calendar=DIMMED)
    assert restarts_after(lamp, 23) is None
    lamp.live(2 * 3_600_000, step_ms=360_000)
    assert restarts_after(lamp, 72) == 24


def test_a_passer_by_does_not_lose_the_light_to_a_restart():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by().live(3000)
    assert lamp.level == 100 and not lamp.trade.may_restart(lamp.moment())


def test_an_order_that_the_next_life_would_not_know_keeps_its_light():
    lamp = Lamp(calendar=DIMMED)
    lamp.order = Order(100)
    lamp.turn()
    assert restarts_after(lamp, 72) == 24
