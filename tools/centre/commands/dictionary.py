"""Says what the warehouse's views hold, column by column: for who asks with SQL, a spreadsheet or pandas.

Views are asked in the warehouse's file with any SQLite client, without Bocage:

  sqlite3 centre.db "SELECT street, hour_local, sum(kwh) FROM hourly_energy GROUP BY 1, 2"

example:
  bocage centre dictionary > dictionnaire.md
  bocage centre dictionary --csv > dictionnaire.csv
"""

import argparse
from itertools import groupby

from gateway.language import N_, translate
from tools.centre import report
from tools.centre.report import Column
from tools.centre.rollup import dictionary
from tools.centre.store import schema

_TITLE = N_("Dictionary of the warehouse's views, version {version}")
_HEAD = (N_("column"), N_("unit"), N_("meaning"))
_COLUMNS = tuple(map(Column, dictionary.Row._fields, (N_("view"), *_HEAD)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    rows = dictionary.rows(args.lang)
    if args.csv or args.json:
        report.show(args, _COLUMNS, [row._asdict() for row in rows], _TITLE)
        return 0
    print("# " + translate(_TITLE, args.lang, version=schema.VERSION))
    for view, columns in groupby(rows, key=lambda row: row.view):
        print(f"\n## {view}\n\n{translate(dictionary.VIEWS[view], args.lang)}.\n")
        print("| " + " | ".join(translate(word, args.lang) for word in _HEAD) + " |\n|---|---|---|")
        for row in columns:
            print(f"| `{row.column}` | {row.unit} | {row.meaning} |")
    return 0
