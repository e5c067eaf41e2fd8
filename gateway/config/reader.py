"""Fields out of the plain data of a gateway's configuration: each checked, what is wrong collected with its remedy.

What the sections and their fields are stands in the tables here; what they mean, in `gateway/config/config.py`.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import link as link_config
from gateway.config import password
from gateway.config.page import PageOptions
from gateway.core import limits
from gateway.io.cabinet.wiring import CabinetWiring
from gateway.io.mqtt_socket import Bearer
from gateway.io.tls import Tls
from policy import keyset
from policy.keyset import KeySet
from wire import command
from wire import limits as wire_limits
from wire.line import is_line


@dataclass(frozen=True)
class Modem:
    """The port for AT commands, and what switches the stick's power off and on (None: nothing does)."""

    port: str
    power_command: tuple[str, ...] | None


# As Linux names them: 15 bytes, no separator.
_INTERFACE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")

# section: {field: (kind, default, low, high)}; default ... means that it must be given.
INTEGERS = {
    ("link", "commit_ms"): (500, 0, 3000),
    ("link", "ack_timeout_ms"): (4000, wire_limits.COAP_ACK_TIMEOUT_MIN_MS, 60_000),
    ("uplink", "batch_records"): (limits.UPLINK_BATCH_RECORDS_MAX, 1, wire_limits.BATCH_RECORDS_MAX),
    ("uplink", "batch_age_s"): (60, 0, 3600),
    ("uplink", "reconnect_max_s"): (limits.UPLINK_RECONNECT_LAST_MS // 1000, 1, 3600),
    ("uplink", "window"): (limits.UPLINK_WINDOW_MAX, limits.UPLINK_ALARM_WINDOW + 1, 100),
    ("fibre", "keepalive_s"): (Bearer("fibre").keepalive_s, 3, 600),
    ("mobile", "keepalive_s"): (240, 3, 3600),
    # 0: counted, never held back.
    ("mobile", "monthly_bytes"): (0, 0, 1 << 44),
    ("journal", "bytes_max"): (limits.JOURNAL_BYTES_MAX, 1 << 20, 1 << 40),
    ("journal", "segment_bytes_max"): (limits.JOURNAL_SEGMENT_BYTES_MAX, 1 << 14, 1 << 28),
    ("journal", "alarm_reserve_bytes"): (limits.JOURNAL_ALARM_RESERVE_BYTES, 1 << 16, 1 << 36),
}
OTHERS = {
    "gateway": ("id", "insee", "name", "data"),
    "link": ("bind", "nodes"),
    "uplink": ("broker", "ca", "certificate", "key", "crl"),
    "journal": (),
    "clock": ("trust_system",),
    "status": ("socket",),
    "metrics": ("bind",),
    "fibre": ("interface", "source"),
    "mobile": ("interface", "source", "modem", "power_command"),
    "cabinet": (),
    "page": ("bind", "password", "certificate", "key"),
    **link_config.FIELDS,
}


class Reader:
    """Takes fields out of plain data and collects what is wrong; a faulty field yields a harmless value."""

    def __init__(self, plain: dict[str, Any]):
        self._plain = plain
        self.faults: list[str] = []

    def fault(self, section: str, field: str, problem: str, remedy: str) -> None:
        self.faults.append(f"[{section}] {field}: {problem}; {remedy}")

    def unknown(self) -> None:
        for section, fields in self._plain.items():
            if section in ("cabinet", "groups"):
                continue  # has a reader of its own
            if section not in OTHERS or not isinstance(fields, dict):
                self.faults.append(f"[{section}]: is not a section; the sections are {', '.join(OTHERS)}")
                continue
            known = {*OTHERS[section], *(field for part, field in INTEGERS if part == section)}
            for field in fields:
                if field not in known:
                    self.fault(section, field, "is not a field", f"remove it; known are {', '.join(sorted(known))}")

    def integer(self, section: str, field: str, default: int, low: int, high: int) -> int:
        value = self._get(section, field, default)
        if type(value) is not int or not low <= value <= high:
            self.fault(section, field, f"is {value!r}", f"give an integer from {low} to {high}")
            return default
        return value

    def boolean(self, section: str, field: str, default: bool) -> bool:
        value = self._get(section, field, default)
        if type(value) is not bool:
            self.fault(section, field, f"is {value!r}", "give true or false")
            return default
        return value

    def text(self, section: str, field: str, is_good: Any, expected: str) -> str:
        value = self._get(section, field, None)
        if not isinstance(value, str) or not is_good(value):
            problem = "is missing" if value is None else f"is {value!r}"
            self.fault(section, field, problem, f"give {expected}")
            return ""
        return value

    def node_id(self, section: str, field: str) -> bytes:
        expected = "the 16 hex digits minted for this gateway"
        value = self.text(section, field, lambda text: _id_from_hex(text) is not None, expected)
        return _id_from_hex(value) or b""

    def nodes(self) -> frozenset[bytes] | None:
        value = self._get("link", "nodes", None)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fault("link", "nodes", "is not a list", "give a list of 16-digit ids, or remove it")
            return None
        known = set()
        for index, text in enumerate(value):
            node = _id_from_hex(text)
            if node is None:
                self.fault("link", f"nodes[{index}]", f"is {text!r}", "give 16 hex digits")
            else:
                known.add(node)
        return frozenset(known)

    def groups(self) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
        """`[groups]`: names for nodes that are told something together."""
        section = self._plain.get("groups", {})
        if not isinstance(section, dict) or len(section) > limits.GROUPS_MAX:
            self.faults.append(f"[groups]: is no section of up to {limits.GROUPS_MAX} groups; write name = [ids]")
            return ()
        found = []
        for name, value in section.items():
            texts = value if isinstance(value, list) else []
            nodes = tuple(node for node in map(_id_from_hex, texts) if node is not None)
            if not is_line(name, command.NAME_BYTES_MAX) or _id_from_hex(name) is not None or name == "*":
                self.fault("groups", name, "is no name", f"give 1 to {command.NAME_BYTES_MAX} bytes, not an id")
            elif not nodes or len(nodes) < len(texts):
                self.fault("groups", name, f"is {value!r}", "give a list of 16-digit ids of nodes")
            else:
                found.append((name, nodes))
        return tuple(found)

    def address(self, section: str, field: str, default_port: int) -> tuple[str, int]:
        value = self._get(section, field, None)
        if isinstance(value, str) and value:
            host, colon, port = value.rpartition(":")
            if not colon:
                return value, default_port
            # An IPv6 address stands in brackets, or its last group would pass for a port.
            is_host = re.fullmatch(r"[^\[\]:]+|\[[^\[\]]+\]", host)
            if is_host and re.fullmatch("[0-9]{1,5}", port) and int(port) <= 65535:
                return host.strip("[]"), int(port)
        problem = "is missing" if value is None else f"is {value!r}"
        self.fault(section, field, problem, f'give "host:port", as "192.0.2.1:{default_port}"')
        return "", 0

    def path(self, section: str, field: str, default: Path) -> Path:
        value = self._get(section, field, None)
        if value is None:
            return default
        return Path(self.text(section, field, lambda text: text.startswith("/"), "an absolute path"))

    def bearer(self, section: str, keepalive_s: int) -> Bearer:
        interface = self._optional(section, "interface", _INTERFACE.fullmatch, "a network interface's name, as eth0")
        source = self._optional(section, "source", _is_address, "an IP address of this machine")
        if interface is None and source is not None and self._get(section, "monthly_bytes", 0):
            self.fault(section, "monthly_bytes", "has no interface", "give interface: bytes are counted there")
        if interface is None and source is None and isinstance(self._plain.get(section), dict):
            self.fault(section, "interface", "is missing", "give interface, or source, or remove the section")
        return Bearer(section, interface, source, keepalive_s)

    def shared_interface(self, bearers: tuple[Bearer, ...]) -> None:
        names = [one.interface for one in bearers if one.interface is not None]
        if len(set(names)) < len(names) and self._get("mobile", "monthly_bytes", 0):
            self.fault("mobile", "interface", "is fibre's as well", "give one of its own: bytes are counted there")

    def keyset(self, cabinet: CabinetWiring, insee: str) -> KeySet | None:
        """The commune's keys, installed by hand; None where none are configured, or with a fault."""
        if cabinet.keys is None:
            return None
        try:
            data = cabinet.keys.read_bytes()
        except OSError as error:
            self.fault("cabinet", "keys", f"cannot be read ({error})", "give the commune's key set, or remove it")
            return None
        keys, faults = keyset.decode(data[: command.KEYSET_BYTES_MAX + 1])
        if keys is None:
            remedy = "give the file of `bocage policy keyset`"
            self.fault("cabinet", "keys", f"is no key set ({faults[0].problem})", remedy)
        elif keys.insee != insee:
            self.fault("cabinet", "keys", f"is of the commune {keys.insee}", f"give the one of {insee}")
        return keys

    def page(self) -> PageOptions:
        bind = self.address("page", "bind", 8080)
        line = self._get("page", "password", None)
        if not password.is_line(line):
            # Perhaps the password itself: it must not be repeated.
            problem = "is missing" if line is None else "is no scrypt line"
            self.fault("page", "password", problem, "give the line that `bocage gateway setup` writes")
            line = ""
        certificate, key = (
            self._optional("page", name, lambda text: Path(text).is_file(), "the path of a PEM file")
            for name in ("certificate", "key")
        )
        if (certificate is None) != (key is None):
            self.fault("page", "certificate", "is alone", "give certificate and key together")
        if "cabinet" not in self._plain:
            self.fault("page", "bind", "has no cabinet to show", "give [cabinet], or remove [page]")
        return PageOptions(bind, str(line), certificate, key)

    def modem(self) -> Modem | None:
        port = self._optional("mobile", "modem", lambda text: text.startswith("/"), "the path of a serial port")
        command = self._get("mobile", "power_command", None)
        words = command if isinstance(command, list) else []
        if command is not None and not (words and all(isinstance(word, str) for word in words)):
            self.fault("mobile", "power_command", f"is {command!r}", "give a list: a program and its arguments")
            command = None
        if port is None:
            if command is not None:
                self.fault("mobile", "modem", "is missing", "give its port, or remove power_command")
            return None
        return Modem(port, None if command is None else tuple(command))

    def tls(self, insecure: bool) -> Tls | None:
        names = ("ca", "certificate", "key")
        values = [self._get("uplink", name, None) for name in names]
        if all(value is None for value in values):
            if not insecure:
                self.fault("uplink", "ca", "no TLS files are given", "give ca, certificate and key, or --insecure")
            return None
        for name, value in zip(names, values, strict=True):
            if not isinstance(value, str):
                self.fault("uplink", name, "is missing", "give ca, certificate and key together")
            else:
                self._expect_file(name, value)
        crl = self._get("uplink", "crl", None)
        if crl is not None:
            self._expect_file("crl", crl)
        return Tls(*(str(value) for value in (*values, *([] if crl is None else [crl]))))

    def _expect_file(self, field: str, value: Any) -> None:
        if not isinstance(value, str) or not Path(value).is_file():
            self.fault("uplink", field, f"{value} is not a file", "give the path of a PEM file")

    def _optional(self, section: str, field: str, is_good: Any, expected: str) -> str | None:
        return None if self._get(section, field, None) is None else self.text(section, field, is_good, expected)

    def _get(self, section: str, field: str, default: Any) -> Any:
        fields = self._plain.get(section)
        return fields.get(field, default) if isinstance(fields, dict) else default


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _id_from_hex(text: Any) -> bytes | None:
    if not isinstance(text, str) or len(text) != 2 * wire_limits.NODE_ID_BYTES:
        return None
    # Not left to fromhex alone: it skips spaces.
    return bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]+", text) else None
