"""Lists the rooms: the state, and temperature, set-point and heating as last heard; of some days the temperatures.

example:
  bocage centre rooms --db centre.db --commune 49135
  bocage centre rooms --db centre.db --month 2026-11 --csv
"""

import argparse
import time
from typing import Any

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_reading, add_scope, days_text, opened_connection, parse_period
from tools.centre.condition.states import State, States
from tools.centre.condition.usage import Temperatures, temperatures, waiting
from tools.centre.condition.words import fault_text, optional_time_text, state_text
from tools.centre.register.equipment import ROOM
from tools.centre.register.register import with_communes
from tools.centre.report import Column
from tools.centre.store.archive import Archive
from wire import quantity

_NONE = N_("No room is in the register, or none that may be shown.")
_COLUMNS = (
    Column("commune", NC_("column", "commune")),
    Column("insee", NC_("column", "INSEE code"), is_shown=False),
    Column("id", NC_("column", "id")),
    Column("name", NC_("column", "name")),
    Column("street", NC_("column", "street"), is_shown=False),
    Column("temperature_c", NC_("column", "°C")),
    Column("setpoint_c", NC_("column", "set-point")),
    Column("heating_percent", NC_("column", "heating %"), digits=0),
    Column("least_c", NC_("column", "least °C")),
    Column("mean_c", NC_("column", "mean °C")),
    Column("most_c", NC_("column", "most °C")),
    Column("state", NC_("column", "state"), state_text),
    Column("fault", NC_("column", "fault"), fault_text),
    Column("since_unix_s", NC_("column", "since"), optional_time_text, is_shown=False),
    Column("heard_unix_s", NC_("column", "last heard"), optional_time_text),
)
_OF_NOW = ("temperature_c", "setpoint_c", "heating_percent", "heard_unix_s")
_OF_DAYS = ("least_c", "mean_c", "most_c")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_scope(parser)
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    period = parse_period(args, now_s=now_s)
    with opened_connection(args, reads="rooms", about=days_text(args)) as connection:
        archive = Archive(connection)
        of_days = {} if period is None else temperatures(connection, period, insee=args.commune)
        rooms = States(connection, now_s=now_s, insee=args.commune).of_equipment(ROOM)
        rows = with_communes(connection, (_row(room, archive, of_days.get(room.node or b"")) for room in rooms))
        waiting_nodes = 0 if period is None else waiting(connection, period)
    left_out = _OF_DAYS if period is None else _OF_NOW
    report.show(args, [column for column in _COLUMNS if column.name not in left_out], rows, _NONE)
    report.warn_waiting(args, waiting_nodes)
    return 0


def _row(room: State, archive: Archive, of_days: Temperatures | None) -> dict[str, Any]:
    now = {} if room.node is None else archive.newest_readings(room.node)
    least, mean, most = of_days or (None, None, None)
    return {
        "commune": room.insee,
        "id": room.id,
        "name": room.name,
        "street": room.street,
        "temperature_c": _hundredths(now.get(quantity.TEMPERATURE)),
        "setpoint_c": _hundredths(now.get(quantity.SETPOINT)),
        "heating_percent": now.get(quantity.HEATING_DUTY),
        "least_c": _hundredths(least),
        "mean_c": None if mean is None else round(mean) / 100,
        "most_c": _hundredths(most),
        "state": room.state,
        "fault": room.fault_label,
        "since_unix_s": room.since_unix_s,
        "heard_unix_s": room.heard_unix_s,
    }


def _hundredths(value: int | None) -> float | None:
    return None if value is None else value / 100
