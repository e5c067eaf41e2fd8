"""Makes TLS 1.3 contexts for the broker's connection, and explains a failed one in a stable word and a sentence.

Files are read at every connection, so a renewed certificate needs no restart. No exception of OpenSSL reaches an
operator raw: `fault_of` finds the word, `remedy` the sentence. It must not open a socket nor know MQTT, and never shows
the contents of a key file.

Certificates carry dates and a cabinet without network has no clock. While the system clock is not known to be good,
everything is verified but the dates (X509_V_FLAG_NO_CHECK_TIME): a gateway that starts in 1970 still reaches its
broker, gets a clock, and dates count from then on. The cost: an expired certificate of the territory's own
authority is accepted from an attacker who holds its key and keeps the gateway's clock unset.
"""

import calendar
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from gateway.language import DEFAULT_LANGUAGE, N_, translate

# X509_V_FLAG_NO_CHECK_TIME of <openssl/x509_vfy.h>: dates of certificates and of revocation lists. Python passes flags
# that it has no name for (3.11 and 3.13).
_NO_CHECK_TIME = 0x200000
_DAY_S = 86_400


class Tls(NamedTuple):
    """Holds paths of PEM files: the territory's own CA, this gateway's certificate and key, and, if given, the
    revocation list (CRL) of that CA, against which the broker's certificate is checked."""

    ca: str
    certificate: str
    key: str
    crl: str | None = None


class TlsFault(NamedTuple):
    """Names what went wrong. `word` is a key of REMEDIES; `detail` is for a specialist and holds no secret."""

    word: str
    detail: str

    def __str__(self) -> str:
        return f"{self.word}: {self.detail}"


class TlsFileError(OSError):
    """Reports a file of ours that is gone, damaged or does not fit the others."""

    def __init__(self, word: str, detail: str):
        super().__init__(f"{word}: {detail}")
        self.fault = TlsFault(word, detail)


# Sentences for an operator: the broker's certificate, then ours as the broker judges it, then our files, the rest.
REMEDIES = {
    "certificate-expired": N_("The broker's certificate has expired: have the territory's authority renew it."),
    "certificate-not-yet-valid": N_(
        "The broker's certificate is not valid yet: check this gateway's clock, then its first date."
    ),
    "certificate-revoked": N_("The broker's certificate is revoked: force nothing, tell the territory's authority."),
    "authority-unknown": N_(
        "The broker is not signed by the territory's authority: check the file `ca` and the broker's address."
    ),
    "name-mismatch": N_("The broker's certificate bears another name: write the name it bears in `broker`."),
    "certificate-refused": N_(
        "The broker's certificate is not acceptable: have another one issued (purpose, key, format)."
    ),
    "crl-expired": N_("The revocation list has expired: install the authority's latest list in the file `crl`."),
    "crl-missing": N_("The revocation list is not this authority's: install the right one in the file `crl`."),
    "own-certificate-expired": N_(
        "The broker says that our certificate has expired (or its revocation list): renew it."
    ),
    "own-certificate-revoked": N_("The broker says that our certificate is revoked: ask the authority for a new one."),
    "own-authority-unknown": N_(
        "The broker does not know our certificate's authority: install the one of this territory."
    ),
    "own-certificate-missing": N_("The broker demands a certificate: give `certificate` and `key`."),
    "own-certificate-refused": N_(
        "The broker refuses our certificate: check its dates, its purpose (clientAuth) and the broker's clock."
    ),
    "file-unreadable": N_("A TLS file cannot be read: check its path and its rights for the service's user."),
    "file-not-pem": N_("A TLS file is damaged or not in PEM format: copy it again."),
    "key-mismatch": N_("The key is not the certificate's: install the two files that were issued together."),
    "key-locked": N_("The key is protected by a password: install it without, readable by the service alone."),
    "tls-version": N_("The broker does not speak TLS 1.3: update it."),
    "not-tls": N_("This port does not speak TLS: check address and port in `broker` (usually 8883)."),
    "tls-error": N_("The TLS connection failed: see the detail."),
}

# X509_V_ERR_… of <openssl/x509_vfy.h>, as ssl.SSLCertVerificationError.verify_code.
_VERIFY_WORDS = {
    3: "crl-missing",
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    11: "crl-expired",  # "not yet valid": the same remedy
    12: "crl-expired",
    18: "authority-unknown",
    19: "authority-unknown",
    20: "authority-unknown",
    21: "authority-unknown",
    23: "certificate-revoked",
    62: "name-mismatch",
    64: "name-mismatch",
}

# Parts of ssl.SSLError.reason, the first that fits. In TLS 1.3 a broker's alerts arrive after our handshake is over.
_REASON_WORDS = (
    ("ALERT_CERTIFICATE_EXPIRED", "own-certificate-expired"),
    ("ALERT_CERTIFICATE_REVOKED", "own-certificate-revoked"),
    ("ALERT_UNKNOWN_CA", "own-authority-unknown"),
    ("ALERT_CERTIFICATE_REQUIRED", "own-certificate-missing"),
    ("ALERT_BAD_CERTIFICATE", "own-certificate-refused"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "own-certificate-refused"),
    ("ALERT_CERTIFICATE_UNKNOWN", "own-certificate-refused"),
    ("ALERT_ACCESS_DENIED", "own-certificate-refused"),
    ("ALERT_PROTOCOL_VERSION", "tls-version"),
    ("UNSUPPORTED_PROTOCOL", "tls-version"),
    ("WRONG_VERSION_NUMBER", "not-tls"),
    ("PACKET_LENGTH_TOO_LONG", "not-tls"),
    ("RECORD_LAYER_FAILURE", "not-tls"),
)


def context(tls: Tls, *, check_dates: bool = True) -> ssl.SSLContext:
    """Returns a TLS 1.3 context, both ends with certificates of the territory's authority. TlsFileError on bad
    files."""
    for path in (tls.ca, tls.certificate, tls.key, *([tls.crl] if tls.crl else [])):
        _assert_readable(path)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    _load(tls.ca, lambda: made.load_verify_locations(tls.ca))
    _load(
        f"{tls.certificate} with {tls.key}",
        lambda: made.load_cert_chain(tls.certificate, tls.key, password=_refuse_to_ask),
    )
    if tls.crl:
        crl = tls.crl
        _load(crl, lambda: made.load_verify_locations(crl))
        made.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    if not check_dates:
        made.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return made


def fault_of(error: BaseException) -> TlsFault | None:
    """Returns what a failed connection means; None when it has nothing to do with TLS."""
    if isinstance(error, TlsFileError):
        return error.fault
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFault(_VERIFY_WORDS.get(error.verify_code, "certificate-refused"), str(error.verify_message))
    if not isinstance(error, ssl.SSLError) or isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None  # the other end is gone: that happens to any connection
    # The name of an alert that is not in Python's table is in the text alone.
    detail = getattr(error, "reason", None) or str(error)
    reason = detail.upper().replace(" ", "_")
    return TlsFault(next((word for part, word in _REASON_WORDS if part in reason), "tls-error"), detail)


def remedy(word: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Returns the sentence for a word of `TlsFault`; empty for any other word."""
    return translate(REMEDIES[word], language) if word in REMEDIES else ""


def dates_fault(peer: dict[str, Any] | None, *, unix_s: float) -> TlsFault | None:
    """Judge afterwards the dates of a certificate (`SSLSocket.getpeercert()`) that was accepted without a clock."""
    if not peer:
        return None
    if unix_s > ssl.cert_time_to_seconds(peer["notAfter"]):
        return TlsFault("certificate-expired", f"not after {peer['notAfter']}")
    if unix_s < ssl.cert_time_to_seconds(peer["notBefore"]):
        return TlsFault("certificate-not-yet-valid", f"not before {peer['notBefore']}")
    return None


def days_left(certificate: str, *, unix_s: float) -> int | None:
    """Returns the whole days until the first certificate of a PEM file expires, negative when it has; None when it
    cannot be read."""
    found_s = end_s(certificate)
    return None if found_s is None else int((found_s - unix_s) // _DAY_S)


def end_s(certificate: str) -> int | None:
    """Returns when the first certificate of a PEM file expires (Unix s); None when it cannot be read."""
    try:
        text = Path(certificate).read_text(encoding="ascii")
        begin = text.index(ssl.PEM_HEADER)
        end = text.index(ssl.PEM_FOOTER, begin) + len(ssl.PEM_FOOTER)
        return int(_not_after_s(ssl.PEM_cert_to_DER_cert(text[begin:end])))
    except (OSError, ValueError, IndexError):
        return None


# --- inside ------------------------------------------------------------------------------------------------------


def _assert_readable(path: str) -> None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise TlsFileError("file-unreadable", f"{path}: {error.strerror}") from error


def _load(what: str, load: Callable[[], None]) -> None:
    try:
        load()
    except TlsFileError:
        raise
    except ssl.SSLError as error:
        word = "key-mismatch" if "MISMATCH" in (error.reason or "") else "file-not-pem"
        raise TlsFileError(word, f"{what}: {error.reason or 'no PEM'}") from error
    except OSError as error:  # replaced at this very moment
        raise TlsFileError("file-unreadable", f"{what}: {error.strerror}") from error


def _refuse_to_ask() -> NoReturn:
    """Raises: without this OpenSSL would ask a terminal for the password, and wait."""
    raise TlsFileError("key-locked", "the key file needs a password")


def _not_after_s(der: bytes) -> int:
    """Returns notAfter of an X.509 certificate (RFC 5280 section 4.1). Parsed here: the standard library shows these
    fields only of a peer's certificate, and a library for one date is a dependency too many."""
    certificate = _children(_children(der)[0][1])
    fields = _children(certificate[0][1])
    # version [0] is absent in version 1; then serial, signature, issuer, validity.
    validity = _children(fields[4 if fields[0][0] == 0xA0 else 3][1])
    kind, text = validity[1]
    # Before 2050 UTCTime with two digits of the year, from then on GeneralizedTime: section 4.1.2.5.
    digits = ("20" if int(text[:2]) < 50 else "19") + text.decode() if kind == 0x17 else text.decode()
    return calendar.timegm(time.strptime(digits, "%Y%m%d%H%M%SZ"))


def _children(der: bytes) -> list[tuple[int, bytes]]:
    """Returns (tag, contents) of each value in `der`. ValueError or IndexError on anything but DER."""
    out = []
    at = 0
    while at < len(der):
        tag, contents, at = _value(der, at)
        out.append((tag, contents))
    return out


def _value(der: bytes, at: int) -> tuple[int, bytes, int]:
    """Returns (tag, contents, where the next one begins): X.690 section 8.1, definite lengths."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(der[at : at + count], "big"), at + count
    if at + length > len(der):
        raise ValueError("cut short")
    return tag, der[at : at + length], at + length
