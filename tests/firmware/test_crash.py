"""The crash file keeps the last few notes and stays small."""

from esp32 import crash


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
