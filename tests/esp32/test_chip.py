"""The clock grows across the wrap of the chip's counter, and `random_below` is within its bounds and even."""

import itertools

import pytest

from esp32.chip import Clock, random_below_of

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


def from_bytes(data):
    stream = itertools.cycle(data)
    return lambda count: bytes(next(stream) for _ in range(count))


@pytest.mark.parametrize("bound", [1, 2, 255, 256, 257, 0x10000, 1 << 32, (1 << 32) + 1])
def test_every_value_is_below_its_bound(bound):
    random_below = random_below_of(from_bytes(range(256)))
    assert all(0 <= random_below(bound) < bound for _ in range(300))


def test_each_value_is_as_likely_as_the_others():
    random_below = random_below_of(from_bytes(range(256)))
    drawn = [random_below(100) for _ in range(200)]  # the bytes 200 to 255 would favour 0 to 55
    assert sorted(drawn) == sorted(list(range(100)) * 2)
