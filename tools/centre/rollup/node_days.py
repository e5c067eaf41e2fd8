"""Computes hours and days of nodes from their records, on a connection that reads, and says which rows they are.

The records of a day are found by the spans that the ingest keeps (`marks`), so a day costs as much in a warehouse of
ten years as in one of a week.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby, repeat
from operator import itemgetter

from tools.centre.limits import ROLLUP_FIRST_PAGE, ROLLUP_PAGE
from tools.centre.rollup import hours
from tools.centre.rollup.hours import Entry, Figures, Found, Silence, measured
from tools.centre.store import database
from tools.centre.store.archive import Moments
from tools.centre.store.bodies import decode_readings
from wire import event, quantity

TELEMETRY = event.LANES.index(event.TELEMETRY)
DAY_HOURS_MAX = 25
_SELECT = """SELECT boot, sequence, quality, seconds, uncertainty_s, body FROM records
    WHERE node = ? AND lane = ? AND """
_WITHIN = _SELECT + "boot = ? AND sequence BETWEEN ? AND ? ORDER BY boot, sequence"
_BEFORE = _SELECT + "(boot, sequence) < (?, ?) ORDER BY boot DESC, sequence DESC LIMIT ?"
_AFTER = _SELECT + "(boot, sequence) > (?, ?) ORDER BY boot, sequence LIMIT ?"
_STAMPS = """SELECT sequence, received_unix_s, quality, seconds, uncertainty_s FROM records
    WHERE node = ? AND lane = ? AND boot = ? AND sequence BETWEEN ? AND ?"""
_SPANS = "SELECT boot, first, last FROM day_spans WHERE node = ? AND day = ?"
_IDENTITY, _READINGS = itemgetter(0, 1), itemgetter(3)
_Spans = list[tuple[int, int, int]]  # boot, first, last
Mark = tuple[bytes, int]  # node, day


def computed(connection: database.Connection, marked: Iterable[Mark]) -> "Rows":
    """Returns the rows of these days, which are in order, and of the days next to them: a reading that comes late
    changes what is known between the one before and the one after it."""
    rows = Rows()
    for node, marks in groupby(marked, key=itemgetter(0)):
        _compute(connection, node, [day for _, day in marks], rows)
    return rows


def _compute(connection: database.Connection, node: bytes, days: list[int], rows: "Rows") -> None:
    reader = Reader(connection, node)
    found = reader.around(chain.from_iterable(map(reader.spans, days)))
    # A day next to these that is marked too stays so: what is next to it is not computed here.
    rows.marks.extend((node, day) for day in days)
    known = hours.days_of(found.values())
    rows.known_days |= known
    near = known.difference(days)
    if near:
        found.update(reader.around(chain.from_iterable(map(reader.spans, near))))
    first = reader.first_day()
    told = hours.figures(map(found.__getitem__, sorted(found)))
    rows.add(node, {day for day in near.union(days) if day >= first}, told)


class Rows:
    """Collects what is computed: rows of the tables, and the days that they replace."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
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
            self.spans.append((node, *span, *repeat(span[-1], DAY_HOURS_MAX - len(span))))
        for (day, channel), parts in of.items():
            row = hours.of_day(*parts, hours.hours_of(day)[0])
            extremes = told.extremes.get((day, channel), (None, None))
            self.day_rows.append((hours.day_text(day), node, channel, *row, *extremes))


class Reader:
    """Reads the readings of one node, with the times that are known now."""

    def __init__(self, connection: database.Connection, node: bytes) -> None:
        self._node = node
        self._connection = connection
        self._moments = Moments(connection, node)

    def first_day(self) -> int:
        """Returns the first day of which no readings were purged."""
        row = self._connection.execute("SELECT day FROM purged_nodes WHERE node = ?", (self._node,)).fetchone()
        return 0 if row is None else row[0]

    def placed(self, boot: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Returns (sequence, UTC) of readings of a boot; of those whose time is not known, when they were received."""
        rows = self._connection.execute(_STAMPS, (self._node, TELEMETRY, boot, first, last)).fetchall()
        for sequence, received_s, *stamp in rows:
            unix_s = self._moments.of(boot, sequence, *stamp).unix_s
            yield sequence, received_s if unix_s is None else unix_s

    def spans(self, day: int) -> _Spans:
        """Returns between which sequences readings of a day are found."""
        return self._connection.execute(_SPANS, (self._node, day)).fetchall()

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

    def _beyond(self, statement: str, boot: int, sequence: int, keys: set[int]) -> Iterator[Entry]:
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

    def _entries(self, statement: str, *values: int) -> list[Entry]:
        rows = self._connection.execute(statement, (self._node, TELEMETRY, *values)).fetchall()
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
