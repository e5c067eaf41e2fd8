"""Holds what the commands that give an order share (`light`, `override`, `end`, `test-feeder`, `tell`): the arguments,
and the way from a request to a signed command that is kept, sent and followed.

The key is read, used once and forgotten. This module sends nothing: the daemon does, and where none runs, a warning is
printed. Exit status: 0 when the command is kept, and with --wait every feeder follows it; 1 when it is refused, no
daemon sends it, or a feeder does not follow.
"""

import argparse
import getpass
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from gateway.language import N_
from tools.centre.arguments import (
    add_file,
    add_person,
    areas_of,
    check_insee,
    check_warehouse,
    database_faults,
    local_time,
    parse_duration,
    parse_end,
    parse_instant,
)
from tools.centre.control import file, orders
from tools.centre.control.drafts import LIMITED, Draft, Request, draft, sign_and_keep
from tools.centre.control.order_words import refusal, word
from tools.centre.control.progress import Progress, outcome_text, plain, progress_of, title
from tools.centre.scope import reader
from tools.centre.store import sqlite_file
from tools.command_line import UsageError, add_json
from tools.policy import keys
from tools.policy.words import Refused as KeyRefused
from wire import command, topic
from wire.line import is_line

_WAIT_S_MAX = 3600.0
_FOLLOW_S = 0.1
_YES = ("oui", "yes")

Drafter = Callable[[sqlite_file.Connection, bytes, bytes, int], Draft]  # connection, key's short name, new id, Unix s


# --- arguments --------------------------------------------------------------------------------------------------------


def add_order_arguments(parser: argparse.ArgumentParser, *, reason: str | None = None) -> None:
    """Adds the arguments of every order. `reason`: the usual reason; without it a person has to give one."""
    add_file(parser, "the control file, an SQLite file")
    parser.add_argument("--key", required=True, metavar="FILE", help="the person's private key (Ed25519, PEM)")
    parser.add_argument("--reason", required=reason is None, default=reason, help="for the record, at most 60 bytes")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="follow what becomes of it for so long")
    add_json(parser, N_("for programs: what became of it, at the end"))


def add_place_arguments(
    parser: argparse.ArgumentParser, example: str, *, duration: str | None = None, is_target_needed: bool = False
) -> None:
    """Adds the arguments for which feeders, and for how long. `duration`: the usual one; without it a person has to
    give one."""
    add_cabinet_arguments(parser)
    text = "a feeder's name in the policy" if is_target_needed else "a feeder or a group of the policy (all feeders)"
    parser.add_argument("--target", required=is_target_needed, metavar="NAME", help=text)
    text = f"how long, such as {example}" + ("" if duration is None else " (default: %(default)s)")
    parser.add_argument(
        "--for", dest="duration", required=duration is None, default=duration, metavar="TIME", help=text
    )


def add_cabinet_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commune", required=True, metavar="INSEE", help="INSEE code of the commune")
    parser.add_argument("--gateway", metavar="NAME", help="one cabinet (every cabinet of the commune)")


def request_of(
    args: argparse.Namespace, kind: int, *, level: int | None = None, values: dict[int, int] | None = None
) -> Drafter:
    """Returns the drafter of an order of this kind for the place that the arguments name."""
    check_insee("--commune", args.commune)
    if args.gateway is not None and not topic.is_gateway_name(args.gateway):
        raise UsageError(N_("--gateway {name}: give a cabinet's name, such as mairie-1"), name=args.gateway)

    def drafter(connection: sqlite_file.Connection, kid: bytes, new_id: bytes, now_s: int) -> Draft:
        later = getattr(args, "not_before", None)
        start_s = now_s if later is None else parse_instant("--not-before", later, now_s=now_s)
        place = (args.commune, args.gateway, args.target)
        request = Request(kind, *place, level, args.reason, start_s, _end_s(args, start_s, now_s), values)
        return draft(connection, request, kid, new_id, now_s=now_s)

    return drafter


def _end_s(args, start_s, now_s) -> int:
    until = getattr(args, "until", None)
    if (until is None) == (args.duration is None):
        raise refusal("refused.end")
    if until is None:
        return start_s + parse_duration("--for", args.duration)
    return parse_end("--until", until, now_s=now_s)


# --- signed, kept, followed -------------------------------------------------------------------------------------------


def give(args: argparse.Namespace, drafter: Drafter) -> int:
    """Drafts the order, has a wide or dark one confirmed, signs it, keeps it and follows it; returns the exit
    status."""
    if not is_line(args.reason, command.REASON_BYTES_MAX):
        raise refusal("refused.text", field="--reason", bytes_max=command.REASON_BYTES_MAX)
    if not 0 <= args.wait <= _WAIT_S_MAX:
        raise UsageError(N_("--wait {value}: give 0 to {high} seconds"), value=args.wait, high=int(_WAIT_S_MAX))
    with opened_to_write(args.db) as connection:
        signer = _signer(args)
        now_s = int(time.time())
        one = drafter(connection, signer.kid, secrets.token_bytes(command.ID_BYTES), now_s)
        if one.confirm and not args.yes and not _confirmed(one, args.lang):
            print(word("confirm.no", args.lang), file=sys.stderr)
            return 1
        kept = sign_and_keep(connection, one, signer, now_s=now_s)
        if not args.json:
            print(title(one.command, args.lang))
            print(word("kept", args.lang, id=one.command.id.hex(), author=one.command.author))
        is_served = _warn(connection, args, one.command, now_s)
        progress = _follow(connection, kept, args) if args.wait and is_served else _progress(connection, kept)
        if args.json:
            print(json.dumps(plain(progress, now_s=int(time.time())), ensure_ascii=False, indent=2))
        elif args.wait and is_served:
            _conclude(progress, args)
        return 0 if is_served and (progress.is_fulfilled or not args.wait) else 1


def _signer(args) -> keys.Signer:
    try:
        return keys.load_signer(Path(args.key), lambda path: getpass.getpass(f"{path}: ").encode())
    except KeyRefused as refused:
        raise UsageError(f"--key: {refused.text(args.lang)}") from refused


def add_control(parser: argparse.ArgumentParser) -> None:
    """Adds `--db`, a control file that is read, and for whom."""
    add_file(parser, "the control file, an SQLite file")
    add_person(parser, N_("reads what is granted to this person (default: everything, as who holds the file)"))
    parser.add_argument("--warehouse", metavar="FILE", help="with --as: the warehouse that has the rights of persons")


@contextmanager
def opened_to_read(args: argparse.Namespace) -> Iterator[sqlite_file.Connection]:
    """Opens the control file of `--db` for reading, for the person of `--as`; UsageError when there is none."""
    _check_file(args.db)
    with ExitStack() as stack:
        areas = None
        if args.person is not None:
            if args.warehouse is None:
                raise UsageError(N_("--as: give --warehouse too, which has the rights of persons"))
            check_warehouse(args.warehouse)
            with database_faults(args.warehouse):
                areas = areas_of(args, args.warehouse)
        stack.enter_context(database_faults(args.db))
        opened = file.open_to_read(args.db)
        yield stack.enter_context(closing(opened if areas is None else reader.of_control(opened, areas)))


@contextmanager
def opened_to_write(path: str) -> Iterator[sqlite_file.Connection]:
    """Opens the control file for writing; UsageError when there is none."""
    _check_file(path)
    with database_faults(path), closing(file.open_to_write(path)) as connection:
        yield connection


def _check_file(path: str) -> None:
    if not Path(path).is_file():
        raise UsageError(N_("--db {path}: no such file; `bocage centre policy publish` makes it"), path=path)


def _confirmed(one: Draft, language: str) -> bool:
    """Shows which feeders the order touches, and asks a person to write `yes`; a program has to give --yes."""
    names = ", ".join(feeder.name for feeder in one.touched)
    print(word("touches", language, count=len(one.touched), names=names), file=sys.stderr)
    limits = "; ".join(f"{name} ({limit.authority}, {limit.text})" for name, limit in one.limits)
    for reason in one.confirm:
        print(word(reason, language, limits=limits) if reason == LIMITED else word(reason, language), file=sys.stderr)
    if not sys.stdin.isatty():
        print(word("confirm.program", language), file=sys.stderr)
        return False
    print(word("confirm.ask", language), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in _YES


def _warn(connection, args, one: command.Command, now_s) -> bool:
    """Prints why the command is not sent yet; returns True when a daemon sends it."""
    daemon = file.serving_daemon(args.db)
    if daemon is None:
        end = local_time(one.expires_s, now_s=now_s)
        print(word("no_daemon", args.lang, end=end), file=sys.stderr)
        return False
    if daemon.connected is False:
        print(word("no_broker", args.lang, broker=daemon.broker), file=sys.stderr)
    seen = connection.execute(
        "SELECT 1 FROM gateways WHERE insee = ?1 AND (?2 IS NULL OR name = ?2) LIMIT 1", (one.insee, one.gateway)
    ).fetchone()
    if seen is None:
        text = word("never_seen", args.lang, gateway=one.gateway) if one.gateway else word("unheard", args.lang)
        print(text, file=sys.stderr)
    if one.not_before_s > now_s and not args.json:
        print(word("planned", args.lang, start=local_time(one.not_before_s, now_s=now_s)))
    return True


def _progress(connection, kept) -> Progress:
    return progress_of(connection, kept, now_s=int(time.time()))


def _follow(connection, kept, args) -> Progress:
    """Prints each outcome as it comes, until no more is awaited or the time is up."""
    end = time.monotonic() + args.wait
    printed: set[orders.ReportedOutcome] = set()
    while True:
        progress = _progress(connection, kept)
        for one in orders.outcomes(connection, kept.command.id):
            if one not in printed and not args.json:
                place = f"{one.gateway}  {one.feeder}" if one.feeder else one.gateway
                print(f"  {place}  {outcome_text(one, args.lang)}", flush=True)
            printed.add(one)
        if progress.is_settled or time.monotonic() >= end:
            return progress
        time.sleep(_FOLLOW_S)


def _conclude(progress: Progress, args) -> None:
    kind = progress.order.command.kind
    if kind in (command.END, command.DIRECTIVE):
        if progress.is_fulfilled:
            print(word("fulfilled.end" if kind == command.END else "fulfilled.told", args.lang))
    else:
        feeders = [feeder for cabinet in progress.cabinets if cabinet.is_meant for feeder in cabinet.feeders]
        names = {feeder.name for feeder in feeders} | set(progress.expected)
        done = {feeder.name for feeder in feeders if feeder.is_fulfilled}
        print(word("fulfilled", args.lang, done=len(done), count=len(names)))
        if progress.missing:
            print(word("missing", args.lang, names=", ".join(progress.missing)))
    if not progress.is_settled:
        follow = f"bocage centre commands --db {args.db} --command {progress.order.command.id.hex()}"
        print(word("unsettled", args.lang, wait=f"{args.wait:g}", next=follow))
