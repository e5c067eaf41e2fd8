"""Defines arguments that commands of `bocage centre` share: files, the broker, addresses, durations and instants.

Durations are seconds. Instants are Unix seconds, written in the civil time of France, which is that of the lamps
wherever the server is.
"""

import argparse
import os
import pwd
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.language import N_, Sentence, translate
from policy import civil
from tools.centre.register import equipment
from tools.centre.scope import journal, reader
from tools.centre.store import database, schema
from tools.command_line import Refused, UsageError
from wire import limits, topic

_NO_GRANT = N_("{person}: no right is in force, so nothing is shown (`bocage centre access give`)")
_DAY_S = 86_400
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": _DAY_S, "j": _DAY_S}


def add_file(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--db`, the SQLite file that the command is about."""
    parser.add_argument("--db", required=True, metavar="FILE", help=text)


def add_warehouse(parser: argparse.ArgumentParser) -> None:
    """Adds `--db`, the warehouse that the command is about."""
    text = N_("the warehouse: an SQLite file, or postgresql://[USER@]HOST/NAME")
    parser.add_argument("--db", required=True, metavar="FILE", help=text)


def add_server(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--db` where only a server may be named."""
    parser.add_argument("--db", metavar="postgresql://[USER@]HOST/NAME", help=text)


def check_server(args: argparse.Namespace) -> None:
    if args.db is not None and not (database.is_server(args.db) and re.fullmatch(r"[!#-&(-\[\]-~]+", args.db)):
        # As systemd reads it (systemd.exec(5), EnvironmentFile): without quotes.
        raise UsageError(N_("--db {path}: give postgresql:///NAME, or postgresql://USER@HOST/NAME"), path=args.db)


@contextmanager
def database_faults(path: str) -> Iterator[None]:
    """Turns what a database raises into a refusal that names it."""
    try:
        yield
    except database.Unusable as error:
        raise Refused(N_("--db {path}: {why}"), path=path, why=Sentence(error.message, error.values)) from error
    except database.Error as error:
        raise Refused(f"--db {path}: {error}") from error


def check_warehouse(path: str) -> None:
    if not database.is_server(path) and not Path(path).is_file():
        raise UsageError(N_("--db {path}: no such file; `bocage centre ingest` makes it"), path=path)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds `--db`, a warehouse that is read, and `--as`."""
    add_warehouse(parser)
    add_person(parser, N_("reads what is granted to this person (default: everything, as who holds the file)"))


def add_person(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--as", dest="person", metavar="PERSON", help=text)


def account() -> str:
    """Returns the name of the account that runs this command, before `sudo`."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def note(args: argparse.Namespace, deed: str, about: str, insee: str) -> None:
    """Puts into the journal what is read about persons, or what was done, and by whom: the person of `--as`, or the
    account. insee '': in the whole territory."""
    person = getattr(args, "person", None) or account()
    with closing(schema.open_to_write(args.db)) as connection:
        journal.write(connection, journal.Line(int(time.time()), person, deed, insee, about))


@contextmanager
def opened_connection(
    args: argparse.Namespace, *, reads: str | None = None, about: str = ""
) -> Iterator[database.Connection]:
    """Opens the warehouse of `--db` for the person of `--as`, and closes it at the end: all commands read it so.

    `reads`: the command, where it reads what is about persons. Then the journal has it first, or nothing is read.
    """
    check_warehouse(args.db)
    with database_faults(args.db):
        if reads is not None:
            note(args, reads, about, getattr(args, "commune", None) or "")
        with closing(_opened(args)) as connection:
            yield connection


def _opened(args: argparse.Namespace) -> database.Connection:
    if args.person is None:
        return schema.open_to_read(args.db)
    return reader.open_to_read(args.db, areas_of(args, args.db))


def areas_of(args: argparse.Namespace, warehouse: str) -> set[tuple[str, str]]:
    """Returns what the person of `--as` may see by a warehouse, and tells when that is nothing."""
    areas = reader.areas_of(warehouse, args.person, now_s=int(time.time()))
    if not areas:
        print(translate(_NO_GRANT, args.lang, person=args.person), file=sys.stderr)
    return areas


def add_root(parser: argparse.ArgumentParser) -> None:
    """Adds `--root`, for the commands that make and keep a centre."""
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="FOLDER", help="stands for /, for a trial")


def add_broker(parser: argparse.ArgumentParser, client_id: str) -> None:
    """Adds the broker's address and the files by which it is trusted."""
    parser.add_argument("--broker", required=True, metavar="HOST:PORT", help="MQTT 5 broker")
    parser.add_argument("--insecure", action="store_true", help="plain TCP, for a desk: no TLS at all")
    parser.add_argument("--ca", metavar="FILE", help="certificate authority of the broker (PEM)")
    parser.add_argument("--cert", metavar="FILE", help="our certificate (PEM)")
    parser.add_argument("--key", metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--client-id",
        default=client_id,
        help="one for each process, kept over restarts (default: %(default)s)",
    )


def parse_broker(text: str, option: str = "--broker") -> tuple[str, int]:
    """Returns the host and port that `HOST:PORT` or `[IPv6]:PORT` names."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        message = N_("{option} {text}: give HOST:PORT, for example mqtt.example.org:8883")
        raise UsageError(message, option=option, text=repr(text))
    return host, int(port)


def check_trust(args: argparse.Namespace) -> None:
    if args.insecure:
        if args.ca or args.cert or args.key:
            raise UsageError(N_("--insecure: leave it out, or leave out --ca, --cert and --key"))
        return
    if not args.ca:
        raise UsageError(N_("--ca: give the broker's certificate authority, or --insecure on a desk"))
    check_pair("", args.cert, args.key)
    _check_file("--ca", args.ca)


def check_pair(prefix: str, cert: str | None, key: str | None) -> None:
    """Checks a certificate and its key, which are given together or not at all."""
    if bool(cert) != bool(key):
        raise UsageError(N_("--{prefix}cert and --{prefix}key: give both or neither"), prefix=prefix)
    _check_file(f"--{prefix}cert", cert)
    _check_file(f"--{prefix}key", key)


def _check_file(field: str, path: str | None) -> None:
    if path and not Path(path).is_file():
        raise UsageError(N_("{field} {path}: no such file"), field=field, path=path)


def check_insee(field: str, text: str) -> None:
    if not topic.is_insee(text):
        message = N_("{field} {text}: give the five characters of its INSEE code, such as 49135")
        raise UsageError(message, field=field, text=text)


def parse_gateway(field: str, text: str) -> tuple[str, str]:
    """Returns the INSEE code and the name in `49007-mairie-1`."""
    insee, _, name = text.partition("-")
    if not topic.is_insee(insee) or not topic.is_gateway_name(name):
        raise UsageError(N_("{field} {text}: give INSEE-NAME, for example 49007-mairie-1"), field=field, text=text)
    return insee, name


def parse_node(text: str) -> bytes:
    """Returns the id that `--node` names."""
    try:
        node = bytes.fromhex(text)
    except ValueError:
        node = b""
    if len(node) != limits.NODE_ID_BYTES:
        raise UsageError(N_("--node {node}: give the id's 16 hexadecimal digits"), node=text)
    return node


def parse_duration(field: str, text: str) -> int:
    """Returns the seconds that `45s`, `90m`, `2h`, `1h30` or `2j` (or `2d`) names."""
    hours = re.fullmatch("([0-9]{1,4})h([0-5][0-9])", text)
    if hours:
        return 3600 * int(hours[1]) + 60 * int(hours[2])
    found = re.fullmatch("([0-9]{1,6})(s|m|min|h|d|j)", text)
    if not found:
        raise UsageError(N_("{field} {text}: give a duration such as 90m, 2h, 1h30 or 400j"), field=field, text=text)
    return int(found[1]) * _UNITS_S[found[2]]


def parse_instant(field: str, text: str, *, now_s: int) -> int:
    """Returns the Unix seconds of `22:30` (the next such time) or `2026-11-26T22:30`, in the civil time of France."""
    found = re.fullmatch("(?:([0-9]{4})-([0-9]{2})-([0-9]{2})[T ])?([0-9]{2}):([0-9]{2})", text)
    if not found or int(found[4]) > 23 or int(found[5]) > 59:
        message = N_("{field} {text}: give a time of France, such as 22:30 or 2026-11-26T22:30")
        raise UsageError(message, field=field, text=text)
    second = 3600 * int(found[4]) + 60 * int(found[5])
    if found[1]:
        date = (int(found[1]), int(found[2]), int(found[3]))
        if not civil.is_date(*date):
            raise UsageError(N_("{field} {text}: there is no such day"), field=field, text=text)
        return int(civil.unix_from_local(civil.PARIS, civil.days_from_civil(*date), second))
    today = civil.local_from_unix(civil.PARIS, now_s).civil_day
    instants = (int(civil.unix_from_local(civil.PARIS, today + days, second)) for days in range(3))
    return next(instant for instant in instants if instant >= now_s)


def parse_end(field: str, text: str, *, now_s: int) -> int:
    """Returns Unix seconds as `parse_instant` does; a date alone, `2027-08-31`, is the first second after that day."""
    found = re.fullmatch("([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    if not found:
        return parse_instant(field, text, now_s=now_s)
    date = (int(found[1]), int(found[2]), int(found[3]))
    if not civil.is_date(*date):
        raise UsageError(N_("{field} {text}: there is no such day"), field=field, text=text)
    return int(civil.unix_from_local(civil.PARIS, civil.days_from_civil(*date) + 1, 0))


def first_day(field: str, text: str | None, *, now_s: int) -> int:
    """Returns the Unix second with which the day of an argument begins; without one, today."""
    if text is None:
        return equipment.first_second(now_s)
    try:
        day = equipment.parse("valid_from", text)
    except equipment.CellFault as fault:
        message = N_("{field}: {problem}; {remedy}")
        raise UsageError(message, field=field, problem=fault.problem, remedy=fault.remedy) from fault
    assert isinstance(day, int)
    return day


def add_commune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commune", metavar="INSEE", help="of one commune")


def check_commune(args: argparse.Namespace) -> None:
    if args.commune is not None:
        check_insee("--commune", args.commune)


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Adds of which commune, and of which days."""
    add_commune(parser)
    parser.add_argument("--from", dest="since", metavar="DAY", help="from this day on")
    parser.add_argument("--until", metavar="DAY", help="to this day included (default: today)")
    parser.add_argument("--month", metavar="YYYY-MM", help="the days of one month")


def parse_period(args: argparse.Namespace, *, now_s: int) -> tuple[int, int] | None:
    """Returns the first second of the days that `add_scope` reads, and the first one after them; None: no days."""
    check_commune(args)
    if args.month is not None:
        found = re.fullmatch("([0-9]{4})-(0[1-9]|1[0-2])", args.month)
        if not found or args.since or args.until:
            raise UsageError(N_("--month {text}: give a month such as 2026-10, without other days"), text=args.month)
        year, month = int(found[1]), int(found[2])
        return _month_begins(year, month), _month_begins(year + month // 12, month % 12 + 1)
    if args.since is None and args.until is None:
        return None
    since_s = first_day("--from", args.since, now_s=now_s)
    until_s = equipment.following_day(first_day("--until", args.until, now_s=now_s))
    if since_s >= until_s:
        raise UsageError(N_("--from, --until: the first day comes after the last"))
    return since_s, until_s


def days_text(args: argparse.Namespace) -> str:
    """Returns the days of `add_scope` as they were written."""
    return args.month or " ".join(day for day in (args.since, args.until) if day)


def period_or_month(args: argparse.Namespace, *, now_s: int) -> tuple[int, int]:
    """Returns what `parse_period` does; without days, the current month to today included."""
    period = parse_period(args, now_s=now_s)
    if period is not None:
        return period
    today = civil.local_from_unix(civil.PARIS, now_s).civil_day
    year, month, _ = civil.civil_from_days(today)
    return _month_begins(year, month), equipment.following_day(now_s)


def _month_begins(year: int, month: int) -> int:
    return int(civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, 1), 0))


def local_time(unix_s: int, *, now_s: int) -> str:
    """Returns `23:05:07` in the civil time of France, with the date before it when that is not the day of `now_s`."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    clock = f"{local.second // 3600:02}:{local.second // 60 % 60:02}:{local.second % 60:02}"
    if local.civil_day == civil.local_from_unix(civil.PARIS, now_s).civil_day:
        return clock
    year, month, day = civil.civil_from_days(local.civil_day)
    return f"{year}-{month:02}-{day:02} {clock}"
