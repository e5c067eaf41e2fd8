"""Which certificate the gateway shows: the technician's or the renewed one, and what is accepted as renewed."""

import datetime

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed")

from gateway.io import identity, tls
from gateway.io.own_certificate import BYTES_MAX, OwnCertificate
from gateway.io.tls import Tls
from tools.centre.broker.authority import Authority

NAME, NOW = "49007-cab-12", datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(days=740)
REFUSED = "own-certificate-refused: bad certificate"


class Cabinet:
    def __init__(self, folder):
        self.authority = Authority(folder)
        self.authority.make("Territory", now=NOW)
        self.key, self.certificate = folder / "gateway.key", folder / "gateway.pem"
        self.key.write_bytes(identity.make_key())
        self.certificate.write_bytes(self.issued(NOW))
        self.data = folder / "data"
        self.data.mkdir()
        self.own = self.started()

    def started(self):
        files = Tls(str(self.authority.certificate), str(self.certificate), str(self.key))
        return OwnCertificate(files, self.data)

    def issued(self, now, *, key=None, name=NAME, authority=None):
        public = identity._key(key or self.key.read_bytes()).public_key()
        return (authority or self.authority).issue(name, public, now=now)

    def shown(self, own=None):
        return open((own or self.own).files().certificate, "rb").read()


@pytest.fixture
def cabinet(tmp_path):
    return Cabinet(tmp_path)


def test_a_renewed_certificate_is_used_from_the_next_connection_and_start_on(cabinet):
    given, fresh = cabinet.certificate.read_bytes(), cabinet.issued(LATER)
    assert cabinet.shown() == given and cabinet.own.days_left(unix_s=LATER.timestamp()) == 85
    cabinet.own.accept(fresh, NAME)
    assert cabinet.shown() == cabinet.shown(cabinet.started()) == fresh
    assert cabinet.own.days_left(unix_s=LATER.timestamp()) == 825
    assert cabinet.certificate.read_bytes() == given, "the technician's file is his"
    tls.context(cabinet.own.files())


def test_what_a_technician_installs_later_is_used(cabinet):
    cabinet.own.accept(cabinet.issued(LATER), NAME)
    newest = cabinet.issued(LATER + datetime.timedelta(days=1))
    cabinet.certificate.write_bytes(newest)
    assert cabinet.shown() == newest


def test_what_the_broker_refuses_leaves_the_old_one_and_takes_turns(cabinet):
    given, fresh = cabinet.certificate.read_bytes(), cabinet.issued(LATER)
    cabinet.own.accept(fresh, NAME)
    for why, shown in [("connection-timeout: no answer", fresh), (REFUSED, given), ("closed: said farewell", given),
                       ("own-authority-unknown: TLSV1_ALERT_UNKNOWN_CA", fresh)]:  # fmt: skip
        cabinet.own.ended(why)
        assert cabinet.shown() == shown, why


def test_with_one_certificate_a_refusal_changes_nothing(cabinet):
    cabinet.own.ended(REFUSED)
    assert cabinet.shown() == cabinet.certificate.read_bytes()


def test_a_new_key_is_not_locked_out_by_what_was_renewed_for_the_old_one(cabinet):
    cabinet.own.accept(cabinet.issued(LATER), NAME)
    cabinet.key.write_bytes(identity.make_key())
    cabinet.certificate.write_bytes(cabinet.issued(NOW))
    with pytest.raises(tls.TlsFileError) as raised:
        tls.context(cabinet.own.files())
    cabinet.own.ended(str(raised.value))
    tls.context(cabinet.own.files())


@pytest.mark.parametrize("wrong", ["older", "same", "key", "name", "authority", "text", "long"])
def test_nothing_else_is_accepted(cabinet, tmp_path, wrong):
    stranger = Authority(tmp_path / "stranger")
    (tmp_path / "stranger").mkdir()
    stranger.make("Territory", now=NOW)
    given = cabinet.certificate.read_bytes()
    pem = {
        "older": lambda: cabinet.issued(NOW - datetime.timedelta(days=10)),
        "same": lambda: given,
        "key": lambda: cabinet.issued(LATER, key=identity.make_key()),
        "name": lambda: cabinet.issued(LATER, name="49007-cab-13"),
        "authority": lambda: cabinet.issued(LATER, authority=stranger),
        "text": lambda: b"-----BEGIN CERTIFICATE-----",
        "long": lambda: cabinet.issued(LATER) + bytes(BYTES_MAX),
    }[wrong]()
    with pytest.raises(identity.IdentityFault):
        cabinet.own.accept(pem, NAME)
    assert cabinet.shown() == given and list(cabinet.data.iterdir()) == []
