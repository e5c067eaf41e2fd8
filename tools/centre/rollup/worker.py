"""Computes the days again of which records came, changed their times or began to count.

A step takes some nodes and, in one transaction, computes from their records each day that is marked and those next to
it: a reading that comes late changes what is known between the one before and the one after it. So any order of
arrival ends at the same figures, a worker that is killed leaves nothing half done, and several workers share the marks
through the database. What stands apart (`tools.centre.ingest.apart`) is no record, and counts for nothing here either.

The records of a day are found by the spans that the ingest keeps (`marks`), so a day costs as much in a warehouse of
ten years as in one of a week.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from tools.centre.limits import ROLLUP_PAGE
from tools.centre.rollup import hours
from tools.centre.rollup.hours import Entry, Figures, Silence, measured
from tools.centre.rollup.marks import MARK_DAY
from tools.centre.store import database
from tools.centre.store.archive import Archive
from tools.centre.store.bodies import decode
from wire import event, quantity

_TELEMETRY = event.LANES.index(event.TELEMETRY)
_SELECT = """SELECT boot, sequence, quality, seconds, uncertainty_s, body FROM records
    WHERE node = ? AND lane = ? AND """
_WITHIN = _SELECT + "boot = ? AND sequence BETWEEN ? AND ? ORDER BY boot, sequence"
_BEFORE = _SELECT + "(boot, sequence) < (?, ?) ORDER BY boot DESC, sequence DESC LIMIT ?"
_AFTER = _SELECT + "(boot, sequence) > (?, ?) ORDER BY boot, sequence LIMIT ?"
_STAMPS = """SELECT sequence, quality, seconds, uncertainty_s FROM records
    WHERE node = ? AND lane = ? AND boot = ? AND sequence BETWEEN ? AND ?"""
_MARKED = (
    "SELECT DISTINCT node FROM unplaced ORDER BY node LIMIT ?",
    "SELECT DISTINCT node FROM day_spans WHERE dirty = 1 ORDER BY node LIMIT ?",
)
_COLUMNS = 3 + len(Figures._fields)
_INSERT_HOUR = f"INSERT INTO hours VALUES ({', '.join('?' * _COLUMNS)})"
_INSERT_DAY = f"INSERT INTO days VALUES ({', '.join('?' * (_COLUMNS + 4))})"


class Worker:
    """Works on one connection that writes; it is used from one thread."""

    def __init__(self, connection: database.Connection) -> None:
        self._connection = connection
        self._archive = Archive(connection)
        self._days_known: set[int] = set()

    def fill_calendar(self, *, now_s: int) -> None:
        """Adds the days since the first gateway was heard to the calendar, for what has no figures."""
        with database.transaction(self._connection):
            first = self._connection.execute("SELECT min(first_seen_unix_s) FROM gateways").fetchone()[0]
            if first is not None:
                self._add_days(range(hours.day_of(first), hours.day_of(now_s) + 1))

    def step(self, nodes_max: int) -> int:
        """Computes the marked days of some nodes; returns how many days of nodes were computed, 0 when none is
        marked."""
        with database.transaction(self._connection):
            marked = (self._connection.execute(statement, (nodes_max,)).fetchall() for statement in _MARKED)
            nodes = {node for rows in marked for (node,) in rows}
            return sum(self._roll(node) for node in sorted(nodes))

    def mark_all(self) -> None:
        """Marks all that there is, so that everything is computed again from records."""
        with database.transaction(self._connection):
            for table in ("hours", "days", "day_spans", "unplaced"):
                self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute(
                "INSERT INTO unplaced SELECT node, boot, 0, max(sequence) FROM records WHERE lane = ? GROUP BY 1, 2",
                (_TELEMETRY,),
            )

    # --- one node ---

    def _roll(self, node: bytes) -> int:
        reader = _Reader(self._connection, self._archive, node)
        unplaced = self._connection.execute("SELECT boot, first, last FROM unplaced WHERE node = ?", (node,)).fetchall()
        for boot, first, last in unplaced:
            self._place(reader, boot, first, last)
        self._connection.execute("DELETE FROM unplaced WHERE node = ?", (node,))
        days = {
            day
            for (day,) in self._connection.execute(
                "SELECT DISTINCT day FROM day_spans WHERE node = ? AND dirty = 1", (node,)
            )
        }
        if not days:
            return len(unplaced)
        entries = reader.around(days)
        near = {hours.day_of(entry.unix_s) for entry in entries if entry.unix_s is not None}
        if not near <= days:
            days |= near
            entries = reader.around(days)
        self._write(node, days, *hours.figures(entries))
        self._add_days(near)
        self._connection.execute("UPDATE day_spans SET dirty = 0 WHERE node = ? AND dirty = 1", (node,))
        return len(days)

    def _place(self, reader: "_Reader", boot: int, first: int, last: int) -> None:
        """Marks the days of some readings of a boot, and those on which they lay before their times changed."""
        self._connection.execute(
            "UPDATE day_spans SET dirty = 1 WHERE node = ? AND boot = ? AND first <= ? AND last >= ?",
            (reader.node, boot, last, first),
        )
        spans: dict[int, list[int]] = {}
        for sequence, unix_s in reader.placed(boot, first, last):
            spans.setdefault(hours.day_of(unix_s), []).append(sequence)
        self._connection.executemany(
            MARK_DAY, [(reader.node, day, boot, min(some), max(some)) for day, some in spans.items()]
        )

    def _write(self, node: bytes, days: set[int], found: dict[tuple[int, int], Figures], silences: list[Silence]):
        rows = []
        of: dict[tuple[int, int], tuple[list[Figures], list[Silence]]] = {}
        for (hour, channel), one in found.items():
            day = hours.day_of(hour)
            if day in days:
                rows.append((hour, node, channel, *one))
                of.setdefault((day, channel), ([], []))[0].append(one)
        for silence in silences:
            day = hours.day_of(silence.until_s)
            if day in days:
                of.setdefault((day, silence.key // quantity.CHANNEL_STEP), ([], []))[1].append(silence)
        for day in days:
            span = hours.hours_of(day)
            self._connection.execute(
                "DELETE FROM hours WHERE node = ? AND hour_unix_s BETWEEN ? AND ?", (node, span[0], span[-1])
            )
            self._connection.execute("DELETE FROM days WHERE node = ? AND day_local = ?", (node, hours.day_text(day)))
        self._connection.executemany(_INSERT_HOUR, rows)
        self._connection.executemany(
            _INSERT_DAY,
            [
                (hours.day_text(day), node, channel, *hours.of_day(*parts, hours.hours_of(day)[0]))
                for (day, channel), parts in of.items()
            ],
        )

    def _add_days(self, days: Iterable[int]) -> None:
        for day in set(days) - self._days_known:
            self._connection.executemany(
                "INSERT INTO calendar VALUES (?, ?, ?, ?) ON CONFLICT (hour_unix_s) DO NOTHING", hours.calendar(day)
            )
            self._days_known.add(day)


class _Reader:
    """Reads the readings of one node, with the times that are known now."""

    def __init__(self, connection, archive, node):
        self.node = node
        self._connection = connection
        self._moments = archive.moments(node)

    def placed(self, boot: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Returns (sequence, UTC) of those readings of a boot whose time is known."""
        rows = self._connection.execute(_STAMPS, (self.node, _TELEMETRY, boot, first, last)).fetchall()
        for sequence, *stamp in rows:
            unix_s = self._moments.of(boot, sequence, *stamp).unix_s
            if unix_s is not None:
                yield sequence, unix_s

    def around(self, days: set[int]) -> list[Entry]:
        """Returns the readings of these days in order, and before and after each run of them the next ones of each
        quantity."""
        found: dict[tuple[int, int], Entry] = {}
        for boot, first, last in self._runs(days):
            run = self._entries(_WITHIN, boot, first, last)
            keys = set().union(*map(measured, {tuple(entry.readings) for entry in run}))
            beyond = (self._beyond(*way, set(keys)) for way in ((_BEFORE, boot, first), (_AFTER, boot, last)))
            found.update((entry[:2], entry) for entry in chain(run, *beyond))
        return [found[identity] for identity in sorted(found)]

    def _runs(self, days) -> list[tuple[int, int, int]]:
        """Returns the spans of these days, those that meet joined: (boot, first, last)."""
        spans = sorted(
            span
            for day in days
            for span in self._connection.execute(
                "SELECT boot, first, last FROM day_spans WHERE node = ? AND day = ?", (self.node, day)
            )
        )
        runs: list[tuple[int, int, int]] = []
        for boot, first, last in spans:
            if runs and runs[-1][0] == boot and first <= runs[-1][2] + 1:
                runs[-1] = boot, runs[-1][1], max(runs[-1][2], last)
            else:
                runs.append((boot, first, last))
        return runs

    def _beyond(self, statement, boot, sequence, keys) -> Iterator[Entry]:
        """Returns the next readings in one direction, until each of the keys was met at a known time."""
        while keys:
            page = self._entries(statement, boot, sequence, ROLLUP_PAGE)
            for entry in page:
                met = keys.intersection(measured(tuple(entry.readings))) if entry.unix_s is not None else ()
                if met:
                    yield entry
                    keys -= met
                    if not keys:
                        return
            if len(page) < ROLLUP_PAGE:
                return
            boot, sequence = page[-1][:2]

    def _entries(self, statement, *values) -> list[Entry]:
        rows = self._connection.execute(statement, (self.node, _TELEMETRY, *values)).fetchall()
        return [
            Entry(boot, sequence, self._moments.of(boot, sequence, quality, seconds, doubt_s).unix_s, decode(body))
            for boot, sequence, quality, seconds, doubt_s, body in rows
        ]
