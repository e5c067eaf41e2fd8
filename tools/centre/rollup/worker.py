"""Computes the days again of which records came, changed their times or began to count.

A step takes some days of nodes and, in one transaction, computes them from records, with the days next to them: a
reading that comes late changes what is known between the one before and the one after it. So any order of arrival ends
at the same figures, a worker that is killed leaves nothing half done, and several workers share the marks through the
database. What stands apart (`tools.centre.ingest.apart`) is no record, and counts for nothing here either. The figures
of a day whose readings were purged (`tools.centre.retention`) stand.

The records of a day are found by the spans that the ingest keeps (`marks`), so a day costs as much in a warehouse of
ten years as in one of a week.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, repeat
from operator import itemgetter

from tools.centre.limits import ROLLUP_FIRST_PAGE, ROLLUP_PAGE
from tools.centre.rollup import hours
from tools.centre.rollup.hours import Entry, Figures, Found, Silence, measured
from tools.centre.rollup.marks import MARK_DAY
from tools.centre.store import database
from tools.centre.store.archive import Archive
from tools.centre.store.bodies import decode_readings
from wire import event, quantity

_TELEMETRY = event.LANES.index(event.TELEMETRY)
_SELECT = """SELECT boot, sequence, quality, seconds, uncertainty_s, body FROM records
    WHERE node = ? AND lane = ? AND """
_WITHIN = _SELECT + "boot = ? AND sequence BETWEEN ? AND ? ORDER BY boot, sequence"
_BEFORE = _SELECT + "(boot, sequence) < (?, ?) ORDER BY boot DESC, sequence DESC LIMIT ?"
_AFTER = _SELECT + "(boot, sequence) > (?, ?) ORDER BY boot, sequence LIMIT ?"
_STAMPS = """SELECT sequence, received_unix_s, quality, seconds, uncertainty_s FROM records
    WHERE node = ? AND lane = ? AND boot = ? AND sequence BETWEEN ? AND ?"""
_UNPLACED = "SELECT DISTINCT node FROM unplaced ORDER BY node LIMIT ?"
_UNPLACED_SPANS = "SELECT boot, first, last FROM unplaced WHERE node = ?"
_MARK_FORMER = "UPDATE day_spans SET dirty = 1 WHERE node = ? AND boot = ? AND first <= ? AND last >= ?"
# All spans of the days that a question finds.
_SPANS_OF = """SELECT s.node, s.day, s.boot, s.first, s.last FROM ({}) AS m
    JOIN day_spans AS s ON s.node = m.node AND s.day = m.day ORDER BY 1, 2"""
_MARKED = _SPANS_OF.format("SELECT DISTINCT node, day FROM day_spans WHERE dirty = 1 ORDER BY node, day LIMIT ?")
_MARKED_OF_NODE = _SPANS_OF.format("SELECT DISTINCT node, day FROM day_spans WHERE node = ? AND dirty = 1")
_SPANS = "SELECT boot, first, last FROM day_spans WHERE node = ? AND day = ?"
_STANDS = "SELECT 1 FROM purged_nodes WHERE purged_nodes.node = {0}.node AND {0}.{1} < purged_nodes.{2}"
_COLUMNS = 3 + len(hours.FIGURES)
_INSERT_HOUR = f"INSERT INTO hours VALUES ({', '.join('?' * _COLUMNS)})"
_INSERT_DAY = f"INSERT INTO days VALUES ({', '.join('?' * (_COLUMNS + 6))})"
_DAY_HOURS_MAX = 25
_DELETE_HOURS = f"DELETE FROM hours WHERE node = ? AND hour_unix_s IN ({', '.join('?' * _DAY_HOURS_MAX)})"
_IDENTITY, _READINGS = itemgetter(0, 1), itemgetter(3)
_Spans = list[tuple[int, int, int]]  # boot, first, last


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

    def step(self, days_max: int) -> int:
        """Computes some marked days of nodes; returns how many, 0 when none is marked. Readings whose day has to be
        found are placed first; a step that finds none returns how many nodes it placed."""
        with database.transaction(self._connection):
            unplaced = self._connection.execute(_UNPLACED, (days_max,)).fetchall()
            for (node,) in unplaced:
                self._place(node)
            marked = self._connection.execute(_MARKED, (days_max,)).fetchall()
            results = _Results()
            for node, spans in groupby(marked, key=itemgetter(0)):
                self._roll(node, spans, results)
            self._write(results)
            return len(results.marks) or len(unplaced)

    def roll(self, node: bytes) -> None:
        """Computes all marked days of a node, in the transaction of the caller."""
        self._place(node)
        results = _Results()
        self._roll(node, self._connection.execute(_MARKED_OF_NODE, (node,)).fetchall(), results)
        self._write(results)

    def mark_all(self) -> None:
        """Marks all that there is, so that everything is computed again from records."""
        with database.transaction(self._connection):
            for table, key, first in (("hours", "hour_unix_s", "begins_unix_s"), ("days", "day_local", "day_local")):
                self._connection.execute(f"DELETE FROM {table} WHERE NOT EXISTS ({_STANDS.format(table, key, first)})")
            for table in ("day_spans", "unplaced"):
                self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute(
                "INSERT INTO unplaced SELECT node, boot, 0, max(sequence) FROM records WHERE lane = ? GROUP BY 1, 2",
                (_TELEMETRY,),
            )

    # --- one node ---

    def _place(self, node: bytes) -> None:
        """Marks the days of readings that have to be placed, and those on which they lay before their times changed.
        Those whose time is not known are found by the day of their receipt."""
        reader = _Reader(self._connection, self._archive, node)
        for boot, first, last in self._connection.execute(_UNPLACED_SPANS, (node,)).fetchall():
            self._connection.execute(_MARK_FORMER, (node, boot, last, first))
            spans: dict[int, list[int]] = {}
            for sequence, unix_s in reader.placed(boot, first, last):
                spans.setdefault(hours.day_of(unix_s), []).append(sequence)
            self._connection.executemany(
                MARK_DAY, [(node, day, boot, min(some), max(some)) for day, some in spans.items()]
            )
        self._connection.execute("DELETE FROM unplaced WHERE node = ?", (node,))

    def _roll(self, node: bytes, marked: Iterable[tuple[bytes, int, int, int, int]], results: "_Results") -> None:
        reader = _Reader(self._connection, self._archive, node)
        days: dict[int, _Spans] = defaultdict(list)
        for _, day, *span in marked:
            days[day].append((span[0], span[1], span[2]))
        found = reader.around(chain.from_iterable(days.values()))
        # A day next to these that is marked too stays so: what is next to it is not computed here.
        results.marks.extend((node, day) for day in days)
        known = hours.days_of(found.values())
        results.known_days |= known
        near = known - days.keys()
        if near:
            found.update(reader.around(chain.from_iterable(map(reader.spans, near))))
        first = self._first_day(node)
        told = hours.figures(map(found.__getitem__, sorted(found)))
        results.add(node, {day for day in days.keys() | near if day >= first}, told)

    def _first_day(self, node: bytes) -> int:
        """Returns the first day of which no readings were purged."""
        row = self._connection.execute("SELECT day FROM purged_nodes WHERE node = ?", (node,)).fetchone()
        return 0 if row is None else row[0]

    def _write(self, results: "_Results") -> None:
        for statement, rows in (
            (_DELETE_HOURS, results.spans),
            ("DELETE FROM days WHERE node = ? AND day_local = ?", results.days),
            # In the order of their keys, so that rows that lie together are written together.
            (_INSERT_HOUR, sorted(results.hour_rows)),
            (_INSERT_DAY, sorted(results.day_rows)),
            ("UPDATE day_spans SET dirty = 0 WHERE node = ? AND day = ? AND dirty = 1", results.marks),
        ):
            self._connection.executemany(statement, rows)
        self._add_days(results.known_days)

    def _add_days(self, days: Iterable[int]) -> None:
        for day in set(days) - self._days_known:
            self._connection.executemany(
                "INSERT INTO calendar VALUES (?, ?, ?, ?) ON CONFLICT (hour_unix_s) DO NOTHING", hours.calendar(day)
            )
            self._days_known.add(day)


class _Results:
    """Collects what a step computes: rows of the tables, and the days that they replace."""

    def __init__(self) -> None:
        self.marks: list[tuple[bytes, int]] = []
        # A day that a record states with a clock that cannot be right is none.
        self.known_days: set[int] = set()
        self.days: list[tuple[bytes, str]] = []
        self.spans: list[tuple[bytes | int, ...]] = []
        self.hour_rows: list[tuple] = []
        self.day_rows: list[tuple] = []

    def add(self, node: bytes, days: set[int], told: Found) -> None:
        of: dict[tuple[int, int], tuple[list[Figures], list[Silence]]] = {}
        for (hour, channel), figures in told.hours.items():
            day = hours.day_of(hour)
            if day in days:
                self.hour_rows.append((hour, node, channel, *figures))
                of.setdefault((day, channel), ([], []))[0].append(figures)
        for silence in told.silences:
            day = hours.day_of(silence.until_s)
            if day in days:
                of.setdefault((day, silence.key // quantity.CHANNEL_STEP), ([], []))[1].append(silence)
        for day, channel in told.extremes:
            if day in days:  # one reading alone makes no hour
                of.setdefault((day, channel), ([], []))
        for day in days:
            self.days.append((node, hours.day_text(day)))
            span = hours.hours_of(day)
            # A day of fewer hours names the last again.
            self.spans.append((node, *span, *repeat(span[-1], _DAY_HOURS_MAX - len(span))))
        for (day, channel), parts in of.items():
            row = hours.of_day(*parts, hours.hours_of(day)[0])
            extremes = told.extremes.get((day, channel), (None, None))
            self.day_rows.append((hours.day_text(day), node, channel, *row, *extremes))


class _Reader:
    """Reads the readings of one node, with the times that are known now."""

    def __init__(self, connection, archive, node):
        self.node = node
        self._connection = connection
        self._moments = archive.moments(node)

    def placed(self, boot: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Returns (sequence, UTC) of readings of a boot; of those whose time is not known, when they were received."""
        rows = self._connection.execute(_STAMPS, (self.node, _TELEMETRY, boot, first, last)).fetchall()
        for sequence, received_s, *stamp in rows:
            unix_s = self._moments.of(boot, sequence, *stamp).unix_s
            yield sequence, received_s if unix_s is None else unix_s

    def spans(self, day: int) -> _Spans:
        """Returns between which sequences readings of a day are found."""
        return self._connection.execute(_SPANS, (self.node, day)).fetchall()

    def around(self, spans: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], Entry]:
        """Returns the readings of these spans by (boot, sequence), and before and after each run of them the next ones
        of each quantity."""
        found: dict[tuple[int, int], Entry] = {}
        for boot, first, last in _runs(spans):
            run = self._entries(_WITHIN, boot, first, last)
            keys = set().union(*map(measured, set(map(tuple, map(_READINGS, run)))))
            beyond = (self._beyond(*way, set(keys)) for way in ((_BEFORE, boot, first), (_AFTER, boot, last)))
            for entries in (run, *map(list, beyond)):
                found.update(zip(map(_IDENTITY, entries), entries, strict=True))
        return found

    def _beyond(self, statement, boot, sequence, keys) -> Iterator[Entry]:
        """Returns the next readings in one direction, until each of the keys was met at a known time."""
        page_max = ROLLUP_FIRST_PAGE
        while keys:
            page = self._entries(statement, boot, sequence, page_max)
            for entry in page:
                _, _, unix_s, readings = entry
                met = keys.intersection(measured(tuple(readings))) if unix_s is not None else ()
                if met:
                    yield entry
                    keys -= met
                    if not keys:
                        return
            if len(page) < page_max:
                return
            page_max = ROLLUP_PAGE
            boot, sequence = page[-1][:2]

    def _entries(self, statement, *values) -> list[Entry]:
        rows = self._connection.execute(statement, (self.node, _TELEMETRY, *values)).fetchall()
        if not rows:
            return []
        boots, sequences, *stamps, encoded = zip(*rows, strict=True)
        times = self._moments.times(boots, sequences, *stamps)
        return list(zip(boots, sequences, times, decode_readings(encoded), strict=True))


def _runs(spans: Iterable[tuple[int, int, int]]) -> _Spans:
    """Returns the spans (boot, first, last), those that meet joined."""
    runs: _Spans = []
    for boot, first, last in sorted(spans):
        if runs and runs[-1][0] == boot and first <= runs[-1][2] + 1:
            runs[-1] = boot, runs[-1][1], max(runs[-1][2], last)
        else:
            runs.append((boot, first, last))
    return runs
