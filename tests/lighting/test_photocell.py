"""The photocell's patience, how the sun judges it, and a lamp that has a photocell and no time."""

import pytest

from lighting import decision, limits
from lighting.photocell import BRIGHT, DARK, Photocell
from tests.lighting.test_trade import Lamp
from wire import event, quantity

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
STARTED_MS = (1 << 30) - 2 * MINUTE_MS
HIGH, LOW, TWILIGHT = 1500, -900, 0


class Bench:
    """A cell that is read once a minute."""

    def __init__(self, first_lx):
        self.now_ms = STARTED_MS
        self.cell = Photocell(now_ms=self.now_ms)
        self.minutes(1, first_lx)

    def minutes(self, count, lux, elevation_cdeg=None):
        for _ in range(count):
            self.now_ms += MINUTE_MS
            self.cell.observe(lux, elevation_cdeg, now_ms=self.now_ms)
        return self

    def days(self, count, *, by_day_lx, by_night_lx):
        for _ in range(count):
            self.minutes(480, by_day_lx, HIGH).minutes(240, by_day_lx, TWILIGHT)
            self.minutes(480, by_night_lx, LOW).minutes(240, by_night_lx, TWILIGHT)
        return self


def test_the_first_reading_is_believed_at_once():
    assert Bench(35).cell.is_dark is True
    assert Bench(36).cell.is_dark is False


def test_dark_counts_after_a_minute_and_bright_after_two():
    bench = Bench(500)
    assert bench.minutes(1, 35).cell.is_dark is False
    assert bench.minutes(1, 35).cell.is_dark is True
    assert bench.cell.changed_lx == 35
    assert bench.minutes(2, 55).cell.is_dark is True
    assert bench.minutes(1, 55).cell.is_dark is False


def test_between_the_levels_nothing_changes():
    assert Bench(20).minutes(60, 54).cell.is_dark is True
    assert Bench(900).minutes(60, 36).cell.is_dark is False


def test_a_headlamp_and_a_cloud_change_nothing():
    assert Bench(3).minutes(2, 4000).minutes(1, 3).minutes(2, 4000).cell.is_dark is True
    assert Bench(4000).minutes(1, 10).minutes(1, 4000).minutes(1, 10).cell.is_dark is False


def test_a_silent_cell_has_no_word_after_five_minutes_and_has_one_again_at_once():
    bench = Bench(10).minutes(4, None)
    assert bench.cell.is_dark is True
    assert bench.minutes(1, None).cell.is_dark is None and bench.cell.is_silent
    assert bench.minutes(1, 10).cell.is_dark is True and not bench.cell.is_silent


def test_day_is_two_hours_of_daylight_without_a_gap():
    bench = Bench(9000).minutes(119, 2000)
    assert not bench.cell.is_day and bench.minutes(1, 2000).cell.is_day
    assert not bench.minutes(1, 1999).cell.is_day and not bench.minutes(120, 9000).cell.is_day
    assert bench.minutes(1, 9000).cell.is_day
    assert not bench.minutes(10, None).minutes(120, 9000).cell.is_day, "silence was no daylight"


def test_a_sign_is_no_day():
    assert not Bench(500).minutes(24 * 60, 1500).cell.is_day


@pytest.mark.parametrize(("lux", "stuck"), [(0, DARK), (9000, BRIGHT)])
def test_a_cell_that_says_always_the_same_is_stuck_after_a_day_and_free_when_it_agrees(lux, stuck):
    bench = Bench(lux).days(1, by_day_lx=lux, by_night_lx=lux)
    assert bench.cell.stuck is None
    bench.days(1, by_day_lx=lux, by_night_lx=lux)
    assert bench.cell.stuck == stuck and bench.cell.is_dark is None
    bench.days(1, by_day_lx=9000, by_night_lx=0)
    assert bench.cell.stuck is None and bench.cell.is_dark is True


def test_a_healthy_cell_is_never_stuck():
    bench = Bench(0)
    for _ in range(10):
        assert bench.days(1, by_day_lx=9000, by_night_lx=0).cell.stuck is None


def test_on_a_switched_feeder_that_never_sees_the_day_nothing_is_contradicted():
    assert Bench(0).minutes(3 * 1440, 0, LOW).cell.stuck is None


def test_twilight_judges_nothing():
    assert Bench(0).minutes(3 * 1440, 0, TWILIGHT).cell.stuck is None


@pytest.mark.parametrize(("lux", "other_lx", "stuck"), [(0, 9000, DARK), (9000, 0, BRIGHT)])
def test_without_a_time_a_cell_that_does_not_change_for_a_day_is_stuck_until_it_does(lux, other_lx, stuck):
    bench = Bench(lux).minutes(1438, lux)
    assert bench.cell.stuck is None
    assert bench.minutes(1, lux).cell.stuck == stuck and bench.cell.is_dark is None
    assert bench.minutes(5, other_lx).cell.stuck is None and bench.cell.is_dark is (other_lx == 0)


def test_without_a_time_a_healthy_cell_is_never_stuck():
    bench = Bench(9000)
    for _ in range(10):
        assert bench.minutes(17 * 60, 9000).minutes(7 * 60, 0).cell.stuck is None
    for _ in range(10):
        assert bench.minutes(8 * 60, 9000).minutes(16 * 60, 0).cell.stuck is None


def test_a_time_that_is_lost_accuses_no_cell():
    bench = Bench(9000).days(3, by_day_lx=9000, by_night_lx=0)
    assert bench.minutes(600, 9000).minutes(600, 0).minutes(600, 9000).cell.stuck is None


@pytest.mark.parametrize("elevation_cdeg", [None, LOW])
def test_a_cell_that_is_heard_again_after_two_days_has_its_day_to_show_itself(elevation_cdeg):
    bench = Bench(9000).minutes(2880, None)
    assert bench.minutes(600, 9000, elevation_cdeg).cell.stuck is None
    assert bench.minutes(900, 9000, elevation_cdeg).cell.stuck == BRIGHT


def test_a_cell_that_is_believed_for_ever_is_seen(monkeypatch):
    """Planted: no contradiction is ever enough."""
    monkeypatch.setattr(limits, "CELL_CONTRADICTION_MS", 1 << 60)
    with pytest.raises(AssertionError):
        test_a_cell_that_says_always_the_same_is_stuck_after_a_day_and_free_when_it_agrees(0, DARK)


def dusk_without_a_clock():
    """A switched feeder closes at sunset, the time is not known, and the sky goes dark within half an hour."""
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
