"""HKDF and replay windows of wire.oscore_context: published vectors, and every order of numbers."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import oscore_context
from wire.oscore_context import NEW, WINDOW_BITS


def test_the_vectors_of_rfc_5869(repository):
    lines = (repository / "tests" / "vectors" / "hkdf.txt").read_text(encoding="utf-8").splitlines()
    vectors = [line.split() for line in lines if not line.startswith("#")]
    assert len(vectors) == 3
    for secret, salt, info, length, _, key, output in vectors:
        secret, salt, info = (bytes.fromhex(text.strip("-")) for text in (secret, salt, info))
        assert oscore_context.hkdf_extract(salt, secret).hex() == key
        assert oscore_context.hkdf_expand(bytes.fromhex(key), info, int(length)).hex() == output


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_hmac_is_cpythons(key, data):
    assert oscore_context.hmac_sha256(key, data) == hmac.digest(key, data, "sha256")


@pytest.mark.parametrize("length", [0, oscore_context.OUTPUT_BYTES_MAX + 1])
def test_a_length_that_hkdf_cannot_give_is_our_bug(length):
    with pytest.raises(AssertionError):
        oscore_context.hkdf_expand(bytes(32), b"", length)


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


def test_to_accept_what_is_not_fresh_is_our_bug():
    with pytest.raises(AssertionError):
        oscore_context.window_with(oscore_context.window_with(NEW, 3), 3)


def test_a_window_is_data():
    window = oscore_context.window_with(NEW, 3)
    assert (window, NEW) == ((3, 1), (-1, 0))
