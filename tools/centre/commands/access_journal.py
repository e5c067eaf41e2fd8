"""Shows who read what about persons, and who did what: the journal of a year.

About persons are the rooms (temperature, set-point, heating) and this journal itself. What was done is in it as well:
rights given and withdrawn, equipment imported, alarms acknowledged or closed, nodes bound to cabinets. Orders to
cabinets are signed, and stand with their authors in `bocage centre commands`. Each reading of the journal is a line of
it. Without days it is the current month.

example:
  bocage centre access journal --db centre.db --as "Paul Roy"
  bocage centre access journal --db centre.db --of "Léa Durand" --month 2026-11 --csv
"""

import argparse
import time

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_reading, add_scope, days_text, opened_connection, period_or_month
from tools.centre.condition.words import time_text
from tools.centre.report import Column
from tools.centre.scope import journal
from tools.centre.scope.words import about_text, commune_text, deed_text

_NONE = N_("The journal has nothing of these days.")
_COLUMNS = (
    Column("at_unix_s", NC_("column", "when"), time_text),
    Column("person", NC_("column", "person")),
    Column("deed", NC_("column", "what was done"), deed_text),
    Column("insee", NC_("column", "commune"), commune_text),
    Column("about", NC_("column", "about"), about_text),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_scope(parser)
    parser.add_argument("--of", metavar="PERSON", help="of this person")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    since_s, until_s = period_or_month(args, now_s=int(time.time()))
    about = " ".join(text for text in (args.of, days_text(args)) if text)
    with opened_connection(args, reads="access journal", about=about) as connection:
        found = journal.read(connection, since_unix_s=since_s, until_unix_s=until_s, person=args.of)
    rows = [line._asdict() for line in found if args.commune in (None, line.insee)]
    report.show(args, _COLUMNS, rows, _NONE)
    return 0
