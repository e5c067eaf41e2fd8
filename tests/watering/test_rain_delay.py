"""Rain on the sensor ends a run, and its delay holds for a day whatever happens to the node meanwhile."""

import pytest

from simulator.plants.climate import Storm
from tests.support.green import ONE, DryClimate, Green, skipped
from wire import event


class Wet(DryClimate):
    """Twenty minutes of rain in the run of 5:00, as long as `wet`."""

    wet = True

    def day(self, civil_day):
        day = super().day(civil_day)
        return type(day)(*day[:7], (Storm(18_600, 1200, 500),)) if self.wet else day


def rained_on():
    """A morning whose run the rain sensor has ended; dry from here on."""
    green = Green(ONE, climate=Wet())
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
