"""States who may do what at the broker: one literal role a gateway, one for each process of the centre, nothing else.

Written for Mosquitto's plugin dynamic-security, which refuses what no role allows: to publish, to receive and to
subscribe. An account is the name in a certificate. `document` is the plugin's file for a broker that was never started;
a running one is changed by commands on `$CONTROL/dynamic-security/v1` (`accounts`).
"""

import re
from collections.abc import Iterable, Mapping

from tools.centre.mqtt import alarms_account
from wire import topic as topics

# The accounts of the centre, a process and its number; processes are told these names (`--client-id`).
INGEST, CONTROL, ADMIN, CHECK, METRICS = "ingest-1", "control-1", "admin-1", "check-1", "metrics-1"

_ACCOUNT = re.compile(r"([a-z]+)-[0-9]+(-[a-z]+)?")

CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC = f"{CONTROL_TOPIC}/response"
_SEND, _RECEIVE, _LITERAL, _PATTERN = (
    "publishClientSend", "publishClientReceive", "subscribeLiteral", "subscribePattern"
)  # fmt: skip
# To give a subscription back harms nobody.
DEFAULT = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
_UP, _DOWN = "tesrq", "acpk"

# By process.
_CENTRE: dict[str, dict[str, Iterable[str]]] = {
    "ingest": {_SEND: ("tc/1/a/+/+",), _RECEIVE: ("tc/1/t/#",), _LITERAL: ("$share/ingest/tc/1/t/#",)},
    alarms_account("ingest"): {
        _SEND: ("tc/1/a/+/+",), _RECEIVE: ("tc/1/e/#",), _LITERAL: ("$share/ingest/tc/1/e/#",)
    },
    "control": {
        _SEND: ("tc/1/c/+/+", "tc/1/p/+/+", "tc/1/k/+/+"),
        _RECEIVE: ("tc/1/r/+/+", "tc/1/s/+/+", "tc/1/q/+/+"),
        _LITERAL: ("tc/1/r/+/+", "tc/1/q/+/+"),
        _PATTERN: ("tc/1/s/+/+",),
    },
    "admin": {_SEND: (CONTROL_TOPIC,), _RECEIVE: (RESPONSE_TOPIC,), _LITERAL: (RESPONSE_TOPIC,)},
    "check": {_RECEIVE: ("tc/1/s/+/+",), _PATTERN: ("tc/1/s/+/+",)},
    "metrics": {_RECEIVE: ("$SYS/broker/#",), _LITERAL: ("$SYS/broker/#",)},
}


def ingest(number: int) -> str:
    """Returns the name of one of the ingests, from 1 on, which is its account for telemetry."""
    return f"ingest-{number}"


def of_ingest(number: int) -> tuple[str, str]:
    """Returns both accounts of one of the ingests."""
    return ingest(number), alarms_account(ingest(number))


def accounts(ingests: int) -> tuple[str, ...]:
    """Returns the accounts of a centre with so many ingests."""
    numbers = range(1, ingests + 1)
    return (*(name for number in numbers for name in of_ingest(number)), CONTROL, ADMIN, CHECK, METRICS)


def is_account(name: str) -> bool:
    """Returns whether an account is of the centre, of an ingest that is no more, or of somebody else."""
    return _process(name) in _CENTRE


def of_account(name: str) -> dict:
    """Returns the role of an account of the centre, as the plugin writes it."""
    return _role(name, _CENTRE[_process(name)])


def _process(name: str) -> str:
    """Returns an account without its number, `ingest-alarms` of `ingest-1-alarms`; empty for another's."""
    found = _ACCOUNT.fullmatch(name)
    return found[1] + (found[2] or "") if found else ""


def of_gateway(insee: str, gateway: str) -> dict:
    """Returns the role of a gateway: its own topics, each by its whole name."""
    up, down = ([topics.build(kind, insee, gateway) for kind in kinds] for kinds in (_UP, _DOWN))
    return _role(f"{insee}-{gateway}", {_SEND: up, _RECEIVE: down, _LITERAL: down})


def subscriptions(account: str) -> set[str]:
    """Returns the topics that an account subscribes to whenever it connects: of a cabinet, that of its receipts."""
    if _process(account) in _CENTRE:
        allowed = _CENTRE[_process(account)]
        return {*allowed.get(_LITERAL, ()), *allowed.get(_PATTERN, ())}
    return {topics.build(topics.RECEIPT, *account.split("-", 1))}


def client(name: str) -> dict:
    """Returns the account that has the role of its name, and no password: the certificate is its proof."""
    return {"username": name, "roles": [{"rolename": name, "priority": 0}]}


def document(gateways: Iterable[tuple[str, str]], ingests: int = 1, present: Mapping | None = None) -> dict:
    """Returns the plugin's file with the centre's accounts and these gateways (INSEE code, name), beside accounts of
    the `present` file that are not ours: `bocage centre status` names them."""
    roles = [*map(of_account, accounts(ingests)), *(of_gateway(*one) for one in gateways)]
    names = {one["rolename"] for one in roles}
    present = present or {"defaultACLAccess": DEFAULT, "clients": [], "roles": []}
    clients = [one for one in present["clients"] if not _is_ours(one["username"], names)]
    others = [one for one in present["roles"] if not _is_ours(one["rolename"], names)]
    return {
        **present, "clients": [*clients, *(client(one["rolename"]) for one in roles)], "roles": [*others, *roles]
    }  # fmt: skip


def meaning(document: Mapping) -> tuple[dict, dict]:
    """Returns which roles each account has, and what each role allows; the plugin writes the same in its own form."""
    accounts = {one["username"]: [role["rolename"] for role in one.get("roles", ())] for one in document["clients"]}
    allowed = {
        one["rolename"]: sorted((acl["acltype"], acl["topic"], acl["allow"]) for acl in one.get("acls", ()))
        for one in document["roles"]
    }
    return accounts, allowed


def _is_ours(name: str, names: set[str]) -> bool:
    return name in names or is_account(name)


def _role(name: str, allowed: Mapping[str, Iterable[str]]) -> dict:
    acls = [
        {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
        for kind, found in allowed.items()
        for topic in found
    ]
    return {"rolename": name, "acls": acls}
