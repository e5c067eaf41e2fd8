"""Measures what it costs that a person sees only what is granted: the state of a territory's lights, asked four ways.

The lights stand in 72 communes on cabinets of 50, each with a node that was heard a minute ago. The same question
(`condition.states`) is asked of the whole warehouse, as `bocage centre lamps` does without `--as`; by a person to whom
everything is granted; by one who has the lighting of all communes; and by one who sees one commune. The opening of a
connection is counted in each, since a connection lives for one question. Processor time of this process, the best of
five; the view `lights` beside it.
`--server` asks a cluster of PostgreSQL that is made for it: elapsed time, for the server works beside this process.

    bocage bench scope --lights 60000 --json
    bocage bench scope --lights 20000 --server
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from simulator.rig import postgresql
from tools.bench.territory_world import node
from tools.centre.condition.states import States
from tools.centre.register.equipment import LIGHT
from tools.centre.scope import grants, reader, server
from tools.centre.store import database, schema
from tools.command_line import add_json, print_figures

_COMMUNES = 72
_LIGHTS_PER_CABINET = 50
_NOW_S = 1_795_000_000
_ONE = "49000"
# What is granted to a person; None: the whole warehouse is asked.
Areas = set[tuple[str, str]] | None
_PERSONS = {
    "everything": (grants.ALL, grants.ALL),
    "lighting": (grants.ALL, grants.LIGHTING),
    "one_commune": (_ONE, grants.LIGHTING),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lights", type=int, default=6000, help="default: %(default)s; a territory has 60,000")
    parser.add_argument("--server", action="store_true", help="on PostgreSQL")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    if args.server:
        made: postgresql.Server
        with postgresql.temporary(Path(os.devnull)) as made:
            figures = measure(made.address(), args.lights)
    else:
        with tempfile.TemporaryDirectory(prefix="bocage-scope-") as folder:
            figures = measure(str(Path(folder) / "warehouse.db"), args.lights)
    print_figures(figures, as_json=args.json)
    return 0


def measure(path: str, lights: int) -> dict[str, Any]:
    with closing(schema.open_to_write(path, "OFF")) as connection:
        _fill(connection, lights)
        if database.is_server(path):
            with database.transaction(connection):
                server.prepare(connection)
            connection.execute("ANALYZE")  # autovacuum's, a minute later
        areas = {name: grants.areas(connection, name, now_s=_NOW_S) for name in _PERSONS}
    figures: dict[str, Any] = {"lights": lights}
    clock = time.monotonic if database.is_server(path) else time.process_time
    for name, own in (("unscoped", None), *areas.items()):
        figures[f"{name}_lights"] = len(_states(path, own))
        for kind, asked in (("open", _nothing), ("state", _states), ("view", _view)):
            figures[f"{name}_{kind}_s"] = _best(partial(asked, path, own), clock)
    figures["everything_per_unscoped"] = figures["everything_state_s"] / figures["unscoped_state_s"]
    return figures


def _opened(path: str, areas: Areas) -> closing[database.Connection]:
    return closing(schema.open_to_read(path) if areas is None else reader.open_to_read(path, areas))


def _nothing(path: str, areas: Areas) -> list[Any]:
    with _opened(path, areas):
        return []


def _states(path: str, areas: Areas) -> list[Any]:
    with _opened(path, areas) as connection:
        return list(States(connection, now_s=_NOW_S).of_equipment(LIGHT))


def _view(path: str, areas: Areas) -> list[Any]:
    with _opened(path, areas) as connection:
        question = "SELECT insee, id, street, measured_watts, ordered_percent FROM lights"
        return list(connection.execute(question).fetchall())


def _fill(connection: database.Connection, lights: int) -> None:
    places = [(n, f"49{n % _COMMUNES:03}", f"cab-{n // _COMMUNES // _LIGHTS_PER_CABINET}") for n in range(lights)]
    cabinets = sorted({(insee, cabinet) for _, insee, cabinet in places})
    numbers = {cabinet: number for number, cabinet in enumerate(cabinets, 1)}
    with database.transaction(connection):
        connection.executemany(
            "INSERT INTO gateways (gateway, id, insee, name, first_seen_unix_s) VALUES (?, ?, ?, ?, 0)",
            [(number, node(1 << 24 | number), *cabinet) for cabinet, number in numbers.items()],
        )
        connection.executemany(
            "INSERT INTO equipment (insee, kind, id, from_unix_s) VALUES (?, 'cabinet', ?, 0)", cabinets
        )
        connection.executemany(
            "INSERT INTO equipment (insee, kind, id, from_unix_s, name, street, cabinet, feeder, node)"
            " VALUES (?, 'light', ?, 0, ?, ?, ?, 'bourg', ?)",
            [
                (insee, str(n), f"Candélabre {n}", f"rue {n // 40}", f"{insee}-{cabinet}", node(n))
                for n, insee, cabinet in places
            ],
        )
        connection.executemany(
            "INSERT INTO serving (node, cabinet, since_unix_s) VALUES (?, ?, 0)",
            [(node(n), f"{insee}-{cabinet}") for n, insee, cabinet in places],
        )
        connection.executemany(
            "INSERT INTO latest (node, boot, sequence, seconds, quality, uncertainty_s, gateway, received_unix_s,"
            " readings_boot, readings_sequence, power_dw, level_percent)"
            " VALUES (?, 1, 1, ?, 1, 1, ?, ?, 1, 1, 231, 40)",
            [(node(n), _NOW_S - 60, numbers[insee, cabinet], _NOW_S - 55) for n, insee, cabinet in places],
        )
        for name, area in _PERSONS.items():
            grants.give(connection, grants.Grant(name, *area, 0, None, "bench", 0))


def _best(asked: Callable[[], Any], clock: Callable[[], float]) -> float:
    taken = []
    for _ in range(5):
        began_s = clock()
        asked()
        taken.append(clock() - began_s)
    return min(taken)
