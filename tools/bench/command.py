"""Measures the time from a command to measured watts that confirm it, through a real centre, broker and gateways.

    sign ─▶ control file ─▶ `bocage centre control` ─▶ broker ─▶ gateway, contactor, meter ─▶ broker ─▶ control file

Without --db a village is started on this machine for the run (broker, daemon, ingest, agent, a street on a Modbus
line). With --db nothing is started: the daemon must serve the control file, and each gateway named must run with a
policy that makes the key's owner an operator with the right to override, without a limit against light or darkness at
this hour. Each round switches the target of each gateway, one gateway after the other, on and off by turns, and waits
for the outcome `measured` of every feeder. Times are by the clock of this process, until the first `received` and until
the last `applied` and `measured`. Each command is ended when the next one has been measured, the last one at the end;
all expire by themselves.

    bocage bench command --json
    bocage bench command --db control.db --key maire.pem --gateway 49135-cab-1 --target bourg --rounds 20 --json
"""

import argparse
import json
import math
import secrets
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tools.centre.arguments import parse_gateway
from tools.centre.control import file as control_file
from tools.centre.control.drafts import NotAllowed, Request, draft, draft_end, sign_and_keep
from tools.centre.control.order_words import word
from tools.centre.control.orders import Order
from tools.centre.control.progress import Progress, progress_of
from tools.centre.store import sqlite_file
from tools.command_line import UsageError, add_json
from tools.policy.keys import Signer, load_signer
from tools.policy.words import Refused as KeyRefused
from wire import command

_LOOK_S = 0.01
_WORDS = ("received", "applied", "measured")
# Added to the time-out of a round, so that a command outlasts its measurement, but not for long.
_EXPIRY_MARGIN_S = 60


class Switched(NamedTuple):
    """Holds one command: milliseconds to each outcome (None: not reported), and its last outcomes."""

    gateway: str
    level: int
    took_ms: dict[str, float | None]
    became: str


class Bench:
    """Gives commands on one connection with one key."""

    def __init__(
        self, connection: sqlite_file.Connection, signer: Signer, target: str | None, timeout_s: float
    ) -> None:
        self._connection = connection
        self._signer = signer
        self._target = target
        self._timeout_s = timeout_s
        self._last: dict[tuple[str, str], Order] = {}

    def switch(self, place: tuple[str, str], level: int) -> Switched:
        """Gives the command and waits for its outcomes. NotAllowed when no gateway could accept it."""
        now_s = int(time.time())
        begun_s = time.monotonic()
        expires_s = now_s + math.ceil(self._timeout_s) + _EXPIRY_MARGIN_S
        wanted = Request(command.OVERRIDE, *place, self._target, level, "banc de mesure", now_s, expires_s)
        one = draft(self._connection, wanted, self._signer.kid, secrets.token_bytes(command.ID_BYTES), now_s=now_s)
        kept = sign_and_keep(self._connection, one, self._signer, now_s=now_s)
        took_ms: dict[str, float | None] = dict.fromkeys(_WORDS)
        while True:
            found = progress_of(self._connection, kept, now_s=int(time.time()))
            elapsed_ms = 1000 * (time.monotonic() - begun_s)
            for name in _WORDS:
                if took_ms[name] is None and _is_reported(found, name):
                    took_ms[name] = elapsed_ms
            if found.is_settled or elapsed_ms > 1000 * self._timeout_s:
                break
            time.sleep(_LOOK_S)
        self.end(place)
        self._last[place] = kept
        return Switched("-".join(place), level, took_ms, _became(found))

    def end(self, place: tuple[str, str]) -> None:
        """Ends the command before the one under way, or the last one."""
        ended = self._last.pop(place, None)
        if ended is None:
            return
        now_s, new_id = int(time.time()), secrets.token_bytes(command.ID_BYTES)
        one = draft_end(self._connection, ended, "banc de mesure", self._signer.kid, new_id, now_s=now_s)
        sign_and_keep(self._connection, one, self._signer, now_s=now_s)


def _is_reported(found: Progress, name: str) -> bool:
    """Returns True when an outcome was reported: `received` by the cabinet, any other by every feeder concerned."""
    (cabinet,) = found.cabinets
    if name == "received":
        return bool(cabinet.outcomes or cabinet.feeders)
    said = {feeder.name for feeder in cabinet.feeders if any(one.outcome == name for one in feeder.outcomes)}
    return bool(said) and said >= set(found.expected) and len(said) == len(cabinet.feeders)


def _became(found: Progress) -> str:
    (cabinet,) = found.cabinets
    words = {feeder.last.outcome for feeder in cabinet.feeders} or {cabinet.state}
    reasons = {feeder.last.why for feeder in cabinet.feeders if feeder.last.why} | ({cabinet.why} - {None})
    return " ".join(sorted(words) + sorted(str(one) for one in reasons))


def figures(switched: list[Switched], goal_s: float) -> dict:
    """Returns the percentiles by outcome, nearest rank, over the commands so far; how many failed, and how those
    ended."""
    failed = [one for one in switched if one.took_ms["measured"] is None]
    found: dict = {"commands": len(switched), "failed": len(failed), "failures": sorted({one.became for one in failed})}
    for name in _WORDS:
        took = sorted(ms for ms in (one.took_ms[name] for one in switched) if ms is not None)
        found[f"{name}_ms"] = {f"p{percent}": _percentile(took, percent) for percent in (50, 95, 100)}
    p95_ms = found["measured_ms"]["p95"]
    return {**found, "goal_s": goal_s, "passed": not failed and p95_ms is not None and p95_ms <= 1000 * goal_s}


def _percentile(ascending: list, percent: int) -> float | None:
    if not ascending:
        return None
    return round(ascending[max(0, math.ceil(percent * len(ascending) / 100) - 1)], 1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--db", metavar="FILE", help="the control file that the daemon serves (a village of its own)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="an operator's private key (PEM)")
    parser.add_argument("--gateway", action="append", metavar="INSEE-NAME", help="a running gateway (repeat)")
    parser.add_argument("--target", metavar="NAME", help="feeder or group to switch (all of the gateway's)")
    parser.add_argument("--rounds", type=int, default=20, help="commands to each gateway (default %(default)s)")
    parser.add_argument("--timeout", type=float, default=30, metavar="S", help="for one command (default %(default)s)")
    parser.add_argument("--goal", type=float, default=5, metavar="S", help="bound of the p95 (default %(default)s)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when every command was measured and the p95 is within the goal."""
    if args.db is None:
        return _with_a_village(args)
    if args.key is None or not args.gateway:
        print("bocage bench command: --db: give --key and --gateway with it", file=sys.stderr)
        return 2
    return _run(args)


def _with_a_village(args: argparse.Namespace) -> int:
    from simulator.rig.rig import RigError
    from simulator.rig.village import INSEE, NAME, Village

    with tempfile.TemporaryDirectory(prefix="bocage-") as folder:
        try:
            with Village(Path(folder)) as village:
                village.publish(village.sign_policy(1))
                taken = village.wait_for(lambda told: told.get("cabinet", {}).get("policy", {}).get("version") == 1)
                leased = taken and village.wait_for(lambda told: told["cabinet"]["lease"]["held"])
                if not leased:
                    raise RigError(f"no policy or no lease in a minute; see {folder}/gateway.log")
                args.db, args.key, args.gateway = village.control_db, village.key("maire"), [f"{INSEE}-{NAME}"]
                return _run(args)
        except RigError as error:
            print(f"bocage bench command: {error}", file=sys.stderr)
            return 1


def _run(args: argparse.Namespace) -> int:
    try:
        places = [parse_gateway("--gateway", text) for text in args.gateway]
        signer = load_signer(args.key, lambda _: b"")
        if control_file.serving_daemon(args.db) is None:
            raise UsageError(f"--db {args.db}: no `bocage centre control` serves it")
        connection = control_file.open_to_write(args.db)
        try:
            switched = _measure(Bench(connection, signer, args.target, args.timeout), places, args.rounds)
        finally:
            connection.close()
    except (UsageError, sqlite3.Error) as error:
        print(f"bocage bench command: {error}", file=sys.stderr)
        return 1
    except KeyRefused as refused:
        print(f"bocage bench command: --key: {refused.text('en')}", file=sys.stderr)
        return 1
    except NotAllowed as refused:
        print(f"bocage bench command: {word(refused.key, 'en', **refused.values)}", file=sys.stderr)
        return 1
    found = {"gateways": args.gateway, "rounds": args.rounds, **figures(switched, args.goal)}
    print(json.dumps(found, indent=1) if args.json else _table(found))
    return 0 if found["passed"] else 1


def _measure(bench: Bench, places: list[tuple[str, str]], rounds: int) -> list[Switched]:
    try:
        return [bench.switch(place, 100 * (number % 2 == 0)) for number in range(rounds) for place in places]
    finally:
        for place in places:
            bench.end(place)


def _table(found: dict) -> str:
    lines = [f"{'':12}{'p50 ms':>10}{'p95 ms':>10}{'p100 ms':>10}"]
    for name in _WORDS:
        row = ("-" if value is None else f"{value:,.1f}" for value in found[f"{name}_ms"].values())
        lines.append(f"{name:12}" + "".join(f"{value:>10}" for value in row))
    verdict = "within" if found["passed"] else "NOT within"
    lines.append(f"{found['commands']} commands, {found['failed']} failed; {verdict} the goal of {found['goal_s']:g} s")
    return "\n".join(lines + [f"  failed: {one}" for one in found["failures"]])
