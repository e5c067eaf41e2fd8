"""Checks the bearers in the gateway's configuration: any number of ways to the centre, in order of preference.

    [[bearer]]
    name = "fibre"                        # as status and alarms call it
    kind = "fibre"                        # not paid for by the byte
    interface = "eth0"
        keepalive_s = 6                       # a silent cut is noticed after twice that

    [[bearer]]
    name = "mobile"
    kind = "mobile"                       # paid for by the byte: used while no fibre works, and counted
    interface = "wwan0"                   # or source = "192.0.2.7": bound by an address of this machine
    keepalive_s = 240
    monthly_bytes = 50000000              # 0 or absent: counted, never held back
    modem = "/dev/serial/by-id/usb-…-if02"    # its port for AT commands
    power_command = ["/usr/sbin/uhubctl", "-a", "cycle", "-p", "2"]

A second modem is one more entry. Without any entry the gateway uses the system's own route.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from gateway.config.table import IS, Fault, Table
from gateway.core.bearers.bearer import Bearer
from gateway.io.mqtt_socket import BearerRoute
from gateway.language import N_, NC_

FIBRE, MOBILE = "fibre", "mobile"
KINDS = (FIBRE, MOBILE)
_FIELDS = ("name", "kind", "interface", "source", "keepalive_s", "monthly_bytes", "modem", "power_command")
_OF_MOBILE = ("monthly_bytes", "modem", "power_command")
# Beyond, a list is a mistake: each bearer is probed, and each may carry the connection.
BEARERS_MAX = 8
# The name appears in the names of budget files.
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,15}")
# As Linux names them: 15 bytes, no separator.
_INTERFACE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")
# By kind: default, lowest, highest. Each exchange of a keep-alive costs some 200 bytes.
_KEEPALIVE_S = {FIBRE: (6, 3, 600), MOBILE: (240, 3, 3600)}


@dataclass(frozen=True)
class BearerConfig:
    """Describes one bearer. `modem`: the port for AT commands; `power_command`: cycles the modem's power."""

    route: BearerRoute
    is_metered: bool = False
    monthly_bytes: int = 0
    modem: str | None = None
    power_command: tuple[str, ...] | None = None

    @property
    def core(self) -> Bearer:
        """Returns the bearer in the core's form."""
        return Bearer(
            self.route.name,
            is_metered=self.is_metered,
            monthly_bytes=self.monthly_bytes,
            has_modem=self.modem is not None,
            has_modem_power=self.power_command is not None,
        )


def check(plain: Any, faults: list[Fault]) -> tuple[BearerConfig, ...]:
    """Returns the bearers in the list `bearer`; faults are appended to `faults`."""
    if not isinstance(plain, list) or len(plain) > BEARERS_MAX or not all(isinstance(one, dict) for one in plain):
        remedy = N_("write [[bearer]] for each, {count} at most")
        faults.append(Fault("[[bearer]]", NC_("fault", "is no list of bearers"), remedy, {"count": BEARERS_MAX}))
        return ()
    tables = [Table(f"[[bearer]] {number}", one, faults) for number, one in enumerate(plain, 1)]
    bearers = tuple(map(_bearer, tables))
    _refuse_shared(tables, bearers)
    return bearers


def _bearer(table: Table) -> BearerConfig:
    kind = table.choice("kind", KINDS, FIBRE)
    if table.plain.get("kind") is None:
        table.refuse("kind", N_('give "fibre", or "mobile" where bytes are paid for'))
    is_metered = kind == MOBILE
    table.unknown(tuple(field for field in _FIELDS if is_metered or field not in _OF_MOBILE))
    name = table.text("name", _NAME.fullmatch, N_("give 1 to 16 small letters, digits and hyphens"))
    remedy = N_("give a network interface's name, as eth0")
    interface = table.optional("interface", _INTERFACE.fullmatch, remedy)
    source = table.optional("source", _is_address, N_("give an IP address of this machine"))
    default, low, high = _KEEPALIVE_S[kind]
    keepalive_s = table.integer("keepalive_s", low, high, default)
    if interface is None and source is None:
        table.fault("interface", NC_("fault", "is missing"), N_("give interface or source, or remove the entry"))
    route = BearerRoute(name, interface, source, keepalive_s)
    if not is_metered:
        return BearerConfig(route)
    monthly_bytes = table.integer("monthly_bytes", 0, 1 << 44, 0)
    if monthly_bytes and interface is None and source is not None:
        remedy = N_("give interface: bytes are counted there")
        table.fault("monthly_bytes", NC_("fault", "has no interface"), remedy)
    modem = table.optional("modem", lambda text: text.startswith("/"), N_("give the path of a serial port"))
    return BearerConfig(route, True, monthly_bytes, modem, _power_command(table, modem))


def _power_command(table: Table, modem: str | None) -> tuple[str, ...] | None:
    command = table.plain.get("power_command")
    if command is None:
        return None
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        table.refuse("power_command", N_("give a list: a program and its arguments"))
        return None
    if modem is None and table.plain.get("modem") is None:
        table.fault("modem", NC_("fault", "is missing"), N_("give its port, or remove power_command"))
        return None
    return tuple(command)


def _refuse_shared(tables: list[Table], bearers: tuple[BearerConfig, ...]) -> None:
    """Adds faults for what two bearers must not share: the name, the modem's port, an interface on which the bytes
    of one are counted."""
    for index, (table, one) in enumerate(zip(tables, bearers, strict=True)):
        others = bearers[:index] + bearers[index + 1 :]
        if one.route.name and one.route.name in [other.route.name for other in bearers[:index]]:
            table.fault("name", IS, N_("give each bearer a name of its own"), value=repr(one.route.name))
        if one.modem is not None and one.modem in [other.modem for other in bearers[:index]]:
            table.fault("modem", IS, N_("give each bearer a port of its own"), value=repr(one.modem))
        sharing = [other.route.name for other in others if other.route.interface == one.route.interface]
        if one.monthly_bytes and one.route.interface is not None and sharing:
            problem = NC_("fault", "is that of {other} as well")
            table.fault("interface", problem, N_("give one of its own: bytes are counted there"), other=sharing[0])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
