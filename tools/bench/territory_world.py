"""Makes the warehouse of a territory of N lights, for benchmarks.

A light reports eight quantities each quarter of an hour, from an hour before a day of France to an hour after it. Its
records are written as the ingest writes them, with its marks. 60 lights hang on the four feeders of a cabinet, cabinets
belong to 72 communes in turn, two lights of a hundred have an open fault.
"""

from collections.abc import Iterator
from functools import cache
from hashlib import blake2b

from tools.centre.rollup import hours
from tools.centre.rollup.marks import Marks
from tools.centre.store import database
from wire import event, quantity, record

OF_DAY = 20_770
DAY = hours.hours_of(OF_DAY)[0]  # 2026-11-13 in France
_REPORT_S = 900
REPORTS = 86_400 // _REPORT_S
AROUND = 4  # reports before the day, and after it
_COMMUNES = 72
_CABINET_LIGHTS = 60
_FEEDERS = ("bourg", "port", "gare", "école")
_SWITCHED_S = DAY + 62_000
_STREET_LIGHTS = 40
_FAULTY = 50  # one light of so many
_WH = 6  # of a lit quarter of an hour
_TELEMETRY, _ALARM = event.LANES.index(event.TELEMETRY), event.LANES.index(event.ALARM)


def fill(connection: database.Connection, lights: int) -> None:
    """Writes the register and the records of so many lights, and marks what is to be rolled up."""
    cabinets = -(-lights // _CABINET_LIGHTS)
    with database.transaction(connection):
        connection.executemany(
            "INSERT INTO gateways (gateway, id, insee, name, first_seen_unix_s, bound) VALUES (?, ?, ?, ?, ?, 1)",
            [(n + 1, _gateway(n), _insee(n), f"cab-{n}", DAY) for n in range(cabinets)],
        )
        connection.executemany(
            "INSERT INTO equipment (insee, kind, id, name, street, cabinet, feeder, node, from_unix_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            [*_communes(), *_cabinets(cabinets), *map(_light, range(lights))],
        )
    for cabinet in range(cabinets):
        numbers = range(_CABINET_LIGHTS * cabinet, min(lights, _CABINET_LIGHTS * (cabinet + 1)))
        rows = [_switched(cabinet, feeder) for feeder in range(len(_FEEDERS))]
        rows += [row for n in numbers for row in _reports(n)]
        rows += [_failure(n) for n in numbers if n % _FAULTY == 0]
        _write(connection, cabinet + 1, rows)
    with database.transaction(connection):
        connection.executemany(
            f"INSERT INTO feeders VALUES (?, ?, 1, ?, {_SWITCHED_S}, {record.SYNCED}, {_SWITCHED_S + 60}, 1)",
            [(_gateway(n), name, number) for n in range(cabinets) for number, name in enumerate(_FEEDERS)],
        )
        connection.executemany(
            "INSERT INTO faults (node, boot, sequence, code, part, last_boot, last_sequence)"
            " VALUES (?, 1, ?, ?, ?, 1, ?)",
            [(node(n), _FAILED, event.LAMP_FAILURE, b"", _FAILED) for n in range(0, lights, _FAULTY)],
        )


def _communes() -> Iterator[tuple]:
    for n in range(_COMMUNES):
        yield _insee(n), "commune", _insee(n), f"Commune {n}", None, None, None, None


def _cabinets(count: int) -> Iterator[tuple]:
    for n in range(count):
        yield _insee(n), "cabinet", f"cab-{n}", None, None, None, None, None
        for name in _FEEDERS:
            yield _insee(n), "feeder", f"cab-{n}/{name}", None, None, None, None, None


def _light(n: int) -> tuple:
    cabinet = n // _CABINET_LIGHTS
    insee, feeder = _insee(cabinet), _FEEDERS[n % len(_FEEDERS)]
    return insee, "light", str(n), None, f"rue {n // _STREET_LIGHTS}", f"{insee}-cab-{cabinet}", feeder, node(n)


def _insee(cabinet: int) -> str:
    return f"49{cabinet % _COMMUNES:03}"


def _gateway(cabinet: int) -> bytes:
    return b"\x01" + cabinet.to_bytes(7, "big")


def node(light: int) -> bytes:
    """Returns an id drawn by lot: boards come to streets in any order, ids that rise with the lights are cheaper."""
    return blake2b(light.to_bytes(4), digest_size=8).digest()


def _write(connection: database.Connection, gateway: int, rows: list[tuple]) -> None:
    marks = Marks(connection)
    with database.transaction(connection):
        connection.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row, gateway, row[3] + 60) for row in rows],
        )
        marks.note(rows, gateway, DAY + 86_400)
        marks.save()


def _row(node: bytes, sequence: int, unix_s: int, lane: int, body: dict[int, int] | record.EventBody) -> tuple:
    return node, 1, sequence, unix_s, record.SYNCED, 1, lane, record.encode_body(body)


def _reports(light: int) -> Iterator[tuple]:
    for step in range(-AROUND, REPORTS + AROUND):
        at_s = DAY + _REPORT_S * step
        yield _row(node(light), step + AROUND, at_s, _TELEMETRY, readings(light, step))


_FAILED = REPORTS + 2 * AROUND


def _failure(light: int) -> tuple:
    return _row(node(light), _FAILED, DAY + 85_900, _ALARM, record.EventBody(event.LAMP_FAILURE, True, None))


def _switched(cabinet: int, feeder: int) -> tuple:
    said = record.EventBody(event.FEEDER_SWITCHED, None, [_FEEDERS[feeder], True, "policy", 0])
    return _row(_gateway(cabinet), feeder, _SWITCHED_S, event.LANES.index(event.EVENT), said)


def readings(light: int, step: int) -> dict[int, int]:
    """Returns what a light says in its report of a number, 0 for the first of the day."""
    is_lit = _is_lit(step)
    return {
        quantity.POWER: 231 + light % 9 if is_lit else 4,
        quantity.VOLTAGE: 2301 + light % 5,
        quantity.CURRENT: 104,
        quantity.ENERGY: 90_000 + light % 5000 + register(step),
        quantity.LEVEL_ORDERED: 40 if is_lit else 0,
        quantity.TEMPERATURE: 1200 + step,
        quantity.ILLUMINANCE: 12 if is_lit else 3000,
        quantity.POWER_FACTOR: 95,
    }


def _is_lit(step: int) -> bool:
    return step < 32 or step >= 70


@cache
def register(step: int) -> int:
    """Returns the Wh that a light has used before a report."""
    return _WH * sum(_is_lit(one) for one in range(-AROUND, step))


def copy_days(connection: database.Connection) -> None:
    """Makes the other days of the month from the sums of the day."""
    columns = ", ".join(("node", "channel", *hours.FIGURES))
    with database.transaction(connection):
        connection.execute("DELETE FROM days WHERE day_local <> ?", (hours.day_text(OF_DAY),))
        for begin in range(OF_DAY - 12, OF_DAY + 18):
            if begin != OF_DAY:
                connection.execute(
                    f"INSERT INTO days (day_local, {columns}) SELECT ?, {columns} FROM days WHERE day_local = ?",
                    (hours.day_text(begin), hours.day_text(OF_DAY)),
                )
