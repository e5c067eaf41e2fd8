"""Ed25519 in plain Python says what RFC 8032 says, and what the gateway's verifier says."""

import pytest

from simulator.world import ed25519

# RFC 8032, section 7.1: TEST 1, 2 and 3: secret, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_rfc(vector):
    secret, public, data, signature = (bytes.fromhex(part) for part in vector)
    assert ed25519.public_key(secret) == public
    assert ed25519.sign(secret, data) == signature
    assert ed25519.verify(public, signature, data)


def test_what_is_changed_anywhere_does_not_hold():
    public, data, signature = (bytes.fromhex(part) for part in VECTORS[2][1:])
    assert not ed25519.verify(public, signature, data + b"x")
    for at in range(64):
        assert not ed25519.verify(public, signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :], data)
    assert not ed25519.verify(ed25519.public_key(b"another".ljust(32)), signature, data)
    assert not ed25519.verify(public, signature[:63], data)
    assert not ed25519.verify(b"\xff" * 32, signature, data)


def test_the_packages_verifier_and_ours_agree():
    keys = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    for number in range(8):
        secret = bytes((number,)) * 32
        data = b"policy" * number
        theirs = keys.Ed25519PrivateKey.from_private_bytes(secret)
        assert theirs.public_key().public_bytes_raw() == ed25519.public_key(secret)
        assert theirs.sign(data) == ed25519.sign(secret, data)
