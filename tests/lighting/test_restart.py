"""A restart of its own lights a lamp fully for some seconds: when it may come. Night is from 17:10 to 8:20."""

import pytest

from tests.lighting.test_trade import DIMMED, PRESENCE, SUNSET_S, Lamp, Order


def restarts_after(lamp, hours):
    """Hours of asking, ten times an hour, until a restart is allowed; None within `hours`."""
    for asked in range(int(10 * hours) + 1):
        if lamp.trade.may_restart(lamp.moment()):
            return asked / 10
        lamp.live(360_000, step_ms=360_000)
    return None


HOUR_S = 3600


def test_without_a_time_a_lamp_restarts_as_soon_as_it_is_lit():
    assert restarts_after(Lamp(unix_s=None), 0) == 0
    assert restarts_after(Lamp(unix_s=None, fail_safe=50), 0) == 0
    assert restarts_after(Lamp(unix_s=None, feeder="switched"), 0) == 0


def test_on_a_permanent_feeder_by_day_alone_an_hour_from_dusk_and_dawn():
    assert restarts_after(Lamp(unix_s=SUNSET_S - 5 * HOUR_S), 0) == 0
    before_dusk = Lamp(unix_s=SUNSET_S - 2 * HOUR_S)
    assert restarts_after(before_dusk, 0.9) == 0
    assert restarts_after(Lamp(unix_s=SUNSET_S - HOUR_S + 60), 14) is None, "dusk is too near"
    fully_lit_all_night = restarts_after(Lamp(), 24)
    assert fully_lit_all_night == pytest.approx(15.2, abs=0.3), "until an hour after sunrise"
    extinction = [1, [[127, 0, 0, 0]], [[[1, 0, 100], [0, 1410, 0], [2, 0, 0]]]]
    dark = Lamp(unix_s=SUNSET_S + 8 * HOUR_S, calendar=extinction)
    assert restarts_after(dark, 24) == pytest.approx(8.2, abs=0.3), "dark by night is not by day"


def test_on_a_switched_feeder_in_the_middle_of_the_night():
    assert restarts_after(Lamp(unix_s=SUNSET_S, feeder="switched"), 24) == pytest.approx(1, abs=0.2)
    assert restarts_after(Lamp(unix_s=SUNSET_S, calendar=DIMMED, feeder="switched"), 24) == pytest.approx(3, abs=0.2)
    dimmed_by_relay = Lamp(unix_s=SUNSET_S, calendar=DIMMED, feeder="switched", output="relay")
    assert restarts_after(dimmed_by_relay, 24) == pytest.approx(1, abs=0.2), "lit at all, it is lit fully"
    assert restarts_after(Lamp(unix_s=SUNSET_S + 14 * HOUR_S + 1800, feeder="switched"), 2) is None, "dawn is too near"


def test_what_was_asked_long_ago_and_not_since_does_not_shorten_the_wait():
    lamp = Lamp(unix_s=SUNSET_S + 2 * HOUR_S, calendar=DIMMED, feeder="switched")
    assert restarts_after(lamp, 2) is None
    lamp.live(2 * 3_600_000, step_ms=360_000)
    assert restarts_after(lamp, 72) == 3


def test_a_passer_by_does_not_lose_the_light_to_a_restart():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE, feeder="switched")
    lamp.passer_by().live(3000)
    assert lamp.level == 100 and not lamp.trade.may_restart(lamp.moment())


def test_an_order_that_the_next_life_would_not_know_keeps_its_light():
    lamp = Lamp(unix_s=SUNSET_S - 6 * HOUR_S)
    lamp.order = Order(100)
    lamp.turn()
    assert restarts_after(lamp, 4) is None
