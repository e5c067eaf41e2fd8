"""Tells the energy of some days by feeder, light, street, room, cabinet or commune, and how much of that time is known.

A feeder is measured by its cabinet, whose register says by `zone` which of the cabinet's channels it is; without that,
its lights are summed. A cabinet is measured by the Linky meter, or its feeders are summed; a commune is its cabinets.
A light without a node measures nothing, and lowers the coverage of its street. Covered is the time through which a
register counted, silences included that lie within these days: a lamp without mains by day is no gap. Figures are those
of `bocage centre rollup`. Without days it is the current month.

example:
  bocage centre energy --db centre.db --month 2026-10 --by feeder
  bocage centre energy --db centre.db --from 2026-11-01 --until 2026-11-28 --by street --commune 49135 --csv
"""

import argparse
import time

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_reading, add_scope, opened_connection, period_or_month
from tools.centre.condition.metering import STREET, Metering
from tools.centre.condition.usage import ENERGY, Usages, waiting
from tools.centre.register.equipment import CABINET, COMMUNE, FEEDER, LIGHT, ROOM
from tools.centre.register.register import Register, with_communes
from tools.centre.report import Column

_KINDS = (FEEDER, LIGHT, STREET, ROOM, CABINET, COMMUNE)
_NONE = N_("None of these is in the register, or none that may be shown.")
_COLUMNS = (
    Column("commune", NC_("column", "commune")),
    Column("insee", NC_("column", "INSEE code"), is_shown=False),
    Column("street", NC_("column", "street")),
    Column("id", NC_("column", "id")),
    Column("name", NC_("column", "name")),
    Column("kwh", NC_("column", "kWh")),
    Column("coverage_percent", NC_("column", "coverage %")),
    Column("meters", NC_("column", "meters")),
    Column("meters_heard", NC_("column", "meters heard"), is_shown=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_scope(parser)
    parser.add_argument("--by", choices=_KINDS, default=FEEDER, help="what a line is (%(default)s)")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    period = period_or_month(args, now_s=now_s)
    at_s = min(period[1], now_s) - 1
    with opened_connection(args) as connection:
        usages = Usages(connection, ENERGY, period, insee=args.commune)
        metering = Metering(Register(connection), usages, args.commune, at_s)
        rows = with_communes(connection, metering.rows(args.by, min(period[1], now_s) - period[0]))
        waiting_nodes = waiting(connection, period)
    report.show(args, _COLUMNS, rows, _NONE)
    report.warn_waiting(args, waiting_nodes)
    return 0
