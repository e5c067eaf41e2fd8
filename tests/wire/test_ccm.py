"""AES-CCM against RFC 3610's vectors and `cryptography`'s AESCCM; a wrong tag gives no plaintext."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import AesCcm
from tests.portable.cpython.cryptolib import aes
from tests.support.examples import examples
from wire import ccm
from wire.faults import WireFault

BOTH = pytest.mark.parametrize("cipher", [ccm.CryptolibCipher(aes), AesCcm()], ids=["chip", "gateway"])
KEYS = st.binary(min_size=16, max_size=16)
NONCES = st.binary(min_size=13, max_size=13)
KEY, NONCE = bytes(range(16)), bytes(range(13))


@BOTH
def test_the_vectors_of_rfc_3610(cipher, repository):
    lines = (repository / "tests" / "vectors" / "ccm.txt").read_text(encoding="utf-8").splitlines()
    vectors = [line.split() for line in lines if not line.startswith("#")]
    assert len(vectors) == 6
    for key, nonce, aad, plaintext, _, sealed in vectors:
        key, nonce, aad, plaintext, sealed = map(bytes.fromhex, (key, nonce, aad, plaintext, sealed))
        assert ccm.seal(cipher, key, nonce, aad, plaintext) == sealed
        assert ccm.unseal(cipher, key, nonce, aad, sealed) == plaintext


@BOTH
@given(KEYS, NONCES, st.binary(max_size=70), st.binary(max_size=300))
def test_another_implementation_seals_the_same(cipher, key, nonce, aad, plaintext):
    sealed = AESCCM(key, tag_length=8).encrypt(nonce, plaintext, aad)
    assert ccm.seal(cipher, key, nonce, aad, plaintext) == sealed
    assert ccm.unseal(cipher, key, nonce, aad, sealed) == plaintext


@BOTH
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 65535])
@pytest.mark.parametrize("aad_length", [0, 1, 13, 14, 15, 0xFEFF])
def test_the_edges_of_blocks_and_lengths(cipher, length, aad_length):
    plaintext, aad = bytes(length), bytes(aad_length)
    assert ccm.seal(cipher, KEY, NONCE, aad, plaintext) == AESCCM(KEY, 8).encrypt(NONCE, plaintext, aad)


@BOTH
def test_every_bit_counts(cipher):
    sealed = ccm.seal(cipher, KEY, NONCE, b"aad", b"plaintext")
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireFault, match=r"^decrypt$"):
            ccm.unseal(cipher, KEY, NONCE, b"aad", bytes(damaged))
    for key, nonce, aad in (
        (bytes(16), NONCE, b"aad"),
        (KEY, bytes(13), b"aad"),
        (KEY, NONCE, b"aae"),
        (KEY, NONCE, b""),
    ):
        with pytest.raises(WireFault, match=r"^decrypt$"):
            ccm.unseal(cipher, key, nonce, aad, sealed)


@BOTH
@examples(times=2)
@given(st.binary(max_size=40))
def test_what_is_too_short_or_random_is_refused(cipher, sealed):
    with pytest.raises(WireFault, match=r"^decrypt$"):
        ccm.unseal(cipher, KEY, NONCE, b"", sealed)


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_equality_is_equality(one, other):
    assert ccm.is_equal(one, other) is (one == other)
    assert ccm.is_equal(one, bytes(one))


def test_the_comparison_of_tags_looks_at_every_byte():
    class Counted(bytes):
        looks = 0

        def __getitem__(self, index):
            Counted.looks += 1
            return super().__getitem__(index)

    assert not ccm.is_equal(Counted(b"\0" * 8), b"\1" * 8)
    assert Counted.looks == 8
