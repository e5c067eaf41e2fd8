"""Lists who may see what: person, commune, trade, days, and who gave it.

With `--as` it lists what a person may know of this, which needs the right to the journal.

example:
  bocage centre access list --db centre.db
  bocage centre access list --db centre.db --of "Léa Durand" --ended --csv
"""

import argparse
import time

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_reading, opened_connection
from tools.centre.condition.words import optional_time_text
from tools.centre.register.equipment import day_text
from tools.centre.report import Column
from tools.centre.scope import grants
from tools.centre.scope.words import commune_text, trade_text

_NONE = N_("Nobody may see anything: no right is in force.")
_COLUMNS = (
    Column("person", NC_("column", "person")),
    Column("commune", NC_("column", "commune"), commune_text),
    Column("trade", NC_("column", "trade"), trade_text),
    Column("valid_from", NC_("column", "valid_from")),
    Column("valid_until", NC_("column", "valid_until")),
    Column("given_by", NC_("column", "given by")),
    Column("given_unix_s", NC_("column", "given on"), optional_time_text, is_shown=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument("--of", metavar="PERSON", help="of this person")
    parser.add_argument("--ended", action="store_true", help="those that have ended or were withdrawn too")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    with opened_connection(args) as connection:
        found = grants.every(connection, person=args.of)
    rows = [_row(one) for one in found if args.ended or one.until_unix_s is None or one.until_unix_s > now_s]
    report.show(args, _COLUMNS, rows, _NONE)
    return 0


def _row(one: grants.Grant) -> dict[str, object]:
    return {
        "person": one.person,
        "commune": one.insee,
        "trade": one.trade,
        "valid_from": day_text(one.from_unix_s),
        "valid_until": None if one.until_unix_s is None else day_text(one.until_unix_s - 1),
        "given_by": one.given_by,
        "given_unix_s": one.given_unix_s,
    }
