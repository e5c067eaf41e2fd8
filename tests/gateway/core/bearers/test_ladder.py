"""The reset ladder: each rung in its time, an hour for a modem that restarts, and never a loop."""

from itertools import pairwise
from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.modem import POWER, RESELECT, RESTART, ResetLadder

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def run(ladder, start_ms, end_ms, *, can_talk=True):
    """[(minutes, reset)] of a stretch of time in which only the deadline wakes it."""
    done = []
    now_ms = start_ms
    while (deadline_ms := ladder.deadline_ms()) is not None and max(deadline_ms, now_ms) < end_ms:
        now_ms = max(now_ms, deadline_ms)
        reset = ladder.next_reset(can_talk=can_talk, now_ms=now_ms)
        if reset is not None:
            done.append(((now_ms - start_ms) // MINUTE_MS, reset))
        assert ladder.deadline_ms() > now_ms
    return done


def down(has_power=True):
    ladder = ResetLadder(has_power=has_power)
    ladder.observe(True, now_ms=0)
    return ladder


def test_a_bearer_that_is_up_is_left_alone():
    ladder = ResetLadder(has_power=True)
    ladder.observe(False, now_ms=0)
    assert ladder.deadline_ms() is None
    assert ladder.next_reset(can_talk=True, now_ms=DAY_MS) is None


def test_the_rungs_come_ever_harder_and_ever_later():
    assert run(down(), 0, DAY_MS) == [
        (10, RESELECT),
        (30, RESTART),
        (90, POWER),
        (90 + 60, POWER),
        (90 + 60 + 120, POWER),
        (90 + 60 + 120 + 240, POWER),
    ]


def test_without_a_way_to_cut_the_power_it_is_restarted_instead():
    assert [reset for _, reset in run(down(has_power=False), 0, 12 * HOUR_MS)] == [RESELECT, *[RESTART] * 5]


def test_a_modem_that_cannot_be_talked_to_is_given_the_hour_before_its_power_goes():
    assert run(down(), 0, 3 * HOUR_MS, can_talk=False) == [(60, POWER), (120, POWER)]


def test_a_modem_that_neither_talks_nor_can_be_cut_is_left_alone_without_a_loop():
    assert run(down(has_power=False), 0, 30 * DAY_MS, can_talk=False) == []


def test_resets_a_day_are_bounded_for_weeks():
    done = [minutes for minutes, _ in run(down(), 0, 30 * DAY_MS)]
    for index, first in enumerate(done):
        within = [minutes for minutes in done[index:] if minutes < first + DAY_MS // MINUTE_MS]
        assert len(within) <= limits.MODEM_RESETS_PER_DAY_MAX
    assert len(done) > 100


def test_nothing_follows_a_restart_sooner_than_an_hour():
    done = run(down(), 0, 30 * DAY_MS)
    assert all(b[0] - a[0] >= 60 for a, b in pairwise(done) if a[1] != RESELECT)


def test_a_recovery_that_does_not_last_goes_on_up_the_ladder_and_one_that_lasts_starts_it_anew():
    ladder = down()
    assert run(ladder, 0, 31 * MINUTE_MS) == [(10, RESELECT), (30, RESTART)]
    ladder.observe(False, now_ms=40 * MINUTE_MS)
    ladder.observe(True, now_ms=45 * MINUTE_MS)
    assert run(ladder, 45 * MINUTE_MS, 110 * MINUTE_MS) == [(60, POWER)]
    ladder.observe(False, now_ms=120 * MINUTE_MS)
    ladder.observe(True, now_ms=130 * MINUTE_MS)
    assert run(ladder, 130 * MINUTE_MS, 141 * MINUTE_MS) == [(10, RESELECT)]


def test_a_flapping_bearer_is_not_reset_at_all():
    ladder = ResetLadder(has_power=True)
    for minute in range(0, 24 * 60, 8):
        ladder.observe(minute % 16 == 0, now_ms=minute * MINUTE_MS)
        assert run(ladder, minute * MINUTE_MS, (minute + 8) * MINUTE_MS) == []


def test_while_it_is_held_no_time_is_waited_off():
    ladder = down()
    for minute in range(100):
        ladder.hold(now_ms=minute * MINUTE_MS)
    assert run(ladder, 99 * MINUTE_MS, 115 * MINUTE_MS) == [(10, RESELECT)]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_resets_stay_apart_and_bounded(seed):
    rng = Random(seed)
    ladder = ResetLadder(has_power=bool(seed % 2))
    now_ms, done = 0, []
    while now_ms < 20 * DAY_MS:
        now_ms += rng.choice([1, 1000, MINUTE_MS, 20 * MINUTE_MS])
        if rng.randrange(40) == 0:
            ladder.observe(bool(rng.randrange(3)), now_ms=now_ms)
        reset = ladder.next_reset(can_talk=bool(rng.randrange(5)), now_ms=now_ms)
        if reset:
            done.append((now_ms, reset))
        deadline_ms = ladder.deadline_ms()
        assert deadline_ms is None or deadline_ms > now_ms
    assert done
    for index, (first_ms, _) in enumerate(done):
        within = [at_ms for at_ms, _ in done[index:] if at_ms < first_ms + DAY_MS]
        assert len(within) <= limits.MODEM_RESETS_PER_DAY_MAX
    assert all(b[0] - a[0] >= limits.MODEM_RESELECT_WAIT_MS for a, b in pairwise(done))
    assert all(b[0] - a[0] >= HOUR_MS for a, b in pairwise(done) if b[1] == POWER)
