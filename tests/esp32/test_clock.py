"""The clock adapter grows across the wrap of the chip's counter."""

import pytest

from esp32.clock import Clock

PERIOD = 1 << 30


class Ticks:
    def __init__(self, start):
        self.now = start

    def ms(self):
        return self.now % PERIOD

    @staticmethod
    def diff(end, start):
        return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2


@pytest.mark.parametrize("start", [0, 1, PERIOD - 1, PERIOD - 3000, PERIOD // 2 - 1])
def test_the_clock_starts_at_zero_and_grows_through_the_wrap(start):
    ticks = Ticks(start)
    clock = Clock(ticks.ms, ticks.diff)
    assert clock.now_ms() == 0
    total = 0
    for step in (1, 2999, 1, 0, 100, PERIOD // 2 - 1, PERIOD // 2 - 1, 7):
        ticks.now += step
        total += step
        assert clock.now_ms() == total


def test_three_periods_are_counted_whole():
    ticks = Ticks(PERIOD - 5)
    clock = Clock(ticks.ms, ticks.diff)
    for _ in range(12):
        ticks.now += PERIOD // 4
        seen = clock.now_ms()
    assert seen == 3 * PERIOD


def test_a_clock_that_was_not_read_for_half_a_period_is_our_own_bug():
    ticks = Ticks(0)
    clock = Clock(ticks.ms, ticks.diff)
    ticks.now += PERIOD // 2
    with pytest.raises(AssertionError):
        clock.now_ms()
