"""`bocage centre light`, `override`, `end`, `test-feeder`, `tell`: a signed command, kept, sent and followed.

The key is read, used once and forgotten. Nothing is sent from here: the daemon does that, and without one this says so.
"""

import argparse
import getpass
import json
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from policy import directive_form
from tools.centre.arguments import UsageError, local_time, parse_duration, parse_end, parse_instant
from tools.centre.control import orders, presence
from tools.centre.control import schema as control_schema
from tools.centre.control.drafting import LIMITED, Draft, Refused, Wanted, draft, draft_end, give
from tools.centre.control.order_report import plain, said, title
from tools.centre.control.order_words import word
from tools.centre.control.standing import Standing, standing
from tools.policy import keys
from tools.policy.refused import Refused as KeyRefused
from wire import command, topic
from wire.line import is_line

_WAIT_S_MAX = 3600.0
_LOOK_S = 0.1
_YES = ("oui", "yes")

_Drafter = Callable[[sqlite3.Connection, bytes, bytes, int], Draft]  # connection, key's short name, new id, Unix s


def run(args: argparse.Namespace) -> int:
    """0: kept, and with --wait followed by every feeder; 1: refused, nobody to send it, or not followed; 2: the
    arguments are wrong, the key's file among them."""
    try:
        return _give(args, _drafter(args))
    except Refused as refused:
        print(f"bocage centre: {word(refused.key, args.lang, **refused.values)}", file=sys.stderr)
        return 1
    except KeyRefused as refused:
        print(f"bocage centre: --key: {refused.text(args.lang)}", file=sys.stderr)
        return 2


def open_file(path: str) -> sqlite3.Connection:
    """The control file, to write; UsageError when there is none."""
    if not Path(path).is_file():
        raise UsageError(f"--db {path}: no such file; `bocage centre policy publish` makes it")
    return control_schema.open_to_write(path)


# --- what is wanted ---------------------------------------------------------------------------------------------------


def _drafter(args) -> _Drafter:
    if not is_line(args.reason, command.REASON_BYTES_MAX):
        raise Refused("refused.text", field="--reason", bytes_max=command.REASON_BYTES_MAX)
    if not 0 <= args.wait <= _WAIT_S_MAX:
        raise UsageError(f"--wait {args.wait}: give 0 to {_WAIT_S_MAX:.0f} seconds")
    if args.centre_command == "end":
        return lambda connection, kid, new_id, now_s: draft_end(
            connection, _named(connection, args.command), args.reason, kid, new_id, now_s=now_s
        )
    if not topic.is_insee(args.commune):
        raise UsageError(f"--commune {args.commune}: give the five characters of its INSEE code, such as 49135")
    if args.gateway is not None and not topic.is_gateway_name(args.gateway):
        raise UsageError(f"--gateway {args.gateway}: give a cabinet's name, such as mairie-1")
    return lambda connection, kid, new_id, now_s: draft(connection, _wanted(args, now_s), kid, new_id, now_s=now_s)


def _wanted(args, now_s) -> Wanted:
    kinds = {
        "light": command.EMERGENCY,
        "override": command.OVERRIDE,
        "test-feeder": command.TEST_FEEDER,
        "tell": command.DIRECTIVE,
    }
    later = getattr(args, "not_before", None)
    start_s = now_s if later is None else parse_instant("--not-before", later, now_s=now_s)
    return Wanted(
        kinds[args.centre_command],
        args.commune,
        args.gateway,
        args.target,
        getattr(args, "level", None),
        args.reason,
        start_s,
        _end_s(args, start_s, now_s),
        _values(args) if args.centre_command == "tell" else None,
    )


def _end_s(args, start_s, now_s) -> int:
    until = getattr(args, "until", None)
    if (until is None) == (args.duration is None):
        raise Refused("refused.end")
    if until is None:
        return start_s + parse_duration("--for", args.duration)
    return parse_end("--until", until, now_s=now_s)


def _values(args) -> dict[int, int]:
    """What nodes are told, by code."""
    values, fault = directive_form.values_of(args.what, args.lang)
    if fault is not None:
        raise Refused(f"refused.{fault[0]}", **fault[1])
    return values


def _named(connection, prefix) -> command.Command:
    found = orders.named(connection, prefix)
    if len(found) == 1:
        return found[0].command
    raise Refused("refused.ambiguous" if found else "refused.command", id=prefix)


# --- signed, kept, followed -------------------------------------------------------------------------------------------


def _give(args, drafter: _Drafter) -> int:
    with _opened(args.db) as connection:
        signer = keys.load_signer(Path(args.key), lambda path: getpass.getpass(f"{path}: ").encode())
        now_s = int(time.time())
        one = drafter(connection, signer.kid, secrets.token_bytes(command.ID_BYTES), now_s)
        if one.confirm and not args.yes and not _confirmed(one, args.lang):
            print(word("confirm.no", args.lang), file=sys.stderr)
            return 1
        kept = give(connection, one, signer, now_s=now_s)
        if not args.json:
            print(title(one.command, args.lang))
            print(word("kept", args.lang, id=one.command.id.hex(), author=one.command.author))
        is_served = _warn(connection, args, one.command, now_s)
        found = _follow(connection, kept, args) if args.wait and is_served else _look(connection, kept)
        if args.json:
            print(json.dumps(plain(found, now_s=int(time.time())), ensure_ascii=False, indent=2))
        elif args.wait and is_served:
            _conclude(found, args)
        return 0 if is_served and (found.is_fulfilled or not args.wait) else 1


@contextmanager
def _opened(path) -> Iterator[sqlite3.Connection]:
    connection = open_file(path)
    try:
        yield connection
    finally:
        connection.close()


def _confirmed(one: Draft, language: str) -> bool:
    """Show what it touches; a person's yes. A program has to say --yes."""
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
    """Say what keeps it from being sent; whether somebody sends it."""
    daemon = presence.look(args.db)
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
        text = word("never_seen", args.lang, gateway=one.gateway) if one.gateway else word("nobody", args.lang)
        print(text, file=sys.stderr)
    if one.not_before_s > now_s and not args.json:
        print(word("planned", args.lang, start=local_time(one.not_before_s, now_s=now_s)))
    return True


def _look(connection, kept) -> Standing:
    return standing(connection, kept, now_s=int(time.time()))


def _follow(connection, kept, args) -> Standing:
    """Print each word as it comes, until nothing more is awaited or the time is up."""
    end = time.monotonic() + args.wait
    told: set[orders.Said] = set()
    while True:
        found = _look(connection, kept)
        for one in orders.words(connection, kept.command.id):
            if one not in told and not args.json:
                place = f"{one.gateway}  {one.feeder}" if one.feeder else one.gateway
                print(f"  {place}  {said(one, args.lang)}", flush=True)
            told.add(one)
        if found.is_settled or time.monotonic() >= end:
            return found
        time.sleep(_LOOK_S)


def _conclude(found: Standing, args) -> None:
    kind = found.kept.command.kind
    if kind in (command.END, command.DIRECTIVE):
        if found.is_fulfilled:
            print(word("fulfilled.end" if kind == command.END else "fulfilled.told", args.lang))
    else:
        feeders = [feeder for cabinet in found.cabinets if cabinet.is_meant for feeder in cabinet.feeders]
        names = {feeder.name for feeder in feeders} | set(found.expected)
        done = {feeder.name for feeder in feeders if feeder.is_fulfilled}
        print(word("fulfilled", args.lang, done=len(done), count=len(names)))
        if found.missing:
            print(word("missing", args.lang, names=", ".join(found.missing)))
    if not found.is_settled:
        follow = f"bocage centre commands --db {args.db} --command {found.kept.command.id.hex()}"
        print(word("unsettled", args.lang, wait=f"{args.wait:g}", next=follow))
