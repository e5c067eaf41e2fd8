"""Three starts that came to nothing lead to rescue; what is nobody's fault does not. Flash is spared, cuts do no
harm."""

from random import Random

import pytest

from esp32 import guard, rtc
from esp32.guard import BROWN_OUT, POWER, RESET, SLEEP, STRIKES_MAX, Guard, Store
from simulator.world.flash import Cut
from tests.esp32.test_rtc import Chip
from tests.support.powered_flash import Flash


class Board:
    """RTC memory and flash; each `start` is a reset (or what `ended` says), each `power_cut` empties the RTC."""

    def __init__(self):
        self.chip = Chip()
        self.flash = Flash()
        self.guard = None

    def start(self, ended=RESET, *, is_trial=False):
        if ended == POWER:
            self.chip = Chip()
        self.guard = Guard(rtc.Memory(self.chip), Store(open_file=self.flash.open))
        return self.guard.begin(ended, is_trial=is_trial)

    def rescued(self):
        self.start(POWER)
        for _ in range(STRIKES_MAX):
            last = self.start(RESET)
        assert last.is_rescue
        return self


def test_three_starts_that_came_to_nothing_lead_to_rescue_and_stay_there():
    board = Board()
    assert [board.start(POWER).is_rescue] + [board.start(RESET).is_rescue for _ in range(5)] == [
        False, False, False, True, True, True,
    ]  # fmt: skip


def test_a_good_start_clears_the_count_and_a_crash_after_it_is_no_strike():
    board = Board()
    board.start(POWER)
    board.start(RESET)
    board.start(RESET)
    board.guard.healthy()
    for _ in range(9):
        assert board.start(RESET).strikes == 0
        board.guard.healthy()


def test_fifty_short_cuts_of_the_mains_are_no_strike():
    board = Board()
    assert not any(board.start(POWER).strikes for _ in range(50))


def test_a_supply_that_sags_is_no_strike():
    board = Board()
    board.start(POWER)
    assert not any(board.start(BROWN_OUT).strikes for _ in range(50))


def test_a_restart_that_was_asked_for_is_no_strike():
    board = Board()
    board.start(POWER)
    for _ in range(9):
        board.guard.planned()
        assert board.start(RESET).strikes == 0


def test_trials_are_counted_by_the_slots_and_not_here():
    board = Board()
    board.start(POWER)
    board.guard.planned()
    assert [board.start(RESET, is_trial=True).strikes for _ in range(3)] == [0, 0, 0]
    assert board.start(RESET).strikes == 0


def test_a_trial_begun_by_the_rescue_runs_and_when_it_is_good_the_count_is_gone():
    board = Board().rescued()
    board.guard.planned()
    assert not board.start(RESET, is_trial=True).is_rescue
    board.guard.healthy()
    assert board.start(RESET) == guard.Start(False, guard.HEALTHY, 0, guard.RETRY_FIRST_S)


def test_a_trial_begun_by_the_rescue_that_fails_ends_in_the_rescue():
    board = Board().rescued()
    board.guard.planned()
    for _ in range(3):
        assert not board.start(RESET, is_trial=True).is_rescue
    assert board.start(RESET).is_rescue


def test_strikes_are_remembered_over_a_loss_of_power():
    board = Board()
    for ended in (POWER, RESET, RESET, POWER):
        assert not board.start(ended).is_rescue
    assert board.start(RESET).is_rescue


def test_turning_the_power_off_and_on_gives_the_application_one_try():
    board = Board().rescued()
    assert not board.start(POWER).is_rescue
    assert board.start(RESET).is_rescue
    assert not board.start(POWER).is_rescue
    board.guard.healthy()
    assert board.start(RESET).strikes == 0


def test_the_rescue_gives_a_try_by_itself_and_waits_longer_each_time_up_to_a_day():
    board = Board().rescued()
    waits = []
    for _ in range(8):
        waits.append(board.start(RESET).retry_s)
        board.guard.retry()
        assert not board.start(RESET).is_rescue, "the try"
        assert board.start(RESET).is_rescue, "and one strike is enough now"
    assert waits == [3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400]


def test_waking_from_deep_sleep_is_not_a_start():
    board = Board()
    board.start(POWER)
    board.guard.healthy()
    for _ in range(9):
        board.start(SLEEP)
    assert board.start(RESET).strikes == 0
    board.start(SLEEP)
    assert board.start(RESET).strikes == 1, "and a start that was not good is not made so by sleeping"


def test_flash_is_written_once_a_strike_and_never_by_a_good_start():
    board = Board()
    board.start(POWER)
    board.guard.healthy()
    for _ in range(1000):
        board.start(RESET)
        board.guard.healthy()
    assert board.flash.writes == 0
    board = Board().rescued()
    assert board.flash.writes == STRIKES_MAX
    for _ in range(1000):
        board.start(RESET)
        board.start(POWER)
    assert board.flash.writes == STRIKES_MAX


def test_a_flash_that_takes_nothing_leaves_the_count_to_the_rtc():
    board = Board()
    board.flash.refuses = True
    board.start(POWER)
    assert [board.start(RESET).is_rescue for _ in range(3)] == [False, False, True]


def test_with_neither_rtc_nor_flash_the_application_runs():
    board = Board()
    board.flash.refuses = True
    for _ in range(9):
        board.chip = Chip()
        assert not board.start(RESET).is_rescue


def test_a_cut_at_every_operation_leaves_the_count_before_or_after():
    whole = Flash()
    assert Store(open_file=whole.open).write((1, 0)) and Store(open_file=whole.open).write((2, 0))
    first = Flash()
    Store(open_file=first.open).write((1, 0))
    for cut_at in range(1, whole.operations - first.operations + 1):
        flash = Flash(first.files)
        flash.cut_at = cut_at
        with pytest.raises(Cut):
            Store(open_file=flash.open).write((2, 0))
        flash.cut_at = None
        assert Store(open_file=flash.open).read() in ((1, 0), (2, 0))
        assert Store(open_file=flash.open).write((3, 1)) and Store(open_file=flash.open).read() == (3, 1)


def test_whatever_happens_a_good_application_is_back_after_one_try():
    """Drawn lives: only what the chip knows decides, and a program that is good again runs at the latest after the
    rescue's next try or the next turn of the power."""
    prng = Random(11)
    for _ in range(200):
        board = Board()
        board.start(POWER)
        for _ in range(prng.randrange(30)):
            what = prng.randrange(5)
            if what == 0:
                board.guard.healthy()
            elif what == 1 and board.guard is not None:
                board.guard.planned()
            board.start(prng.choice((RESET, POWER, BROWN_OUT, SLEEP, RESET)))
        start = board.start(RESET)
        if start.is_rescue:
            board.guard.retry()
            start = board.start(RESET)
        assert not start.is_rescue
        board.guard.healthy()
        assert [board.start(ended).is_rescue for ended in (RESET, POWER, BROWN_OUT)] == [False] * 3


class Machine:
    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = range(1, 6)

    def __init__(self, cause):
        self._cause = cause

    def reset_cause(self):
        return self._cause


def test_a_power_on_with_memory_that_survived_was_a_brown_out():
    chip = Chip()
    empty = rtc.Memory(chip)
    assert guard.ended_by(Machine(1), empty) == POWER
    Guard(empty, Store(open_file=Flash().open)).begin(POWER, is_trial=False)
    kept = rtc.Memory(chip)
    assert [guard.ended_by(Machine(cause), kept) for cause in range(6)] == [
        RESET, BROWN_OUT, RESET, RESET, SLEEP, RESET,
    ]  # fmt: skip
