"""The gateway's UTC: nobody gets a time while the system clock is not good."""

from gateway.core.wallclock import WallClock
from wire.record import SYNCED, UNSET, Answer, Stamp


def test_before_it_is_told_there_is_no_time_and_own_records_carry_the_uptime():
    clock = WallClock(started_ms=10_000)
    assert clock.unix_s(now_ms=12_000) is None
    assert clock.answer(now_ms=12_000) == Answer(None, 0)
    assert clock.stamp(now_ms=12_999) == Stamp(UNSET, 2, 0)


def test_the_time_is_carried_on_monotonic_milliseconds_in_between():
    clock = WallClock(started_ms=0)
    clock.tell(1_790_000_000_700, 3, now_ms=5000)
    assert clock.unix_s(now_ms=5299) == 1_790_000_000
    assert clock.unix_s(now_ms=5300) == 1_790_000_001
    assert clock.answer(now_ms=65_000) == Answer(1_790_000_060, 3)
    assert clock.stamp(now_ms=65_000) == Stamp(SYNCED, 1_790_000_060, 3)


def test_a_clock_that_stops_being_good_is_no_longer_told():
    clock = WallClock(started_ms=0)
    clock.tell(1_790_000_000_000, 1, now_ms=0)
    clock.tell(None, 0, now_ms=1000)
    assert clock.answer(now_ms=2000) == Answer(None, 0)
    assert clock.stamp(now_ms=2000).quality == UNSET
