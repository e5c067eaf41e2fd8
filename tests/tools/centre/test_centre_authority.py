"""The territory's authority: whom it certifies, whom it refuses, and what its revocation list says."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.io import identity
from tools.centre.broker import roles
from tools.centre.broker.authority import Authority
from tools.command_line import Refused

NOW = datetime.datetime(2026, 11, 29, 8, 0, 0, 250_000, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
NAME = "49135-cab-1"


@pytest.fixture
def own(tmp_path):
    made = Authority(tmp_path)
    made.make("Bocage essai", now=NOW)
    return made


def enrol(own, request=None, *, replaces=False, now=NOW):
    return own.enrol(NAME, request, replaces=replaces, now=now)


def revoked(own):
    return [one.serial_number for one in x509.load_pem_x509_crl(own.revoked.read_bytes())]


def test_a_cabinet_accepts_what_was_signed_for_its_key(own):
    key = identity.make_key()
    pem = enrol(own, identity.make_request(key, NAME))
    identity.check_authority(own.certificate.read_bytes())
    identity.check_certificate(pem, key, NAME, own.certificate.read_bytes())


def test_the_keys_of_the_authority_are_its_owners_alone(own, tmp_path):
    assert (tmp_path / "authority.key").stat().st_mode & 0o777 == 0o600


def test_a_renewal_needs_no_request_and_keeps_the_key(own):
    key = identity.make_key()
    enrol(own, identity.make_request(key, NAME))
    pem = enrol(own, now=NOW + 700 * DAY)
    identity.check_certificate(pem, key, NAME, own.certificate.read_bytes())
    assert len(own.issued(NAME)) == 2 and revoked(own) == []


def test_another_key_in_the_same_name_is_refused_unless_it_replaces(own):
    enrol(own, identity.make_request(identity.make_key(), NAME))
    other = identity.make_request(identity.make_key(), NAME)
    with pytest.raises(Refused, match="another key"):
        enrol(own, other)
    assert len(own.issued(NAME)) == 1
    first = own.issued(NAME)[0].serial_number
    enrol(own, other, replaces=True, now=NOW + DAY)
    assert revoked(own) == [first]


def test_a_revoked_key_is_never_certified_again(own):
    request = identity.make_request(identity.make_key(), NAME)
    enrol(own, request)
    assert own.revoke(NAME, now=NOW) == 1 and own.revoke(NAME, now=NOW) == 0
    for replaces in (False, True):
        with pytest.raises(Refused, match="was revoked"):
            enrol(own, request, replaces=replaces)
    with pytest.raises(Refused, match="renewed"):
        enrol(own)
    enrol(own, identity.make_request(identity.make_key(), NAME))
    assert [name for name, _ in own.holders()] == [NAME]


def test_each_list_is_newer_than_the_last_and_none_lapses_or_lies_ahead(own):
    before = x509.load_pem_x509_crl(own.revoked.read_bytes())
    for count, name in enumerate(("49135-a", "49135-b", "49135-c"), 1):
        own.enrol(name, identity.make_request(identity.make_key(), name), replaces=False, now=NOW)
        own.revoke(name, now=NOW)
        after = x509.load_pem_x509_crl(own.revoked.read_bytes())
        assert before.last_update_utc < after.last_update_utc < NOW
        assert after.next_update_utc == own.end() and len(list(after)) == count
        before = after


def rsa_request():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(identity._name(NAME))
    return builder.sign(key, identity.hashes.SHA256()).public_bytes(identity.serialization.Encoding.PEM)


def altered():
    """The name changed after the signature."""
    request = x509.load_pem_x509_csr(identity.make_request(identity.make_key(), "49135-cab-2"))
    der = request.public_bytes(identity.serialization.Encoding.DER).replace(b"49135-cab-2", NAME.encode())
    return x509.load_der_x509_csr(der).public_bytes(identity.serialization.Encoding.PEM)


@pytest.mark.parametrize("made, why", [
    (lambda: b"hello", "no certificate request"),
    (lambda: identity.make_stand_in(identity.make_key(), NAME), "no certificate request"),
    (lambda: identity.make_request(identity.make_key(), "49007-mairie-1"), "in the name of 49007-mairie-1"),
    (lambda: identity.make_request(identity.make_key(), "+"), "in the name of"),
    (altered, "not signed with its own key"),
    (rsa_request, "EC P-256"),
])  # fmt: skip
def test_a_request_that_is_not_this_cabinets_is_refused_in_words(own, made, why):
    with pytest.raises(Refused, match=why):
        enrol(own, made())
    assert own.issued(NAME) == [] and revoked(own) == []


def test_every_role_is_literal_but_for_the_centres(tmp_path):
    """A wildcard in a gateway's role would be another's topic."""
    role = roles.of_gateway("49135", "cab-1")
    assert len(role["acls"]) == 13
    assert not any(set("+#$%") & set(one["topic"]) for one in role["acls"])
    document = roles.document([("49135", "cab-1")])
    assert [kind for kind, allowed in document["defaultACLAccess"].items() if allowed] == ["unsubscribe"]
    assert {one["username"] for one in document["clients"]} == {*roles.accounts(1), NAME}


def test_the_files_are_written_whole_or_not_at_all(own, tmp_path, monkeypatch):
    before = own.revoked.read_bytes()
    enrol(own, identity.make_request(identity.make_key(), NAME))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
    with pytest.raises(OSError):
        own.revoke(NAME, now=NOW)
    assert own.revoked.read_bytes() == before
