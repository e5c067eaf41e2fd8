"""Checks the serial bearers of the node link in the gateway's configuration, beside UDP:

    [bus]                                 RS-485, polled by the gateway
    port = "/dev/serial/by-id/usb-…"
    addresses = [1, 2, 3]                 of the nodes on the line, 1 to 247
    baud = 115200

    [wire]                                one node on one port
    port = "/dev/serial/by-id/usb-…"
    baud = 115200

    [radio]                               a concentrator for ESP-NOW
    port = "/dev/serial/by-id/usb-…"
    channel = 6                           1 to 11; absent: the concentrator's own
        update_keys = ["d75a98…"]             public keys that sign its images; absent: it is not updated
"""

from dataclasses import dataclass
from typing import Any

from gateway.config.table import Fault, Table
from gateway.language import N_, NC_
from wire import bus, cose, radio

# What pyserial and the kernel have; below, an answer takes longer than a node's loop may be blocked.
BAUDS = (57_600, 115_200, 230_400, 460_800)
# The key that signs, its successor, and a spare.
UPDATE_KEYS_MAX = 4
FIELDS = {
    "bus": ("port", "addresses", "baud"),
    "wire": ("port", "baud"),
    "radio": ("port", "channel", "update_keys"),
}


@dataclass(frozen=True)
class BusOptions:
    """Describes an RS-485 line and the addresses on it."""

    port: str
    addresses: tuple[int, ...]
    baud: int = 115_200

    @property
    def line(self) -> bus.Line:
        return bus.line(baud=self.baud)

    @property
    def ack_timeout_ms(self) -> int:
        """Returns CoAP's ACK timeout on this line (`wire.bus`)."""
        return int(bus.ack_timeout_ms(self.line, len(self.addresses)))


@dataclass(frozen=True)
class WireOptions:
    """Describes one node on one port."""

    port: str
    baud: int = 115_200


@dataclass(frozen=True)
class RadioOptions:
    """Describes a concentrator's port. `channel` None: it keeps its own. `update_keys`: the keys that sign its
    images."""

    port: str
    channel: int | None = None
    update_keys: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class SerialBearers:
    """Holds the serial bearers that the configuration has."""

    bus: BusOptions | None = None
    wire: WireOptions | None = None
    radio: RadioOptions | None = None


def check(plain: dict[str, Any], faults: list[Fault]) -> SerialBearers:
    """Returns the bearers in the sections; faults are appended to `faults`."""
    makers = {"bus": _bus, "wire": _wire, "radio": _radio}
    tables = {name: Table(f"[{name}]", plain.get(name), faults) for name in makers}
    found: dict[str, Any] = {name: makers[name](table) for name, table in tables.items() if table.is_there}
    ports = [bearer.port for bearer in found.values() if bearer.port]
    if len(set(ports)) < len(ports):
        problem = NC_("fault", "two bearers have the same port")
        faults.append(Fault("[bus] port", problem, N_("give each its own"), {}))
    return SerialBearers(**found)


def _bus(table: Table) -> BusOptions:
    addresses = table.plain.get("addresses")
    if not isinstance(addresses, list) or not _are_addresses(addresses):
        low, high = bus.ADDRESS_MIN, bus.ADDRESS_MAX
        remedy = N_("give a list of different integers from {low} to {high}")
        table.refuse("addresses", remedy, low=low, high=high)
        addresses = [low]
    return BusOptions(_port(table), tuple(addresses), _baud(table))


def _wire(table: Table) -> WireOptions:
    return WireOptions(_port(table), _baud(table))


def _radio(table: Table) -> RadioOptions:
    channel = None
    if table.plain.get("channel") is not None:
        channel = table.integer("channel", radio.CHANNEL_MIN, radio.CHANNEL_MAX)
    keys = _update_keys(table.plain.get("update_keys", []))
    if keys is None:
        remedy = N_("give at most {count} public keys of 64 hexadecimal digits, or remove it")
        table.refuse("update_keys", remedy, count=UPDATE_KEYS_MAX)
    return RadioOptions(_port(table), channel, keys or ())


def _port(table: Table) -> str:
    remedy = N_("give the adapter's name under /dev/serial/by-id/")
    return table.text("port", lambda text: text.startswith("/dev/"), remedy)


def _baud(table: Table) -> int:
    return int(table.choice("baud", BAUDS, 115_200))


def _are_addresses(value: list[Any]) -> bool:
    if not value or len(set(map(str, value))) < len(value):
        return False
    return all(type(one) is int and bus.ADDRESS_MIN <= one <= bus.ADDRESS_MAX for one in value)


def _update_keys(value: Any) -> tuple[bytes, ...] | None:
    if not isinstance(value, list) or len(value) > UPDATE_KEYS_MAX:
        return None
    try:
        keys = tuple(bytes.fromhex(one) for one in value)
    except (TypeError, ValueError):
        return None
    return keys if all(cose.is_sound_key(key) for key in keys) else None
