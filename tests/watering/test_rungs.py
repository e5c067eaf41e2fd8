"""By which rung of the ladder a day's ET0 is found, of what the board's own ports give: it measures no sun."""

import pytest

from tests.support.green import programs
from tests.support.valve_box import ValveBox, settings
from watering import weather

HOUR_MS = 3_600_000


def reckoned(krs=16, **changes):
    """(rung, ET0) of a valve box after two days whose air is warmer and drier by day, nothing of the programme."""
    chosen = programs(settings(**changes))
    chosen["weather"] = [40, 2, 0, [], krs]
    box = ValveBox(chosen, at_minutes=0, turn_ms=1000)
    air = box.parts["AIR"]
    for hour in range(2 * 24):
        noon = min(hour % 24, 24 - hour % 24)
        air.temperature_ck, air.humidity_permille = 1400 + 100 * noon, 900 - 30 * noon
        box.run_to(box.now_ms + HOUR_MS)
    return box.trade.balance.rung, box.trade.balance.et0_cmm


def test_a_board_with_its_air_sensor_alone_reckons_penman_monteith():
    rung, et0_cmm = reckoned()
    assert rung == weather.PENMAN_AIR and 300 < et0_cmm < 700


def test_an_anemometer_that_says_calm_makes_it_less():
    rung, calm_cmm = reckoned(fitted=["wind"])
    assert rung == weather.PENMAN_AIR and calm_cmm < reckoned()[1] - 20


def test_at_the_coast_the_same_day_is_sunnier():
    assert reckoned(krs=19)[1] > reckoned()[1] + 30


@pytest.mark.parametrize("krs", [15, 20, None])
def test_a_place_that_is_neither_inland_nor_coast_is_refused(krs):
    with pytest.raises(AssertionError, match=r"weather\.krs"):
        reckoned(krs=krs)
