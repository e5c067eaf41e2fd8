"""The gateway's UTC: nobody gets a time while the system clock is not good."""

import pytest

from gateway.core import limits
from gateway.core.wallclock import Step, WallClock, drift_s
from wire.record import SYNCED, UNSET, Answer, Stamp


def test_before_it_is_told_there_is_no_time_and_own_records_carry_the_uptime():
    clock = WallClock(started_ms=10_000)
    assert clock.unix_s(now_ms=12_000) is None
    assert clock.answer(now_ms=12_000) == Answer(None, 0, None, 0)
    assert clock.stamp(now_ms=12_999) == Stamp(UNSET, 2, 0)


def test_the_time_is_carried_on_monotonic_milliseconds_in_between():
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_700, 3, now_ms=5000)
    assert clock.unix_s(now_ms=5299) == 1_790_000_000
    assert clock.unix_s(now_ms=5300) == 1_790_000_001
    assert clock.answer(now_ms=65_000) == Answer(1_790_000_060, 3, None, 0)
    assert clock.stamp(now_ms=65_000) == Stamp(SYNCED, 1_790_000_060, 3)


def test_a_clock_that_stops_being_good_is_no_longer_told():
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_000, 1, now_ms=0)
    clock.observe(None, 0, now_ms=1000)
    assert clock.answer(now_ms=2000) == Answer(None, 0, None, 0)
    assert clock.stamp(now_ms=2000).quality == UNSET
    assert clock.good_since_ms is None and clock.unix_ms_at(0) is None


def test_an_instant_before_the_clock_was_good_has_its_time_too():
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_500, 1, now_ms=60_000)
    assert clock.unix_ms_at(0) == 1_789_999_940_500 and clock.good_since_ms == 60_000
    clock.observe(1_790_000_010_500, 1, now_ms=70_000)
    assert clock.good_since_ms == 60_000, "since when without a break"
    assert clock.uptime_s(now_ms=70_999) == 70


@pytest.mark.parametrize("sign", [1, -1])
def test_a_word_beyond_both_uncertainties_is_a_step_and_is_told_once(sign):
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_000, 1, now_ms=0)
    within_ms = 1000 * (1 + 3 + drift_s(10_000) + limits.CLOCK_STEP_MARGIN_S)
    clock.observe(1_790_000_010_000 + sign * within_ms, 3, now_ms=10_000)
    assert clock.drain_step() is None and clock.steps == 0
    before_ms = 1_790_000_010_000 + sign * within_ms
    clock.observe(before_ms + sign * 60_000, 1, now_ms=10_000)
    assert clock.steps == 1
    assert clock.drain_step() == Step(before_ms // 1000, before_ms // 1000 + sign * 60, 4 + limits.CLOCK_STEP_MARGIN_S)
    assert clock.drain_step() is None
    assert clock.unix_ms_at(10_000) == before_ms + sign * 60_000, "the newer word holds"


def test_a_step_is_found_across_a_time_without_a_good_clock():
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_000, 1, now_ms=0)
    clock.observe(None, 0, now_ms=1000)
    clock.observe(1_790_000_100_000, 1, now_ms=10_000)
    assert clock.drain_step() == Step(1_790_000_010, 1_790_000_100, 5)


def test_what_a_free_crystal_may_be_off_is_no_step():
    clock = WallClock(started_ms=0)
    clock.observe(1_790_000_000_000, 1, now_ms=0)
    clock.observe(1_790_000_000_000 + 864_080_000, 1, now_ms=864_000_000)  # 80 s in ten days
    assert clock.steps == 0


def test_of_several_steps_the_whole_is_told():
    clock = WallClock(started_ms=0)
    for unix_s in (1000, 2000, 5000):
        clock.observe(1000 * (1_790_000_000 + unix_s), 1, now_ms=0)
    assert clock.drain_step()[:2] == (1_790_001_000, 1_790_005_000) and clock.steps == 2


TEN_YEARS_MS = 10 * 365 * 86_400_000


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_jumps_years_is_not_good_because_a_setting_says_so(sign):
    clock = WallClock(started_ms=0)
    good_ms, jumped_ms = 1_795_000_000_000, 1_795_000_000_000 + sign * TEN_YEARS_MS
    clock.observe(good_ms, 2, is_disciplined=False, now_ms=0)
    clock.observe(jumped_ms + 1000, 2, is_disciplined=False, now_ms=1000)
    assert clock.has_jumped and clock.answer(now_ms=1000) == Answer(None, 0, None, 0), "no lamp is told 2036"
    assert clock.stamp(now_ms=2000) == Stamp(UNSET, 2, 0) and clock.drain_step() is None
    assert clock.carried(now_ms=2000) == (good_ms // 1000 + 2, 3), "the cabinet goes on by the time it had"
    clock.observe(good_ms + 3000, 2, is_disciplined=False, now_ms=3000)
    assert not clock.has_jumped and clock.stamp(now_ms=3000) == Stamp(SYNCED, good_ms // 1000 + 3, 2)


def test_a_time_source_may_correct_years_and_a_hand_an_hour():
    clock = WallClock(started_ms=0)
    clock.observe(1_795_000_000_000, 2, is_disciplined=False, now_ms=0)
    clock.observe(1_795_000_000_000 + 3_600_000, 2, is_disciplined=False, now_ms=0)
    clock.observe(1_795_000_000_000 + TEN_YEARS_MS, 1, is_disciplined=True, now_ms=0)
    assert clock.steps == 2 and clock.unix_s(now_ms=0) == (1_795_000_000_000 + TEN_YEARS_MS) // 1000
