"""Boosts by presence: hold, cap, and a detector that triggers without an end; ramps."""

import pytest

from lighting.dimming import Ramp
from lighting.presence import PresenceBoost

STARTED_MS = (1 << 30) - 5000
HOUR_MS = 3_600_000


def presence(per_hour_max=240, hold_s=45):
    return PresenceBoost(hold_s=hold_s, per_hour_max=per_hour_max, now_ms=STARTED_MS)


def walked_by(one, from_ms, until_ms, every_ms):
    now_ms = from_ms
    while now_ms < until_ms:
        one.trigger(now_ms=now_ms)
        now_ms += every_ms


def test_a_boost_holds_so_long_after_the_last_trigger():
    one = presence()
    assert not one.is_boosted(STARTED_MS)
    one.trigger(now_ms=STARTED_MS)
    one.trigger(now_ms=STARTED_MS + 30_000)
    assert one.deadline_ms() == STARTED_MS + 75_000
    assert one.is_boosted(STARTED_MS + 74_999)
    assert not one.is_boosted(STARTED_MS + 75_000)
    assert one.deadline_ms() is None


def test_triggers_of_one_passer_by_count_once():
    one = presence()
    walked_by(one, STARTED_MS, STARTED_MS + 9_900, 100)
    assert one.triggers == 1
    one.trigger(now_ms=STARTED_MS + 10_000)
    assert one.triggers == 2


def test_a_detector_that_never_rests_is_held_and_told_until_an_hour_has_half_as_many():
    one = presence(per_hour_max=100)
    walked_by(one, STARTED_MS, STARTED_MS + 1_000_000, 10_000)
    assert one.triggers == 100 and not one.is_failed
    one.trigger(now_ms=STARTED_MS + 1_000_000)
    assert one.is_failed
    silent_ms = STARTED_MS + 1_000_000
    assert one.is_boosted(silent_ms + 600_000), "it does not blink"
    assert one.deadline_ms() is not None
    assert not one.is_boosted(silent_ms + HOUR_MS) and not one.is_failed


def test_a_busy_street_is_no_failure():
    one = presence()
    for hour in range(24):
        walked_by(one, STARTED_MS + hour * HOUR_MS, STARTED_MS + (hour + 1) * HOUR_MS, 20_000)
        assert not one.is_failed and one.triggers <= 181


def test_hours_of_silence_are_forgotten():
    one = presence()
    walked_by(one, STARTED_MS, STARTED_MS + 600_000, 10_000)
    assert not one.is_boosted(STARTED_MS + 9 * HOUR_MS)
    assert one.triggers == 0


def test_a_ramp_rises_and_falls_linearly_and_arrives():
    ramp = Ramp(30)
    ramp.begin(100, 1000, now_ms=5000)
    levels = []
    now_ms = 5000
    while (due_ms := ramp.deadline_ms(now_ms)) is not None:
        now_ms = due_ms
        levels.append(ramp.advance(now_ms=now_ms))
    assert levels == [44, 58, 72, 86, 100]
    ramp.begin(30, 10_000, now_ms=8000)
    assert [ramp.advance(now_ms=8000 + ms) for ms in (0, 5000, 9999, 10_000)] == [100, 65, 31, 30]


def test_a_ramp_that_turns_begins_where_it_is():
    ramp = Ramp(20)
    ramp.begin(100, 1000, now_ms=0)
    assert ramp.advance(now_ms=500) == 60
    ramp.begin(20, 1000, now_ms=500)
    assert ramp.level_percent == 60 and ramp.advance(now_ms=1000) == 40


def test_going_where_it_goes_already_starts_nothing_again():
    ramp = Ramp(20)
    for now_ms in (0, 300, 600, 900):
        ramp.begin(100, 1000, now_ms=now_ms)
    assert ramp.advance(now_ms=1000) == 100


@pytest.mark.parametrize("lasts_ms", [0, 1])
def test_a_ramp_of_no_time_is_a_jump(lasts_ms):
    ramp = Ramp(20)
    ramp.begin(100, lasts_ms, now_ms=7)
    assert ramp.advance(now_ms=8) == 100 and ramp.deadline_ms(8) is None
