"""Faults of a lamp from its power: three of five agree, nothing is said while it warms up or has just changed."""

import random

import pytest

from lighting import limits
from lighting.watch import LampWatch, SupplyWatch, expected_dw, lamp_model
from wire.event import (
    CYCLING_FAILURE,
    DIMMING_FAILURE,
    LAMP_FAILURE,
    LAMP_UNEXPECTED_ON,
    METER_FAILURE,
    POWER_TOO_HIGH,
    POWER_TOO_LOW,
    RELAY_FAILURE,
    VOLTAGE_TOO_HIGH,
    VOLTAGE_TOO_LOW,
)

MODEL = lamp_model(360, 6)
MINUTE_MS = 60_000
STARTED_MS = (1 << 30) - 2 * MINUTE_MS


class Bench:
    """A lamp sampled once a minute. `said`: [(minute, code, begins)]."""

    def __init__(self, model=MODEL, *, sun_up=True, **options):
        self.watch = LampWatch(model, **options)
        self.sun_up = sun_up
        self.minute = 0
        self.level = 0
        self.said = []

    def command(self, level_percent):
        self.level = level_percent
        self.watch.observe_level(level_percent, now_ms=STARTED_MS + self.minute * MINUTE_MS)
        return self

    def powers(self, level_percent):
        """(what a healthy lamp draws at the level of now, what it draws at another)."""
        return self.watch.expected_dw(self.level), self.watch.expected_dw(level_percent)

    def moments(self, *powers):
        """Samples a second apart, right after a change."""
        for second, power in enumerate(powers):
            now_ms = STARTED_MS + self.minute * MINUTE_MS + 1000 * second
            told = self.watch.sample(power, now_ms=now_ms, is_sun_up=lambda: self.sun_up)
            self.said += [(self.minute, code, begins) for code, begins in told]
        return self

    def minutes(self, *powers, **more):
        """A sample a minute; of a pair the second is the current in mA."""
        for power in powers:
            self.minute += 1
            pair = power if isinstance(power, tuple) else (power,)
            now_ms = STARTED_MS + self.minute * MINUTE_MS
            told = self.watch.sample(*pair, now_ms=now_ms, is_sun_up=lambda: self.sun_up, **more)
            self.said += [(self.minute, code, begins) for code, begins in told]
        return self


def lit(level_percent=100):
    """A lamp that burns well and is warm, ten minutes after it was lit."""
    bench = Bench().command(level_percent)
    return bench.minutes(*[bench.watch.expected_dw(level_percent)] * 10)


def test_the_expected_power_is_linear_between_standby_and_nominal():
    watch = LampWatch(MODEL)
    assert [watch.expected_dw(level) for level in (0, 1, 50, 100)] == [6, 9, 183, 360]


def test_a_dead_lamp_is_told_after_warm_up_and_three_samples():
    bench = Bench().command(100).minutes(*[6] * 20)
    assert bench.said == [(7, LAMP_FAILURE, True)]
    assert bench.watch.active == {LAMP_FAILURE}


@pytest.mark.parametrize("dead", [(1, 1, 1), (1, 0, 1, 0, 1), (1, 1, 0, 0, 1)])
def test_three_of_five_are_enough(dead):
    bench = lit().minutes(*[6 if one else 360 for one in dead])
    assert [code for _, code, _ in bench.said] == [LAMP_FAILURE]


@pytest.mark.parametrize("dead", [(1, 1), (1, 0, 0, 0, 1), (1, 1, 0, 0, 0, 1, 1)])
def test_fewer_are_not(dead):
    assert lit().minutes(*[6 if one else 360 for one in dead]).said == []


def test_the_failure_ends_once_the_last_five_are_healthy():
    bench = lit().minutes(6, 6, 6, *[360] * 6)
    assert [(code, begins) for _, code, begins in bench.said] == [(LAMP_FAILURE, True), (LAMP_FAILURE, False)]
    assert bench.said[1][0] == bench.said[0][0] + 5
    assert bench.watch.active == set()


def test_one_healthy_sample_ends_nothing():
    bench = lit().minutes(6, 6, 6, 360, 6, 360, 6, 360, 6)
    assert len(bench.said) == 1


def test_a_failure_outlives_the_day_and_ends_at_the_next_healthy_night():
    bench = lit().minutes(6, 6, 6).command(0).minutes(*[6] * 30).command(100)
    assert bench.watch.active == {LAMP_FAILURE}
    lit_at = bench.minute
    bench.minutes(*[360] * 12)
    assert bench.said[1:] == [(lit_at + 7, LAMP_FAILURE, False)]


def test_a_lamp_that_warms_up_slowly_is_no_failure():
    assert Bench().command(100).minutes(6, 6, 6, 20, 60, 200, 300, *[360] * 10).said == []


def test_a_sample_within_a_minute_of_the_change_does_not_count():
    watch = LampWatch(MODEL)
    watch.observe_level(100, now_ms=0)
    for turn in range(20):
        at_ms = 1_000_000 + turn * 120_000
        watch.observe_level(100 if turn % 2 else 50, now_ms=at_ms)
        for delay_ms in (1, 30_000, 59_999):
            assert watch.sample(6, now_ms=at_ms + delay_ms) == []


def test_samples_from_before_a_change_do_not_count_after_it():
    bench = lit().minutes(6, 6).command(50).minutes(6, 6)
    assert bench.said == [], "two before, two after: each pair alone is too few"
    assert bench.minutes(6).said != []


def test_a_level_too_low_to_judge_is_not_judged():
    assert Bench().command(19).minutes(*[6] * 30).said == []


def test_a_lamp_that_burns_by_day_is_told_and_ends_when_it_stops():
    bench = Bench().command(0).minutes(*[6] * 10, *[300] * 4, *[6] * 6)
    assert [(code, begins) for _, code, begins in bench.said] == [
        (LAMP_UNEXPECTED_ON, True),
        (LAMP_UNEXPECTED_ON, False),
    ]
    assert bench.said[0][0] == 13


def test_a_day_burner_is_none_by_night():
    bench = Bench().command(0).minutes(*[300] * 6).command(100).minutes(300, 300)
    assert [(code, begins) for _, code, begins in bench.said] == [
        (LAMP_UNEXPECTED_ON, True),
        (LAMP_UNEXPECTED_ON, False),
    ]


@pytest.mark.parametrize("power", [0, 6, 11, 30])
def test_standby_by_day_is_not_burning(power):
    assert Bench().command(0).minutes(*[power] * 20).said == []


def test_before_any_level_is_commanded_nothing_is_judged():
    assert Bench().minutes(*[6] * 20).said == []


def supply(*samples):
    """[(sample number, code, begins)] of (power, voltage) pairs."""
    watch = SupplyWatch()
    return [(number, *change) for number, sample in enumerate(samples) for change in watch.sample(*sample)]


def test_a_silent_meter_is_told_after_five_samples_and_ends_at_the_first_reading():
    assert supply(*[(None, None)] * 20, (360, 2300)) == [(4, METER_FAILURE, True), (20, METER_FAILURE, False)]


def test_a_meter_silent_now_and_then_is_no_fault():
    assert supply(*([(None, None)] * 4 + [(360, 2300)]) * 10) == []


@pytest.mark.parametrize(("voltage", "code"), [(2069, VOLTAGE_TOO_LOW), (2531, VOLTAGE_TOO_HIGH), (0, VOLTAGE_TOO_LOW)])
def test_mains_outside_of_the_norm_are_told_after_three_samples_and_ended_after_five_good_ones(voltage, code):
    said = supply(*[(360, 2300)] * 5, *[(360, voltage)] * 6, *[(360, 2300)] * 6)
    assert said == [(7, code, True), (15, code, False)]
    assert supply(*[(360, 2070), (360, 2530)] * 10) == []


@pytest.mark.parametrize("level", [0, 100])
def test_missing_data_accuses_no_lamp(level):
    bench = Bench().command(level).minutes(*[None] * 60)
    assert bench.minutes(*[bench.watch.expected_dw(level)] * 20).said == []


def said_in_an_ordinary_night():
    """Boot, dimming in steps, off and on again; three samples after each change still show the watts of before."""
    bench = Bench().command(100).minutes(6, 60, *[360] * 20)
    for level in (70, 40, 20, 100, 0, 20, 0, 100):
        before, healthy = bench.powers(level)
        bench.command(level).moments(before, before, before).minutes(*[healthy] * 15)
    return bench.said


def test_an_ordinary_night_is_silent():
    assert said_in_an_ordinary_night() == []


@pytest.mark.parametrize(
    ("name", "value", "accused"),
    [("STEADY_MS", 0, {LAMP_FAILURE, LAMP_UNEXPECTED_ON}), ("DEAD_FLOOR_DW", 100, {LAMP_FAILURE})],
)
def test_an_eager_watch_is_seen(monkeypatch, name, value, accused):
    """Planted: no steady time, or a floor too high."""
    monkeypatch.setattr(limits, name, value)
    assert {code for _, code, _ in said_in_an_ordinary_night()} >= accused


# --- a day burner, by day and by night ------------------------------------------------------------------------------


@pytest.mark.parametrize(("sun_up", "minute"), [(True, 13), (False, 21), (None, 21)])
def test_a_lamp_that_burns_unordered_is_certain_by_day_and_watched_for_ten_minutes_more_at_night(sun_up, minute):
    bench = Bench(sun_up=sun_up).command(0).minutes(*[6] * 10, *[300] * 20)
    assert bench.said == [(minute, LAMP_UNEXPECTED_ON, True)]


def test_a_gear_that_says_it_burns_is_believed_without_a_meter():
    bench = Bench(has_relay=False).command(0).minutes(*[None] * 5, gear_percent=40)
    assert [code for _, code, _ in bench.said] == [LAMP_UNEXPECTED_ON]


def test_a_gear_that_says_its_lamp_is_dead_is_believed():
    bench = Bench(has_relay=False).command(100).minutes(*[360] * 10).minutes(*[360] * 3, gear_dead=True)
    assert [code for _, code, _ in bench.said] == [LAMP_FAILURE]


def test_a_gear_that_gives_no_level_in_the_dark_ends_no_day_burner():
    bench = Bench(has_relay=False).command(0).minutes(*[None] * 5, gear_percent=40)
    bench.minutes(*[None] * 10, gear_dead=True)
    assert bench.watch.active == {LAMP_UNEXPECTED_ON}


# --- the relay ------------------------------------------------------------------------------------------------------


def test_a_relay_that_sticks_closed_is_told_by_its_current_and_ends_in_the_dark_only():
    bench = Bench().command(0).minutes(*[(6, 5)] * 3, *[(360, 160)] * 4)
    assert {code for _, code, _ in bench.said} == {LAMP_UNEXPECTED_ON, RELAY_FAILURE}
    bench.command(100).minutes(*[(360, 160)] * 20)
    assert RELAY_FAILURE in bench.watch.active, "lit, it cannot show that it opens again"
    bench.command(0).minutes(*[(6, 5)] * 6)
    assert bench.watch.active == set()


def test_a_relay_that_stays_open_is_told_from_a_dead_lamp():
    """Open: watts and amperes of the dark. Dead: the driver idles with its filter's current."""
    stuck = Bench().command(0).minutes(*[(6, 5)] * 5).command(100).minutes(*[(6, 5)] * 12)
    assert {code for _, code, _ in stuck.said} == {LAMP_FAILURE, RELAY_FAILURE}
    dead = Bench().command(0).minutes(*[(6, 5)] * 5).command(100).minutes(*[(16, 45)] * 12)
    assert {code for _, code, _ in dead.said} == {LAMP_FAILURE}
    stuck.command(0).minutes(*[(6, 5)] * 10)
    assert RELAY_FAILURE in stuck.watch.active, "dark, it cannot show that it closes again"
    stuck.command(100).minutes(*[(360, 160)] * 12)
    assert stuck.watch.active == set()


def test_no_relay_is_judged_where_there_is_none_or_without_amperes():
    for bench in (Bench(has_relay=False), Bench()):
        current = (160,) if bench.watch._has_relay is False else ()
        bench.command(0).minutes(*[(360, *current)] * 6)
        assert {code for _, code, _ in bench.said} == {LAMP_UNEXPECTED_ON}


# --- cycling, dimming, power ----------------------------------------------------------------------------------------


def test_a_lamp_that_goes_out_and_comes_back_four_times_in_half_an_hour_cycles():
    bench = lit().minutes(*[6, 6, 360, 360, 360, 360] * 4)
    assert [(code, begins) for _, code, begins in bench.said if code == CYCLING_FAILURE] == [(CYCLING_FAILURE, True)]
    bench.minutes(*[360] * 61)
    assert bench.watch.active == set()


def test_a_lamp_that_cycles_and_then_dies_is_a_dead_lamp():
    """The end of a sodium lamp: it strikes again, and one day no more."""
    bench = lit().minutes(*[6, 6, 360, 360, 360, 360] * 4, *[6] * 29)
    assert bench.watch.active == {CYCLING_FAILURE}, "half an hour: it may be hot"
    bench.minutes(*[6] * 3)
    assert bench.watch.active == {LAMP_FAILURE}
    bench.minutes(*[360] * 6)
    assert bench.watch.active == set()


def test_a_lamp_that_cycled_before_a_cut_is_healthy_after_an_hour_without():
    bench = Bench(active={CYCLING_FAILURE}).command(100).minutes(*[360] * 60)
    assert bench.watch.active == {CYCLING_FAILURE}
    assert bench.minutes(*[360] * 6).said == [(65, CYCLING_FAILURE, False)]


@pytest.mark.parametrize("lit", [False, True])
def test_a_relay_that_stuck_before_a_cut_is_healthy_in_the_position_that_showed_it(lit):
    bench = Bench(active={RELAY_FAILURE}, relay_stuck_lit=lit)
    ended_dark = len(bench.command(0).minutes(*[(6, 5)] * 6).said)
    bench.command(100).minutes(*[(360, 160)] * 12)
    assert ended_dark == (0 if lit else 1)
    assert [(code, begins) for _, code, begins in bench.said] == [(RELAY_FAILURE, False)]


def test_a_meter_that_was_silent_before_a_cut_is_not_healthy_for_being_silent():
    watch = SupplyWatch(active={METER_FAILURE})
    assert [watch.sample(None, None) for _ in range(9)] == [[]] * 9
    assert watch.sample(360, 2300) == [(METER_FAILURE, False)]


def test_three_times_are_not_four_and_a_slow_cycle_is_none():
    assert lit().minutes(*[6, 360, 360, 360, 360, 360, 360, 360] * 3, *[360] * 30).said == []
    assert lit().minutes(*[6, *[360] * 12] * 8).said == []


def test_switching_by_order_is_no_cycle():
    bench = Bench()
    for _ in range(8):
        bench.command(0).minutes(6, 6).command(100).minutes(*[360] * 3)
    assert bench.said == []


def test_a_lamp_that_ignores_its_level_fails_to_dim_at_the_second_level():
    """The dimming line is open: full power at any level."""
    bench = lit().command(70).minutes(*[360] * 8)
    assert [code for _, code, _ in bench.said] == [POWER_TOO_HIGH]
    bench.command(40).minutes(*[360] * 8)
    assert bench.watch.active == {DIMMING_FAILURE}, "the cause is known: the power is its effect"
    bench.command(100).minutes(*[360] * 8)
    assert bench.watch.active == {DIMMING_FAILURE}, "at full light it looks healthy"
    bench.command(40).minutes(*[147] * 8)
    assert bench.watch.active == set()


def test_a_stronger_lamp_than_the_settings_say_is_no_dimming_failure():
    bench = lit().minutes(*[540] * 6).command(40).minutes(*[220] * 8)
    assert bench.watch.active == {POWER_TOO_HIGH}


@pytest.mark.parametrize(("power", "code"), [(397, POWER_TOO_HIGH), (323, POWER_TOO_LOW)])
def test_power_outside_the_tolerance_is_told_and_ended(power, code):
    bench = lit().minutes(*[power] * 5, *[360] * 6)
    assert [(code_, begins) for _, code_, begins in bench.said] == [(code, True), (code, False)]
    assert lit().minutes(*[396, 324] * 10).said == []


def test_a_wider_tolerance_is_kept():
    assert Bench(lamp_model(360, 6, tolerance_dw=80)).command(100).minutes(*[430] * 20).said == []


@pytest.mark.parametrize(
    ("gradient", "levels"), [(100, (6, 9, 183, 360)), (120, (6, 67, 212, 360)), (80, (6, 6, 138, 360))]
)
def test_the_power_model_follows_the_gradient_and_never_falls_below_standby(gradient, levels):
    model = lamp_model(360, 6, gradient_percent=gradient)
    assert tuple(expected_dw(model, level) for level in (0, 1, 50, 100)) == levels


def test_a_gear_that_cannot_go_below_its_floor_draws_what_the_floor_draws():
    model = lamp_model(360, 6, floor_percent=10)
    assert expected_dw(model, 3) == expected_dw(model, 10) == 41
    assert expected_dw(model, 0) == 6


@pytest.mark.parametrize("seed", range(20))
def test_a_reading_that_is_passed_over_would_have_changed_nothing(seed):
    """Runs of readings, sound or not, with changes of level, against a watch that judges each of them in full."""
    draw, passing, judging = random.Random(seed), Bench(), Bench()
    judging.watch.passes_over = lambda power_dw, current_ma: False
    for bench in (passing, judging):
        bench.command(0).minutes((6, 20), (6, 20), (6, 20), (6, 20))
    for _ in range(80):
        level = draw.choice((0, 15, 40, 60, 100, 100)) if draw.random() < 0.1 else passing.level
        sound_dw = expected_dw(MODEL, level)
        usual_dw = draw.choice((sound_dw,) * 6 + (6, 365, sound_dw * 115 // 100, sound_dw * 85 // 100, sound_dw // 2))
        powers = [
            draw.choice((None, max(0, usual_dw + draw.randint(-40, 40)))) if draw.random() < 0.1 else usual_dw
            for _ in range(draw.randint(1, 16))
        ]
        for bench in (passing, judging):
            if level != bench.level:
                bench.command(level)
            bench.minutes(*[power if power is None else (power, 20 + power // 2) for power in powers])
        assert passing.said == judging.said and passing.watch.active == judging.watch.active
        assert passing.watch._dark == judging.watch._dark
    assert passing.said


def test_a_sound_lamp_is_judged_in_full_until_five_samples_agree():
    bench = Bench().command(100).minutes(*[360] * 8)
    assert bench.watch._sound is None  # it warms up for four minutes, and four samples are not five
    bench.minutes(360)
    assert bench.watch._sound == (324, 396)
    assert bench.command(60).watch._sound is None
    assert bench.command(0).minutes(*[(6, 20)] * 6).watch._sound == (0, 30)
