"""The photocell's patience, how the sun judges it, and a lamp that has a photocell and no time."""

import pytest

from lighting import decision, limits
from lighting.photocell import BRIGHT, DARK, LAMP, Photocell
from policy import sun
from simulator.plants.lamps import clear_sky_lx
from simulator.world.chance import Prng
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
    bench.minutes(5, 35)
    assert bench.minutes(2, 55).cell.is_dark is True
    assert bench.minutes(1, 55).cell.is_dark is False


def test_between_the_levels_nothing_changes():
    assert Bench(20).minutes(25, 54).cell.is_dark is True
    assert Bench(900).minutes(25, 36).cell.is_dark is False


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


def reports(lamp):
    return [(active, detail) for _, code, active, detail in lamp.said if code == event.PHOTOCELL_FAILURE]


def test_without_a_time_a_lamp_under_a_sign_burns_within_the_hour_and_goes_out_by_day():
    lamp = Lamp(unix_s=None, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 300}
    assert lamp.minutes(60).level == 100 and reports(lamp) == [(True, ("lamp",))]
    assert lamp.minutes(12 * 60).level == 100, "the sign is on for the whole night"
    lamp.values[quantity.ILLUMINANCE] = 9000
    assert lamp.minutes(3).level == 0 and lamp.rules()[-1] == decision.CELL_ALONE
    lamp.values[quantity.ILLUMINANCE] = 300
    assert lamp.minutes(2).level == 100, "the second evening is known for what it is"


def test_the_report_of_a_lamp_in_the_cell_ends_a_day_after_its_light():
    lamp = Lamp(unix_s=None, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 300}
    lamp.minutes(60)
    for lux, hours in ((9000, 8), (5, 15), (9000, 1)):
        lamp.values[quantity.ILLUMINANCE] = lux
        lamp.minutes(60 * hours)
    assert reports(lamp)[-1] == (False, ("lamp",)) and lamp.level == 0


def test_a_lamp_under_a_sign_of_daylight_is_told_after_a_day_and_the_street_is_lit():
    lamp = Lamp(unix_s=None, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 1500}
    assert lamp.minutes(23 * 60).level == 0
    assert lamp.minutes(62).level == 100 and lamp.rules()[-1] == decision.NO_TIME
    assert reports(lamp) == [(True, ("bright",))]
    lamp.values[quantity.ILLUMINANCE] = 5
    assert lamp.minutes(3).level == 100 and lamp.rules()[-1] == decision.CELL_ALONE
    assert lamp.codes(event.PHOTOCELL_FAILURE)[-1] == (event.PHOTOCELL_FAILURE, False)


# --- light that is not the sky's, without a clock ---------------------------------------------------------------------


@pytest.mark.parametrize("own_lx", [60, 200])
def test_without_a_time_a_lamp_that_shines_on_its_own_cell_burns_all_night(own_lx):
    lamp = Lamp(unix_s=None, photocell={})
    for minute in range(14 * 60):
        sky_lx = 1000 * (60 - minute) // 60 if minute < 60 else 0
        lamp.values[quantity.ILLUMINANCE] = sky_lx + own_lx * (lamp.level > 0)
        lamp.minutes(1)
    lit_at = [level for _, level in lamp.levels]
    assert lit_at == [100, 0, 100] or lit_at == [100], "one dusk, one switching"
    assert reports(lamp) == [(True, ("lamp",))]


@pytest.mark.parametrize("lux", [60, 1900])
def test_light_that_comes_in_one_step_from_darkness_is_no_dawn(lux):
    bench = Bench(2).minutes(300, 2).minutes(25, lux)
    assert bench.cell.reads_dark is True and bench.cell.stuck is None
    assert bench.minutes(2, 1).minutes(25, lux).cell.reads_dark is True


def test_daylight_in_one_step_is_believed_for_snow_slides_off_a_cell():
    assert Bench(2).minutes(300, 2).minutes(3, 2000).cell.reads_dark is False


def test_a_floodlight_that_warms_up_in_four_minutes_is_no_dawn():
    bench = Bench(2).minutes(300, 2)
    for lux in (10, 40, 90, 150):
        bench.minutes(1, lux)
    assert bench.minutes(10, 150).cell.reads_dark is True


def test_a_dusk_that_ends_at_a_sign_is_found_within_the_hour_and_the_sign_is_told():
    bench = Bench(9000)
    for minute in range(30):
        bench.minutes(1, 100 + 800 * (29 - minute) // 30)
    assert bench.minutes(30, 100).cell.stuck == LAMP and bench.minutes(2, 100).cell.reads_dark is True
    assert bench.cell.is_dark is None, "nothing is added to a clock"


def test_a_screen_that_changes_all_the_time_is_no_sky_either():
    bench, chance = Bench(9000), Prng("screen")
    for _ in range(60):
        bench.minutes(1, chance.between(60, 200))
    assert bench.cell.stuck == LAMP


def test_with_a_time_twilight_and_day_accuse_no_cell_and_the_night_does():
    assert Bench(9000).minutes(120, 300, TWILIGHT).minutes(120, 300, HIGH).cell.stuck is None
    assert Bench(9000).minutes(120, 300, TWILIGHT).minutes(32, 300, LOW).cell.stuck == LAMP


@pytest.mark.parametrize("percent", [4, 10, 30, 100])
@pytest.mark.parametrize("latitude_e4", [423_000, 510_000])
def test_no_sky_of_the_year_is_taken_for_a_lamp(percent, latitude_e4):
    """Under clouds that let 4 % pass, too; a background of 20 lx is a neighbour's lamp."""
    for day in range(0, 365, 13):
        bench = Bench(20)
        was_dark = changes = 0
        for minute in range(0, 1440, 2):
            height = sun.elevation_cdeg(1_767_225_600 + 86_400 * day + 60 * minute, latitude_e4, 0)
            bench.now_ms += MINUTE_MS
            bench.minutes(1, 20 + clear_sky_lx(height) * percent // 100)
            changes += bench.cell.reads_dark is not was_dark
            was_dark = bench.cell.reads_dark
        assert bench.cell.stuck is None and changes == 3, day


@pytest.mark.parametrize("rule", ["CELL_DAWN_MS", "CELL_TWILIGHT_MS"])
def test_a_lamp_without_one_of_the_two_rules_is_seen(monkeypatch, rule):
    """Planted: any dawn is believed, or any twilight."""
    monkeypatch.setattr(limits, rule, 0 if rule == "CELL_DAWN_MS" else 1 << 60)
    with pytest.raises(AssertionError):
        test_without_a_time_a_lamp_that_shines_on_its_own_cell_burns_all_night(60)
        test_without_a_time_a_lamp_under_a_sign_burns_within_the_hour_and_goes_out_by_day()
