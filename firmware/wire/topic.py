"""Builds and parses the MQTT topics between a gateway and the centre: `tc/1/<class>/<insee>/<gateway>` (ARCHITECTURE,
section 5).

The version comes first and the class second, so that the ingest subscribes by class; the commune's INSEE code and the
gateway are in the topic so that a broker can limit each gateway to its own topics, by literal access rules.
"""

from collections import namedtuple

from wire.faults import WireFault

Topic = namedtuple("Topic", ("kind", "insee", "gateway"))

TELEMETRY = "t"
EVENT = "e"
STATE = "s"
RECEIPT = "a"
COMMAND = "c"
OUTCOME = "r"
POLICY = "p"
# A gateway asks for a new certificate of its key (PKCS 10), and is sent it.
REQUEST = "q"
CERTIFICATE = "k"
KINDS = (TELEMETRY, EVENT, STATE, RECEIPT, COMMAND, OUTCOME, POLICY, REQUEST, CERTIFICATE)

_PREFIX = "tc/1"
_DIGITS = "0123456789"
_NAME_MAX = 32


def build(kind: str, insee: str, gateway: str) -> str:
    """Returns the topic of one class of one gateway."""
    return f"{_PREFIX}/{kind}/{insee}/{gateway}"


def parse(topic: str) -> Topic:
    """Returns the parts of a topic; raises WireFault("topic") when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != _PREFIX or parts[2] not in KINDS:
        raise WireFault("topic")
    if not is_insee(parts[3]) or not is_gateway_name(parts[4]):
        raise WireFault("topic")
    return Topic(parts[2], parts[3], parts[4])


def is_insee(code: str) -> bool:
    """Returns whether this is an INSEE code: two digits (or 2A, 2B for Corsica), then three digits."""
    return len(code) == 5 and (_is_digits(code[:2]) or code[:2] in ("2A", "2B")) and _is_digits(code[2:])


def is_gateway_name(name: str) -> bool:
    """Returns whether this is a name of lower-case letters, digits and inner hyphens: no wildcard and no separator."""
    if not 0 < len(name) <= _NAME_MAX or name[0] == "-" or name[-1] == "-":
        return False
    return all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in name)


def _is_digits(text):
    # Not isdigit(): to CPython a superscript is a digit too.
    return all(character in _DIGITS for character in text)
