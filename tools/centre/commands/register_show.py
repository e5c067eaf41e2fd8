"""Shows what an equipment is and was: by its id, the number on its post, or a node that serves or served it.

example:
  bocage centre register show 49007-0117 --db centre.db
"""

import argparse
import json
from itertools import groupby
from typing import Any

from gateway.language import N_
from tools.centre.arguments import add_reading, opened_connection
from tools.centre.register import words
from tools.centre.register.equipment import Version, kind_word, row_of
from tools.centre.register.register import Register
from tools.command_line import UsageError, add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="ID", help="such as 49007-0117, 0117, or the 16 digits of a node")
    add_reading(parser)
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    with opened_connection(args) as connection:
        register = Register(connection)
        found = register.find(args.what)
    if not found:
        raise UsageError(N_("{what}: the register has no such id, post or node"), what=args.what)
    if args.json:
        print(json.dumps([_plain(version) for version in found], ensure_ascii=False, indent=2))
        return 0
    for key, versions in groupby(found, key=lambda version: version.key):
        print(f"{key.address} ({kind_word(key.kind, args.lang)})")
        for _, start, end, what in versions:
            print(f"  {words.days_text(start, end, args.lang)} : {words.equipment_text(what, args.lang)}")
    return 0


def _plain(version: Version) -> dict[str, Any]:
    return {**row_of(version), "id": version.key.address}
