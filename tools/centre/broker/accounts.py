"""Changes the accounts of a running Mosquitto, through its plugin dynamic-security, over TLS with our own certificate.

Each change is one message of commands and one answer. What is there already is brought to what it should be, what is
gone is gone: a command that was cut short is given again.
"""

import json
import time

from paho.mqtt.client import Client

from gateway.language import N_
from tools.centre import mqtt
from tools.centre.broker import roles
from tools.centre.mqtt import BrokerAddress
from tools.command_line import Refused

_ANSWER_S = 10.0
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
    client = mqtt.new_client(address)
    received: list[bytes] = []
    refused: list[str] = []
    client.on_connect = lambda one, _userdata, _flags, reason, _: (
        refused.append(str(reason)) if reason.is_failure else one.subscribe(roles.RESPONSE_TOPIC, 1)
    )
    client.on_subscribe = lambda one, _userdata, _mid, reasons, _: (
        refused.append(str(reasons[0]))
        if reasons[0].is_failure
        else one.publish(roles.CONTROL_TOPIC, json.dumps({"commands": commands}), qos=1)
    )
    client.on_message = lambda _client, _userdata, message: received.append(bytes(message.payload))
    client.on_publish = lambda _client, _userdata, _mid, reason, _: (
        refused.append(str(reason)) if reason.is_failure else None
    )
    client.connect(address.host, address.port, keepalive=mqtt.KEEPALIVE_S, clean_start=True)
    _wait(client, received, refused)
    client.disconnect()
    if not received:
        raise Refused(_REFUSED, error=refused[0] if refused else "no answer")
    return json.loads(received[0])["responses"]


def _wait(client: Client, received: list, refused: list) -> None:
    end_s = time.monotonic() + _ANSWER_S
    while not received and not refused and time.monotonic() < end_s:
        result = client.loop(timeout=0.1)
        if result != 0:
            refused.append(result.name)
