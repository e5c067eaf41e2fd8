"""Measures the roll-up of a day of a territory's lights, and the questions of screens and reports on it.

A light reports eight quantities each quarter of an hour. Its records are written as the ingest writes them, with its
marks; what is measured begins there: the worker's day, then kWh by commune and hour of that day, and the state of all
lights, each by the view that other people's tools ask. Times are processor time of this process; the questions are the
best of three. `energy_wh` must be what the registers counted.

    bocage bench rollup --lights 10000 --json
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import ROLLUP_DAYS
from tools.centre.rollup import hours
from tools.centre.rollup.marks import Marks
from tools.centre.rollup.worker import Worker
from tools.centre.store import database, schema
from tools.command_line import add_json, print_figures
from wire import event, quantity, record

_DAY = hours.hours_of(20_770)[0]  # 2026-11-13 in France
_REPORT_S = 900
_REPORTS = 86_400 // _REPORT_S
_COMMUNES = 72
_WH = 6  # of a lit quarter of an hour
_LANE = event.LANES.index(event.TELEMETRY)
_GROUP = 100  # lights of one transaction
_ENERGY = """SELECT insee, hour_utc, sum(kwh), sum(covered_s) FROM hourly_energy
    WHERE day_local = '2026-11-13' GROUP BY insee, hour_utc"""
_STATE = "SELECT insee, id, street, measured_watts, ordered_percent, measured_utc FROM lights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lights", type=int, default=1000, help="default: %(default)s; a territory has 60,000")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="bocage-rollup-") as folder:
        figures = measure(str(Path(folder) / "warehouse.db"), args.lights)
    print_figures(figures, as_json=args.json)
    return 0


def measure(path: str, lights: int) -> dict[str, Any]:
    Warehouse(path).close()
    connection = schema.open_to_write(path, "NORMAL")
    _fill(connection, lights)
    worker = Worker(connection)
    began_s = time.process_time()
    while worker.step(ROLLUP_DAYS):
        pass
    rolled_s = time.process_time() - began_s
    counted = connection.execute("SELECT sum(energy_wh), count(*) FROM hours").fetchone()
    figures = {
        "lights": lights,
        "readings": lights * _REPORTS * len(_readings(0, 0)),
        "rollup_s": rolled_s,
        "rollup_ms_per_light": 1000 * rolled_s / lights,
        "hours": counted[1],
        "energy_wh": counted[0],
        "energy_wh_of_registers": lights * (_register(_REPORTS - 1) - _register(0)),
        "commune_hours_s": _best(lambda: connection.execute(_ENERGY).fetchall()),
        "state_s": _best(lambda: connection.execute(_STATE).fetchall()),
    }
    connection.close()
    return figures


def _fill(connection, lights: int) -> None:
    with database.transaction(connection):
        connection.execute(
            "INSERT INTO gateways (gateway, id, insee, name, first_seen_unix_s) VALUES (1, ?, '49007', 'cab-1', ?)",
            (bytes(8), _DAY),
        )
        connection.executemany(
            "INSERT INTO equipment (insee, kind, id, name, street, node, from_unix_s)"
            " VALUES (?, 'light', ?, ?, ?, ?, 0)",
            [
                (f"49{n % _COMMUNES:03}", str(n), f"Candélabre {n}", f"rue {n // 40}", n.to_bytes(8, "big"))
                for n in range(lights)
            ],
        )
    for first in range(0, lights, _GROUP):
        rows = [
            (
                n.to_bytes(8, "big"),
                1,
                step,
                _DAY + _REPORT_S * step + n % 120,
                record.SYNCED,
                1,
                _LANE,
                record.encode_body(_readings(n, step)),
            )
            for n in range(first, min(lights, first + _GROUP))
            for step in range(_REPORTS)
        ]
        marks = Marks(connection)
        with database.transaction(connection):
            connection.executemany(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)", [(*row, row[3] + 60) for row in rows]
            )
            marks.note(rows, 1, _DAY + 86_400)
            marks.save()


def _readings(light: int, step: int) -> dict[int, int]:
    is_lit = _is_lit(step)
    return {
        quantity.POWER: 231 + light % 9 if is_lit else 4,
        quantity.VOLTAGE: 2301 + light % 5,
        quantity.CURRENT: 104,
        quantity.ENERGY: 90_000 + light % 5000 + _register(step),
        quantity.LEVEL_ORDERED: 40 if is_lit else 0,
        quantity.TEMPERATURE: 1200 + step,
        quantity.ILLUMINANCE: 12 if is_lit else 3000,
        quantity.POWER_FACTOR: 95,
    }


def _is_lit(step: int) -> bool:
    return step < 32 or step >= 70


def _register(step: int) -> int:
    return _WH * sum(_is_lit(one) for one in range(step))


def _best(ask: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        began_s = time.process_time()
        ask()
        times.append(time.process_time() - began_s)
    return min(times)
