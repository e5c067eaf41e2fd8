"""Shows when each feeder is lit in one night.

example:
  bocage policy night feneu.toml --date 2027-07-14
"""

import argparse
import json
from pathlib import Path

from tools.command_line import add_json
from tools.policy.arguments import FAULTY, date, policy_of
from tools.policy.description import civil_day, night_lines, plain_night


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="TOML, compiled or signed")
    parser.add_argument("--date", type=date, required=True, metavar="YYYY-MM-DD", help="of the evening")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    policy, calendars = policy_of(args.file, args.lang)
    if policy is None:
        return FAULTY
    evening = civil_day(args.date)
    if args.json:
        print(json.dumps(plain_night(policy, evening), indent=2, ensure_ascii=False))
    else:
        print("\n".join(night_lines(policy, evening, calendars, args.lang)))
    return 0
