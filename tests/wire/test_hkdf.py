"""HKDF-SHA-256 against RFC 5869's vectors and CPython's own HMAC."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import oscore_context


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
