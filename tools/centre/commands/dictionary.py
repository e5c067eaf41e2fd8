"""Says what the warehouse's views hold, column by column: for who asks with SQL, a spreadsheet or pandas.

Views are asked in the warehouse's file with any SQLite client, without Bocage:

  sqlite3 centre.db "SELECT street, hour_local, sum(kwh) FROM hourly_energy GROUP BY 1, 2"

example:
  bocage centre dictionary > dictionnaire.md
  bocage centre dictionary --csv > dictionnaire.csv
"""

import argparse
import csv
import sys
from itertools import groupby

from gateway.language import N_, translate
from tools.centre.rollup import dictionary
from tools.centre.store import schema

_TITLE = N_("Dictionary of the warehouse's views, version {version}")
_HEAD = (N_("column"), N_("unit"), N_("meaning"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--markdown", action="store_true", help="for people (default)")
    forms.add_argument("--csv", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    rows = dictionary.rows(args.lang)
    if args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(dictionary.Row._fields)
        writer.writerows(rows)
        return 0
    print("# " + translate(_TITLE, args.lang, version=schema.VERSION))
    for view, columns in groupby(rows, key=lambda row: row.view):
        print(f"\n## {view}\n\n{translate(dictionary.VIEWS[view], args.lang)}.\n")
        print("| " + " | ".join(translate(word, args.lang) for word in _HEAD) + " |\n|---|---|---|")
        for row in columns:
            print(f"| `{row.column}` | {row.unit} | {row.meaning} |")
    return 0
