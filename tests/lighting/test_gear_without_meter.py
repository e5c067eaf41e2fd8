"""A DALI gear need not measure: it is sound without, and tells of its dead lamp."""

import pytest

from lighting import inputs
from tests.lighting.test_standing import again
from tests.lighting.test_trade import HEALTHY, Lamp, gear
from wire import event, quantity

METERLESS = {**HEALTHY, **dict.fromkeys((quantity.POWER, quantity.ENERGY, quantity.VOLTAGE)), inputs.METER: 0}


def meterless(**plain):
    lamp = Lamp(output="dali", **plain)
    lamp.values = dict(METERLESS)
    return lamp


def test_a_gear_without_a_meter_is_sound():
    lamp = meterless()
    del lamp.values[inputs.METER]  # not known at first
    lamp.minutes(4)
    lamp.values = dict(METERLESS)
    lamp.minutes(30)
    assert {code for code, _ in lamp.codes()} == {event.LEVEL_CHANGED}
    assert lamp.trade.is_sound(lamp.moment())


@pytest.mark.parametrize("meter", [1, 0, None])
def test_a_gear_that_has_or_had_a_meter_and_is_silent_about_it_is_told(meter):
    lamp = gear() if meter != 1 else meterless()
    lamp.values = {**METERLESS, inputs.METER: meter}
    assert lamp.minutes(6).codes(event.METER_FAILURE) == [(event.METER_FAILURE, True)]
    lamp.values = dict(HEALTHY)
    assert lamp.minutes(1).codes(event.METER_FAILURE)[1:] == [(event.METER_FAILURE, False)]


def test_the_meters_alarm_ends_with_a_gear_that_has_none():
    lamp = gear()
    lamp.values = {**METERLESS, inputs.METER: 1}
    lamp = again(lamp.minutes(10), output="dali")
    lamp.values = {**METERLESS, inputs.METER: None}
    assert lamp.minutes(10).codes(event.METER_FAILURE) == []
    lamp.values = dict(METERLESS)
    assert lamp.minutes(1).codes(event.METER_FAILURE) == [(event.METER_FAILURE, False)]


def test_a_dead_lamp_behind_a_gear_without_a_meter_is_told_though_it_has_no_level():
    lamp = meterless().minutes(8)
    lamp.values.update({inputs.GEAR_STATUS: 2, quantity.LEVEL_MEASURED: None})
    assert lamp.minutes(4).codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]
    assert not lamp.trade.is_sound(lamp.moment())
    lamp.values = dict(METERLESS)
    assert lamp.minutes(6).codes(event.LAMP_FAILURE)[1:] == [(event.LAMP_FAILURE, False)]
