"""The wizard installs only certificates and key sets that are this cabinet's."""

import pytest

from gateway.io import identity
from policy import keyset
from tests.support.authority import Authority
from tests.support.setup_answers import ANSWERS, etc, written

KEYS = keyset.KeySet(1, "49135", 2, ((bytes(range(32)), "Maire"), (bytes(range(1, 33)), "Adjointe")), ())


# --- certificates and keys ------------------------------------------------------------------------------------------


def signed(authority, image, folder, name="cab.pem"):
    """The image's request, signed by a territory's authority."""
    certificate = folder / name
    key = authority.certificate.with_suffix(".key")
    words = ("-in", etc(image, "gateway.csr"), "-CA", authority.certificate, "-CAkey", key, "-out", certificate)
    authority._openssl("x509", "-req", *words)
    return certificate


def test_the_stand_in_is_no_authority_and_trusts_nobody(setup, image):
    setup(ANSWERS)
    pem = etc(image, "gateway.pem").read_bytes()
    assert pem == etc(image, "ca.pem").read_bytes() and identity.is_stand_in(pem)
    with pytest.raises(identity.IdentityFault):
        identity.check_authority(pem)


def test_what_the_authority_signed_is_installed_and_stays(setup, image, tmp_path):
    setup(ANSWERS)
    authority = Authority(tmp_path, "territory")
    certificate = signed(authority, image, tmp_path)
    status, said, _ = setup(None, "--ca", str(authority.certificate), "--certificate", str(certificate))
    assert status == 0 and "À faire signer" not in said
    assert etc(image, "gateway.pem").read_bytes() == certificate.read_bytes()
    assert etc(image, "ca.pem").read_bytes() == authority.certificate.read_bytes()
    setup('[uplink]\nca = "/etc/bocage/ca.pem"\ncertificate = "/etc/bocage/gateway.pem"\n')
    assert etc(image, "gateway.pem").read_bytes() == certificate.read_bytes()


def test_a_certificate_of_another_is_refused_with_the_reason(setup, image, tmp_path):
    setup(ANSWERS)
    authority, other = Authority(tmp_path, "territory"), Authority(tmp_path, "other")
    others, _key = authority.issue("49135-cab-1")
    status, _, complained = setup(None, "--certificate", str(others))
    assert status == 2 and "autre clé" in complained
    ours = str(signed(authority, image, tmp_path))
    status, _, complained = setup(None, "--ca", str(other.certificate), "--certificate", ours)
    assert status == 2 and "pas signé par cette autorité" in complained
    status, _, complained = setup('[gateway]\nname = "cab-2"\n', "--certificate", ours, "--lang", "en")
    assert status == 2 and "in the name 49135-cab-1, expected 49135-cab-2" in complained
    status, _, complained = setup(None, "--ca", str(others))
    assert status == 2 and "autorité" in complained
    status, _, complained = setup(None, "--ca", str(etc(image, "gateway.key")))
    assert status == 2 and "PEM" in complained
    assert identity.is_stand_in(etc(image, "gateway.pem").read_bytes())


def test_the_communes_keys_are_installed_and_those_of_another_refused(setup, image, tmp_path):
    setup(ANSWERS)
    ours, others, none = tmp_path / "ours", tmp_path / "others", tmp_path / "none"
    ours.write_bytes(keyset.encode(KEYS))
    others.write_bytes(keyset.encode(KEYS._replace(insee="49007")))
    none.write_bytes(b"nothing")
    for path, why in ((others, "49007"), (none, "jeu de clés"), (tmp_path / "absent", "absent")):
        status, _, complained = setup(None, "--keys", str(path))
        assert status == 2 and why in complained
    assert "keys" not in written(image)["gateway"]
    status, said, _ = setup(None, "--keys", str(ours))
    assert status == 0 and "Sans jeu de clés" not in said
    assert etc(image, "commune.keys").read_bytes() == ours.read_bytes()
    assert written(image)["gateway"]["keys"] == "/etc/bocage/commune.keys"
