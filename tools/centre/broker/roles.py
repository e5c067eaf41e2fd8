"""Says who may do what at the broker: one literal role a gateway, one for each process of the centre, nothing else.

Written for Mosquitto's plugin dynamic-security, which refuses what no role allows: to publish, to receive and to
subscribe. An account is the name in a certificate. `document` is the plugin's file for a broker that was never started;
a running one is changed by commands on `$CONTROL/dynamic-security/v1` (`accounts`).
"""

from collections.abc import Iterable, Mapping

from wire import topic as topics

# The accounts of the centre; its processes are told these names (`--client-id`).
INGEST, CONTROL, ADMIN, CHECK = "ingest-1", "control-1", "admin-1", "check-1"
ACCOUNTS = (INGEST, CONTROL, ADMIN, CHECK)

CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC = f"{CONTROL_TOPIC}/response"
_SEND, _RECEIVE, _LITERAL, _PATTERN = (
    "publishClientSend", "publishClientReceive", "subscribeLiteral", "subscribePattern"
)  # fmt: skip
# To give a subscription back harms nobody.
DEFAULT = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
_UP, _DOWN = "tesr", "acp"

_CENTRE: dict[str, dict[str, Iterable[str]]] = {
    INGEST: {
        _SEND: ("tc/1/a/+/+",),
        _RECEIVE: ("tc/1/t/#", "tc/1/e/#"),
        _LITERAL: ("$share/ingest/tc/1/t/#", "$share/ingest/tc/1/e/#"),
    },
    CONTROL: {
        _SEND: ("tc/1/c/+/+", "tc/1/p/+/+"),
        _RECEIVE: ("tc/1/r/+/+", "tc/1/s/+/+"),
        _LITERAL: ("tc/1/r/+/+",),
        _PATTERN: ("tc/1/s/+/+",),
    },
    ADMIN: {_SEND: (CONTROL_TOPIC,), _RECEIVE: (RESPONSE_TOPIC,), _LITERAL: (RESPONSE_TOPIC,)},
    CHECK: {_RECEIVE: ("tc/1/s/+/+",), _PATTERN: ("tc/1/s/+/+",)},
}


def of_account(name: str) -> dict:
    """Returns the role of an account of the centre, as the plugin writes it."""
    return _role(name, _CENTRE[name])


def of_gateway(insee: str, gateway: str) -> dict:
    """Returns the role of a gateway: its own topics, each by its whole name."""
    up, down = ([topics.build(kind, insee, gateway) for kind in kinds] for kinds in (_UP, _DOWN))
    return _role(f"{insee}-{gateway}", {_SEND: up, _RECEIVE: down, _LITERAL: down})


def client(name: str) -> dict:
    """Returns the account that has the role of its name, and no password: the certificate is its proof."""
    return {"username": name, "roles": [{"rolename": name, "priority": 0}]}


def document(gateways: Iterable[tuple[str, str]]) -> dict:
    """Returns the plugin's file with the centre's accounts and these gateways (INSEE code, name)."""
    roles = [*map(of_account, ACCOUNTS), *(of_gateway(*one) for one in gateways)]
    return {"defaultACLAccess": DEFAULT, "clients": [client(one["rolename"]) for one in roles], "roles": roles}


def _role(name: str, allowed: Mapping[str, Iterable[str]]) -> dict:
    acls = [
        {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
        for kind, found in allowed.items()
        for topic in found
    ]
    return {"rolename": name, "acls": acls}
