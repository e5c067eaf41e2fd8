"""The gateway's configuration: one TOML file, checked whole. All its faults are told at once, each with its
remedy.

    [gateway]                            [uplink]
    id = "7c1f0a2cff000001"              broker = "centre.example.fr:8883"
    insee = "49007"                      ca = "/etc/bocage/ca.pem"
    name = "cab-12"                      certificate = "/etc/bocage/cab-12.pem"
    data = "/var/lib/bocage"             key = "/etc/bocage/cab-12.key"
                                         batch_records = 50
    [link]                               batch_age_s = 60
    bind = "0.0.0.0:5683"                window = 16
    nodes = ["7c1f0a2c01000001"]
    commit_ms = 500                      [journal]
    ack_timeout_ms = 4000                bytes_max = 805306368
                                         segment_bytes_max = 1048576
    [clock]                              alarm_reserve_bytes = 33554432
    trust_system = false                 [status]
                                         socket = "/var/lib/bocage/run/status.sock"
    [metrics]
    bind = "127.0.0.1:9101"              [uplink], further: reconnect_max_s = 120, crl = "/etc/bocage/crl.pem"

    [fibre]                              [mobile]
    interface = "eth0"                   interface = "wwan0"
    keepalive_s = 6                      keepalive_s = 240
                                         monthly_bytes = 50000000
                                         modem = "/dev/serial/by-id/usb-…-if02"
                                         power_command = ["/usr/sbin/uhubctl", "-a", "cycle", "-p", "2"]

`nodes` absent: any node is answered. `[metrics]` absent: no listener. `[status] socket` absent: as above, in
the data folder. `[fibre]` and `[mobile]` are bearers: either, both (fibre is preferred, mobile is paid for by the byte)
or none (whatever route the system has); `source = "192.0.2.7"` binds by address in place of an interface. The
node link in the clear and a broker without TLS need `--insecure`.
"""

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core import limits
from gateway.core.bearers import bearer
from gateway.core.gateway import Options
from gateway.io.mqtt import Bearer, MqttOptions
from gateway.io.tls import Tls
from wire import limits as wire_limits
from wire import topic


class ConfigError(Exception):
    """Every fault of a configuration, one line each: path, problem, remedy."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Modem:
    """The port for AT commands, and what switches the stick's power off and on (None: nothing does)."""

    port: str
    power_command: tuple[str, ...] | None


@dataclass(frozen=True)
class Config:
    """A configuration without faults. Addresses are (host, port)."""

    core: Options
    mqtt: MqttOptions
    data: Path
    bind: tuple[str, int]
    trust_system_clock: bool
    status_socket: Path
    metrics: tuple[str, int] | None = None
    bearers: tuple[Bearer, ...] = ()
    modem: Modem | None = None


# As Linux names them: 15 bytes, no separator.
_INTERFACE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")

# section: {field: (kind, default, low, high)}; default ... means that it must be given.
_INTEGERS = {
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
_OTHERS = {
    "gateway": ("id", "insee", "name", "data"),
    "link": ("bind", "nodes"),
    "uplink": ("broker", "ca", "certificate", "key", "crl"),
    "journal": (),
    "clock": ("trust_system",),
    "status": ("socket",),
    "metrics": ("bind",),
    "fibre": ("interface", "source"),
    "mobile": ("interface", "source", "modem", "power_command"),
}


def load(path: Path, *, insecure: bool) -> Config:
    """Read and check a file. ConfigError lists everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read ({error}); give the path of a TOML file in UTF-8"]) from error
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML ({error}); correct that line"]) from error
    return check(plain, insecure=insecure)


def check(plain: dict[str, Any], *, insecure: bool) -> Config:
    """The configuration behind plain TOML data, or ConfigError."""
    reader = _Reader(plain)
    reader.unknown()
    numbers = {field: reader.integer(*field, *bounds) for field, bounds in _INTEGERS.items()}
    gateway_id = reader.node_id("gateway", "id")
    insee = reader.text("gateway", "insee", topic.is_insee, "five characters, as 49007 or 2A004")
    name = reader.text("gateway", "name", topic.is_gateway_name, "lower-case letters, digits, inner hyphens")
    data = reader.text("gateway", "data", lambda value: value.startswith("/"), "an absolute path")
    bind = reader.address("link", "bind", 5683)
    broker = reader.address("uplink", "broker", 8883)
    allowed = reader.nodes()
    tls = reader.tls(insecure)
    trust = reader.boolean("clock", "trust_system", False)
    status_socket = reader.path("status", "socket", Path(data) / "run" / "status.sock")
    metrics = reader.address("metrics", "bind", 9101) if "metrics" in plain else None
    bearers = tuple(reader.bearer(name, numbers[name, "keepalive_s"]) for name in ("fibre", "mobile") if name in plain)
    reader.shared_interface(bearers)
    modem = reader.modem()
    if not insecure:
        remedy = "start with --insecure: OSCORE is not built yet"
        reader.fault("link", "bind", "the node link runs in the clear", remedy)
    reserve, segment = numbers["journal", "alarm_reserve_bytes"], numbers["journal", "segment_bytes_max"]
    if numbers["journal", "bytes_max"] < reserve + 4 * segment:
        reader.fault("journal", "bytes_max", "leaves no room", f"give at least {reserve + 4 * segment}")
    if reader.faults:
        raise ConfigError(reader.faults)
    core = Options(
        gateway=gateway_id,
        insee=insee,
        name=name,
        allowed=allowed,
        commit_ms=numbers["link", "commit_ms"],
        batch_age_ms=1000 * numbers["uplink", "batch_age_s"],
        batch_records_max=numbers["uplink", "batch_records"],
        window_max=numbers["uplink", "window"],
        segment_bytes_max=segment,
        journal_bytes_max=numbers["journal", "bytes_max"],
        alarm_reserve_bytes=reserve,
        ack_timeout_ms=numbers["link", "ack_timeout_ms"],
        reconnect_last_ms=1000 * numbers["uplink", "reconnect_max_s"],
        bearers=tuple(bearer.Bearer(one.name, is_metered=one.name == "mobile") for one in bearers),
        monthly_bytes=numbers["mobile", "monthly_bytes"] or None,
        has_modem=modem is not None,
        has_modem_power=modem is not None and modem.power_command is not None,
    )
    mqtt = MqttOptions(*broker, f"{insee}-{name}", topic.build(topic.STATE, insee, name), tls)
    return Config(core, mqtt, Path(data), bind, trust, status_socket, metrics, bearers, modem)


class _Reader:
    """Takes fields out of plain data and collects what is wrong; a faulty field yields a harmless value."""

    def __init__(self, plain: dict[str, Any]):
        self._plain = plain
        self.faults: list[str] = []

    def fault(self, section: str, field: str, problem: str, remedy: str) -> None:
        self.faults.append(f"[{section}] {field}: {problem}; {remedy}")

    def unknown(self) -> None:
        for section, fields in self._plain.items():
            if section not in _OTHERS or not isinstance(fields, dict):
                self.faults.append(f"[{section}]: is not a section; the sections are {', '.join(_OTHERS)}")
                continue
            known = {*_OTHERS[section], *(field for part, field in _INTEGERS if part == section)}
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
