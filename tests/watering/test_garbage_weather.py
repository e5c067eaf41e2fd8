"""Weather that is nonsense, missing, late or said twice leaves the bucket within its bounds, and the law holds."""

import pytest

from policy import civil
from simulator.checkers.water import Forbidden
from tests.support.green import PLAIN, Green, plain, programs, unmetered
from watering import balance
from wire import directive, quantity

GARBAGE = [-(2**31), -1, 5000, 65535, 2**31 - 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        directive.EVAPOTRANSPIRATION,
        directive.RAIN_DAY,
        directive.RAIN_FORECAST,
        directive.TEMPERATURE_MIN_6H,
        directive.WIND_SPEED,
        directive.DROUGHT_LEVEL,
    ],
)
def test_no_value_of_a_directive_takes_the_bucket_out_of_its_bounds(code):
    green = Green(unmetered(*PLAIN["watering"][2]))
    for value in GARBAGE:
        green.desk.directives[code] = value
        green.run(hours=24)
        for zone in range(3):
            depletion = green.desk.trade.readings(green.desk.moment())[quantity.key(quantity.ROOT_DEPLETION, zone + 1)]
            assert 0 <= depletion <= balance.total_cmm(green.own.policy.zones[zone]) // 10
    assert green.checker.violations == []


def test_sensors_that_say_nonsense_are_counted_and_the_next_rung_stands():
    green = Green()
    read = green.ports.read

    def nonsense():
        values = read()
        values[quantity.TEMPERATURE] = 32767
        values[quantity.HUMIDITY] = -5
        return values

    green.ports.read = nonsense
    green.run(hours=30)
    trade = green.desk.trade
    assert trade.balance.rung == "climatology" and trade.balance.et0_cmm == 430
    assert trade.health(green.desk.moment())[quantity.SENSOR_FAULTS] > 50


def test_rain_of_a_directive_is_counted_once_however_long_it_stands():
    green = Green(programs(plain(weather=[40, 2, 0, [0] * 12])))
    green.desk.directives.update({directive.RAIN_DAY: 60, directive.EVAPOTRANSPIRATION: 0})
    green.run(hours=2)
    need = green.desk.trade.balance
    before = list(need.depletion_cmm)
    green.run(hours=4)
    after = list(need.depletion_cmm)
    assert [max(0, value - 600) for value in before] == after
    green.run(hours=18)
    assert need.closed_day == civil.days_from_civil(2026, 5, 31)


def test_rain_of_the_gauge_is_counted_once_and_through_a_power_cut():
    green = Green()
    green.desk.directives.update({directive.EVAPOTRANSPIRATION: 0})
    green.run(hours=4)
    before = green.desk.trade.balance.depletion_cmm[0]
    green.site.rain_um += 5000
    green.run(hours=1)
    assert green.desk.trade.balance.lacking_cmm(1) == max(0, before - 500)
    green.cut(60_000, remembered=True)
    green.site.rain_um += 2000
    green.run(hours=23)
    green.desk.directives[directive.EVAPOTRANSPIRATION] = 0
    assert green.desk.trade.balance.depletion_cmm[0] <= max(0, before - 500)


@pytest.mark.slow
def test_law_of_a_drought_is_kept_through_all_of_this():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 630, 0, 7, 200]), drought=2, law=[Forbidden(0, 660, 1080)])
    green.run(hours=48)
    assert green.litres(1) > 0
    assert green.checker.violations == []
