"""Serial bearers of the node link in the gateway's configuration, beside UDP:

    [bus]                                 RS-485, polled by the gateway
    port = "/dev/serial/by-id/usb-…"
    addresses = [1, 2, 3]                 of the nodes on the line, 1 to 247
    baud = 115200
    direction = "adapter"                 who turns the line round; or "kernel" (RTS)

    [wire]                                one node on one port
    port = "/dev/serial/by-id/usb-…"
    baud = 115200

    [radio]                               a concentrator for ESP-NOW
    port = "/dev/serial/by-id/usb-…"
    channel = 6                           1 to 11; absent: the concentrator's own
    update_keys = ["d75a98…"]             public keys of those who sign its images; absent: it is not updated
"""

from dataclasses import dataclass
from typing import Any

from gateway.io import serial_line
from wire import bus, cose, radio

# What pyserial and the kernel have; below, an answer takes longer than a node's loop may be kept.
BAUDS = (57_600, 115_200, 230_400, 460_800)
# The one that signs, the one that follows it, and a spare.
UPDATE_KEYS_MAX = 4
FIELDS = {
    "bus": ("port", "addresses", "baud", "direction"),
    "wire": ("port", "baud"),
    "radio": ("port", "channel", "update_keys"),
}


@dataclass(frozen=True)
class BusOptions:
    """An RS-485 line and who is on it."""

    port: str
    addresses: tuple[int, ...]
    baud: int = 115_200
    direction: str = serial_line.ADAPTER

    @property
    def line(self) -> bus.Line:
        return bus.line(baud=self.baud)

    @property
    def ack_timeout_ms(self) -> int:
        """CoAP's patience on this line (`wire.bus`)."""
        return int(bus.ack_timeout_ms(self.line, len(self.addresses)))


@dataclass(frozen=True)
class WireOptions:
    """One node on one port."""

    port: str
    baud: int = 115_200


@dataclass(frozen=True)
class RadioOptions:
    """A concentrator's port. `channel` None: it keeps its own. `update_keys`: of those who sign its images."""

    port: str
    channel: int | None = None
    update_keys: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class SerialBearers:
    """Which of them there are."""

    bus: BusOptions | None = None
    wire: WireOptions | None = None
    radio: RadioOptions | None = None


def check(plain: dict[str, Any], faults: list[str]) -> SerialBearers:
    """The bearers behind the sections; what is wrong with them is appended to `faults`."""
    found: dict[str, Any] = {}
    for section in FIELDS:
        if isinstance(plain.get(section), dict):
            found[section] = _section(section, plain[section], faults)
    bearers = SerialBearers(**found)
    ports = [bearer.port for bearer in found.values() if bearer.port]
    if len(set(ports)) < len(ports):
        faults.append("[bus] port: two bearers have the same port; give each its own")
    return bearers


def _section(section: str, fields: dict[str, Any], faults: list[str]) -> Any:
    def fault(field: str, value: Any, remedy: str) -> None:
        faults.append(f"[{section}] {field}: {'is missing' if value is None else f'is {value!r}'}; {remedy}")

    port = fields.get("port")
    if not isinstance(port, str) or not port.startswith("/dev/"):
        fault("port", port, "give the adapter's name under /dev/serial/by-id/")
        port = ""
    if section == "radio":
        channel = fields.get("channel")
        if channel is not None and not (_is_integer(channel) and radio.CHANNEL_MIN <= channel <= radio.CHANNEL_MAX):
            fault("channel", channel, f"give an integer from {radio.CHANNEL_MIN} to {radio.CHANNEL_MAX}, or remove it")
            channel = None
        keys = _update_keys(fields.get("update_keys", []))
        if keys is None:
            remedy = f"give at most {UPDATE_KEYS_MAX} public keys of 64 hexadecimal digits, or remove it"
            fault("update_keys", fields["update_keys"], remedy)
        return RadioOptions(port, channel, keys or ())
    baud = fields.get("baud", 115_200)
    if baud not in BAUDS:
        fault("baud", baud, f"give one of {', '.join(map(str, BAUDS))}")
        baud = 115_200
    if section == "wire":
        return WireOptions(port, baud)
    addresses = fields.get("addresses")
    if not isinstance(addresses, list) or not _are_addresses(addresses):
        low, high = bus.ADDRESS_MIN, bus.ADDRESS_MAX
        fault("addresses", addresses, f"give a list of different integers from {low} to {high}")
        addresses = [bus.ADDRESS_MIN]
    direction = fields.get("direction", serial_line.ADAPTER)
    if direction not in (serial_line.ADAPTER, serial_line.KERNEL):
        fault("direction", direction, f'give "{serial_line.ADAPTER}" or "{serial_line.KERNEL}"')
        direction = serial_line.ADAPTER
    return BusOptions(port, tuple(addresses), baud, direction)


def _are_addresses(value: list[Any]) -> bool:
    if not value or len(set(map(str, value))) < len(value):
        return False
    return all(_is_integer(one) and bus.ADDRESS_MIN <= one <= bus.ADDRESS_MAX for one in value)


def _update_keys(value: Any) -> tuple[bytes, ...] | None:
    if not isinstance(value, list) or len(value) > UPDATE_KEYS_MAX:
        return None
    try:
        keys = tuple(bytes.fromhex(one) for one in value)
    except (TypeError, ValueError):
        return None
    return keys if all(cose.is_sound_key(key) for key in keys) else None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
