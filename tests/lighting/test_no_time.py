"""A lamp with a photocell and without a time: what its feeder says, and a cell that a sign lights."""

from lighting import decision
from tests.lighting.test_trade import Lamp
from wire import event, quantity


def dusk_without_a_clock():
    """A switched feeder closes at sunset, nobody knows the time, and the sky goes dark within half an hour."""
    lamp = Lamp(unix_s=None, feeder="switched", photocell={})
    for minute in range(40):
        lamp.values[quantity.ILLUMINANCE] = 350 - 11 * min(minute, 31)
        lamp.minutes(1)
    return lamp


def test_on_a_switched_feeder_without_a_clock_a_bright_dusk_does_not_put_the_lamp_out():
    lamp = dusk_without_a_clock()
    assert [level for _, level in lamp.levels] == [100]
    assert set(lamp.rules()) == {decision.NO_TIME, decision.FEEDER, decision.CELL_ALONE}


def test_a_switched_feeder_that_is_held_by_day_goes_dark_after_two_hours_of_daylight():
    lamp = Lamp(unix_s=None, feeder="switched", photocell={})
    lamp.values[quantity.ILLUMINANCE] = 9000
    assert lamp.minutes(120).level == 100
    assert lamp.minutes(2).level == 0
    lamp.values[quantity.ILLUMINANCE] = 300
    assert lamp.minutes(1).level == 100


def test_without_a_time_a_cell_under_a_sign_is_told_after_a_day_and_the_street_is_lit():
    lamp = Lamp(unix_s=None, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 300}
    assert lamp.minutes(23 * 60).level == 0
    assert lamp.minutes(62).level == 100 and lamp.rules()[-1] == decision.NO_TIME
    told = [(active, detail) for _, code, active, detail in lamp.said if code == event.PHOTOCELL_FAILURE]
    assert told == [(True, ("bright",))]
    lamp.values[quantity.ILLUMINANCE] = 5
    assert lamp.minutes(3).level == 100 and lamp.rules()[-1] == decision.CELL_ALONE
    assert lamp.codes(event.PHOTOCELL_FAILURE)[-1] == (event.PHOTOCELL_FAILURE, False)
