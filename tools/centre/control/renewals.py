"""Keeps cabinets' requests for a new certificate, and hands over what the authority has signed meanwhile.

    cabinet ── tc/1/q ──▶ requests/NAME.json ──▶ `bocage centre renew`, root's, at night ──▶ issued/NAME/
    cabinet ◀── tc/1/k ── the newest of its key, when it asks again ◀────────────────────────────┘

The key of the authority stays out of this process, which speaks with the network: it keeps the request and answers a
later one. A cabinet asks once in six hours until it uses the new certificate, so the file also says since when it asks.
The name is that of the topic, which the broker binds to the certificate in force.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tools.centre.control.dispatch import Message, Publication
from tools.centre.limits import RENEW_DAYS, REQUEST_BYTES_MAX
from tools.centre.mqtt import log
from wire import topic as topics
from wire.faults import WireFault

FOLDER = "requests"
_EXPIRY_S = 86_400
# What asks again after so long is a new request.
_APART_S = 7 * 86_400
_PREFIX = topics.build(topics.REQUEST, "", "")[:-1]


def is_request(message: Message) -> bool:
    return message.topic.startswith(_PREFIX)


class Renewals:
    """Works on two folders: `requests`, which it makes, and what the authority has `issued` (None: nothing is kept)."""

    def __init__(self, requests: Path, issued: Path | None) -> None:
        self._requests, self._issued = requests, issued

    def receive(self, messages: Iterable[Message], *, now_s: int) -> list[Publication]:
        """Keeps requests; returns the certificates that answer them. OSError."""
        return [answer for message in messages for answer in self._receive(message, now_s)]

    def _receive(self, message: Message, now_s: int) -> Iterator[Publication]:
        try:
            _, insee, gateway = topics.parse(message.topic)
            request = x509.load_pem_x509_csr(bytes(message.payload[:REQUEST_BYTES_MAX]))
            key, text = _spki(request.public_key()), request.public_bytes(serialization.Encoding.PEM).decode()
        except (WireFault, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
            log("certificate-request-refused", topic=message.topic[:80])
            return
        if self._issued is None:
            return
        name = f"{insee}-{gateway}"
        self._keep(name, text, now_s)
        fresh = self._signed(name, key, datetime.fromtimestamp(now_s, UTC) + timedelta(days=RENEW_DAYS))
        if fresh is not None:
            log("certificate-sent", gateway=name)
            yield Publication(topics.build(topics.CERTIFICATE, insee, gateway), fresh, expiry_s=_EXPIRY_S)

    def _keep(self, name: str, request: str, now_s: int) -> None:
        self._requests.mkdir(exist_ok=True, mode=0o750)
        path = self._requests / f"{name}.json"
        try:
            before = json.loads(path.read_bytes())
            first_s = before["first_unix_s"] if now_s - before["last_unix_s"] < _APART_S else now_s
        except (FileNotFoundError, ValueError, KeyError):
            first_s = now_s
        kept = {"request": request, "first_unix_s": first_s, "last_unix_s": now_s}
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(kept), encoding="ascii")  # not synced: what is lost is asked again
        fresh.replace(path)

    def _signed(self, name: str, key: bytes, later: datetime) -> bytes | None:
        """Returns the certificate of a key that lasts beyond an instant; one that was revoked is no use to anybody, for
        its cabinet is not admitted."""
        assert self._issued is not None
        for path in (self._issued / name).glob("*.pem"):
            pem = path.read_bytes()
            certificate = x509.load_pem_x509_certificate(pem)
            if certificate.not_valid_after_utc > later and _spki(certificate.public_key()) == key:
                return pem
        return None


def _spki(key) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
