"""The crash file keeps the last few notes and stays small; crumbs tell how the last life ended."""

import pytest

from esp32 import crash, guard, rtc
from tests.esp32.test_guard import Machine
from tests.esp32.test_rtc import Chip

TASKS = ("network", "ports", "application")


def test_the_last_notes_are_kept_in_order(in_folder):
    for number in range(9):
        crash.note("head", ValueError(f"number {number}"))
    kept = crash.entries()
    assert [f"number {number}" in text for number, text in zip((5, 6, 7, 8), kept, strict=True)] == [True] * 4


def test_a_long_note_keeps_its_end_and_the_file_its_size(in_folder):
    for _ in range(6):
        crash.note("head", ValueError("x" * 5000 + " the cause"))
    assert (in_folder / crash.NAME).stat().st_size < 4000
    assert "the cause" in crash.entries()[-1]


def test_a_file_that_cannot_be_written_is_no_second_crash(in_folder, capsys):
    (in_folder / crash.NAME).mkdir()
    crash.note("head", ValueError("gone"))
    assert "not written" in capsys.readouterr().out
    assert crash.entries() == []


def test_the_pause_after_a_crash_ends_by_the_clock_however_late_each_sleep_is():
    clock = {"ms": 5}

    def sleeps_late(slice_ms):
        clock["ms"] += 3 * slice_ms

    crash.pause(3000, lambda: clock["ms"], lambda end, start: end - start, sleeps_late)
    assert 3000 <= clock["ms"] - 5 <= 3300


# --- crumbs ---------------------------------------------------------------------------------------------------------


def crumbs(chip, now_ms=1000):
    return crash.Crumbs(rtc.Memory(chip), TASKS, now_ms=now_ms)


def lived(chip, *, end=None, error=None):
    life = crumbs(chip)
    for turn in range(100):
        now_ms = 1000 + 1000 * turn
        life.enter(turn % 3)
        life.step(50_000 + 100 * abs(turn - 50), lambda *, now_ms: 9000 - now_ms // 50, now_ms=now_ms)
    life.enter(1)
    if end is not None:
        life.end(end, now_ms=100_000, error=error)


def test_after_a_reset_the_crumbs_say_which_task_how_long_and_how_little_was_left():
    chip = Chip()
    assert crumbs(chip).past() is None
    lived(chip)
    assert crumbs(chip).past() == crash.Past(crash.ALIVE, None, "ports", 95, 50_000, 7080)


def test_an_exception_leaves_its_digest_the_same_for_the_same_error():
    chip, other, again = Chip(), Chip(), Chip()
    lived(chip, end=crash.CRASHED, error=ValueError("one"))
    lived(again, end=crash.CRASHED, error=ValueError("one"))
    lived(other, end=crash.CRASHED, error=ValueError("other"))
    past = crumbs(chip).past()
    assert past.end == crash.CRASHED and len(past.digest) == crash.DIGEST_BYTES and past.uptime_s == 99
    assert crumbs(again).past().digest == past.digest != crumbs(other).past().digest


def test_figures_are_looked_at_every_few_seconds_only():
    asked = []
    life = crumbs(Chip())
    for now_ms in range(1000, 61_000, 100):
        life.step(5, lambda *, now_ms: asked.append(1) or 5, now_ms=now_ms)
    assert len(asked) == 12


@pytest.mark.parametrize(
    ("ended", "chip_says", "end", "word"),
    [
        (guard.POWER, 1, None, "power-on"),
        (guard.BROWN_OUT, 1, crash.ALIVE, "brown-out"),
        (guard.SLEEP, 4, crash.SLEEPING, "deep-sleep"),
        (guard.RESET, 3, crash.ALIVE, "watchdog"),
        (guard.RESET, 2, crash.ALIVE, "panic"),
        (guard.RESET, 2, crash.CRASHED, "crash"),
        (guard.RESET, 3, crash.CRASHED, "crash"),
        (guard.RESET, 2, crash.PLANNED, "planned"),
        (guard.RESET, 2, None, "hard"),
        (guard.RESET, 5, crash.ALIVE, "soft"),
        (guard.RESET, 0, None, "unknown"),
    ],
)
def test_the_cause_of_a_start_is_told_by_what_the_last_life_knew_and_then_by_the_chip(ended, chip_says, end, word):
    past = None if end is None else crash.Past(end, None, None, 1, None, None)
    assert crash.cause(Machine(chip_says), ended, past) == word


def test_the_crumbs_have_the_region_of_their_name():
    chip = Chip()
    lived(chip)
    assert rtc.Memory(chip).get(rtc.CRUMBS) is not None
