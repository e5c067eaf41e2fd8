"""Daylight as a photocell sees it, and a battery that ends."""

import pytest

from policy import civil, sun
from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.sensors import Battery, Photocell
from simulator.world.chance import Prng

PLACE = {"latitude_e4": BEHUARD.latitude_e4, "longitude_e4": BEHUARD.longitude_e4}
MIDNIGHT_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2027, 5, 10), 0)
SUNSET_S = sun.crossing_s(civil.days_from_civil(2027, 5, 10), *PLACE.values(), rising=False)


@pytest.fixture
def cell():
    return Photocell(Prng("clouds"), **PLACE)


def test_night_is_dark_day_is_bright_and_dusk_falls_between(cell):
    assert cell.lux(MIDNIGHT_S) == 0
    assert cell.lux(MIDNIGHT_S + 13 * 3600) > 10_000
    assert 80 <= cell.lux(SUNSET_S) <= 500
    assert cell.lux(SUNSET_S + 2400) < 10
    # Within an hour clouds do not change: twilight only falls.
    hour_s = SUNSET_S - SUNSET_S % 3600
    seen = [cell.lux(at_s) for at_s in range(hour_s, hour_s + 3600, 60)]
    assert seen == sorted(seen, reverse=True)


def test_the_darkest_cloud_and_the_brightest_sky_leave_the_checkers_band_alone(cell):
    """The checker judges by 6° below and 0° above the horizon: dusk and dawn by the cell fall in between."""
    for at_s in range(MIDNIGHT_S, MIDNIGHT_S + 7 * 86_400, 120):
        height = sun.elevation_cdeg(at_s, *PLACE.values())
        if height < -600:
            assert cell.lux(at_s) < 35
        elif height >= 0:
            assert cell.lux(at_s) > 55


def test_what_may_be_in_front_of_it(cell):
    noon_s = MIDNIGHT_S + 13 * 3600
    clean = cell.lux(noon_s)
    cell.clear_permille = 100
    assert cell.lux(noon_s) == clean // 10
    cell.is_covered = True
    assert cell.lux(noon_s) == 0
    cell.is_covered, cell.is_dazzled = False, True
    assert cell.lux(MIDNIGHT_S) == 3_000


def test_a_battery_floats_drains_ends_and_comes_back_slowly():
    battery = Battery(45 * 60_000)
    assert battery.voltage_mv() == 13_650 and battery.due_ms() is None
    battery.mains(False, now_ms=1_000)
    assert battery.voltage_mv() == 12_750
    assert battery.due_ms() == 1_000 + 45 * 60_000
    battery.move(now_ms=1_000 + 22 * 60_000)
    assert 11_700 < battery.voltage_mv() < 11_900
    battery.move(now_ms=battery.due_ms())
    assert battery.is_empty and battery.due_ms() is None and battery.voltage_mv() == 10_800
    battery.mains(True, now_ms=3_000_000)
    assert not battery.is_empty
    battery.move(now_ms=3_000_000 + 45 * 60_000)
    assert 11_500 < battery.voltage_mv() < 12_000  # charging, an eighth of it
    battery.move(now_ms=3_000_000 + 9 * 45 * 60_000)
    assert battery.voltage_mv() == 13_650
