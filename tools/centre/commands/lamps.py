"""Lists the state of every light, by commune and street: ok, fault, unpowered, or unknown since.

A light is unpowered while its cabinet holds the contactor of its feeder open, which is neither silence nor an alarm. It
is unknown when nothing was heard of it for an hour. With a fault of its feeder or cabinet, that is the cause shown.
Where the register has no light yet, the nodes that it does not know are listed by their ids, whatever they serve.

example:
  bocage centre lamps --db centre.db --commune 49135
  bocage centre lamps --db centre.db --state fault --state unknown --csv > a-voir.csv
"""

import argparse
import time
from collections import Counter
from typing import Any

from gateway.language import N_, NC_
from tools.centre import report
from tools.centre.arguments import add_commune, add_reading, check_commune, opened_connection
from tools.centre.condition.states import WORDS, State, States
from tools.centre.condition.words import fault_text, optional_time_text, state_text
from tools.centre.register.equipment import LIGHT
from tools.centre.register.register import with_communes
from tools.centre.report import Column

_NONE = N_("No such light.")
_COLUMNS = (
    Column("commune", NC_("column", "commune")),
    Column("insee", NC_("column", "INSEE code"), is_shown=False),
    Column("street", NC_("column", "street")),
    Column("id", NC_("column", "id")),
    Column("state", NC_("column", "state"), state_text),
    Column("since_unix_s", NC_("column", "since"), optional_time_text),
    Column("fault", NC_("column", "fault"), fault_text),
    Column("cabinet", NC_("column", "cabinet"), is_shown=False),
    Column("feeder", NC_("column", "feeder")),
    Column("node", NC_("column", "node"), is_shown=False),
    Column("heard_unix_s", NC_("column", "last heard"), optional_time_text, is_shown=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_commune(parser)
    parser.add_argument("--state", choices=tuple(WORDS), action="append", help="only of this state; may be repeated")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    check_commune(args)
    with opened_connection(args) as connection:
        states = States(connection, now_s=int(time.time()), insee=args.commune)
        found = list(states.of_equipment(LIGHT)) or list(states.of_strangers())
        wanted = [one for one in found if args.state is None or one.state in args.state]
        wanted.sort(key=lambda one: (one.insee, one.street or "", one.address))
        rows = with_communes(connection, map(_row, wanted))
    counted = Counter(one.state for one in found)
    columns = _COLUMNS[len({one.insee for one in wanted}) < 2 and not (args.csv or args.json) :]
    report.show(args, columns, rows, _NONE)
    if wanted and not (args.csv or args.json):
        told = (f"{counted[state]} {state_text(state, args.lang)}" for state in WORDS if counted[state])
        print("\n" + ", ".join(told))
    return 0


def _row(one: State) -> dict[str, Any]:
    return {
        "commune": one.insee,
        "street": one.street,
        "id": one.id or one.address,
        "state": one.state,
        "since_unix_s": one.since_unix_s,
        "fault": one.fault_label,
        "cabinet": one.cabinet,
        "feeder": one.feeder,
        "node": None if one.node is None else one.node.hex(),
        "heard_unix_s": one.heard_unix_s,
    }
