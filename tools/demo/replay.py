"""Plays a night of any warehouse again: its records count in another warehouse, each at the time of its receipt.

What a screen shows at an instant is then what it showed, with why each lamp was as it was. The real ingest makes it:
the records are kept apart, as a stranger's would be, and released. What people noted and ordered is not played.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from policy import civil, lighting
from tools.centre.ingest.apart import Apart
from tools.centre.ingest.plain import Row
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import LIT_DW, SILENT_S
from tools.centre.register.equipment import cabinet_of
from tools.centre.rollup.worker import Worker
from tools.centre.store import database, schema
from tools.demo import people
from tools.demo.pace import Snapshot
from wire import event

# Readings of the days before are what plots and lists begin with; faults and contactors may be older than any bound.
_READINGS_BEFORE_S = 2 * 86_400
_TELEMETRY = event.LANES.index(event.TELEMETRY)
_COPIED = ("gateways", "serving", "equipment", "grants")
_RECORDS = f"""SELECT gateway, received_unix_s, node, boot, sequence, seconds, quality, uncertainty_s, lane, body
    FROM records WHERE received_unix_s <= ? AND (lane <> {_TELEMETRY} OR received_unix_s > ?)
    ORDER BY received_unix_s, gateway, node, boot, sequence"""
_LAST = "SELECT max(received_unix_s) FROM records WHERE received_unix_s <= ?"
_WHEN = "SELECT min(received_unix_s), max(received_unix_s) FROM records"
# By measure: what is only ordered, or silent, is not known to burn.
_LIT = """SELECT count(*), coalesce(sum(power_dw), 0) FROM latest
    WHERE power_dw >= ? AND received_unix_s >= ?"""
_PLACE = "SELECT avg(latitude), avg(longitude) FROM equipment WHERE kind = 'light'"
_ROLL_EVERY_S, _ROLL_DAYS = 900, 500
_NIGHT_S = 86_400
# A warehouse that begins in this night begins with the start of all: lamps burn, and tell so for a quarter.
_STARTING_S = 1200
# The day before a night is long, and it is the night that people want to see.
_BEFORE_DUSK_S = 600


class _Received(NamedTuple):
    """Holds what one gateway brought at one second."""

    gateway: int
    unix_s: int
    rows: list[Row]


def noon_before(unix_s: int) -> int:
    """Returns the noon, by the clocks of France, with which the night of an instant begins."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    day = local.civil_day - (local.second < _NIGHT_S // 2)
    return int(civil.unix_from_local(civil.PARIS, day, _NIGHT_S // 2))


class Replay:
    """Plays the night from just before the dusk that follows a noon to the next noon, or to its last record, out of the
    warehouse at `source`, into one in `folder`.

    It is driven as a `tools.demo.story.Story` is; nothing can be broken in it, and `seek` leads to any of its instants.
    """

    def __init__(self, folder: Path, source: str, from_s: int) -> None:
        self._folder = folder
        self._from_s = from_s
        self._source = schema.open_to_read(source)
        # Beyond the last record the screens would show the lamps as they were then, at noon too.
        last_s = self._source.execute(_LAST, (from_s + _NIGHT_S,)).fetchone()[0]
        self._end_s = from_s if last_s is None else max(from_s, last_s)
        begun_s = self._source.execute(_WHEN).fetchone()[0] or from_s
        self._first_s = from_s if begun_s <= from_s else min(self._end_s, begun_s + _STARTING_S)
        self._plan = self._plan_of()
        self._turn = 0
        self._begin()
        self.run_until(max(0, self.dusk_ms() - 1000 * _BEFORE_DUSK_S))

    def _begin(self) -> None:
        """Makes the warehouse into which the night is played, as it was at noon: one of two in turn, for a page may
        still read the one that was."""
        self._turn = 1 - self._turn
        self.path = str(self._folder / f"replay-{self._from_s}-{self._turn}.db")
        for part in ("", "-wal", "-shm"):
            Path(self.path + part).unlink(missing_ok=True)
        self.unix_s = self._from_s
        self._warehouse = Warehouse(self.path, synchronous="OFF")
        self._connection = schema.open_to_write(self.path, "OFF")
        with database.transaction(self._connection):
            for table in _COPIED:
                self._copy(table)
        people.grant(self._connection)
        rows = self._connection.execute("SELECT gateway, insee, name FROM gateways").fetchall()
        self._cabinets = {gateway: cabinet_of(insee, name) for gateway, insee, name in rows}
        self._apart = Apart(self._connection)
        self._worker = Worker(self._connection)
        self._rolled_s = 0
        self._coming = self._received()
        self._next = next(self._coming, None)

    def close(self) -> None:
        self._source.close()
        self._end()

    def _end(self) -> None:
        self._connection.close()
        self._warehouse.close()

    # --- as a story -------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return 1000 * (self.unix_s - self._from_s)

    def run_until(self, end_ms: int) -> None:
        """Brings what was received by then, to the end of the night."""
        self.unix_s = min(self._end_s, self._from_s + end_ms // 1000)
        self._bring()

    def seek(self, unix_s: int) -> None:
        """Leads to an instant of its `span`. Records come in their order: for what lies before, it begins anew."""
        unix_s = max(self._first_s, unix_s)
        if unix_s < self.unix_s:
            self._end()
            self._begin()
        self.run_until(1000 * (unix_s - self._from_s))

    def dusk_ms(self) -> int:
        """Returns the next dusk of the night, or its end."""
        wanted = self._plan.wanted(self.unix_s)
        while wanted.level_percent > 0 or self._plan.wanted(wanted.until_s).level_percent == 0:
            wanted = self._plan.wanted(wanted.until_s)
        return 1000 * (min(wanted.until_s, self._end_s) - self._from_s)

    def snapshot(self) -> Snapshot:
        lit, power_dw = self._connection.execute(_LIT, (LIT_DW, self.unix_s - SILENT_S)).fetchone()
        return Snapshot(lit, power_dw, 0, None, self.unix_s >= self._end_s, span=(self._first_s, self._end_s))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _copy(self, table: str) -> None:
        cursor = self._source.execute(f"SELECT * FROM {table}")
        places = ", ".join("?" * len(cursor.description))
        self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", cursor.fetchall())

    def _received(self) -> Iterator[_Received]:
        rows = self._source.stream(_RECORDS, (self._end_s, self._from_s - _READINGS_BEFORE_S))
        for (gateway, received_s), some in groupby(rows, key=lambda row: tuple(row[:2])):
            yield _Received(gateway, received_s, [Row(*row[2:]) for row in some])

    def _bring(self) -> None:
        """Lets count what was received by now."""
        cabinets: set[str] = set()
        with database.transaction(self._connection):
            while self._next is not None and self._next.unix_s <= self.unix_s:
                cabinet = self._cabinets[self._next.gateway]
                rows = ((row.node, row) for row in self._next.rows)
                self._apart.keep(rows, cabinet, self._next.gateway, self._next.unix_s)
                cabinets.add(cabinet)
                self._next = next(self._coming, None)
        for cabinet in sorted(cabinets):
            self._warehouse.release(cabinet, None, now_s=self.unix_s)
        if self.unix_s >= self._rolled_s + _ROLL_EVERY_S:
            self._rolled_s = self.unix_s
            self._worker.fill_calendar(now_s=self.unix_s)
            while self._worker.step(_ROLL_DAYS):
                pass

    def _plan_of(self) -> lighting.Plan:
        latitude, longitude = self._source.execute(_PLACE).fetchone()
        # Without a position of any light the dusk is that of the middle of France.
        site = lighting.Site(round(10_000 * (latitude or 46.5)), round(10_000 * (longitude or 2.5)), civil.PARIS)
        return lighting.Plan(lighting.DEFAULT_CALENDAR, site)


def nights(path: str) -> list[int]:
    """Returns the noons with which the nights begin of which a warehouse has records, the latest first."""
    with closing(schema.open_to_read(path)) as connection:
        first_s, last_s = connection.execute(_WHEN).fetchone()
    found: list[int] = []
    while first_s is not None and last_s >= first_s:
        found.append(noon_before(last_s))
        last_s = found[-1] - 1
    return found
