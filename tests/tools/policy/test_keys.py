"""Private keys: readable by their owner alone, never over another file, never in a message."""

import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.io.crypto import verify_ed25519
from tools.policy import keys
from tools.policy.words import Refused


def no_passphrase(path):
    raise AssertionError("asked for a passphrase")


def test_a_pair_is_made_and_signs(tmp_path):
    member = keys.make(tmp_path / "maire.key", "49135", "Maire de Feneu", None)
    signer = keys.load_signer(tmp_path / "maire.key", no_passphrase)
    assert (signer.public_key, signer.kid) == (member.key, keys.cose.kid_of(member.key))
    assert verify_ed25519(member.key, signer.sign(b"data"), b"data")
    assert keys.load_member(tmp_path / "maire.pub") == member


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_its_owner_reads_a_private_key(tmp_path):
    old = os.umask(0)
    try:
        keys.make(tmp_path / "maire.key", "49135", "Maire", None)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "maire.key").stat().st_mode) == 0o600


def test_no_key_is_written_over_a_file(tmp_path):
    (tmp_path / "a.key").write_text("mine")
    with pytest.raises(Refused) as refused:
        keys.make(tmp_path / "a.key", "49135", "x", None)
    assert refused.value.key == "exists"
    assert (tmp_path / "a.key").read_text() == "mine" and not (tmp_path / "a.pub").exists()
    (tmp_path / "b.pub").write_text("mine")
    with pytest.raises(Refused):
        keys.make(tmp_path / "b.key", "49135", "x", None)
    assert not (tmp_path / "b.key").exists()


def test_the_two_halves_never_have_one_name(tmp_path):
    assert keys.public_path(tmp_path / "maire.key").name == "maire.pub"
    assert keys.public_path(tmp_path / "maire").name == "maire.pub"
    assert keys.public_path(tmp_path / "maire.pub").name == "maire.pub.pub"


def test_a_passphrase_protects_a_key(tmp_path):
    keys.make(tmp_path / "maire.key", "49135", "Maire", b"trois mots clairs")
    pem = (tmp_path / "maire.key").read_bytes()
    assert b"ENCRYPTED" in pem
    asked = []
    signer = keys.load_signer(tmp_path / "maire.key", lambda path: asked.append(path) or b"trois mots clairs")
    assert asked == [tmp_path / "maire.key"] and signer.sign(b"x")
    with pytest.raises(Refused) as refused:
        keys.load_signer(tmp_path / "maire.key", lambda path: b"autre")
    assert refused.value.key == "not_private"


def pem_of(private):
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_what_is_no_such_key_is_refused_without_a_word_of_its_content(tmp_path):
    path = tmp_path / "x.key"
    secret = pem_of(ed25519.Ed25519PrivateKey.generate())
    other_curve = pem_of(ec.generate_private_key(ec.SECP256R1()))
    for content in (b"", b"SECRET-1234", secret[:70], secret.replace(b"M", b"N", 3), other_curve):
        path.write_bytes(content)
        with pytest.raises(Refused) as refused:
            keys.load_signer(path, no_passphrase)
        assert refused.value.key == "not_private"
        told = refused.value.text("fr") + refused.value.text("en") + repr(refused.value)
        assert not any(line and line in told for line in content.decode().split("\n"))


@pytest.mark.parametrize(
    "text",
    ["", "bocage-key", "bocage-key 49135 00 Maire", f"key 49135 {'ab' * 32} M",
     f"bocage-key 4913 {'ab' * 32} M", f"bocage-key 49135 {'zz' * 32} M", f"bocage-key 49135 {'02' * 32} "],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(tmp_path, text):
    path = tmp_path / "x.pub"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        keys.load_member(path)
    assert refused.value.key == "not_public"


def test_a_public_key_of_small_order_is_refused(tmp_path):
    (tmp_path / "x.pub").write_text(f"bocage-key 49135 {'0' * 64} Maire")
    with pytest.raises(Refused) as refused:
        keys.load_member(tmp_path / "x.pub")
    assert refused.value.key == "published"


def test_a_file_that_is_not_there_is_told(tmp_path):
    for load in (keys.load_member, lambda path: keys.load_signer(path, no_passphrase)):
        with pytest.raises(Refused) as refused:
            load(tmp_path / "absent")
        assert refused.value.key == "read"
    with pytest.raises(Refused) as refused:
        keys.make(tmp_path / "absent" / "a.key", "49135", "x", None)
    assert refused.value.key == "write"
