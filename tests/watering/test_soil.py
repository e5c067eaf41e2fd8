"""Soil probes: told by zone, a wet one spares a start, a broken or a lying one leaves no lawn thirsty."""

import pytest

from policy.fault import Faults
from tests.support.green import DAILY, Green, own, plain, programs, skipped
from watering import inputs, lockouts, settings
from wire import quantity

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
