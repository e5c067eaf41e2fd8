"""Rain on the sensor ends a run, and its delay holds for a day whatever happens to the node meanwhile."""

import pytest

from node.limits import CHECKPOINTS_A_DAY
from simulator.plants.climate import Storm
from tests.support.green import ONE, DryClimate, Green, own, plain, skipped
from watering import inputs, limits
from watering.weather import Weather
from wire import event


class Wet(DryClimate):
    """Twenty minutes of rain in the run of 5:00, as long as `wet`."""

    wet = True
    begin_s, rain_um = 18_600, 500

    def day(self, civil_day):
        day = super().day(civil_day)
        return type(day)(*day[:7], (Storm(self.begin_s, 1200, self.rain_um),)) if self.wet else day


def rained_on(settings=ONE):
    """A morning whose run the rain sensor has ended; dry from here on."""
    green = Green(settings, climate=Wet())
    green.ports.wet_sensor = True
    green.run(hours=6)
    (done,) = [detail for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert done[4] == "rain"
    green.site.climate.wet = False
    return green


def test_rain_on_the_sensor_ends_a_run_and_its_delay_holds_for_a_day():
    green = rained_on()
    green.run(hours=24)
    assert skipped(green)[-1] == (1, "rain")
    green.run(hours=24)
    assert len(green.openings(1)) == 2


@pytest.mark.parametrize(("off_h", "skips"), [(6, 0), (23, 0), (24, 1), (72, 3), (168, 4)])
def test_the_delay_is_the_settings(off_h, skips):
    """Wet until 05:30, in the run of five; due each day at five."""
    green = rained_on({**ONE, "rain": [2, off_h]})
    green.run(hours=4 * 24)
    assert skipped(green).count((1, "rain")) == skips
    assert len(green.openings(1)) == 5 - skips


@pytest.mark.parametrize("cut_h", [1, 40])
def test_a_longer_delay_goes_on_through_a_power_cut(cut_h):
    green = rained_on({**ONE, "rain": [2, 72]})
    green.cut(3_600_000 * cut_h, remembered=True)
    green.run(hours=71 - cut_h)
    assert len(green.openings(1)) == 1
    green.run(hours=25)
    assert len(green.openings(1)) == 2


@pytest.mark.parametrize("rain", [[-1, 24], [601, 24], [2, 0], [2, 169], [2], 24])
def test_a_delay_that_cannot_be_is_refused(rain):
    with pytest.raises(AssertionError, match="path='rain"):
        own(plain(rain=rain))


@pytest.mark.parametrize("out_h", [0, 20])
@pytest.mark.parametrize("knows_time", [True, False])
def test_the_delay_of_a_rain_sensor_goes_on_through_a_power_cut_however_long_and_with_or_without_a_clock(
    out_h, knows_time
):
    green = rained_on()
    green.desk.clock_s = 0 if knows_time else None
    green.run(minutes=1)
    green.cut(5000 + 3_600_000 * out_h, remembered=True)
    green.run(minutes=30)
    green.cut(remembered=True)
    green.desk.clock_s = 0
    green.run(hours=24 - out_h)
    assert skipped(green)[-1] == (1, "rain") and len(green.openings(1)) == 1
    green.run(hours=24)
    assert len(green.openings(1)) == 2


def test_a_delay_that_ended_during_a_long_cut_holds_nothing_back():
    green = rained_on()
    green.cut(40 * 3_600_000, remembered=True)
    green.run(hours=10)
    assert len(green.openings(1)) == 2 and (1, "rain") not in skipped(green)


def cut_in_the_hour_of_rain(*, has_sensor):
    """Green, cut half an hour after it began to rain at three; on flash is what was due at once, and nothing hourly."""
    green = Green(ONE, climate=Wet())
    green.ports.wet_sensor = has_sensor
    green.site.climate.begin_s, green.site.climate.rain_um = 3 * 3600, 5000
    desk, kept, written = green.desk, green.desk.trade.keeps, 0

    def write(_):
        nonlocal kept, written
        if desk.trade is not None and desk.trade.keeps != kept:
            kept, desk.memory, written = desk.trade.keeps, desk.trade.memory(green.site.now_ms), written + 1

    desk.watchers.append(write)
    green.run(minutes=3 * 60 + 30)
    desk.watchers.remove(write)
    green.site.climate.wet = False
    green.cut()
    return green, written


def test_rain_that_began_within_the_hour_before_a_power_cut_holds_for_its_day():
    green, _ = cut_in_the_hour_of_rain(has_sensor=True)
    green.run(hours=2)
    assert skipped(green) == [(1, "rain")] and green.openings(1) == []


def test_a_gauge_that_counted_enough_for_the_day_before_a_power_cut_is_believed_after_it():
    """Five millimetres: two are kept, the rest is less than a centimetre."""
    green, written = cut_in_the_hour_of_rain(has_sensor=False)
    assert written <= 2
    assert green.desk.trade.weather.today.rain_cmm >= 10 * limits.RAIN_SKIP_DMM


def test_a_day_of_rain_writes_once_and_once_a_centimetre():
    weather = Weather(own(), 0, None)
    due = []
    for tips in range(1501):
        values = {inputs.RAIN_TIPS: tips, inputs.RAIN_WET: 1}
        if weather.sample(values, wet_key=inputs.RAIN_WET, tips_key=inputs.RAIN_TIPS, now_ms=57_000 * tips):
            due.append(weather.today.rain_cmm)
    assert due == [0, *range(200, 30_001, 1000)] and len(due) < CHECKPOINTS_A_DAY
