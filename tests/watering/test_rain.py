"""Rain on the sensor ends a run, and its delay holds for a day through restarts; a programme with a depth of its own
knows of rain that fell before midnight; a wet soil probe spares a start, a broken one leaves no lawn thirsty."""

import pytest

from node.limits import CHECKPOINTS_A_DAY
from policy.fault import Faults
from simulator.plants.climate import Storm
from tests.support.green import DAILY, ONE, PLAIN, DryClimate, Green, own, plain, programs, skipped
from watering import inputs, limits, lockouts, settings
from watering.weather import Weather
from wire import directive, event, quantity


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


@pytest.mark.slow
@pytest.mark.parametrize(("off_h", "skips"), [(6, 0), (23, 0), (24, 1), (72, 3), (168, 4)])
def test_the_delay_is_the_settings(off_h, skips):
    """Wet until 05:30, in the run of five; due each day at five."""
    green = rained_on({**ONE, "rain": [2, off_h]})
    green.run(hours=4 * 24)
    assert skipped(green).count((1, "rain")) == skips
    assert len(green.openings(1)) == 5 - skips


@pytest.mark.slow
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


LATE = [0, 127, 0, 0, 0, 30, 0, 1, 50]  # at half past midnight, 5 mm
EARLY = [0, 127, 0, 0, 0, 300, 0, 1, 50]  # at five


class Evening(DryClimate):
    """Rain from 23:20 to 23:50 on the first day."""

    first_day, rain_um = None, 30_000

    def day(self, civil_day):
        day = super().day(civil_day)
        self.first_day = self.first_day or civil_day
        return type(day)(*day[:7], (Storm(84_000, 1800, self.rain_um),)) if civil_day == self.first_day else day


def green_at_ten(program, climate=None):
    """From ten in the evening on, so that no start of the first day counts."""
    green = Green(programs(PLAIN, program), climate=climate)
    green.run(hours=22)
    green.desk.events.clear()
    return green


@pytest.mark.parametrize("program", [LATE, EARLY])
def test_30_mm_until_ten_to_midnight_are_known_half_an_hour_after_it_and_in_the_morning(program):
    green = green_at_ten(program, Evening())
    green.run(hours=8)
    assert skipped(green) == [(1, "rain")] and green.openings() == []
    green.run(hours=48)
    assert len(green.openings()) == 2, "it does not rain for ever"


def test_a_drizzle_of_the_evening_before_spares_no_start():
    climate = Evening()
    climate.rain_um = 1500
    green = green_at_ten(EARLY, climate)
    green.run(hours=8)
    assert len(green.openings()) == 1


def test_a_zone_in_the_balance_is_judged_by_its_balance_alone():
    climate = Evening()
    climate.rain_um = 4000
    green = green_at_ten([*EARLY[:8], 0], climate)
    green.desk.trade.balance.depletion_cmm[0] = 2500  # and 4 mm leave it thirsty
    green.run(hours=8)
    assert len(green.openings()) == 1


@pytest.mark.parametrize(("of_day", "waters"), [(0, 0), (-1, 1), (None, 0)])
def test_without_a_gauge_the_gateways_rain_counts_while_it_is_yesterdays(of_day, waters):
    """`of_day`: the first day, the one before it, not said."""
    chosen = programs(PLAIN, EARLY)
    chosen["weather"] = [40, 2, 0, []]
    green = Green(chosen)
    green.run(hours=24, minutes=5)
    green.desk.events.clear()
    green.desk.directives[directive.RAIN_DAY] = 300
    if of_day is not None:
        green.desk.directives[directive.WEATHER_DAY] = green.desk.trade.weather.today.civil_day - 1 + of_day
    green.run(hours=8)
    assert len(green.openings()) == waters


# Dry at 2.6 V, wet at 1.2 V, as capacitive probes are.
PROBE = [1, 2600, 1200, 700]
SETTINGS = programs(plain(soil=[PROBE]), DAILY)
KEY = quantity.key(quantity.SOIL_MOISTURE, 1)


def green_with(mv, plain_settings=SETTINGS):
    green = Green(plain_settings)
    read = green.ports.read
    green.ports.read = lambda: {**read(), **({} if mv is None else {inputs.SOIL_MV: mv})}
    return green


@pytest.mark.parametrize("mv,permille", [(2600, 0), (1200, 1000), (1900, 500), (2700, 0), (0, None), (3300, None)])
def test_a_voltage_is_a_moisture_between_dry_and_wet_and_a_broken_wire_is_none(mv, permille):
    assert lockouts.soil_permille(settings.SoilProbe(*PROBE), mv) == permille


@pytest.mark.parametrize("mv,waters", [(1300, False), (2300, True), (0, True), (None, True)])
def test_a_zone_whose_soil_is_wet_enough_is_not_watered_and_says_so(mv, waters):
    green = green_with(mv)
    green.run(hours=8)
    assert (green.litres(1) > 0) is waters
    assert skipped(green) == ([] if waters else [(1, "satisfied")])
    readings = green.desk.trade.readings(green.desk.moment())
    assert (KEY in readings) is (mv not in (0, None))


@pytest.mark.slow
def test_a_probe_that_says_wet_for_ever_does_not_dry_the_lawn_out():
    green = green_with(1250, programs(plain(soil=[PROBE]), [0, 127, 0, 0, 0, 300, 0, 1, 0]))
    green.run(hours=24 * 14)
    assert green.litres(1) > 0


def test_a_broken_probe_is_counted():
    green = green_with(0)
    green.run(hours=1)
    assert green.desk.trade.health(green.desk.moment())[quantity.SENSOR_FAULTS] > 0


@pytest.mark.parametrize("soil", [[[4, 2600, 1200, 700]], [[1, 1200, 1250, 700]], [PROBE] * 3, [[1, 2600, 1200]]])
def test_settings_of_probes_that_make_no_sense_are_faults(soil):
    faults = Faults()
    settings.decode(faults, plain(soil=soil), own().site)
    assert faults.count()
