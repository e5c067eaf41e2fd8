"""Changes the accounts of a running Mosquitto, through its plugin dynamic-security, over TLS with our own certificate.

Each change is one message of commands and one answer. What is there already is brought to what it should be, what is
gone is gone: a command that was cut short is given again.
"""

import json

from gateway.language import N_
from tools.centre.broker import probe, roles
from tools.centre.mqtt import BrokerAddress
from tools.command_line import Refused

_REFUSED = N_("the broker does not change its accounts: {error}")
_THERE, _GONE = "already exists", "not found"


def admit(address: BrokerAddress, role: dict) -> None:
    """Gives the account of this role that role and no other. Refused; OSError where no broker answers."""
    client = roles.client(role["rolename"])
    with_made = [{"command": "createRole", **role}, {"command": "createClient", **client}]
    with_changed = [{"command": "modifyRole", **role}, {"command": "modifyClient", **client}]
    errors = _answers(address, with_made)
    if any(_THERE in error for error in errors):
        errors = _answers(address, with_changed)
    _check(errors)


def remove(address: BrokerAddress, name: str) -> None:
    """Deletes the account and its role, and ends its connection. Refused; OSError where no broker answers."""
    words = [{"command": "deleteClient", "username": name}, {"command": "deleteRole", "rolename": name}]
    _check(error for error in _answers(address, words) if _GONE not in error)


def names(address: BrokerAddress) -> set[str]:
    """Returns the names of all accounts. Refused; OSError where no broker answers."""
    [answer] = _asked(address, [{"command": "listClients"}])
    return set(answer.get("data", {}).get("clients", ()))


def _check(errors) -> None:
    found = [error for error in errors if error]
    if found:
        raise Refused(_REFUSED, error="; ".join(found))


def _answers(address: BrokerAddress, commands: list[dict]) -> list[str]:
    """Returns the error of each command, empty where it was done."""
    return [str(answer.get("error", "")) for answer in _asked(address, commands)]


def _asked(address: BrokerAddress, commands: list[dict]) -> list[dict]:
    try:
        with probe.trial(address) as one:
            heard = one.subscribes(roles.RESPONSE_TOPIC)
            heard = heard and one.publishes(roles.CONTROL_TOPIC, json.dumps({"commands": commands}).encode())
            answer = one.payload_on(roles.RESPONSE_TOPIC) if heard else None
    except probe.Refused as refused:
        raise Refused(_REFUSED, error=refused) from refused
    if answer is None:
        raise Refused(_REFUSED, error="no answer" if heard else "not authorized")
    return json.loads(answer)["responses"]
