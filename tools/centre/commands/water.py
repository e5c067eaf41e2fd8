"""Tells the water of some days by meter: litres, how much of that time is known, and whether something is broken.

A meter is that of a node; green spaces that are zones of one node share it, and stand in one line. Figures and their
coverage are those of `bocage centre rollup`. Without days it is the current month.

example:
  bocage centre water --db centre.db --month 2026-07
  bocage centre water --db centre.db --commune 49135 --csv
"""

import argparse
import time
from typing import Any

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_reading, add_scope, opened_connection, period_or_month
from tools.centre.condition.states import State, States
from tools.centre.condition.usage import WATER, Usages, waiting
from tools.centre.condition.words import fault_text, optional_time_text, state_text
from tools.centre.register.equipment import GREEN_SPACE, METER
from tools.centre.register.register import with_communes
from tools.centre.report import Column

_NONE = N_("No green space and no water meter is in the register, or none that may be shown.")
_COLUMNS = (
    Column("commune", NC_("column", "commune")),
    Column("insee", NC_("column", "INSEE code"), is_shown=False),
    Column("street", NC_("column", "street")),
    Column("id", NC_("column", "id")),
    Column("name", NC_("column", "name")),
    Column("litres", NC_("column", "litres")),
    Column("coverage_percent", NC_("column", "coverage %")),
    Column("state", NC_("column", "state"), state_text),
    Column("fault", NC_("column", "fault"), fault_text),
    Column("since_unix_s", NC_("column", "since"), optional_time_text, is_shown=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_scope(parser)
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    period = period_or_month(args, now_s=now_s)
    with opened_connection(args) as connection:
        states = States(connection, now_s=now_s, insee=args.commune)
        usages = Usages(connection, WATER, period, insee=args.commune)
        shared: dict[bytes, list[State]] = {}
        for kind in (GREEN_SPACE, METER):
            for one in states.of_equipment(kind):
                if one.node is not None:
                    shared.setdefault(one.node, []).append(one)
        period_s = min(period[1], now_s) - period[0]
        rows = with_communes(connection, (_row(zones, usages, period_s) for zones in shared.values()))
        waiting_nodes = waiting(connection, period)
    # A meter of electricity says nothing of water.
    report.show(args, _COLUMNS, [row for row in rows if row["litres"] is not None or not row["is_meter"]], _NONE)
    report.warn_waiting(args, waiting_nodes)
    return 0


def _row(zones: list[State], usages: Usages, period_s: int) -> dict[str, Any]:
    first = zones[0]
    assert first.node is not None
    used = usages.of((first.node, 0))
    worst = next((one for one in zones if one.fault is not None), first)
    return {
        "commune": first.insee,
        "street": first.street,
        "id": ", ".join(one.id or "" for one in zones),
        "name": ", ".join(one.name for one in zones if one.name) or None,
        "litres": used.amount if used.covered_s else None,
        "coverage_percent": round(used.coverage(period_s), 1),
        "state": worst.state,
        "fault": worst.fault_label,
        "since_unix_s": worst.since_unix_s,
        "is_meter": first.kind == METER,
    }
