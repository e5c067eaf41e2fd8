"""Makes a machine the centre of a territory: authority, certificates, roles, the broker's configuration.

Whatever is there stays, so every command may be given again: what is missing is made, what ends soon is renewed. Must
not know a table of the warehouse.
"""

import datetime
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cryptography import x509

from gateway.language import N_
from gateway.language.reasons import of_file
from tools.centre.broker import authority, configuration, mosquitto, probe, roles, screens
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import BROKER, BROKER_USER, SETTING, USER, WEB_USER, Place, give, write
from tools.centre.limits import CERTIFICATE_DAYS, RENEW_DAYS
from tools.centre.mqtt import BrokerAddress
from tools.centre.scope import server
from tools.centre.store import database, schema
from tools.command_line import Refused
from wire import topic as topics

METRICS_UNIT = "bocage-metrics.service"
TIMERS = ("bocage-night.timer", "bocage-agents.timer")
_DUTY_UNIT = "bocage-duty.service"
_INGEST_UNIT = "bocage-ingest@{}.service"


@contextmanager
def faults() -> Iterator[None]:
    """Turns what the system and the broker refuse into one sentence."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise Refused(N_("the broker of this machine does not answer: {error}"), error=error) from error
        raise Refused(N_("{path}: {why}"), path=error.filename, why=of_file(error)) from error


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def ingests(place: Place) -> int:
    """Returns how many ingests share the work; one where there is no centre yet."""
    return max(1, sum(key.stem[len("ingest-"):].isdecimal() for key in place.etc.glob("ingest-*.key")))


def units(place: Place) -> list[str]:
    """Returns the services of the centre, without the broker."""
    numbers = range(1, ingests(place) + 1)
    others = ("bocage-rollup.service", "bocage-control.service", screens.UNIT, METRICS_UNIT)
    duty = (_DUTY_UNIT,) if place.duty_setting.exists() else ()
    return [*map(_INGEST_UNIT.format, numbers), *others, *duty]


def install(
    place: Place, addresses: Sequence[str] | None, *, port: int, now: datetime.datetime, count: int | None = None
) -> None:
    """Makes what is missing, for these addresses (None: those that the broker has), with so many ingests (None: those
    that there are). Refused; OSError."""
    [*plugins] = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    if not plugins:
        raise Refused(N_("there is no Mosquitto with its plugin dynamic-security here: sudo apt install mosquitto"))
    parents = (place.roles.parent, place.broker_configuration.parent)
    for folder in (place.etc, *parents, place.var, place.web, place.agents, place.backups):
        folder.mkdir(parents=True, exist_ok=True)
    own = Authority(place.etc)
    if addresses and not own.exists():
        own.make(f"Bocage {addresses[0]}", now=now)
    before, count = ingests(place), count or ingests(place)
    renew(place, addresses, now=now, count=count)
    for number in range(count + 1, before + 1):
        _remove_ingest(place, number, now=now)
    present = json.loads(place.roles.read_bytes()) if place.roles.exists() else None
    wanted = roles.document(gateways(own), count, present)
    if present is None or roles.meaning(wanted) != roles.meaning(present):
        write(place.roles, json.dumps(wanted, indent=1).encode(), user=BROKER_USER, group=BROKER_USER)
    text = mosquitto.configuration(place, port=port, plugin=str(plugins[0]))
    write(place.broker_configuration, text.encode(), mode=0o644)
    screens.install(place, addresses[0] if addresses else None)
    if database.is_server(place.warehouse):
        with (
            place.acting(),
            closing(schema.open_to_write(place.warehouse)) as connection,
            database.transaction(connection),
        ):
            server.prepare(connection)
    give(place.var, USER, USER)
    give(place.web, WEB_USER, USER)
    give(place.agents, USER, USER)


def use_server(place: Place, where: str) -> None:
    """Keeps the warehouse on this server of PostgreSQL from now on, and makes its tables. Refused where the warehouse
    is a file already; OSError; database.Error."""
    if place.warehouse_file.exists():
        message = N_("{path} exists: what it holds would stay behind. Stop the services and move it away first.")
        raise Refused(message, path=place.warehouse_file)
    # After one server only another that holds a warehouse: the same under a new name, or its replica.
    open_it = schema.open_to_read if place.setting.exists() else schema.open_to_write
    with place.acting():
        open_it(where).close()
    place.etc.mkdir(parents=True, exist_ok=True)
    name_server(place, where)


def name_server(place: Place, where: str) -> None:
    write(place.setting, f"{SETTING}{where}\n".encode(), mode=0o644)


def _remove_ingest(place: Place, number: int, *, now: datetime.datetime) -> None:
    """Stops an ingest for good, and ends its sessions: the broker would go on dealing messages to them."""
    tell(place, "disable", "--now", _INGEST_UNIT.format(number))
    for name in roles.of_ingest(number):
        with suppress(OSError, probe.Refused), probe.trial(address(place, name)):
            pass  # a session that begins anew has no subscriptions
        Authority(place.etc).revoke(name, now=now)
        for path in place.pair(name):
            path.unlink()


def renew(
    place: Place, addresses: Sequence[str] | None, *, now: datetime.datetime, count: int | None = None
) -> list[str]:
    """Gives the broker and the screens (at these addresses, None: at those they have) and each account of the centre a
    new key and certificate where there is none, or where it ends soon; returns their names."""
    own, made = Authority(place.etc), []
    for name in (BROKER, screens.NAME, *roles.accounts(count or ingests(place))):
        certificate, key = place.pair(name)
        present = x509.load_pem_x509_certificate(certificate.read_bytes()) if key.exists() else None
        if name == screens.NAME and present is not None and not screens.is_own(place, present):
            continue
        here = list(_addresses(present)) if present else []
        is_server = name in (BROKER, screens.NAME)
        wanted = [] if not is_server else here if addresses is None else _with_loopback(addresses)
        is_fresh = present is not None and (present.not_valid_after_utc - now).days > RENEW_DAYS
        if is_fresh and sorted(here) == sorted(wanted):
            continue
        private = authority.new_key()
        days = screens.CERTIFICATE_DAYS if name == screens.NAME else CERTIFICATE_DAYS
        pem = own.issue(name, private.public_key(), now=now, addresses=wanted, days=days)
        reader = BROKER_USER if name == BROKER else None
        write(key, authority.pem_of_key(private), mode=0o640 if reader else 0o600, group=reader)
        write(certificate, pem, mode=0o644)
        made.append(name)
    return made


def gateways(own: Authority) -> dict[tuple[str, str], datetime.datetime]:
    """Returns the gateways that are enrolled, by INSEE code and name, and when the certificate of each ends."""
    found = {}
    for name, end in own.holders():
        insee, _, gateway = name.partition("-")
        if topics.is_insee(insee) and topics.is_gateway_name(gateway):
            found[insee, gateway] = end
    return found


def address(place: Place, account: str) -> BrokerAddress:
    """Returns the broker of this machine, with an account of the centre. Refused where `init` has not been."""
    certificate, key = place.pair(account)
    own = Authority(place.etc)
    return BrokerAddress("localhost", port(place), account, str(own.certificate), str(certificate), str(key))


def port(place: Place) -> int:
    """Returns the port of the broker's listener. Refused where `init` has not been, and for a user without rights."""
    key = place.pair(roles.ADMIN)[1]
    if key.exists() and not os.access(key, os.R_OK):
        raise Refused(N_("only root may read the centre's keys: begin the command with sudo"))
    try:
        return int(configuration.settings(place.broker_configuration)[0]["listener"])
    except (OSError, KeyError, ValueError):
        raise Refused(N_("this machine is no centre yet: sudo bocage centre init NAME")) from None


def start(place: Place) -> bool:
    """Returns whether systemd started the broker and the services, now and at each boot; nginx too, if it can."""
    wanted = *units(place), *TIMERS
    tell(place, "reload-or-restart", screens.PROXY_UNIT)
    return all(tell(place, *words) for words in (("restart", "mosquitto"), ("enable", *wanted), ("restart", *wanted)))


def tell(place: Place, *words: str) -> bool:
    """Returns whether systemd did it (`reload mosquitto`); a trial, or a system that is being built, has none."""
    if not place.is_system or not Path("/run/systemd/system").is_dir():
        return False
    return subprocess.run(["systemctl", *words], check=False, capture_output=True).returncode == 0


def _with_loopback(addresses: Sequence[str]) -> list[str]:
    # The centre's own processes use this name.
    return list(dict.fromkeys([*addresses, "localhost"]))


def _addresses(certificate: x509.Certificate) -> Iterator[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for one in found:
        yield str(one.value)
