"""Makes the gateway's key for the link to the centre, its certificate request, and a stand-in for certificates until
the territory's authority has signed.

The stand-in is the gateway's own signature on its own key, as certificate and as authority: it is trusted nowhere and
trusts no server, so the cabinet runs alone, reports it, and needs no restart when the real files come. The private key
never leaves the card and is never shown. This module makes bytes; `files` writes them.
"""

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# A cabinet may make its key in 1970: the stand-in holds from before any clock until long after the real one has come.
_NOT_BEFORE = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NOT_AFTER = datetime.datetime(2099, 12, 31, tzinfo=datetime.UTC)


# What `cryptography` raises for bytes that are no certificate, or one of a kind that it does not know.
_DAMAGED = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


class IdentityFault(ValueError):
    """Reports a file that is not what it should be; `word` is a key of `words`."""

    def __init__(self, word: str, /, **values: str) -> None:
        super().__init__(word)
        self.word = word
        self.values = values


def make_key() -> bytes:
    """Returns a new private key (EC P-256) in PEM: every broker's TLS 1.3 supports it."""
    key = ec.generate_private_key(ec.SECP256R1())
    form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, nothing)


def make_request(key_pem: bytes, common_name: str) -> bytes:
    """Returns the request (PEM) that the authority signs."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name))
    return builder.sign(_key(key_pem), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def name_of_request(pem: bytes) -> str | None:
    """Returns the name that a request asks for, None for what is no request."""
    try:
        return _common_name(x509.load_pem_x509_csr(pem).subject)
    except ValueError:
        return None


def make_stand_in(key_pem: bytes, common_name: str) -> bytes:
    """Returns a certificate (PEM) that this key signed itself."""
    key = _key(key_pem)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        # It may sign nothing: as an authority it vouches for no server.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def is_stand_in(certificate_pem: bytes) -> bool:
    """Returns True when a certificate signed itself without being an authority."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError:
        return False
    return certificate.issuer == certificate.subject and not _is_authority(certificate)


def check_authority(pem: bytes) -> None:
    """Raises IdentityFault unless these are certificates of an authority."""
    if not all(_is_authority(certificate) for certificate in _certificates(pem)):
        raise IdentityFault("identity.no-authority")


def check_certificate(pem: bytes, key_pem: bytes, common_name: str, authority_pem: bytes | None) -> None:
    """Raises IdentityFault unless the first certificate is of this key, in this name, and of this authority (None: not
    known)."""
    certificates = _certificates(pem)
    certificate = certificates[0]
    try:  # fields are read at their first use
        public, found = certificate.public_key(), _common_name(certificate.subject)
    except _DAMAGED as error:
        raise IdentityFault("identity.no-certificate") from error
    if public != _key(key_pem).public_key():
        raise IdentityFault("identity.other-key")
    if found != common_name:
        raise IdentityFault("identity.other-name", found=found or "-", expected=common_name)
    if authority_pem is None or is_stand_in(authority_pem):
        return
    # There may be others between the two, which come in the same file.
    if not any(_issued(issuer, certificates[-1]) for issuer in _certificates(authority_pem)):
        raise IdentityFault("identity.other-authority")


def end_s(pem: bytes) -> int:
    """Returns when the first certificate ends (Unix s). IdentityFault."""
    return int(_certificates(pem)[0].not_valid_after_utc.timestamp())


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except _DAMAGED:
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    """Reads the basic constraints; the oldest form of certificate has none and is accepted when it signed itself."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.issuer == certificate.subject


def _certificates(pem: bytes) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except _DAMAGED as error:
        raise IdentityFault("identity.no-certificate") from error


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise IdentityFault("identity.no-key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityFault("identity.no-key")
    return key


def _common_name(name: x509.Name) -> str:
    return ", ".join(str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
