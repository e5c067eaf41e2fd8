"""Checks the gateway's configuration, one TOML file, as a whole: all faults are listed at once, each with its remedy.

    [gateway]                            [uplink]
    id = "7c1f0a2cff000001"              broker = "centre.example.fr:8883"
    insee = "49007"                      ca = "/etc/bocage/ca.pem"
    name = "cab-12"                      certificate = "/etc/bocage/cab-12.pem"
    data = "/var/lib/bocage"             key = "/etc/bocage/cab-12.key"
                                         batch_records = 50
    keys = "/etc/bocage/commune.keys"    batch_age_s = 60
    [link]
    bind = "0.0.0.0:5683"                [journal]
    commit_ms = 500                      bytes_max = 805306368
    fair_use_percent = 100               segment_bytes_max = 1048576
                                         alarm_reserve_bytes = 33554432
    [clock]
    trust_system = false                 [uplink], further: reconnect_max_s = 120, crl = "/etc/bocage/crl.pem"

    [page]
    bind = "192.168.50.1:8080"           [page], further: certificate, key (PEM files), lights (CSV)
    password = "scrypt$…"

    [[bearer]]                           [[bearer]]
    name = "fibre"                       name = "mobile"
    kind = "fibre"                       kind = "mobile"
    interface = "eth0"                   interface = "wwan0"
                                         monthly_bytes = 50000000

`commune`, which may be left out, is the name that the technician's page shows.
`keys`: the commune's key set. Absent: no receipt of a warehouse frees a record, and a cabinet accepts no policy.
`fair_use_percent`: of what a node may send a day before it counts as babbling (gateway/core/inbox/fair_use.py).
A node is answered if an operator has adopted it (`bocage gateway adopt`). No `[link]` beside a `[cabinet]`: no node is
answered, and no port is open. `[bus]`, `[wire]`, `[radio]`, bearers on serial ports: see `gateway/config/link.py`;
beside them `bind`, UDP, may be left out.
`[[bearer]]`, the ways to the centre in order of preference, each with its budget and modem: see
`gateway/config/bearers.py`. A broker without TLS needs `--insecure`.
`[groups]`: names for nodes that get directives together (`bocage gateway tell --to`), as
`ecoles = ["7c1f0a2c02000001"]`; a feeder's name denotes the lamps on it.
`[cabinet]`, what is wired in the cabinet itself: see `gateway/config/cabinet.py`.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import bearers as bearers_config
from gateway.config import cabinet as cabinet_config
from gateway.config import link as link_config
from gateway.config import page as page_config
from gateway.config.bearers import BearerConfig
from gateway.config.link import SerialBearers
from gateway.config.page import PageOptions
from gateway.config.table import IS, Fault, Table, id_from_hex, is_file
from gateway.core import limits
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.custody.journal import journal_bytes_min
from gateway.core.gateway import Options
from gateway.io.cabinet.wiring import CabinetWiring
from gateway.io.mqtt_socket import MqttOptions
from gateway.io.tls import Tls
from gateway.language import N_, NC_, Sentence, reasons
from policy import keyset
from policy.keyset import KeySet
from wire import command, topic
from wire import limits as wire_limits
from wire.line import is_line

# By section, its fields, except for sections that have a module of their own.
_FIELDS = {
    "gateway": ("id", "insee", "commune", "name", "data", "keys"),
    "link": ("bind", "commit_ms", "fair_use_percent"),
    "uplink": (
        "broker", "ca", "certificate", "key", "crl", "batch_records", "batch_age_s", "reconnect_max_s",
    ),
    "journal": ("bytes_max", "segment_bytes_max", "alarm_reserve_bytes"),
    "clock": ("trust_system",),
    "page": page_config.FIELDS,
    **link_config.FIELDS,
}  # fmt: skip
_SECTIONS = (*_FIELDS, "bearer", "cabinet", "groups")


class ConfigError(Exception):
    """Holds every fault of a configuration; the exception's own text is in English."""

    def __init__(self, faults: list[Fault]):
        super().__init__("\n".join(fault.text("en") for fault in faults))
        self.faults = faults

    def lines(self, language: str) -> list[str]:
        """Returns a line for each fault."""
        return [fault.text(language) for fault in self.faults]


@dataclass(frozen=True)
class Config:
    """Holds a configuration without faults. Addresses are (host, port). `bind` None: no node is answered, so no link is
    opened.
    """

    core: Options
    mqtt: MqttOptions
    data: Path
    bind: tuple[str, int] | None
    trust_system_clock: bool
    bearers: tuple[BearerConfig, ...] = ()
    serial: SerialBearers = field(default_factory=SerialBearers)
    cabinet: CabinetWiring | None = None
    page: PageOptions | None = None
    commune: str | None = None

    @property
    def status_socket(self) -> Path:
        return self.data / "run" / "status.sock"

    @property
    def keys(self) -> Path:
        """Returns the folder with the keys of adopted nodes."""
        return self.data / "keys"


def load(path: Path, *, insecure: bool) -> Config:
    """Read and check a file. ConfigError lists all its faults."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem, remedy = NC_("fault", "cannot be read ({error})"), N_("give the path of a TOML file in UTF-8")
        raise _unreadable(str(path), problem, remedy, reasons.of_file(error)) from error
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, reason = reasons.of_toml(error)
        line = line or max(1, len(text.splitlines()))
        problem = NC_("fault", "is not TOML ({error})")
        raise _unreadable(f"{path}:{line}", problem, N_("correct that line"), reason) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        problem = NC_("fault", "is not TOML ({error})")
        raise _unreadable(str(path), problem, N_("shorten it"), Sentence(N_("too deep or too long"))) from error
    return check(plain, insecure=insecure)


def _is_commune(text: str) -> bool:
    # The longest name of a commune has 45 letters (Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson).
    return 0 < len(text) <= 60 and text.isprintable()


def _unreadable(place: str, problem: str, remedy: str, reason: Sentence) -> ConfigError:
    return ConfigError([Fault(place, problem, remedy, {"error": reason})])


def check(plain: dict[str, Any], *, insecure: bool) -> Config:
    """Returns the configuration in plain TOML data; ConfigError."""
    faults: list[Fault] = []
    tables = {name: Table(f"[{name}]", plain.get(name), faults) for name in _FIELDS}
    _refuse_unknown(plain, tables, faults)
    identity, link, uplink = tables["gateway"], tables["link"], tables["uplink"]
    gateway_id = identity.node_id("id")
    insee = identity.text("insee", topic.is_insee, N_("give five characters, as 49007 or 2A004"))
    commune = identity.optional("commune", _is_commune, N_("give the commune's name, as Feneu, or remove it"))
    name = identity.text("name", topic.is_gateway_name, N_("give lower-case letters, digits, inner hyphens"))
    data = Path(identity.text("data", lambda text: text.startswith("/"), N_("give an absolute path")))
    # A cabinet whose lamps have no controllers answers no node: there is no link to open.
    serial = link_config.check(plain, faults)
    has_serial = any(section in plain for section in link_config.FIELDS)
    is_alone = "cabinet" in plain and "link" not in plain and not has_serial
    has_udp = not is_alone and not (has_serial and "bind" not in link.plain)
    bind = link.address("bind", 5683) if has_udp else None
    broker = uplink.address("broker", 8883)
    tls = _tls(uplink, insecure)
    bearers = bearers_config.check(plain.get("bearer", []), faults)
    keys = _keyset(identity, insee)
    cabinet = cabinet_config.check(plain["cabinet"], faults) if "cabinet" in plain else None
    page = page_config.check(tables["page"], has_cabinet="cabinet" in plain) if "page" in plain else None
    groups = _groups(plain.get("groups", {}), faults)
    journal = _journal(tables["journal"])
    core = Options(
        gateway=gateway_id,
        insee=insee,
        name=name,
        keyset=keys,
        commit_ms=link.integer("commit_ms", 0, 3000, limits.LINK_COMMIT_MS),
        batch_age_ms=1000 * uplink.integer("batch_age_s", 0, 3600, limits.UPLINK_BATCH_AGE_S),
        batch_records_max=uplink.integer(
            "batch_records", 1, wire_limits.BATCH_RECORDS_MAX, limits.UPLINK_BATCH_RECORDS_MAX
        ),
        **journal,
        # One ACK timeout for all bearers, the longest: only our own requests and late answers wait for it.
        ack_timeout_ms=max(
            wire_limits.COAP_ACK_TIMEOUT_MIN_MS, serial.bus.ack_timeout_ms if serial.bus else 0
        ),
        reconnect_last_ms=1000
        * uplink.integer("reconnect_max_s", 1, 3600, limits.UPLINK_RECONNECT_LAST_MS // 1000),
        bearers=tuple(one.core for one in bearers),
        cabinet=None if cabinet is None else _cabinet_options(cabinet),
        groups=groups,
        fair_use_percent=link.integer("fair_use_percent", 10, 1000, 100),
    )
    trust = tables["clock"].boolean("trust_system", False)
    if faults:
        raise ConfigError(faults)
    mqtt = MqttOptions(*broker, f"{insee}-{name}", topic.build(topic.STATE, insee, name), tls)
    return Config(core, mqtt, data, bind, trust, bearers, serial, cabinet, page, commune)


# --- sections -------------------------------------------------------------------------------------------------------


def _refuse_unknown(plain: dict[str, Any], tables: dict[str, Table], faults: list[Fault]) -> None:
    for section, fields in plain.items():
        if section in tables and isinstance(fields, dict):
            tables[section].unknown(_FIELDS[section])
        elif section not in ("bearer", "cabinet", "groups"):
            remedy = N_("the sections are {sections}")
            sections = {"sections": ", ".join(_SECTIONS)}
            faults.append(Fault(f"[{section}]", NC_("fault", "is not a section"), remedy, sections))


def _journal(table: Table) -> dict[str, int]:
    total = table.integer("bytes_max", 1 << 20, 1 << 40, limits.JOURNAL_BYTES_MAX)
    segment = table.integer("segment_bytes_max", 1 << 14, 1 << 28, limits.JOURNAL_SEGMENT_BYTES_MAX)
    reserve = table.integer("alarm_reserve_bytes", 1 << 16, 1 << 36, limits.JOURNAL_ALARM_RESERVE_BYTES)
    if total < (least := journal_bytes_min(segment, reserve)):
        table.fault("bytes_max", NC_("fault", "leaves no room"), N_("give at least {least}"), least=least)
    return {"journal_bytes_max": total, "segment_bytes_max": segment, "alarm_reserve_bytes": reserve}


def _tls(uplink: Table, insecure: bool) -> Tls | None:
    names = ("ca", "certificate", "key")
    values = [uplink.plain.get(name) for name in names]
    if all(value is None for value in values):
        if not insecure:
            remedy = N_("give ca, certificate and key, or --insecure")
            uplink.fault("ca", NC_("fault", "no TLS files are given"), remedy)
        return None
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str):
            uplink.fault(name, NC_("fault", "is missing"), N_("give ca, certificate and key together"))
        else:
            _expect_file(uplink, name, value)
    crl = uplink.plain.get("crl")
    if crl is not None:
        _expect_file(uplink, "crl", crl)
    return Tls(*(str(value) for value in (*values, *([] if crl is None else [crl]))))


def _expect_file(table: Table, field: str, value: Any) -> None:
    if not isinstance(value, str) or not is_file(value):
        problem = NC_("fault", "{value} is not a file")
        table.fault(field, problem, N_("give the path of a PEM file"), value=value)


def _groups(plain: Any, faults: list[Fault]) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Returns the names for nodes that get directives together."""
    if not isinstance(plain, dict) or len(plain) > limits.GROUPS_MAX:
        problem, remedy = NC_("fault", "is no section of up to {count} groups"), N_("write name = [ids]")
        faults.append(Fault("[groups]", problem, remedy, {"count": limits.GROUPS_MAX}))
        return ()
    table = Table("[groups]", plain, faults)
    found = []
    for name, value in plain.items():
        texts = value if isinstance(value, list) else []
        nodes = tuple(node for node in map(id_from_hex, texts) if node is not None)
        if not is_line(name, command.NAME_BYTES_MAX) or id_from_hex(name) is not None or name == "*":
            remedy = N_("give 1 to {count} bytes, not an id")
            table.fault(name, NC_("fault", "is no name"), remedy, count=command.NAME_BYTES_MAX)
        elif not nodes or len(nodes) < len(texts):
            table.fault(name, IS, N_("give a list of 16-digit ids of nodes"), value=repr(value))
        else:
            found.append((name, nodes))
    return tuple(found)


def _keyset(table: Table, insee: str) -> KeySet | None:
    """Returns the commune's keys, installed by hand; None where none are configured, or with a fault."""
    path = table.path("keys")
    if path is None:
        return None
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        remedy = N_("give the commune's key set, or remove it")
        table.fault("keys", NC_("fault", "cannot be read ({error})"), remedy, error=reasons.of_file(error))
        return None
    keys, wrong = keyset.decode(data[: command.KEYSET_BYTES_MAX + 1])
    if keys is None:
        problem, remedy = NC_("fault", "is no key set ({why})"), N_("give the file of `bocage policy keyset`")
        table.fault("keys", problem, remedy, why=wrong[0].problem)
    elif keys.insee != insee:
        problem, remedy = NC_("fault", "is of the commune {found}"), N_("give the one of {expected}")
        table.fault("keys", problem, remedy, found=keys.insee, expected=insee)
    return keys


def _cabinet_options(cabinet: CabinetWiring) -> CabinetOptions:
    """Returns the wiring as far as the core needs it."""
    feeders = tuple(
        FeederOptions(one.name, one.lamps, 10 * one.lamp_watts, one.meter is not None, one.self_dimming, one.nodes)
        for one in cabinet.feeders
    )
    return CabinetOptions(
        cabinet.latitude_e4,
        cabinet.longitude_e4,
        feeders,
        has_watchdog=cabinet.watchdog is not None,
        has_linky=cabinet.linky is not None,
        has_switch=cabinet.switch_on is not None or cabinet.switch_off is not None,
    )
