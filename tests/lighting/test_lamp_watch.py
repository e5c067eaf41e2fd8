"""Faults of a lamp from its power: three of five agree, nothing is said while it warms up or has just changed."""

import pytest

from node import lamp
from node.lamp import LampModel, LampWatch
from wire.event import LAMP_FAILURE, LAMP_UNEXPECTED_ON, METER_FAILURE

MODEL = LampModel(360, 6, 300)
MINUTE_MS = 60_000
STARTED_MS = (1 << 30) - 2 * MINUTE_MS


class Bench:
    """A lamp sampled once a minute. `said`: [(minute, code, begins)]."""

    def __init__(self, model=MODEL):
        self.watch = LampWatch(model)
        self.minute = 0
        self.level = 0
        self.said = []

    def command(self, level_percent):
        self.level = level_percent
        self.watch.commanded(level_percent, now_ms=STARTED_MS + self.minute * MINUTE_MS)
        return self

    def powers(self, level_percent):
        """(what a healthy lamp draws at the level of now, what it draws at another)."""
        return self.watch.expected_dw(self.level), self.watch.expected_dw(level_percent)

    def moments(self, *powers):
        """Samples a second apart, right after a change."""
        for second, power in enumerate(powers):
            told = self.watch.sample(power, now_ms=STARTED_MS + self.minute * MINUTE_MS + 1000 * second)
            self.said += [(self.minute, code, begins) for code, begins in told]
        return self

    def minutes(self, *powers):
        for power in powers:
            self.minute += 1
            told = self.watch.sample(power, now_ms=STARTED_MS + self.minute * MINUTE_MS)
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
    watch.commanded(100, now_ms=0)
    for turn in range(20):
        at_ms = 1_000_000 + turn * 120_000
        watch.commanded(100 if turn % 2 else 50, now_ms=at_ms)
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


def test_a_silent_meter_is_told_after_five_samples_and_ends_at_the_first_reading():
    bench = lit().minutes(*[None] * 20, 360)
    assert bench.said == [(15, METER_FAILURE, True), (31, METER_FAILURE, False)]


def test_a_meter_silent_now_and_then_is_no_fault():
    assert lit().minutes(*[None, None, None, None, 360] * 10).said == []


@pytest.mark.parametrize("level", [0, 100])
def test_missing_data_accuses_no_lamp(level):
    bench = Bench().command(level).minutes(*[None] * 60)
    assert {code for _, code, _ in bench.said} == {METER_FAILURE}
    healthy = bench.watch.expected_dw(level)
    assert [code for _, code, _ in bench.minutes(*[healthy] * 20).said] == [METER_FAILURE, METER_FAILURE]


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
    [("_STEADY_MS", 0, {LAMP_FAILURE, LAMP_UNEXPECTED_ON}), ("_DEAD_FLOOR_DW", 100, {LAMP_FAILURE})],
)
def test_an_eager_watch_is_seen(monkeypatch, name, value, accused):
    """Planted: no steady time, or a floor too high."""
    monkeypatch.setattr(lamp, name, value)
    assert {code for _, code, _ in said_in_an_ordinary_night()} == accused
