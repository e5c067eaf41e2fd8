"""Keeps the territory's own certificate authority: its key, what it has issued, and what it has revoked.

    authority.key   the private key (EC P-256), root's alone     authority.pem   what cabinets and the broker trust
    authority.crl   the revocation list that the broker reads    issued/NAME/SERIAL.pem   every certificate, for ever

The files are the account: a certificate counts unless it has ended or its serial is in the list. Keys of others never
come here: a cabinet sends a request (PKCS 10) and gets a certificate. Must not talk to the broker.

Two choices of the list (RFC 5280 section 5.1.2) are safety and not form. It lasts as long as the authority: a broker
refuses every client under a list that has lapsed, and a territory must not go dark for a date; the list is read from
the same disk, so it cannot be withheld. Its date of issue begins an hour back and rises by a second at least: OpenSSL
keeps the older of two lists with one date, and would not see the second of two quick revocations.
"""

import datetime
import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.language import N_
from tools.centre.broker.files import write
from tools.centre.limits import AUTHORITY_DAYS, CERTIFICATE_DAYS, RENEW_DAYS
from tools.command_line import Refused

# What `cryptography` raises for bytes that are no request or certificate, or one of a kind that it does not know; its
# fields are read at their first use.
_DAMAGED = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
_DAY = datetime.timedelta(days=1)
_CRL_BACK = datetime.timedelta(hours=1)
_CURVES = (ec.SECP256R1, ec.SECP384R1)  # what RFC 8446 section 9.1 and every TLS library has


class Authority:
    """Holds the folder of an authority; each method reads the files anew, for people's commands run seldom."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate, self.revoked = folder / "authority.pem", folder / "authority.crl"
        self._key = folder / "authority.key"

    def exists(self) -> bool:
        return self._key.exists()

    def make(self, name: str, *, now: datetime.datetime) -> None:
        """Makes the key, the certificate and an empty list."""
        key = new_key()
        certificate = (
            _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write(self._key, pem_of_key(key))
        write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        self._write_list((), now=now)

    def issue(
        self, name: str, public: ec.EllipticCurvePublicKey, *, now: datetime.datetime, addresses: Sequence[str] = (),
        days: int = CERTIFICATE_DAYS,
    ) -> bytes:
        """Returns a certificate (PEM), which is kept: for a client, or for a server where there are addresses."""
        issuer, key = self._issuer(), self._private()
        builder = _builder(name, _common_name(issuer.subject), public, now, days)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if addresses else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        )
        if addresses:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(one) for one in addresses]), False)
        certificate = builder.sign(key, hashes.SHA256())
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        kept = self._folder / "issued" / name / f"{certificate.serial_number:x}.pem"
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        write(kept, pem, mode=0o644)
        return pem

    def enrol(self, name: str, request: bytes | None, *, replaces: bool, now: datetime.datetime) -> bytes:
        """Returns a certificate (PEM) for a gateway's request, or without one for the key that it has now.

        Another key than the present one is another machine: it is refused unless it `replaces` that one, whose
        certificates are then revoked. A key that was revoked is never certified again.
        """
        issued, revoked = self.issued(name), self._serials()
        present = [one for one in issued if one.serial_number not in revoked and one.not_valid_after_utc >= now]
        if request is None:
            if not present:
                raise Refused(N_("{name} has no certificate that could be renewed: give its request, --csr"), name=name)
            public = _public(present[-1].public_key(), name)
        else:
            public = _public_of_request(request, name)
        if any(one.public_key() == public for one in issued if one.serial_number in revoked):
            message = N_("{name}: this key was revoked; erase /etc/bocage/gateway.key there, and make a new request")
            raise Refused(message, name=name)
        others = [one for one in present if one.public_key() != public]
        if others and not replaces:
            raise Refused(
                N_("{name} has a certificate for another key, until {until}. If this machine takes its place, give "
                   "--replace: the other is then revoked. If not, somebody asks in its name."),
                name=name, until=others[-1].not_valid_after_utc.date(),
            )  # fmt: skip
        pem = self.issue(name, public, now=now)
        if others:
            self._write_list(others, now=now)
        return pem

    def renew(self, name: str, request: bytes, *, now: datetime.datetime) -> bytes | None:
        """Returns a new certificate (PEM) for a request that came over the link, None where the present one lasts.

        Refused unless the key is that of a certificate of this name which is in force and not revoked: a renewal admits
        nothing new. Another key is an enrolment, by a person.
        """
        public, revoked = _public_of_request(request, name), self._serials()
        held = [
            one for one in self.issued(name)
            if one.serial_number not in revoked and one.not_valid_after_utc >= now and one.public_key() == public
        ]  # fmt: skip
        if not held:
            message = N_("{name} asks to renew a key that has no certificate in force: sudo bocage centre enrol")
            raise Refused(message, name=name)
        if held[-1].not_valid_after_utc - now > RENEW_DAYS * _DAY:
            return None
        return self.issue(name, public, now=now)

    def revoke(self, name: str, *, now: datetime.datetime) -> int:
        """Puts all certificates of a name on the list, those that have ended too; returns how many are new there."""
        revoked = self._serials()
        found = [one for one in self.issued(name) if one.serial_number not in revoked]
        if found:
            self._write_list(found, now=now)
        return len(found)

    def issued(self, name: str) -> list[x509.Certificate]:
        """Returns every certificate of a name, the one that lasts longest at the end."""
        folder = self._folder / "issued" / name
        found = [x509.load_pem_x509_certificate(path.read_bytes()) for path in sorted(folder.glob("*.pem"))]
        return sorted(found, key=lambda one: one.not_valid_after_utc)

    def holders(self) -> Iterator[tuple[str, datetime.datetime]]:
        """Yields each name with a certificate that is not revoked, and when its last one ends or ended."""
        revoked = self._serials()
        for folder in sorted((self._folder / "issued").glob("*/")):
            held = [one for one in self.issued(folder.name) if one.serial_number not in revoked]
            if held:
                yield folder.name, held[-1].not_valid_after_utc

    def end_of(self, name: str) -> datetime.datetime | None:
        """Returns when the last certificate of a name that is not revoked ends or ended; None: there is none."""
        revoked = self._serials()
        held = [one for one in self.issued(name) if one.serial_number not in revoked]
        return held[-1].not_valid_after_utc if held else None

    def end(self) -> datetime.datetime:
        return self._issuer().not_valid_after_utc

    # --- inside -------------------------------------------------------------------------------------------------

    def _issuer(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def _private(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def _list(self) -> x509.CertificateRevocationList:
        return x509.load_pem_x509_crl(self.revoked.read_bytes())

    def _serials(self) -> set[int]:
        return {one.serial_number for one in self._list()}

    def _write_list(self, more: Sequence[x509.Certificate], *, now: datetime.datetime) -> None:
        issuer = self._issuer()
        before = self._list() if self.revoked.exists() else None
        update, number = now.replace(microsecond=0) - _CRL_BACK, 1
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
        if before is not None:
            assert before.last_update_utc is not None
            update = max(update, before.last_update_utc + datetime.timedelta(seconds=1))
            number += before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            for one in before:
                builder = builder.add_revoked_certificate(one)
        for certificate in more:
            revoked = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now)
            builder = builder.add_revoked_certificate(revoked.build())
        key = self._private()
        made = (
            builder.last_update(update)
            .next_update(issuer.not_valid_after_utc)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write(self.revoked, made.public_bytes(serialization.Encoding.PEM), mode=0o644)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, nothing)


def _builder(name: str, issuer: str, public, now: datetime.datetime, days: int) -> x509.CertificateBuilder:
    # A day back: the first clock that a cabinet gets may be behind ours.
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + days * _DAY)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """Returns what a key is for: an authority signs certificates and lists, all others sign a handshake."""
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    return x509.KeyUsage(digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, **unused)


def _public_of_request(pem: bytes, name: str) -> ec.EllipticCurvePublicKey:
    """Returns the key of a request that is whole, signed with that key, and in this name; Refused otherwise."""
    try:
        request = x509.load_pem_x509_csr(pem)
        is_signed, found, public = request.is_signature_valid, _common_name(request.subject), request.public_key()
    except _DAMAGED:
        raise Refused(N_("the file is no certificate request (PEM)")) from None
    if not is_signed:
        raise Refused(N_("the certificate request is not signed with its own key: it was altered"))
    if found != name:
        raise Refused(N_("the certificate request is in the name of {found}, not of {name}"), found=found, name=name)
    return _public(public, name)


def _public(key: object, name: str) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVES):
        raise Refused(N_("{name}: its key is not of the kind that cabinets make (EC P-256)"), name=name)
    return key


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _common_name(name: x509.Name) -> str:
    return ", ".join(str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME))


def _general(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)
