"""Lists the records that the gateway had to let go of, and why, from the files of the loss ledger.

Works beside a running agent or without one, and changes no file. As JSON it is one object per line.
"""

import argparse
import json
import re
import time
from datetime import datetime
from typing import Any

from gateway.commands import UsageError, add_config, add_json, on_config
from gateway.config.config import Config
from gateway.core.custody import ledger
from gateway.io.disk import ReadOnlyFolder
from gateway.language import N_, translate
from gateway.show.explain import moments
from gateway.show.words import word, word_or
from policy import civil

_PERIODS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "j": 86_400}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    add_since(parser)


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Prints the ledger. OSError when it cannot be read."""
    found = list(ledger.entries(ReadOnlyFolder(config.data / "state"), from_unix_s=since_unix_s(args)))
    if args.json:
        for line in found:
            print(json.dumps(line))
    elif not found:
        print(word("losses.none", args.lang))
    else:
        print(word("losses.head", args.lang, count=sum(line["count"] for line in found)))
        for line in found:
            print(_loss(line, args.lang))
    return 0


def add_since(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="2h, 3d, or a date: 2026-11-25, 2026-11-25T14:30")


def since_unix_s(args: argparse.Namespace) -> int | None:
    """Returns the instant of `--since`, None without it; UsageError."""
    try:
        return None if args.since is None else parse_since(args.since, unix_s=int(time.time()))
    except ValueError:
        remedy = N_("--since: {text} is no time; give 2h, 3d or a date as 2026-11-25")
        raise UsageError(translate(remedy, args.lang, text=args.since)) from None


def parse_since(text: str, *, unix_s: int) -> int:
    """Parses `2h`, `3d` (or `3j`) before now, or a date `2026-11-25[T14:30]` in French legal time; ValueError."""
    period = re.fullmatch("([0-9]{1,9})([smhdj])", text)
    if period:
        return unix_s - int(period[1]) * _PERIODS_S[period[2]]
    given = datetime.fromisoformat(text)
    if given.tzinfo is not None:
        return int(given.timestamp())
    civil_day = civil.days_from_civil(given.year, given.month, given.day)
    second = 3600 * given.hour + 60 * given.minute + given.second
    return int(civil.unix_from_local(moments.ZONE, civil_day, second))


def _loss(line: dict[str, Any], language: str) -> str:
    when = word("losses.unknown_time", language)
    if line["unix_s"] is not None:
        when = moments.stamp(line["unix_s"])
    if "node" in line:
        about = word("losses.records", language, node=line["node"], boot=line["boot"], numbers=line["sequences"])
    else:
        about = word("losses.positions", language, numbers=line["positions"], epoch=line.get("epoch", "?"))
    why = word_or(f"loss.{line['why']}", line["why"], language)
    lane = word_or(f"lanes.{line['lane']}", line["lane"], language)
    return f"{when}  {line['count']:6}  {lane:12} {why:22} {about}"
