"""Computes hours and days of nodes from their records, on a connection that reads, and says which rows change.

The records of a day are found by the spans that the ingest keeps (`marks`), so a day costs as much in a warehouse of
ten years as in one of a week. Each question is asked for all nodes at once, which a server answers in one turn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from tools.centre.limits import ROLLUP_FIRST_PAGE, ROLLUP_PAGE
from tools.centre.rollup import hours
from tools.centre.rollup.hours import Entry, Figures, Found, Silence, measured
from tools.centre.store import database
from tools.centre.store.archive import DOUBTS, Moments
from tools.centre.store.bodies import decode_readings
from wire import event, quantity

TELEMETRY = event.LANES.index(event.TELEMETRY)
_SPANS = "SELECT boot, first, last FROM day_spans WHERE node = ? AND day = ?"
_SELECT = f"""SELECT boot, sequence, quality, seconds, uncertainty_s, body FROM records
    WHERE node = ? AND lane = {TELEMETRY} AND """
_WITHIN = _SELECT + "boot = ? AND sequence BETWEEN ? AND ? ORDER BY sequence"
_BEFORE = _SELECT + "(boot, sequence) < (?, ?) ORDER BY boot DESC, sequence DESC LIMIT {}"
_AFTER = _SELECT + "(boot, sequence) > (?, ?) ORDER BY boot, sequence LIMIT {}"
_STAMPS = f"""SELECT sequence, received_unix_s, quality, seconds, uncertainty_s FROM records
    WHERE node = ? AND lane = {TELEMETRY} AND boot = ? AND sequence BETWEEN ? AND ?"""
_FIRST_DAY = "SELECT day FROM purged_nodes WHERE node = ?"
_DAYS = "SELECT * FROM days WHERE node = ? AND day_local = ?"
_DAY_HOURS_MAX = 25
_HOURS = f"SELECT * FROM hours WHERE node = ? AND hour_unix_s IN ({', '.join('?' * _DAY_HOURS_MAX)})"
_IDENTITY, _READINGS = itemgetter(0, 1), itemgetter(3)
Mark = tuple[bytes, int]  # node, day
_Span = tuple[int, int, int]  # boot, first, last
_Sought = tuple[bytes, int, int, set[int]]  # node, boot and sequence from which on, keys


class Rows(NamedTuple):
    """Holds the rows of `hours` and `days` that are new or other ones, the keys of those that are no longer, and the
    days that have readings."""

    hours: list[tuple]
    hours_gone: list[tuple]
    days: list[tuple]
    days_gone: list[tuple]
    known_days: set[int]


def computed(connection: database.Connection, marked: Sequence[Mark]) -> Rows:
    """Returns what changes of these days, which are in order, and of the days next to them: a reading that comes late
    changes what is known between the one before and the one after it."""
    days = {node: {day for _, day in marks} for node, marks in groupby(marked, key=itemgetter(0))}
    reader = Reader(connection, list(days))
    reader.read(marked)
    known = {node: hours.days_of(found.values()) for node, found in reader.found.items()}
    # Of the days next to these no other hours change: what a reading tells of time ends at the next one.
    within = {node: hours.hours_within(found.values(), days[node]) for node, found in reader.found.items()}
    # Of a day next to these that is marked too the mark stays: what is next to it is not computed here.
    reader.read([(node, day) for node, some in known.items() for day in sorted(some - days[node])])
    hour_rows: list[tuple] = []
    day_rows: list[tuple] = []
    own_days: list[Mark] = []
    for (node, found), first in zip(reader.found.items(), reader.first_days(), strict=True):
        own = {day for day in known[node] | days[node] if day >= first}
        own_days += [(node, day) for day in own]
        counted = hours.figures(map(found.__getitem__, sorted(found)))
        for rows, some in zip((hour_rows, day_rows), _rows_of(node, own, counted, *within[node]), strict=True):
            rows += some
    held = connection.ask(_DAYS, [(node, hours.day_text(day)) for node, day in own_days])
    # A day without a row has no hours.
    with_hours = [of for of, rows in zip(own_days, held, strict=True) if rows]
    held_hours = connection.ask(_HOURS, [(node, *_hours_asked(day, *within[node])) for node, day in with_hours])
    return Rows(
        *_changed(hour_rows, held_hours),
        *_changed(day_rows, held),
        # A day that a record states with a clock that cannot be right is none.
        set().union(*known.values()),
    )


def _rows_of(node: bytes, days: set[int], counted: Found, least: int, most: int) -> tuple[list[tuple], list[tuple]]:
    """Returns the rows of `hours` from one to another, and of `days`, of these days of a node."""
    hour_rows: list[tuple] = []
    of: dict[tuple[int, int], tuple[list[Figures], list[Silence]]] = {}
    for (hour, channel), figures in counted.hours.items():
        day = hours.day_of(hour)
        if day in days:
            if least <= hour <= most:
                hour_rows.append((hour, node, channel, *figures))
            of.setdefault((day, channel), ([], []))[0].append(figures)
    for silence in counted.silences:
        day = hours.day_of(silence.until_s)
        if day in days:
            of.setdefault((day, silence.key // quantity.CHANNEL_STEP), ([], []))[1].append(silence)
    for day, channel in counted.extremes:
        if day in days:  # one reading alone makes no hour
            of.setdefault((day, channel), ([], []))
    day_rows = []
    for (day, channel), parts in of.items():
        row = hours.of_day(*parts, hours.hours_of(day)[0])
        extremes = counted.extremes.get((day, channel), (None, None))
        day_rows.append((hours.day_text(day), node, channel, *row, *extremes))
    return hour_rows, day_rows


def _hours_asked(day: int, least: int, most: int) -> list[int]:
    """Returns the hours of a day from one to another; where they are fewer than a question has, the last again."""
    some = [hour for hour in hours.hours_of(day) if least <= hour <= most]
    return some + some[-1:] * (_DAY_HOURS_MAX - len(some))


def _changed(rows: list[tuple], held: Iterable[list[tuple]]) -> tuple[list[tuple], list[tuple]]:
    """Returns which rows are not held as they are, and the keys, of three columns, of what is held and no longer so."""
    known = {row[:3]: row for row in chain.from_iterable(held)}
    return [row for row in rows if known.pop(row[:3], None) != row], list(known)


class Reader:
    """Reads the readings of some nodes, with the times that are known now. `found`: by node and (boot, sequence), what
    was read."""

    def __init__(self, connection: database.Connection, nodes: Sequence[bytes]) -> None:
        self._connection = connection
        self._nodes = [(node,) for node in nodes]
        doubts = connection.ask(DOUBTS, self._nodes)
        self._moments = {node: Moments(connection, node, some) for node, some in zip(nodes, doubts, strict=True)}
        self.found: dict[bytes, dict[tuple[int, int], Entry]] = {node: {} for node in nodes}

    def first_days(self) -> list[int]:
        """Returns of each node the first day of which no readings were purged."""
        return [rows[0][0] if rows else 0 for rows in self._connection.ask(_FIRST_DAY, self._nodes)]

    def placed(self, node: bytes, boot: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Returns (sequence, UTC) of readings of a boot; of those whose time is not known, when they were received."""
        rows = self._connection.execute(_STAMPS, (node, boot, first, last)).fetchall()
        for sequence, received_s, *stamp in rows:
            unix_s = self._moments[node].of(boot, sequence, *stamp).unix_s
            yield sequence, received_s if unix_s is None else unix_s

    def read(self, days: Sequence[Mark]) -> None:
        """Reads the readings of these days, and before and after each run of them the next ones of each quantity."""
        spans: dict[bytes, list[_Span]] = defaultdict(list)
        for (node, _), some in zip(days, self._connection.ask(_SPANS, days), strict=True):
            spans[node] += some
        runs = [(node, *run) for node, some in spans.items() for run in _runs(some)]
        # The next ones are most often among the next records.
        wider = [(*of, first - ROLLUP_FIRST_PAGE, last + ROLLUP_FIRST_PAGE) for *of, first, last in runs]
        before: list[_Sought] = []
        after: list[_Sought] = []
        for (node, boot, first, last), entries in zip(runs, self._entries(_WITHIN, wider), strict=True):
            below = [entry for entry in entries if entry[1] < first]
            above = [entry for entry in entries if entry[1] > last]
            run = entries[len(below) : len(entries) - len(above)]
            self.found[node].update(zip(map(_IDENTITY, run), run, strict=True))
            keys = set().union(*map(measured, set(map(tuple, map(_READINGS, run)))))
            before.append(self._keep_next((node, boot, first, set(keys)), reversed(below)))
            after.append(self._keep_next((node, boot, last, keys), above))
        self._read_beyond(_BEFORE, before)
        self._read_beyond(_AFTER, after)

    def _read_beyond(self, statement: str, sought: list[_Sought]) -> None:
        """Reads on in one direction, until each of the keys was met at a known time."""
        page_max = ROLLUP_FIRST_PAGE
        while sought := [one for one in sought if one[-1]]:
            pages = self._entries(statement.format(page_max), [one[:3] for one in sought])
            left = [self._keep_next(one, page) for one, page in zip(sought, pages, strict=True)]
            sought = [one for one, page in zip(left, pages, strict=True) if len(page) == page_max]
            page_max = ROLLUP_PAGE

    def _keep_next(self, sought: _Sought, entries: Iterable[Entry]) -> _Sought:
        """Keeps of readings, the nearest first, those that are the next of a key; returns what is sought beyond."""
        node, boot, sequence, keys = sought
        for entry in entries:
            boot, sequence, unix_s, readings = entry
            met = keys.intersection(measured(tuple(readings))) if unix_s is not None else ()
            if met:
                self.found[node][boot, sequence] = entry
                keys -= met
                if not keys:
                    break
        return node, boot, sequence, keys

    def _entries(self, statement: str, asked: Sequence[tuple]) -> list[list[Entry]]:
        answers = self._connection.ask(statement, asked)
        return [self._decoded(one[0], rows) for one, rows in zip(asked, answers, strict=True)]

    def _decoded(self, node: bytes, rows: list[tuple]) -> list[Entry]:
        if not rows:
            return []
        boots, sequences, *stamps, encoded = zip(*rows, strict=True)
        times = self._moments[node].times(boots, sequences, *stamps)
        return list(zip(boots, sequences, times, decode_readings(encoded), strict=True))


def _runs(spans: Iterable[_Span]) -> list[_Span]:
    """Returns the spans, those that meet joined."""
    runs: list[_Span] = []
    for boot, first, last in sorted(spans):
        if runs and runs[-1][0] == boot and first <= runs[-1][2] + 1:
            runs[-1] = boot, runs[-1][1], max(runs[-1][2], last)
        else:
            runs.append((boot, first, last))
    return runs
