"""Purges what is older than it is to be kept, a little at a time, beside a running ingest.

A record is purged by the age of its receipt, so what comes late, or with a wrong clock, is kept as long as the rest.
What is needed stays all the same:

* of each node and meter the last reading before those that are kept: the first hour that is kept begins with it;
* the records that an open fault, a contactor's state or a note of a kept fault names. A fault of a node that was
  exchanged is over since then, though no record ends it;
* what is kept apart of a cabinet that was bound to the node since: it waits to be released;
* the identity of each purged record, in spans; how far each stream is held; hours and days.

Before the readings of a day go, the day is computed; from then on its figures stand, and a late record of it changes
nothing. Each transaction leaves a node whole, so a purge that is killed has purged less, and nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.centre.condition.faults import Faults
from tools.centre.ingest.apart import Apart
from tools.centre.limits import PURGE_RECORDS
from tools.centre.retention.classes import APART, EVENTS, HOURS, READINGS, ROOMS, kept_days
from tools.centre.rollup import hours
from tools.centre.rollup.hours import HOUR_S, measured
from tools.centre.rollup.worker import Worker
from tools.centre.store import database
from tools.centre.store.archive import Archive
from tools.centre.store.bodies import decode
from wire import event

_TELEMETRY = event.LANES.index(event.TELEMETRY)
_DAY_S = 86_400

# (boot, sequence) of a record of one node.
Position = tuple[int, int]

_NODES = "SELECT node FROM latest WHERE node > ? ORDER BY node LIMIT ?"
_DAYS = "SELECT day, sum(last - first + 1) FROM day_spans WHERE node = ? AND day < ? GROUP BY day ORDER BY day"
_SPANS = "SELECT boot, first, last FROM day_spans WHERE node = ? AND day < ?"
_RANGE = """SELECT boot, sequence, lane, quality, seconds, uncertainty_s, received_unix_s, body FROM records
    WHERE node = ? AND (boot, sequence) >= (?, ?) AND (boot, sequence) <= (?, ?) ORDER BY boot, sequence"""
_EVENTS = f"""SELECT boot, sequence, received_unix_s FROM records
    WHERE node = ? AND (boot, sequence) > (?, ?) AND lane <> {_TELEMETRY} ORDER BY boot, sequence LIMIT ?"""
_NAMED = """SELECT boot, sequence, last_boot, last_sequence, end_boot, end_sequence FROM faults WHERE node = ?"""
_IDENTITY = "WHERE node = ? AND boot = ? AND sequence = ?"
_NOTE_NODE = """INSERT INTO purged_nodes VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET
    day = CASE WHEN excluded.day > purged_nodes.day THEN excluded.day ELSE purged_nodes.day END,
    day_local = CASE WHEN excluded.day > purged_nodes.day THEN excluded.day_local ELSE purged_nodes.day_local END,
    begins_unix_s = CASE WHEN excluded.day > purged_nodes.day
        THEN excluded.begins_unix_s ELSE purged_nodes.begins_unix_s END,
    purged_boot = CASE WHEN (excluded.purged_boot, excluded.purged_sequence)
        > (purged_nodes.purged_boot, purged_nodes.purged_sequence)
        THEN excluded.purged_boot ELSE purged_nodes.purged_boot END,
    purged_sequence = CASE WHEN (excluded.purged_boot, excluded.purged_sequence)
        > (purged_nodes.purged_boot, purged_nodes.purged_sequence)
        THEN excluded.purged_sequence ELSE purged_nodes.purged_sequence END"""
# Which hours a class has; those of ROOMS that a meter or a lamp shares lose the temperature only.
_OF = {ROOMS: " AND temperature_ck_s IS NOT NULL", HOURS: ""}
_WITHOUT_TEMPERATURE = """UPDATE hours SET temperature_ck_s = NULL, temperature_s = NULL
    WHERE hour_unix_s = ? AND temperature_ck_s IS NOT NULL
    AND (energy_wh IS NOT NULL OR water_l IS NOT NULL OR lit_s IS NOT NULL)"""
_NOTE_HOUR = """INSERT INTO retention VALUES (?, ?, ?) ON CONFLICT (class) DO UPDATE SET
    purged_unix_s = excluded.purged_unix_s"""
_MEETING = "SELECT first, last FROM purged WHERE node = ? AND boot = ? AND first <= ? AND last >= ?"


class Old(NamedTuple):
    """Holds what of a node is old. `kept`: (day, boot, sequence) of readings of those days that stay all the same."""

    positions: list[Position]
    gone: set[Position]
    kept: list[tuple[int, int, int]]


class Purge:
    """Works on one connection; it is used from one thread. `now_s` decides what is old."""

    def __init__(self, connection: database.Connection, *, now_s: int) -> None:
        self._connection = connection
        self._archive = Archive(connection)
        self._worker = Worker(connection)
        self._apart = Apart(connection)
        self.before_s = {name: now_s - days * _DAY_S for name, days in kept_days(connection).items()}
        self._day = hours.day_of(self.before_s[READINGS])

    def nodes(self) -> Iterator[bytes]:
        """Returns every node that was ever heard, in order, whoever writes meanwhile."""
        node = b""
        while page := self._connection.execute(_NODES, (node, PURGE_RECORDS)).fetchall():
            yield from (node for (node,) in page)
            node = page[-1][0]

    # --- readings ---

    def count_readings(self, node: bytes) -> int:
        """Returns how many records of readings of a node would go."""
        return len(self._old_readings(node, self._day).gone)

    def purge_readings(self, node: bytes) -> Iterator[int]:
        """Purges the readings of a node; returns how many records went in each transaction."""
        until = 0
        while True:
            with database.transaction(self._connection):
                until = self._next(node, until)
                if not until:
                    return
                # The days are computed while all of their records are there.
                self._worker.roll(node)
                old = self._old_readings(node, until)
                if old.gone:
                    self._remove(node, old.gone, READINGS)
                    self._note_spans(node, old)
                    self._note_node(node, until, max(old.gone))
                    self._connection.execute("DELETE FROM day_spans WHERE node = ? AND day < ?", (node, until))
                    self._connection.executemany(
                        "INSERT INTO day_spans VALUES (?, ?, ?, ?, ?, 0)",
                        [(node, *span) for span in _spans(old.kept)],
                    )
            yield len(old.gone)

    def _next(self, node: bytes, after: int) -> int:
        """Returns the day up to which one transaction may purge; 0: all is done."""
        records = until = 0
        for day, count in self._connection.execute(_DAYS, (node, self._day)).fetchall():
            records += count
            if day >= after:
                until = day + 1
                if records >= PURGE_RECORDS:
                    break
        return until

    def _old_readings(self, node: bytes, until: int) -> Old:
        """Returns what may go of the days before `until`: all but the last reading of each quantity of which hours are
        made, before one that stays."""
        spans = self._connection.execute(_SPANS, (node, until)).fetchall()
        if not spans:
            return Old([], set(), [])
        first, last = min(span[:2] for span in spans), max((boot, last) for boot, _, last in spans)
        moments = self._archive.moments(node)
        positions: list[Position] = []
        days: dict[Position, int] = {}
        gone: set[Position] = set()
        needed: set[Position] = set()
        before: dict[int, Position] = {}
        for row in self._connection.execute(_RANGE, (node, *first, *last)).fetchall():
            boot, sequence, lane, quality, seconds, uncertainty_s, received_s, body = row
            position = boot, sequence
            positions.append(position)
            if lane != _TELEMETRY:
                continue
            unix_s = moments.of(boot, sequence, quality, seconds, uncertainty_s).unix_s
            day = hours.day_of(received_s if unix_s is None else unix_s)
            if day < until:
                days[position] = day
                if received_s < self.before_s[READINGS]:
                    gone.add(position)
            if unix_s is not None:
                for key in measured(tuple(decode(body))):
                    if position not in gone:
                        needed.update({before[key]} if key in before else ())
                    before[key] = position
        gone -= needed.union(before.values())
        return Old(positions, gone, [(day, *position) for position, day in days.items() if position not in gone])

    # --- events and faults ---

    def count_events(self, node: bytes) -> int:
        """Returns how many records of events of a node would go."""
        return sum(len(gone) for gone, _, _ in self._old_events(node))

    def purge_events(self, node: bytes) -> Iterator[int]:
        """Purges the events of a node and the faults that are made of them; returns how many records went in each
        transaction."""
        for gone, faults, positions in self._old_events(node):
            with database.transaction(self._connection):
                identities = [(node, *position) for position in sorted(gone)]
                self._remove(node, gone, EVENTS)
                self._note_spans(node, Old(positions, gone, []))
                self._note_node(node, 0, max(gone))
                self._connection.executemany(f"DELETE FROM faults {_IDENTITY}", [(node, *begin) for begin in faults])
                self._connection.executemany(f"DELETE FROM fault_notes {_IDENTITY}", identities)
                for table in ("gaps", "anchors"):
                    self._connection.executemany(
                        f"""DELETE FROM {table} WHERE by_node = ? AND by_boot = ? AND by_sequence = ? AND NOT EXISTS
                        (SELECT 1 FROM records WHERE node = {table}.about AND records.boot = {table}.boot)""",
                        identities,
                    )
            yield len(gone)

    def _old_events(self, node: bytes) -> Iterator[tuple[set[Position], list[Position], list[Position]]]:
        """Returns, page by page, the records that go, the faults that go with them, and the records that were read. It
        ends at the first that is to be kept for its age."""
        after: Position = -1, -1
        while page := self._connection.execute(_EVENTS, (node, *after, PURGE_RECORDS)).fetchall():
            positions = []
            for boot, sequence, received_s in page:
                if received_s >= self.before_s[EVENTS]:
                    break
                positions.append((boot, sequence))
            if not positions:
                return
            gone, faults = self._without_needed(node, set(positions))
            if gone:
                yield gone, faults, positions
            if len(positions) < len(page):
                return
            after = positions[-1]

    def _without_needed(self, node: bytes, old: set[Position]) -> tuple[set[Position], list[Position]]:
        """Returns of old records those that nothing names which stays, and the faults that go."""
        needed = set(self._connection.execute("SELECT boot, sequence FROM feeders WHERE node = ?", (node,)))
        notes = self._connection.execute("SELECT boot, sequence FROM fault_notes WHERE node = ?", (node,)).fetchall()
        faults = []
        rows = self._connection.execute(_NAMED, (node,)).fetchall()
        replaced = self._replaced(node) if any(row[2:4] in old and row[4] is None for row in rows) else set()
        for row in rows:
            begin, last, end = row[:2], row[2:4], row[4:]
            if end in old or (begin in replaced and last in old):
                faults.append(begin)
                continue
            needed.update((begin, last, end))
            needed.update(one for one in notes if begin <= one and (end[0] is None or one <= end))
        return old - needed, faults

    def _replaced(self, node: bytes) -> set[Position]:
        """Returns the positions at which faults of a node begin that an exchange of the node ended long ago."""
        stated = Faults(self._connection).of_nodes([node])
        over = (one for one in stated if one.is_replaced and (one.end_unix_s or 0) < self.before_s[EVENTS])
        return {one.begin for one in over}

    # --- hours ---

    def count_hours(self, name: str) -> int:
        """Returns how many hours of channels of the class ROOMS or HOURS would go, or lose their temperature."""
        (count,) = self._connection.execute(
            f"SELECT count(*) FROM hours WHERE hour_unix_s >= ? AND hour_unix_s < ?{_OF[name]}",
            (self._purged_s(name), self.before_s[name] - HOUR_S + 1),
        ).fetchone()
        return count

    def purge_hours(self, name: str) -> Iterator[int]:
        """Purges the hours of the class ROOMS or HOURS, one hour of all nodes in a transaction."""
        while True:
            with database.transaction(self._connection):
                (hour,) = self._connection.execute(
                    "SELECT min(hour_unix_s) FROM hours WHERE hour_unix_s >= ?", (self._purged_s(name),)
                ).fetchone()
                if hour is None or hour + HOUR_S > self.before_s[name]:
                    return
                gone = 0
                if name == ROOMS:
                    gone = self._connection.execute(_WITHOUT_TEMPERATURE, (hour,)).rowcount
                statement = f"DELETE FROM hours WHERE hour_unix_s = ?{_OF[name]}"
                gone += self._connection.execute(statement, (hour,)).rowcount
                self._connection.execute(_NOTE_HOUR, (name, kept_days(self._connection)[name], hour + HOUR_S))
            yield gone

    def _purged_s(self, name: str) -> int:
        row = self._connection.execute("SELECT purged_unix_s FROM retention WHERE class = ?", (name,)).fetchone()
        return 0 if row is None else row[0]

    # --- what is kept apart ---

    def count_apart(self) -> int:
        """Returns how many records that are kept apart would go."""
        return self._apart.count_old(self.before_s[APART])

    def purge_apart(self) -> Iterator[int]:
        """Purges what nobody has decided on in time; returns how many records went in each transaction."""
        count = PURGE_RECORDS
        while count == PURGE_RECORDS:
            with database.transaction(self._connection):
                count = self._apart.remove_old(self.before_s[APART], PURGE_RECORDS)
            yield count

    # --- what every purge of records does ---

    def _remove(self, node: bytes, gone: Iterable[Position], name: str) -> None:
        identities = [(node, *position) for position in sorted(gone)]
        self._connection.executemany(f"DELETE FROM records {_IDENTITY}", identities)
        self._connection.executemany(f"DELETE FROM doubts {_IDENTITY}", identities)
        self._connection.executemany(
            f"DELETE FROM conflicts {_IDENTITY} AND received_unix_s < ?",
            [(*identity, self.before_s[name]) for identity in identities],
        )

    def _note_node(self, node: bytes, day: int, last: Position) -> None:
        begins_s = hours.hours_of(day)[0] if day else 0
        self._connection.execute(_NOTE_NODE, (node, day, hours.day_text(day), begins_s, *last))

    def _note_spans(self, node: bytes, old: Old) -> None:
        """Keeps the identities of purged records, as few spans as there can be: one may pass over what is held."""
        for boot, first, last in _runs(old.positions, old.gone):
            meeting = self._connection.execute(_MEETING, (node, boot, last + 1, first - 1)).fetchall()
            first, last = min([first, *(one[0] for one in meeting)]), max([last, *(one[1] for one in meeting)])
            self._connection.executemany(
                "DELETE FROM purged WHERE node = ? AND boot = ? AND first = ?",
                [(node, boot, one[0]) for one in meeting],
            )
            self._connection.execute("INSERT INTO purged VALUES (?, ?, ?, ?)", (node, boot, first, last))


def _runs(positions: Iterable[Position], gone: set[Position]) -> list[tuple[int, int, int]]:
    """Returns the spans (boot, first, last) of what is gone; two are one where all between them was there."""
    runs: list[tuple[int, int, int]] = []
    before: Position = -1, -1
    is_whole = False
    for boot, sequence in positions:
        is_whole = is_whole and before == (boot, sequence - 1)
        before = boot, sequence
        if before in gone:
            if is_whole:
                runs[-1] = boot, runs[-1][1], sequence
            else:
                runs.append((boot, sequence, sequence))
            is_whole = True
    return runs


def _spans(kept: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Returns (day, boot, first, last) of what stays."""
    spans: dict[tuple[int, int], list[int]] = {}
    for day, boot, sequence in kept:
        spans.setdefault((day, boot), []).append(sequence)
    return [(day, boot, min(some), max(some)) for (day, boot), some in spans.items()]
