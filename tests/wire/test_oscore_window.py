"""Replay windows against a plain set of all numbers ever accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import oscore_context
from wire.oscore_context import NEW, WINDOW_BITS

TOP = (1 << 40) - 1
NUMBERS = st.lists(st.integers(0, 80) | st.integers(TOP - 80, TOP), max_size=200)


@given(NUMBERS)
def test_a_number_is_accepted_once_and_not_when_it_is_too_old(numbers):
    window, accepted = NEW, set()
    for number in numbers:
        expected = number not in accepted and number > max(accepted, default=-1) - WINDOW_BITS
        assert oscore_context.window_allows(window, number) is expected
        if expected:
            window = oscore_context.window_with(window, number)
            accepted.add(number)
            assert window.highest == max(accepted) and 0 < window.seen < 1 << WINDOW_BITS


@given(st.integers(0, TOP))
def test_what_an_echo_or_a_journal_ends_is_past(number):
    window = oscore_context.window_after(number)
    assert not any(oscore_context.window_allows(window, old) for old in range(max(0, number - 40), number + 1))
    assert oscore_context.window_allows(window, number + 1)


def test_to_accept_what_is_not_fresh_is_our_bug():
    with pytest.raises(AssertionError):
        oscore_context.window_with(oscore_context.window_with(NEW, 3), 3)


def test_a_window_is_data():
    window = oscore_context.window_with(NEW, 3)
    assert (window, NEW) == ((3, 1), (-1, 0))
