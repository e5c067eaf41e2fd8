"""When to doubt that anybody is there: ever more rarely, and from the start again once something moves."""

from gateway.core import limits
from gateway.core.uplink.progress import WarehouseSilence

FIRST_MS, LAST_MS = limits.UPLINK_SILENCE_FIRST_MS, limits.UPLINK_SILENCE_LAST_MS


def test_each_doubt_doubles_the_wait_up_to_its_bound():
    silence = WarehouseSilence()
    silence.watch(1000)
    waits, now_ms = [], 1000
    for _ in range(8):
        waits.append(silence.deadline_ms() - now_ms)
        now_ms = silence.deadline_ms()
        silence.doubt(now_ms)
    assert waits == [FIRST_MS * factor for factor in (1, 2, 4, 8, 16)] + [LAST_MS] * 3


def test_only_the_first_doubt_begins_a_silence_and_a_move_ends_it():
    silence = WarehouseSilence()
    assert [silence.doubt(FIRST_MS), silence.doubt(3 * FIRST_MS)] == [True, False] and silence.is_silent
    assert silence.end(100_000) and not silence.is_silent
    assert silence.deadline_ms() == 100_000 + FIRST_MS
    assert not silence.end(100_000)


def test_what_is_watched_anew_while_silent_keeps_the_longer_wait():
    silence = WarehouseSilence()
    silence.doubt(FIRST_MS)
    silence.watch(500_000)
    assert silence.is_silent and silence.deadline_ms() == 500_000 + 2 * FIRST_MS
