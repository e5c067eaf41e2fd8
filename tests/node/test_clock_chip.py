"""The clock chip: believed within its doubt, set by hysteresis, told when it is at fault."""

import pytest

from node import limits
from node.clock_chip import SILENT, STOPPED, ClockChip
from node.timekeeper import Timekeeper
from wire.record import Answer

NOON_S = 1_795_521_600
DAY_S = 86_400


def cold(set_s=NOON_S - 10 * DAY_S, doubt_s=2):
    clock = Timekeeper(started_ms=0)
    return clock, ClockChip(clock, set_s, doubt_s)


def answered(clock, unix_s, now_ms):
    clock.learn(Answer(unix_s, 0, None, 0), asked_ms=now_ms, now_ms=now_ms)


def test_at_a_cold_boot_it_gives_the_time_with_the_doubt_of_its_age():
    clock, chip = cold()
    assert chip.read(NOON_S, None, is_start=True, now_ms=0)
    assert clock.unix_s(0) == NOON_S and clock.uncertainty_s(0) == 2 + 1 + 4
    assert not clock.is_synced(0), "it is no gateway"


@pytest.mark.parametrize("set_s", [0, NOON_S + 60])
def test_one_that_was_never_set_or_shows_an_earlier_time_than_its_setting_is_not_believed(set_s):
    clock, chip = cold(set_s)
    assert not chip.read(NOON_S, None, is_start=True, now_ms=0) and not clock.is_set()


def test_after_long_sleeps_it_is_better_than_what_was_carried_and_teaches_the_sleeps_rate():
    clock = Timekeeper(started_ms=0)
    answered(clock, NOON_S, 1000)
    kept = clock.asleep(2000)
    slept_s = 4 * 3600
    woken = Timekeeper(started_ms=0)
    woken.resume(kept, slept_s * 1000 * 1008 // 1000, now_ms=0)
    chip = ClockChip(woken, NOON_S - 3600, 2)
    assert woken.uncertainty_s(0) > 100
    assert chip.read(NOON_S + slept_s + 1, None, is_start=False, now_ms=0)
    assert woken.uncertainty_s(0) <= 5 and abs(woken.unix_s(0) - NOON_S - slept_s) <= 2
    assert 7500 <= woken.sleep_drift[0] <= 8300
    assert chip.next_fault() is None


def test_a_better_time_of_the_gateway_stands():
    clock, chip = cold()
    answered(clock, NOON_S, 1000)
    assert not chip.read(NOON_S + 3, None, is_start=False, now_ms=1000)
    assert clock.unix_s(1000) == NOON_S and chip.next_fault() is None


def test_it_is_set_when_it_is_off_or_stale_and_not_again_within_a_day():
    clock, chip = cold()
    chip.read(NOON_S, None, is_start=True, now_ms=0)
    assert chip.wants_set(0) is None, "nobody sets a clock from itself"
    answered(clock, NOON_S + 2, 1000)
    assert chip.wants_set(1000) is None, "two seconds are no reason"
    clock, chip = cold()
    chip.read(NOON_S + 10, None, is_start=True, now_ms=0)
    answered(clock, NOON_S, 1000)
    assert chip.wants_set(1000) == NOON_S
    chip.was_set(NOON_S, True, now_ms=1000)
    assert (chip.chip_set_s, chip.chip_doubt_s) == (NOON_S, 1) and chip.wants_set(2000) is None
    stale, chip = cold(NOON_S - 40 * DAY_S)
    chip.read(NOON_S, None, is_start=True, now_ms=0)
    answered(stale, NOON_S, 1000)
    assert chip.wants_set(1000) == NOON_S
    chip.was_set(NOON_S, False, now_ms=1000)
    assert chip.wants_set(2000) is None and chip.chip_set_s == NOON_S - 40 * DAY_S, "one that refuses is left alone"


def test_a_gateway_that_is_far_away_in_time_sets_nothing():
    clock, chip = cold(0)
    chip.read(None, STOPPED, is_start=True, now_ms=0)
    clock.learn(Answer(NOON_S, 30, None, 0), asked_ms=0, now_ms=1000)
    assert chip.wants_set(1000) is None
    answered(clock, NOON_S, 2000)
    assert chip.wants_set(2000) == NOON_S
    assert chip.wants_set(2000 + limits.SYNCED_FOR_MS) is None


@pytest.mark.parametrize("word", [SILENT, STOPPED])
def test_one_that_was_set_once_and_gives_no_time_is_told_once_and_a_new_one_is_not(word):
    _, chip = cold()
    chip.read(None, word, is_start=True, now_ms=0)
    assert chip.next_fault() == word and chip.next_fault() is None
    _, new = cold(0)
    new.read(None, word, is_start=True, now_ms=0)
    assert new.next_fault() is None
    _, woken = cold()
    woken.read(None, word, is_start=False, now_ms=0)
    assert woken.next_fault() is None, "told at the next start, not at each waking"


def test_one_that_contradicts_the_gateway_is_told_in_either_order():
    clock, chip = cold()
    chip.read(NOON_S - 3600, None, is_start=True, now_ms=0)
    answered(clock, NOON_S, 1000)
    assert chip.next_fault() == "disagrees" and clock.unix_s(1000) == NOON_S
    clock, chip = cold()
    answered(clock, NOON_S, 1000)
    chip.read(NOON_S - 3600, None, is_start=False, now_ms=1000)
    assert chip.next_fault() == "disagrees" and clock.unix_s(1000) == NOON_S
