"""Measures a territory of N lights in the warehouse: the roll-up of a day, states, kWh by hour and commune, the report.

What is measured begins with records in a new warehouse (`territory_world`); the other days of the month are one day's
rows, copied. What is asked:

    rollup_s          all that is marked: the day, and the two hours around it
    day_again_s       the day alone is marked again, as by a record that comes late
    state_s           `centre lamps`: the state of each light; of one commune; of each, of a person with the lighting of
                      all communes (`state_trade_s`)
    picture_commune_s what the screens of a commune, the map among them, are made of
    lamps_wall_s      `centre lamps --state fault`, from the start of its process to its end, each light heard a minute
                      ago; the same of that person, with `--as` (`lamps_trade_wall_s`)
    commune_hours_s   kWh by commune and hour of the day, by the view `hourly_energy`
    readings_*_s      the day's readings, summed by the view `readings`: of one light, of a street, of all if few
    month_street_s    `centre energy --month --by street`: the register and 30 days of each light; and of one commune
    purge_s           `centre purge` of the day, a year later, and the room that it gives back; of 20,000 lights at most

Times are processor time of this process, of the roll-up's helper and of the server's that answer them; of the questions
the best of three (one that takes long is asked once). What is named `wall` is by the clock.
`energy_wh` is what the hours of the day hold, and must be what the registers counted.
`records_mb` is the warehouse before the roll-up, `rollup_mb` what this adds. `--server-lights` measures the same on a
cluster of PostgreSQL that is made for it.

    bocage bench territory --lights 1000 5000 20000 60000 --server-lights 1000 5000 20000 60000 \
        --svg tools/territory.svg     a quarter of an hour on an idle machine
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from simulator.rig import postgresql
from tools.bench import growth
from tools.bench.territory_world import AROUND, DAY, OF_DAY, REPORTS, copy_days, fill, node, readings, register
from tools.centre.condition.metering import STREET, Metering
from tools.centre.condition.states import States
from tools.centre.condition.usage import ENERGY, Usages
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import ROLLUP_DAYS
from tools.centre.register.equipment import LIGHT
from tools.centre.register.register import Register
from tools.centre.retention.classes import READINGS, kept_days
from tools.centre.retention.purge import Purge
from tools.centre.rollup import hours
from tools.centre.rollup.second_process import Helper
from tools.centre.rollup.worker import Worker
from tools.centre.scope import grants, reader, server
from tools.centre.store import database, schema, sqlite_file
from tools.centre.web import pictures
from tools.command_line import add_json, print_figures

_MONTH = hours.hours_of(OF_DAY - 12)[0], hours.hours_of(OF_DAY + 18)[0]
_ASKED_AGAIN_S = 10
_PERSON = "Léa Durand"
# Lights: in a larger territory a reading costs the same, and a node that is purged.
_ALL_READ_MAX, _PURGED_MAX = 1000, 20_000
_DRAWN = (
    ("records_mb", "records, MB", "#3d8b40"),
    ("rollup_mb", "hours and days, MB", "#7a8f1f"),
    ("rollup_s", "roll-up, s", "#d9822b"),
    ("commune_hours_s", "kWh by hour, s", "#2b6cd9"),
    ("state_s", "states, s", "#8a4fbf"),
)
_SIZE_ON_SERVER = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)"""
# The rest cleans up behind others: one that ends in the midst of a question takes its time with it.
_ANSWERING = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'"""
_COMMUNE_HOURS = """SELECT commune, hour_utc, sum(kwh), sum(covered_s) FROM hourly_energy
    WHERE day_local = '2026-11-13' GROUP BY commune, hour_utc"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lights", type=int, nargs="+", default=[1000], help="sizes (default: 1000; a territory has 60000)"
    )
    parser.add_argument(
        "--server-lights", type=int, nargs="+", default=[], metavar="LIGHTS", help="sizes on PostgreSQL (default: none)"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw seconds and bytes by lights")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    found = []
    for where, lights in _warehouses(args):
        found.append(measure(where, lights))
        print_figures(found[-1], as_json=args.json)
        if args.svg is not None:  # after each: the largest takes minutes
            args.svg.write_text(svg(found), encoding="utf-8")
    return 0


def _warehouses(args: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Makes for each size a place for a warehouse, which is gone when the next is asked for."""
    for lights in args.lights:
        with tempfile.TemporaryDirectory(prefix="bocage-territory-") as folder:
            yield str(Path(folder) / "warehouse.db"), lights
    made: postgresql.Server
    for lights in args.server_lights:
        with postgresql.temporary(Path(os.devnull)) as made:
            yield made.address(), lights


def svg(found: Sequence[dict[str, Any]]) -> str:
    """Draws what each size cost on each engine."""
    lines = []
    for engine in ("SQLite", "PostgreSQL"):
        sizes = [one for one in found if one["engine"] == engine]
        for name, label, colour in _DRAWN if sizes else ():
            points = [(one["lights"], one[name]) for one in sizes]
            is_server = engine == "PostgreSQL"
            lines.append(growth.Line("" if is_server else label, colour, points, is_server))
    title = "A day of so many lights in the warehouse: processor time, disk"
    return growth.draw(title, "lights; dashed: PostgreSQL", lines, 0.001, 140)


def measure(path: str, lights: int) -> dict[str, Any]:
    """Returns the figures of one size; each is told on the way, for a large one takes a while."""
    figures: dict[str, Any] = {
        "engine": "PostgreSQL" if database.is_server(path) else "SQLite",
        "lights": lights,
        "readings": lights * (REPORTS + 2 * AROUND) * len(readings(0, 0)),
    }

    def tell(name: str, value: float) -> None:
        figures[name] = value
        print(f"{figures['engine']}, {lights} lights: {name} {value:,.3f}", file=sys.stderr, flush=True)

    Warehouse(path).close()
    connection = schema.open_to_write(path, "NORMAL")
    fill(connection, lights)
    tell("records_mb", _size_mb(connection, path))
    _rolled(connection, path, "rollup", tell)
    tell("rollup_mb", _size_mb(connection, path) - figures["records_mb"])
    figures["energy_wh"], figures["hours"] = connection.execute(
        "SELECT sum(energy_wh), count(*) FROM hours WHERE hour_unix_s >= ? AND hour_unix_s < ?", (DAY, DAY + 86_400)
    ).fetchone()
    figures["energy_wh_of_registers"] = lights * (register(REPORTS) - register(0))
    if database.is_server(path):
        connection.execute("ANALYZE")  # autovacuum's, a minute later
    copy_days(connection)
    with closing(schema.open_to_read(path)) as reading:
        if database.is_server(path):
            reading.execute("SET plan_cache_mode = force_custom_plan")  # as for a command, which asks once
        for name, ask in _questions(reading, lights).items():
            tell(name, _best(reading, ask))
    _ask_as_person(connection, path, tell)
    connection.execute("UPDATE day_spans SET dirty = 1 WHERE day = ?", (OF_DAY,))
    _rolled(connection, path, "day_again", tell)
    connection.close()
    if lights <= _PURGED_MAX:
        figures.update(_purge(path))
    return figures


def _questions(connection: database.Connection, lights: int) -> dict[str, Callable[[], Any]]:
    questions: dict[str, Callable[[], Any]] = {
        "state_s": lambda: _states(connection, None),
        "state_commune_s": lambda: _states(connection, "49000"),
        "picture_commune_s": lambda: pictures.drawn(connection, "49000", now_s=DAY + 86_400),
        "commune_hours_s": lambda: connection.execute(_COMMUNE_HOURS).fetchall(),
        "readings_light_s": lambda: _summed(connection, f" AND node = '{node(0).hex()}'"),
        "readings_street_s": lambda: _summed(connection, " AND street = 'rue 0'"),
        "month_street_s": lambda: _streets(connection, None),
        "month_street_commune_s": lambda: _streets(connection, "49000"),
    }
    if lights <= _ALL_READ_MAX:
        questions["readings_s"] = lambda: _summed(connection, "")
    return questions


def _ask_as_person(connection: database.Connection, path: str, tell: Callable[[str, float], None]) -> None:
    """Asks as a person with the lighting of all communes, and by the command itself."""
    with database.transaction(connection):
        if database.is_server(path):
            server.prepare(connection)
        grants.give(connection, grants.Grant(_PERSON, grants.ALL, grants.LIGHTING, 0, None, "bench", 0))
    with closing(reader.open_to_read(path, grants.areas(connection, _PERSON, now_s=DAY))) as reading:
        if database.is_server(path):
            reading.execute("SET plan_cache_mode = force_custom_plan")
        tell("state_trade_s", _best(reading, lambda: _states(reading, None)))
    now_s = int(time.time())
    connection.execute("UPDATE latest SET seconds = ?, received_unix_s = ?", (now_s - 60, now_s - 55))
    for name, words in (("lamps_wall_s", ()), ("lamps_trade_wall_s", ("--as", _PERSON))):
        command = [sys.executable, "-m", "tools", "centre", "lamps", "--db", path, "--state", "fault", *words]
        times = []
        for _ in range(3):
            began_s = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.monotonic() - began_s)
        tell(name, min(times))


def _summed(connection: database.Connection, condition: str) -> list:
    statement = f"SELECT count(*), sum(value) FROM readings WHERE day_local = '2026-11-13'{condition}"
    return connection.execute(statement).fetchall()


def _purge(path: str) -> dict[str, Any]:
    connection = schema.open_to_write(path, "NORMAL")
    size_mb, records, began_s = _size_mb(connection, path), 0, _spent_s(connection)
    purge = Purge(connection, now_s=DAY + 86_400 + kept_days(connection)[READINGS] * 86_400)
    for own in purge.nodes():
        records += sum(purge.purge_readings(own))
    purged_s = _spent_s(connection) - began_s
    while connection.give_back():
        pass
    given_s = _spent_s(connection) - began_s - purged_s
    left_mb = _size_mb(connection, path)
    connection.close()
    return {
        "purged_records": records,
        "purge_s": purged_s,
        "give_back_s": given_s,
        "mb_before": size_mb,
        "mb_after": left_mb,
    }


def _spent_s(connection: database.Connection) -> float:
    """Returns the processor time of this process, and of the server's processes that answer this database where they
    run on this machine: in nanoseconds (Linux, sched-stats), where /proc/PID/stat counts hundredths of a second."""
    spent_s = time.process_time()
    if not isinstance(connection, sqlite_file.Connection):
        assert Path("/proc/self/schedstat").exists(), "this kernel does not count (CONFIG_SCHED_INFO)"
        for (pid,) in connection.execute(_ANSWERING):
            with suppress(OSError):  # it has ended
                spent_s += int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    return spent_s


def _size_mb(connection: database.Connection, path: str) -> float:
    if isinstance(connection, sqlite_file.Connection):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Path(path).stat().st_size / 1e6
    return connection.execute(_SIZE_ON_SERVER).fetchone()[0] / 1e6


def _rolled(connection: database.Connection, path: str, name: str, tell: Callable[[str, float], None]) -> None:
    helper = Helper(path)
    worker = Worker(connection, helper)
    helped_s, spent_s, began_s = _of_children_s(), _spent_s(connection), time.monotonic()
    while worker.step(ROLLUP_DAYS):
        pass
    tell(f"{name}_wall_s", time.monotonic() - began_s)
    spent_s = _spent_s(connection) - spent_s
    helper.close()
    tell(f"{name}_s", spent_s + _of_children_s() - helped_s)


def _of_children_s() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def _states(connection: database.Connection, insee: str | None) -> list:
    states = States(connection, now_s=DAY + 86_400, insee=insee)
    return list(states.of_equipment(LIGHT))


def _streets(connection: database.Connection, insee: str | None) -> list:
    usages = Usages(connection, ENERGY, _MONTH, insee=insee)
    return list(Metering(Register(connection), usages, insee, DAY).rows(STREET, _MONTH[1] - _MONTH[0]))


def _best(connection: database.Connection, ask: Callable[[], Any]) -> float:
    times: list[float] = []
    while len(times) < 3 and sum(times) < _ASKED_AGAIN_S:
        began_s = _spent_s(connection)
        ask()
        times.append(_spent_s(connection) - began_s)
    return min(times)
