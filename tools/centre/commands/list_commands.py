"""Shows what became of the last commands.

example:
  bocage centre commands --db control.db --commune 49135 --json
"""

import argparse
import json
import time

from gateway.language import N_
from tools.centre.arguments import check_insee
from tools.centre.commands.orders import add_control, opened_to_read
from tools.centre.control import orders
from tools.centre.control.order_words import word
from tools.centre.control.progress import lines, plain, progress_of
from tools.command_line import UsageError, add_json

_LISTED = 20
_LISTED_MAX = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_control(parser)
    parser.add_argument("--commune", metavar="INSEE", help="of one commune")
    parser.add_argument("--command", metavar="ID", help="one command, by its id or how that begins")
    parser.add_argument("--last", type=int, default=_LISTED, metavar="N", help="how many (default: %(default)s)")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    """Prints the commands, the oldest first."""
    now_s = int(time.time())
    if args.commune is not None:
        check_insee("--commune", args.commune)
    if not 0 < args.last <= _LISTED_MAX:
        raise UsageError(N_("--last {value}: give 1 to {high}"), value=args.last, high=_LISTED_MAX)
    with opened_to_read(args) as connection:
        if args.command is not None:
            kept = orders.find(connection, args.command, args.last)
        else:
            kept = orders.latest(connection, args.last, args.commune)
        found = [progress_of(connection, one, now_s=now_s) for one in kept]
    if args.json:
        print(json.dumps([plain(one, now_s=now_s) for one in found], ensure_ascii=False, indent=2))
        return 0
    for one in found:
        print("\n".join(lines(one, args.lang, now_s=now_s)))
    if not found:
        print(word("nothing", args.lang))
    return 0
