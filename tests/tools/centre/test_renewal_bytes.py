"""What a hostile peer sends in place of a request or a certificate is refused, whatever it is: nothing is raised."""

import base64
import datetime
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.io import identity
from gateway.io.own_certificate import OwnCertificate
from gateway.io.tls import Tls
from tools.centre.broker.authority import Authority
from tools.centre.control.dispatch import Message
from tools.centre.control.renewals import Renewals
from tools.command_line import Refused

NAME, TOPIC = "49007-cab-12", "tc/1/q/49007/cab-12"
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
NOW_S = int(NOW.timestamp())
KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def altered(pem, seed):
    """Each octet of the DER once, in PEM again, and the text cut, doubled and not even text."""
    random = Random(seed)
    head, *body, foot = pem.decode().strip().splitlines()
    der = base64.b64decode("".join(body))
    for at in range(len(der)):
        made = bytearray(der)
        made[at] ^= random.randrange(1, 256)
        text = base64.encodebytes(bytes(made)).decode()
        yield f"{head}\n{text}{foot}\n".encode()
    yield from (b"", b"\xff" * 100, pem[:-30], pem + pem, "é".encode() + pem, pem + bytes(10_000))


def kept(renewals, payload):
    return renewals.receive([Message(TOPIC, payload, False)], now_s=NOW_S)


def test_control_outlives_any_request_and_root_any_file_of_it(tmp_path):
    own = Authority(tmp_path)
    own.make("Territory", now=NOW)
    request = identity.make_request(identity.make_key(), NAME)
    renewals = Renewals(tmp_path / "requests", tmp_path / "issued")
    for payload in altered(request, 1):
        assert kept(renewals, payload) == []
        with pytest.raises(Refused):
            own.renew(NAME, payload, now=NOW)
    assert {path.suffix for path in (tmp_path / "requests").iterdir()} == {".json"}


@pytest.mark.parametrize("make", KEYS.values(), ids=KEYS)
def test_a_key_of_another_kind_is_refused_by_the_authority(tmp_path, make):
    own, key = Authority(tmp_path), make()
    own.make("Territory", now=NOW)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)
    pem = request.public_bytes(serialization.Encoding.PEM)
    assert kept(Renewals(tmp_path / "requests", tmp_path / "issued"), pem) == []
    with pytest.raises(Refused):
        own.renew(NAME, pem, now=NOW)


def test_the_agent_outlives_any_certificate(tmp_path):
    own = Authority(tmp_path)
    own.make("Territory", now=NOW)
    key, certificate = tmp_path / "gateway.key", tmp_path / "gateway.pem"
    key.write_bytes(identity.make_key())
    public = identity._key(key.read_bytes()).public_key()
    certificate.write_bytes(own.issue(NAME, public, now=NOW))
    data = tmp_path / "data"
    data.mkdir()
    ours = OwnCertificate(Tls(str(own.certificate), str(certificate), str(key)), data)
    fresh = own.issue(NAME, public, now=NOW + datetime.timedelta(days=700))
    accepted = 0
    for payload in altered(fresh, 2):
        try:
            ours.accept(payload, NAME)
            accepted += 1
            (data / "certificate.pem").unlink()
        except identity.IdentityFault:
            pass
    assert accepted <= 3, "twice the same, and what stands around it in the text, are that certificate"
    assert [Path(one).name for one in data.iterdir()] == []
