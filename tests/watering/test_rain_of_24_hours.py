"""A programme with a depth of its own asks no balance: it must know of rain that fell before midnight."""

import pytest

from simulator.plants.climate import Storm
from tests.support.green import PLAIN, DryClimate, Green, programs, skipped
from wire import directive

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
