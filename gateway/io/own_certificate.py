"""Chooses the certificate by which the gateway connects, and accepts a renewed one that came over the link.

The technician's file (`[uplink] certificate`) is never written. A renewed certificate of the same key lies in the data
folder and is used while it ends later than that file. Where the broker refuses the one in use, or where it does not fit
the key, the next attempt tries the other, and so in turn: the old one works until it ends, and a broker that is wrong
for an hour takes nothing away. Authenticity is the authority's signature and our key: who carries it is not trusted.
"""

from pathlib import Path

from gateway.io import files, identity, tls
from gateway.io.tls import Tls

_NAME = "certificate.pem"
# A certificate of ours has 800 bytes, in a chain of three at most.
BYTES_MAX = 8192
# What a broker says, or our own files, when the certificate will not do (`tls.REMEDIES`).
_UNFIT = ("own-certificate-", "own-authority-unknown:", "key-mismatch:", "file-not-pem:")


class OwnCertificate:
    """Holds the choice. Its methods may be called from the connection's thread; each only reads or sets one value."""

    def __init__(self, options: Tls, data: Path | None) -> None:
        self._options = options
        self._renewed = None if data is None else data / _NAME
        self._uses_other = False

    def files(self) -> Tls:
        """Returns the files of the next connection."""
        return self._options._replace(certificate=self._paths()[self._uses_other])

    def ended(self, why: str) -> None:
        """Notes why a connection ended: where its certificate was refused, the other is next."""
        if why.startswith(_UNFIT):
            self._uses_other = not self._uses_other

    def days_left(self, *, unix_s: float) -> int | None:
        """Returns the days of the one that lasts longest."""
        return tls.days_left(self._paths()[False], unix_s=unix_s)

    def request(self, name: str) -> bytes:
        """Returns a request (PEM) for a new certificate of the present key. OSError; IdentityFault."""
        return identity.make_request(Path(self._options.key).read_bytes(), name)

    def accept(self, pem: bytes, name: str) -> None:
        """Keeps a renewed certificate, used from the next connection on. IdentityFault unless it is of our key, in our
        name, of our authority, and ends later than what we have; OSError."""
        assert self._renewed is not None
        if len(pem) > BYTES_MAX:
            raise identity.IdentityFault("identity.no-certificate")
        key, authority = Path(self._options.key).read_bytes(), Path(self._options.ca).read_bytes()
        identity.check_certificate(pem, key, name, authority)
        if identity.end_s(pem) <= _end(self._paths()[False]):
            raise identity.IdentityFault("identity.not-newer")
        files.write(self._renewed, pem, gives=False)
        self._uses_other = False

    def _paths(self) -> tuple[str, str]:
        """Returns the one that lasts longest, then the other (the same, where there is one only)."""
        given = self._options.certificate
        renewed = given if self._renewed is None or not self._renewed.exists() else str(self._renewed)
        return (renewed, given) if _end(renewed) > _end(given) else (given, renewed)


def _end(path: str) -> int:
    """Returns when a certificate ends (Unix s); what cannot be read lasts less than anything."""
    found = tls.end_s(path)
    return 0 if found is None else found
