"""Judges an installed centre: services, broker and accounts, certificates, disk, last records, backup; with what to do.

A finding that is a fault stops something now or within days; any other with a remedy can wait for a working day.
"""

import datetime
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing

from cryptography import x509

from gateway.language import N_, NN_, Message
from tools.centre.broker import accounts, backup, configuration, installation, refusals, requests, roles, screens
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import BROKER, Place
from tools.centre.condition import programs
from tools.centre.duty import book
from tools.centre.limits import (
    BACKUP_AGE_H_MAX,
    DISK_FREE_MIN,
    DUTY_LATE_S,
    PURGE_AGE_H_MAX,
    RENEW_DAYS,
    RENEW_NIGHTS,
    ROLLUP_AGE_H_MAX,
    SILENCE_S_MAX,
    SYSTEM_AGE_DAYS_MAX,
)
from tools.centre.mqtt import Finding
from tools.centre.store import database, runs, schema
from tools.centre.store.archive import Archive
from tools.command_line import Refused

# Names that one line shows.
_SHOWN_MAX = 5
_DAY_S, _FORTNIGHT_DAYS = 86_400, 14
# Of each kind of refusal, what it means and what to do.
_REFUSED: dict[str, tuple[Message, Message]] = {
    refusals.TWICE: (
        N_("two machines use one cabinet's certificate: {names}"),
        N_("look whether the cabinet is open; its certificate may be copied: sudo bocage centre revoke NAME"),
    ),
    refusals.TOPIC: (
        N_("refused what they sent, for it is not theirs to send ({count}): {names}"),
        N_("is the commune or the name in its gateway.toml wrong? If not, look whether the cabinet was opened: sudo "
           "bocage centre revoke NAME"),
    ),
    refusals.NO_ROLE: (
        N_("allowed nothing, for their certificate is ours but no role is ({count}): {names}"),
        N_("revoked a moment ago, or removed by hand: sudo bocage centre enrol NAME --out NAME.pem if it is a cabinet; "
           "else sudo bocage centre revoke NAME"),
    ),
    refusals.CERTIFICATE: (
        N_("refused for their certificate: revoked, ended, or of another authority ({count}): {names}"),
        N_("nothing, if it is a cabinet that was revoked; another: sudo bocage gateway status there, then sudo bocage "
           "centre enrol"),
    ),
    refusals.NO_CERTIFICATE: (
        N_("refused for want of a certificate ({count}): {names}"),
        N_("if it is a cabinet: sudo bocage gateway setup there; if it is nobody's, close the port to its network"),
    ),
    refusals.OLD_TLS: (
        N_("refused for a TLS older than 1.3 ({count}): {names}"),
        N_("a cabinet of ours speaks 1.3: whose machine is it? Close the port to its network"),
    ),
    refusals.NO_TLS: (
        N_("refused, for they do not speak TLS ({count}): {names}"),
        N_("a port scan, or a browser: close the port to all but the cabinets' network"),
    ),
}  # fmt: skip

_ROLES_CHANGED = N_(
    "their roles at the broker were changed by hand; a cabinet's: sudo bocage centre enrol NAME --out NAME.pem; the "
    "centre's: sudo bocage centre init NAME"
)
# Of each work on the whole warehouse: how old it may be (h), how its age is told, what is told where it never was done,
# and what to do.
_WORKS: dict[str, tuple[int, Message, Message, Message]] = {
    runs.ROLLUP: (
        ROLLUP_AGE_H_MAX, N_("hours and days were last computed {age} h ago"),
        N_("hours and days have never been computed"),
        N_("sudo systemctl restart bocage-rollup; why it does not end: journalctl -u bocage-rollup -n 20"),
    ),
    runs.PURGE: (
        PURGE_AGE_H_MAX, N_("the last purge is {age} h old"), N_("nothing has ever been purged"),
        N_("sudo systemctl start bocage-purge; why the night did not: journalctl -u bocage-night -u bocage-purge"),
    ),
}  # fmt: skip


def findings(place: Place, *, now: datetime.datetime) -> list[Finding]:
    """Returns what is well and what is not. Refused where there is no centre, OSError for files that one may not
    read."""
    installation.port(place)
    gateways = installation.gateways(Authority(place.etc))
    enrolled = {f"{insee}-{name}": end for (insee, name), end in gateways.items()}
    return [
        *_units(place), *_screens(place, now), *_broker(place, set(enrolled)),
        *_refusals(place, set(enrolled), now), *_configuration(place),
        *_certificates(place, enrolled, now), *_records(place, set(enrolled), now), *_duty(place, now), *_disk(place),
        *_backups(place, now),
    ]  # fmt: skip


def _units(place: Place) -> Iterator[Finding]:
    if not place.is_system:
        return
    for unit in ("mosquitto.service", screens.PROXY_UNIT, *installation.units(place), *installation.TIMERS):
        done = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
        if done.stdout.strip() == "active":
            continue
        values = {"unit": unit, "state": done.stdout.strip() or "?"}
        remedy = N_("sudo systemctl restart {unit}; why it ended: journalctl -u {unit} -n 20")
        yield Finding(N_("{unit} does not run ({state})"), remedy, True, values)
        return
    yield Finding(N_("broker, ingest, roll-up, control, screens, metrics and the backup's timer run"))


def _screens(place: Place, now: datetime.datetime) -> Iterator[Finding]:
    """Reports whether the screens answer by TLS, and whether a certificate that the territory renews itself ends."""
    if place.is_system:
        values: dict[str, object] = {"origin": screens.origin(place)}
        try:
            screens.check(place)
        except OSError as error:
            remedy = N_("sudo systemctl restart bocage-web nginx; why: journalctl -u bocage-web -n 20; sudo nginx -t")
            values["error"] = error
            yield Finding(N_("the screens do not answer at {origin}: {error}"), remedy, True, values)
        else:
            yield Finding(N_("the screens answer at {origin}"), values=values)
    found = x509.load_pem_x509_certificate(place.pair(screens.NAME)[0].read_bytes())
    if not screens.is_own(place, found) and (found.not_valid_after_utc - now).days < _FORTNIGHT_DAYS:
        remedy = N_("renew it where it was made, put it in {path}, then: sudo systemctl reload nginx")
        values = {"until": found.not_valid_after_utc.date(), "path": place.pair(screens.NAME)[0]}
        yield Finding(N_("the certificate of the screens ends on {until}"), remedy, True, values)


def _broker(place: Place, enrolled: set[str]) -> Iterator[Finding]:
    try:
        there = accounts.names(installation.address(place, roles.ADMIN))
    except (OSError, Refused) as error:
        remedy = N_("sudo systemctl restart mosquitto; why: /var/log/mosquitto/mosquitto.log")
        yield Finding(N_("the broker does not answer the centre: {error}"), remedy, True, {"error": error})
        return
    lacking, strange = enrolled - there, there - enrolled - set(roles.accounts(installation.ingests(place)))
    if lacking:
        remedy = N_("sudo bocage centre enrol NAME --out NAME.pem gives it back, and a new certificate")
        yield Finding(N_("enrolled, but unknown to the broker: {names}"), remedy, True, _names(lacking))
    if strange:
        remedy = N_("if nobody knows why: sudo mosquitto_ctrl, dynsec deleteClient NAME; then ask who has the server")
        yield Finding(N_("accounts of the broker that were not enrolled here: {names}"), remedy, True, _names(strange))
    if not lacking and not strange:
        found = NN_(
            "the broker answers by TLS 1.3 and knows {count} cabinet",
            "the broker answers by TLS 1.3 and knows {count} cabinets",
        )
        yield Finding(found, values={"count": len(enrolled)})


def _refusals(place: Place, enrolled: set[str], now: datetime.datetime) -> Iterator[Finding]:
    """Tells who was refused by the broker within a day, or since its log was begun."""
    path = place.root / "var/log/mosquitto/mosquitto.log"
    known = enrolled | set(roles.accounts(installation.ingests(place)))
    try:
        lines = refusals.read(path, now.timestamp() - _DAY_S)
    except FileNotFoundError:
        return
    found = refusals.refusals(lines, known)
    deaf = refusals.deaf(lines, {name: roles.subscriptions(name) for name in known}, now.timestamp())
    if deaf:
        message = N_("connected, but not granted what they subscribe to: {names}")
        yield Finding(message, _ROLES_CHANGED, True, _names(deaf))
    for kind, (what, remedy) in _REFUSED.items():
        if kind in found:
            who = {f"{times} × {name}" for name, times in found[kind].items()}
            is_fault = not enrolled.isdisjoint(found[kind]) and kind in (refusals.TOPIC, refusals.TWICE)
            values = {**_names(who), "count": found[kind].total()}
            yield Finding(what, remedy, is_fault, values)
    if not found and not deaf:
        yield Finding(N_("the broker has refused nobody since yesterday"))


def _configuration(place: Place) -> Iterator[Finding]:
    path = place.root / "etc/mosquitto/mosquitto.conf"
    try:
        yield from configuration.findings(path)
    except (OSError, ValueError) as error:
        yield Finding(N_("{path}: {error}"), N_("sudo apt install --reinstall mosquitto"), True, {
            "path": path, "error": error,
        })  # fmt: skip


def _certificates(
    place: Place, cabinets: dict[str, datetime.datetime], now: datetime.datetime
) -> Iterator[Finding]:
    ends = {"authority": Authority(place.etc).end()}
    for name in (BROKER, *roles.accounts(installation.ingests(place))):
        ends[name] = x509.load_pem_x509_certificate(place.pair(name)[0].read_bytes()).not_valid_after_utc
    web = x509.load_pem_x509_certificate(place.pair(screens.NAME)[0].read_bytes())
    if screens.is_own(place, web):
        ends[screens.NAME] = web.not_valid_after_utc
    late = {name: end for name, end in ends.items() if (end - now).days < RENEW_DAYS - 1}
    if late:
        yield _ending(late, now, N_("sudo bocage centre renew; if it does not help: journalctl -u bocage-night"))
    vain = {one.name for one in requests.read(place) if one.is_in_vain(now)}
    if vain:
        remedy = N_("why: journalctl -u bocage-night; then sudo bocage gateway status there, or by hand: sudo bocage "
                    "centre enrol NAME --out NAME.pem")  # fmt: skip
        yield Finding(N_("ask for a new certificate in vain, for three days: {names}"), remedy, False, _names(vain))
    # Its cabinet has had a fortnight of nights to renew it.
    late_cabinets = {name: end for name, end in cabinets.items() if (end - now).days < RENEW_DAYS - RENEW_NIGHTS}
    if late_cabinets:
        remedy = N_("sudo bocage centre enrol NAME --out NAME.pem, then at the cabinet: sudo bocage gateway setup "
                    "--certificate NAME.pem")  # fmt: skip
        yield _ending(late_cabinets, now, remedy)
    if not late and not late_cabinets:
        first = min([*ends.values(), *cabinets.values()])
        yield Finding(N_("no certificate ends before {until}"), values={"until": first.date()})


def _ending(late: dict[str, datetime.datetime], now: datetime.datetime, remedy: str) -> Finding:
    # What a visit to each of a commune's cabinets takes.
    is_fault = (min(late.values()) - now).days < _FORTNIGHT_DAYS
    shown = {f"{name} ({end.date()})" for name, end in late.items()}
    return Finding(N_("certificates that end soon, or have ended: {names}"), remedy, is_fault, _names(shown))


def _records(place: Place, enrolled: set[str], now: datetime.datetime) -> Iterator[Finding]:
    is_server = database.is_server(place.warehouse)
    try:
        with place.acting():
            connection = schema.open_to_read(place.warehouse)
        archive = Archive(connection)
        with closing(archive):
            last, ingests, works = archive.last_received(), archive.ingests(), list(_works(archive, now))
            old = programs.outdated(connection, now_s=int(now.timestamp()))
    except database.Error as error:
        if enrolled or is_server or place.warehouse_file.exists():
            remedy = N_("journalctl -u 'bocage-ingest@*' -n 20; a damaged file: restore the last backup")
            if is_server:
                remedy = N_("does its server run? systemctl status postgresql; then journalctl -u 'bocage-ingest@*'")
            yield Finding(N_("the warehouse cannot be read: {error}"), remedy, True, {"error": error})
        return
    yield from works
    yield _ingests({one.name for one in ingests if one.is_at_work(now.timestamp())}, installation.ingests(place))
    silent = {name for name in enrolled if now.timestamp() - last.get(name, 0) > SILENCE_S_MAX}
    if silent:
        remedy = N_("its link or its power: sudo bocage gateway status there; it keeps its records meanwhile")
        message = N_("nothing received for half an hour from: {names}")
        yield Finding(message, remedy, silent == enrolled, _names(silent))
    elif enrolled:
        yield Finding(N_("every enrolled cabinet was heard within half an hour"))
    yield from _systems([one for one in old if one.cabinet in enrolled], is_any=bool(enrolled - silent))


def _systems(old: list[programs.Outdated], *, is_any: bool) -> Iterator[Finding]:
    """Tells which cabinets wait for Debian's updates."""
    days = {"days": SYSTEM_AGE_DAYS_MAX}
    if old:
        remedy = N_("sudo bocage centre agents campaign --system tells how they are, and with --first NAME begins one; "
                    "why a cabinet refuses: the screen of cabinets")  # fmt: skip
        names = {f"{one.cabinet} ({one.days})" for one in old}
        message = N_("Debian's updates, those for security too, are more than {days} days old or unknown (age in "
                     "days): {names}")  # fmt: skip
        yield Finding(message, remedy, False, {**_names(names), **days})
    elif is_any:
        yield Finding(N_("every cabinet that is heard has Debian's updates of the last {days} days"), values=days)


def _works(archive: Archive, now: datetime.datetime) -> Iterator[Finding]:
    """Tells when hours were last computed and old records purged; one that never was is late by the first cabinet."""
    ended, begun_s = archive.runs(), archive.first_received_s()
    for name, (age_h_max, said, never, remedy) in _WORKS.items():
        since_s = ended.get(name, begun_s)
        if since_s is None:
            continue
        age_h = int(now.timestamp() - since_s) // 3600
        is_late = age_h > age_h_max
        if name in ended or is_late:
            yield Finding(said if name in ended else never, remedy if is_late else None, values={"age": age_h})


def _ingests(there: set[str], count: int) -> Finding:
    missing = {roles.ingest(number) for number in range(1, count + 1)} - there
    if not missing:
        found = NN_("{count} ingest receives records", "{count} ingests share the reception of records")
        return Finding(found, values={"count": count})
    remedy = N_("journalctl -u 'bocage-ingest@*' -n 20; what is dealt to it waits at the cabinets. If it stays away: "
                "sudo bocage centre init NAME --ingests COUNT, with fewer")  # fmt: skip
    return Finding(N_("not at work: {names}"), remedy, True, _names(missing))


def _duty(place: Place, now: datetime.datetime) -> Iterator[Finding]:
    """Reports whether the person on duty is told, where the territory wants that."""
    if not place.duty_setting.exists():
        return
    now_s = int(now.timestamp())
    state = book.state_of(str(place.duty_book), now_s=now_s)
    remedy = N_("sudo systemctl restart bocage-duty; why it ended: journalctl -u bocage-duty -n 20")
    if state is None or state.looked_unix_s is None or now_s - state.looked_unix_s > DUTY_LATE_S:
        yield Finding(N_("nobody on duty is told of anything: bocage-duty is not at work"), remedy, True)
        return
    counts = {"waiting": state.waiting, "given_up": state.given_up}
    if state.waiting or state.given_up:
        remedy = N_("journalctl -u bocage-duty -n 20 names the refusal; then /etc/bocage-centre/duty.toml")
        message = N_("messages of the duty that could not be sent: {waiting} tried again, {given_up} given up in a day")
        yield Finding(message, remedy, True, counts)
    if state.unaddressed:
        remedy = N_("write the rota on the screen, or: bocage centre duty rota; how each is reached: duty person")
        message = N_("faults that are told to nobody, for nobody is on duty or can be reached: {count}")
        yield Finding(message, remedy, True, {"count": state.unaddressed})
    if not any((*counts.values(), state.unaddressed)):
        yield Finding(N_("who is on duty is told of what wakes; every message has gone out"))


def _disk(place: Place) -> Iterator[Finding]:
    space = shutil.disk_usage(place.disk)
    values = {"percent": round(100 * space.free / space.total), "path": place.disk}
    if space.free < DISK_FREE_MIN * space.total:
        remedy = N_("move old backups away, or give it a larger disk; when it is full, cabinets keep what they have")
        yield Finding(N_("{percent} % of the disk of {path} is free"), remedy, True, values)
    else:
        yield Finding(N_("{percent} % of the disk of {path} is free"), values=values)


def _backups(place: Place, now: datetime.datetime) -> Iterator[Finding]:
    remedy = N_("sudo bocage centre backup; why the timer did not: journalctl -u bocage-night")
    folders = backup.kept(place.backups)
    if not folders:
        yield Finding(N_("there is no backup"), remedy, True)
        return
    age_h = int((now - backup.made_at(folders[-1])).total_seconds() // 3600)
    values = {"age": age_h, "path": folders[-1]}
    if age_h > BACKUP_AGE_H_MAX:
        yield Finding(N_("the last backup is {age} h old: {path}"), remedy, True, values)
    else:
        yield Finding(N_("the last backup is {age} h old: {path}"), values=values)


def _names(found: set[str]) -> dict[str, object]:
    more = f" … (+{len(found) - _SHOWN_MAX})" if len(found) > _SHOWN_MAX else ""
    return {"names": ", ".join(sorted(found)[:_SHOWN_MAX]) + more}
