"""Shows for how many days each class of facts is kept, or sets it; `bocage centre purge` does it.

Days, months and years of energy and water stay for ever, by day. A time that is made shorter takes effect at the next
purge, and what it purges does not come back: look with `bocage centre purge --dry-run` first. What is kept apart, and
nobody has decided on (`bocage centre apart`), stays as long as readings. The times of orders, once they are over, and
of the journal of accesses are fixed; control and the journal purge them themselves.

example:
  bocage centre keep --db centre.db
  bocage centre keep --db centre.db --readings 400j --events 1830j
"""

import argparse
import time
from contextlib import closing

from gateway.language import N_, NC_, translate
from tools.centre import report
from tools.centre.arguments import add_warehouse, check_warehouse, database_faults, note, parse_duration
from tools.centre.limits import COMMANDS_KEPT_S, JOURNAL_KEPT_S
from tools.centre.report import Column
from tools.centre.retention import classes
from tools.centre.rollup import hours
from tools.centre.store import schema
from tools.command_line import UsageError

_DAY_S = 86_400
_WORDS = {
    classes.READINGS: NC_("retention", "readings"),
    classes.ROOMS: NC_("retention", "temperatures by hour"),
    classes.HOURS: NC_("retention", "figures by hour"),
    classes.EVENTS: NC_("retention", "events and faults"),
    classes.APART: NC_("retention", "kept apart, undecided"),
    "orders": NC_("retention", "orders and their outcomes"),
    "accesses": NC_("retention", "who read and did what"),
}
_FIXED = {"orders": COMMANDS_KEPT_S // _DAY_S, "accesses": JOURNAL_KEPT_S // _DAY_S}
CLASS = Column("class", N_("class"), lambda name, language: translate(_WORDS[name], language))
_COLUMNS = (CLASS, Column("days", N_("days kept")), Column("since", N_("from then on")))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    for name, days in classes.DEFAULTS.items():
        parser.add_argument(f"--{name}", metavar="DAYS", help=f"such as {days}j, which is the default")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    check_warehouse(args.db)
    given = {name: text for name in classes.DEFAULTS if (text := getattr(args, name)) is not None}
    wanted = {name: _days(name, text) for name, text in given.items()}
    with database_faults(args.db), closing(schema.open_to_write(args.db)) as connection:
        if wanted:
            classes.keep(connection, wanted)
            note(args, "keep", ", ".join(f"{name} {days}" for name, days in wanted.items()), "")
        kept = classes.kept_days(connection)
    now_s = int(time.time())
    rows = [
        {"class": name, "days": days, "since": hours.day_text(hours.day_of(now_s - days * _DAY_S))}
        for name, days in (kept | _FIXED).items()
    ]
    report.show(args, _COLUMNS, rows, N_("Nothing is kept."))
    return 0


def _days(name: str, text: str) -> int:
    days, rest = divmod(parse_duration(f"--{name}", text), _DAY_S)
    if rest:
        raise UsageError(N_("--{name} {text}: give whole days, such as 400j"), name=name, text=text)
    return days
