"""`random_below` is within its bounds and even."""

import itertools

import pytest

from esp32.entropy import below


def from_bytes(data):
    stream = itertools.cycle(data)
    return lambda count: bytes(next(stream) for _ in range(count))


@pytest.mark.parametrize("bound", [1, 2, 255, 256, 257, 0x10000, 1 << 32, (1 << 32) + 1])
def test_every_value_is_below_its_bound(bound):
    random_below = below(from_bytes(range(256)))
    assert all(0 <= random_below(bound) < bound for _ in range(300))


def test_each_value_is_as_likely_as_the_others():
    random_below = below(from_bytes(range(256)))
    drawn = [random_below(100) for _ in range(200)]  # the bytes 200 to 255 would favour 0 to 55
    assert sorted(drawn) == sorted(list(range(100)) * 2)
