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

    [page]
    bind = "192.168.50.1:8080"           [page], further: certificate, key (PEM files)
    password = "scrypt$…"

    [fibre]                              [mobile]
    interface = "eth0"                   interface = "wwan0"
    keepalive_s = 6                      keepalive_s = 240
                                         monthly_bytes = 50000000
                                         modem = "/dev/serial/by-id/usb-…-if02"
                                         power_command = ["/usr/sbin/uhubctl", "-a", "cycle", "-p", "2"]

A node is answered if an operator has adopted it (`bocage gateway adopt`); `nodes`, if given, bars all others. Empty, or
no `[link]` beside a `[cabinet]`: none, and no port is open. `[bus]`, `[wire]`, `[radio]`, bearers on serial ports: see
`gateway/config/link.py`; beside them `bind`, UDP, may be left out.
`[metrics]` absent: no listener. `[status] socket` absent: as above, in the data folder. `[fibre]` and `[mobile]` are
bearers: either, both (fibre is preferred, mobile is paid for by the byte) or none (whatever route the system has);
`source = "192.0.2.7"` binds by address in place of an interface. A broker without TLS needs `--insecure`.
`[groups]`: names for nodes that are told something together (`bocage gateway tell --to`), as
`ecoles = ["7c1f0a2c02000001"]`; a feeder's name stands for the lamps on it.
`[cabinet]`, what is wired in the cabinet itself: see `gateway/config/cabinet.py`.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import cabinet as cabinet_config
from gateway.config import link as link_config
from gateway.config.link import SerialBearers
from gateway.config.page import PageOptions
from gateway.config.reader import INTEGERS, Modem, Reader
from gateway.core.bearers import bearer
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.gateway import Options
from gateway.io.cabinet.wiring import CabinetWiring
from gateway.io.mqtt_socket import Bearer, MqttOptions
from policy.keyset import KeySet
from wire import topic


class ConfigError(Exception):
    """Every fault of a configuration, one line each: path, problem, remedy."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Config:
    """A configuration without faults. Addresses are (host, port). `bind` None: no node is answered, so no link is
    opened.
    """

    core: Options
    mqtt: MqttOptions
    data: Path
    bind: tuple[str, int] | None
    trust_system_clock: bool
    status_socket: Path
    metrics: tuple[str, int] | None = None
    bearers: tuple[Bearer, ...] = ()
    modem: Modem | None = None
    serial: SerialBearers = field(default_factory=SerialBearers)
    cabinet: CabinetWiring | None = None
    page: PageOptions | None = None

    @property
    def keys(self) -> Path:
        """The folder with the keys of adopted nodes."""
        return self.data / "keys"


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
    reader = Reader(plain)
    reader.unknown()
    numbers = {field: reader.integer(*field, *bounds) for field, bounds in INTEGERS.items()}
    gateway_id = reader.node_id("gateway", "id")
    insee = reader.text("gateway", "insee", topic.is_insee, "five characters, as 49007 or 2A004")
    name = reader.text("gateway", "name", topic.is_gateway_name, "lower-case letters, digits, inner hyphens")
    data = reader.text("gateway", "data", lambda value: value.startswith("/"), "an absolute path")
    # A cabinet whose lamps have no controllers answers no node: there is no link to open.
    serial = link_config.check(plain, reader.faults)
    has_serial = any(section in plain for section in link_config.FIELDS)
    is_alone = "cabinet" in plain and "link" not in plain and not has_serial
    has_udp = not is_alone and not (has_serial and "bind" not in plain.get("link", {}))
    bind = reader.address("link", "bind", 5683) if has_udp else None
    broker = reader.address("uplink", "broker", 8883)
    allowed = frozenset() if is_alone else reader.nodes()
    tls = reader.tls(insecure)
    trust = reader.boolean("clock", "trust_system", False)
    status_socket = reader.path("status", "socket", Path(data) / "run" / "status.sock")
    metrics = reader.address("metrics", "bind", 9101) if "metrics" in plain else None
    bearers = tuple(reader.bearer(name, numbers[name, "keepalive_s"]) for name in ("fibre", "mobile") if name in plain)
    reader.shared_interface(bearers)
    modem = reader.modem()
    cabinet = cabinet_config.check(plain["cabinet"], reader.faults) if "cabinet" in plain else None
    keys = reader.keyset(cabinet, insee) if cabinet is not None else None
    page, groups = reader.page() if "page" in plain else None, reader.groups()
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
        # One patience for all bearers: the longest. Only our own requests and late answers wait for it.
        ack_timeout_ms=max(numbers["link", "ack_timeout_ms"], serial.bus.ack_timeout_ms if serial.bus else 0),
        reconnect_last_ms=1000 * numbers["uplink", "reconnect_max_s"],
        bearers=tuple(bearer.Bearer(one.name, is_metered=one.name == "mobile") for one in bearers),
        monthly_bytes=numbers["mobile", "monthly_bytes"] or None,
        has_modem=modem is not None,
        has_modem_power=modem is not None and modem.power_command is not None,
        cabinet=None if cabinet is None else _cabinet_options(cabinet, keys),
        groups=groups,
    )
    mqtt = MqttOptions(*broker, f"{insee}-{name}", topic.build(topic.STATE, insee, name), tls)
    if allowed == frozenset():
        bind, serial = None, SerialBearers()
    return Config(
        core, mqtt, Path(data), bind, trust, status_socket, metrics, bearers, modem, serial, cabinet, page
    )


def _cabinet_options(cabinet: CabinetWiring, keys: KeySet | None) -> CabinetOptions:
    """What the core needs to know of what is wired."""
    feeders = tuple(
        FeederOptions(one.name, one.lamps, 10 * one.lamp_watts, one.meter is not None, one.self_dimming, one.nodes)
        for one in cabinet.feeders
    )
    return CabinetOptions(
        cabinet.latitude_e4,
        cabinet.longitude_e4,
        feeders,
        keys,
        has_watchdog=cabinet.watchdog is not None,
        has_linky=cabinet.linky is not None,
        has_switch=cabinet.switch_on is not None or cabinet.switch_off is not None,
    )
