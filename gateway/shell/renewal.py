"""Asks the centre for a new certificate before the present one ends, and installs what it sends (RFC 7030 section 4.2.2
in substance: the same key, the same name, proved by the certificate in force).

The request goes to the topic class `q`, once in six hours while 90 days or less are left; the territory's authority
signs at night, and the answer comes on class `k` after a later request. Nothing hurries: a cabinet that is cut off for
weeks still has its certificate, and the technician's way (`bocage gateway setup --certificate`) remains.
"""

from collections.abc import Callable

from gateway.config.config import Config
from gateway.io.identity import IdentityFault
from gateway.io.mqtt import MqttLink
from gateway.io.own_certificate import OwnCertificate
from wire import topic

_ASK_EVERY_MS = 6 * 3600 * 1000
# The centre tells a person when a fortnight of these is over and nothing was renewed.
RENEW_DAYS = 90
_EXPIRY_S = 86_400
_UNTRACKED = 0


class Renewal:
    """Serves one gateway with TLS, in the loop's thread."""

    def __init__(self, config: Config, own: OwnCertificate, mqtt: MqttLink, log: Callable[..., None]) -> None:
        insee, name = config.core.insee, config.core.name
        self._name, self._own, self._mqtt, self._log = f"{insee}-{name}", own, mqtt, log
        self._request = topic.build(topic.REQUEST, insee, name)
        self._certificate = topic.build(topic.CERTIFICATE, insee, name)
        self._ask_at_ms = 0

    def poll(self, *, unix_s: int | None, now_ms: int) -> None:
        """Asks where it is time; must be called every minute or so."""
        if unix_s is None or self._mqtt.bearer is None or now_ms < self._ask_at_ms:
            return
        self._ask_at_ms = now_ms + _ASK_EVERY_MS
        left = self._own.days_left(unix_s=unix_s)
        if left is None or left > RENEW_DAYS:
            return
        try:
            request = self._own.request(self._name)
        except (OSError, IdentityFault) as fault:
            self._log("certificate-not-renewed", error=str(fault))
            return
        self._mqtt.publish(_UNTRACKED, self._request, request, False, _EXPIRY_S)
        self._log("certificate-asked", days_left=left)

    def accept(self, name: str, payload: bytes) -> bool:
        """Returns whether a message was about certificates; a sound one is used from the next connection on."""
        if name != self._certificate:
            return False
        try:
            self._own.accept(payload, self._name)
        except (OSError, IdentityFault) as fault:
            self._log("certificate-not-renewed", error=str(fault))
        else:
            self._log("certificate-renewed")
        return True
