"""Purges what is older than `bocage centre keep` says, beside the running ingest; a timer runs it each night.

Sums by hour and by day do not change, and what a cabinet sends again is acknowledged and not kept twice. What stays
though it is old: the last reading of each meter before those that are kept, what belongs to a fault that is open, and
what is kept apart of a cabinet that was bound to the node since. A purge that was stopped goes on the next time.

example:
  bocage centre purge --db centre.db --dry-run
  bocage centre purge --db centre.db
"""

import argparse
import time
from collections import Counter
from contextlib import closing
from itertools import chain

from gateway.language import N_
from tools.centre import report
from tools.centre.arguments import add_warehouse, check_warehouse, database_faults, note
from tools.centre.commands.keep import CLASS
from tools.centre.limits import PURGE_PAUSE_S
from tools.centre.report import Column
from tools.centre.retention.classes import APART, EVENTS, HOURS, READINGS, ROOMS
from tools.centre.retention.purge import Purge
from tools.centre.rollup import hours
from tools.centre.store import runs, schema

_NOTHING = N_("Nothing is old enough.")
_COLUMNS = (
    CLASS,
    Column("before", N_("from before")),
    Column("count", N_("records or hours")),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    parser.add_argument("--dry-run", action="store_true", help="only count what would go")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    check_warehouse(args.db)
    counts: Counter[str] = Counter()
    with database_faults(args.db), closing(schema.open_to_write(args.db)) as connection:
        purge = Purge(connection, now_s=int(time.time()))
        if args.dry_run:
            _count(purge, counts)
        else:
            try:
                _purge(purge, counts)
                while connection.give_back():
                    time.sleep(PURGE_PAUSE_S)
                runs.note(connection, runs.PURGE, int(time.time()))
            finally:
                if counts.total():
                    note(args, "purge", ", ".join(f"{name} {count}" for name, count in counts.items() if count), "")
    rows = [
        {"class": name, "before": hours.day_text(hours.day_of(purge.before_s[name])), "count": count}
        for name, count in counts.items()
        if count
    ]
    report.show(args, _COLUMNS, rows, _NOTHING)
    return 0


def _count(purge: Purge, counts: Counter[str]) -> None:
    for node in purge.nodes():
        counts[READINGS] += purge.count_readings(node)
        counts[EVENTS] += purge.count_events(node)
    for name in (ROOMS, HOURS):
        counts[name] += purge.count_hours(name)
    counts[APART] += purge.count_apart()


def _purge(purge: Purge, counts: Counter[str]) -> None:
    """Purges all, and leaves the database to the ingest after each transaction in which something went."""
    readings = ((READINGS, purge.purge_readings(node)) for node in purge.nodes())
    events = ((EVENTS, purge.purge_events(node)) for node in purge.nodes())
    figures = ((name, purge.purge_hours(name)) for name in (ROOMS, HOURS))
    for name, steps in chain(readings, events, figures, [(APART, purge.purge_apart())]):
        for count in steps:
            counts[name] += count
            if count:
                time.sleep(PURGE_PAUSE_S)
