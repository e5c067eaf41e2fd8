"""Ed25519 against the vectors of RFC 8032, and no input that raises."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import verify_ed25519
from tests.support.commune import DEPUTY, MAYOR
from tests.support.examples import examples

# RFC 8032 section 7.1, tests 1 to 3: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032_hold_and_count_for_nothing(key, message, signature):
    """OpenSSL agrees with the vectors; their private keys are published, so nobody may act by them."""
    key, message, signature = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    assert not verify_ed25519(key, signature, message)


def test_a_signature_holds_under_its_key_and_for_its_data():
    signature = MAYOR.sign(b"data")
    assert verify_ed25519(MAYOR.key, signature, b"data")
    assert not verify_ed25519(MAYOR.key, signature, b"data\x00")
    assert not verify_ed25519(DEPUTY.key, signature, b"data")


def test_a_signature_has_one_form():
    """S plus the group's order satisfies the equation too; RFC 8032 section 5.1.7 wants S below the order."""
    signature = MAYOR.sign(b"data")
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not verify_ed25519(MAYOR.key, signature[:32] + s.to_bytes(32, "little"), b"data")


@examples(times=2)
@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=20))
def test_nothing_raises_and_nothing_holds(key, signature, data):
    assert not verify_ed25519(key, signature, data)


@examples(times=2)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_nothing_of_the_right_size_raises_and_holds(key, signature):
    assert not verify_ed25519(key, signature, b"data")


@pytest.mark.parametrize("wrong", [None, "text", 7, bytearray(64)])
def test_other_types_do_not_hold(wrong):
    assert not verify_ed25519(wrong, MAYOR.sign(b"data"), b"data")
    assert not verify_ed25519(MAYOR.key, wrong, b"data")
