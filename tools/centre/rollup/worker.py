"""Computes the days again of which records came, changed their times or began to count.

A step takes some days of nodes and, in one transaction, computes them from records, with the days next to them
(`node_days`). So any order of arrival ends at the same figures, a worker that is killed leaves nothing half done, and
several workers share the marks through the database. Where there is much to do, a helper computes beside the worker:
it reads what was committed before the transaction, and while that lasts no other process writes.

What stands apart (`tools.centre.ingest.apart`) is no record, and counts for nothing here either. The figures of a day
whose readings were purged (`tools.centre.retention`) stand.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from tools.centre.limits import ROLLUP_PIECE, ROLLUP_SHARED_MIN
from tools.centre.rollup import hours
from tools.centre.rollup.marks import MARK_DAY
from tools.centre.rollup.node_days import TELEMETRY, Mark, Reader, Rows, computed
from tools.centre.rollup.second_process import Helper
from tools.centre.store import database

_UNPLACED = "SELECT DISTINCT node FROM unplaced ORDER BY node LIMIT ?"
_UNPLACED_SPANS = "SELECT boot, first, last FROM unplaced WHERE node = ?"
_MARK_FORMER = "UPDATE day_spans SET dirty = 1 WHERE node = ? AND boot = ? AND first <= ? AND last >= ?"
_MARKED = "SELECT DISTINCT node, day FROM day_spans WHERE dirty = 1 ORDER BY node, day LIMIT ?"
_MARKED_OF_NODE = "SELECT DISTINCT node, day FROM day_spans WHERE node = ? AND dirty = 1 ORDER BY node, day"
_UNMARK = "UPDATE day_spans SET dirty = 0 WHERE dirty = 1 AND (node, day) <= (?, ?)"
_UNMARK_NODE = "UPDATE day_spans SET dirty = 0 WHERE node = ? AND dirty = 1"
_STANDS = "SELECT 1 FROM purged_nodes WHERE purged_nodes.node = {0}.node AND {0}.{1} < purged_nodes.{2}"


def _statements(table: str, key: str, figures: Sequence[str]) -> tuple[str, str]:
    """Returns what writes a row, and what removes one by its key."""
    columns, one = (key, "node", "channel"), ", ".join(f"{name} = excluded.{name}" for name in figures)
    values = ", ".join("?" * (len(columns) + len(figures)))
    written = f"INSERT INTO {table} VALUES ({values}) ON CONFLICT ({', '.join(columns)}) DO UPDATE SET {one}"
    return written, f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in columns)}"


_WRITE_HOUR, _REMOVE_HOUR = _statements("hours", "hour_unix_s", hours.FIGURES)
_WRITE_DAY, _REMOVE_DAY = _statements("days", "day_local", hours.FIGURES + hours.OF_DAY)


class Worker:
    """Works on one connection that writes; it is used from one thread. `helper`: on the same warehouse."""

    def __init__(self, connection: database.Connection, helper: Helper | None = None) -> None:
        self._connection = connection
        self._helper = helper
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
        placed = self._place_some(days_max)
        try:
            with database.transaction(self._connection):
                marked = self._connection.execute(_MARKED, (days_max,)).fetchall()
                if marked:
                    for rows in self._computed(marked):
                        self._write(rows)
                    self._connection.execute(_UNMARK, marked[-1])  # they are the first of all that are marked
        except BaseException:
            if self._helper is not None:
                self._helper.close()  # with its answers, which are of this transaction
            raise
        return len(marked) or placed

    def roll(self, node: bytes) -> None:
        """Computes all marked days of a node, in the transaction of the caller."""
        self._place(node)
        marked = self._connection.execute(_MARKED_OF_NODE, (node,)).fetchall()
        self._write(computed(self._connection, marked))
        self._connection.execute(_UNMARK_NODE, (node,))

    def mark_all(self) -> None:
        """Marks all that there is, so that everything is computed again from records."""
        with database.transaction(self._connection):
            for table, key, first in (("hours", "hour_unix_s", "begins_unix_s"), ("days", "day_local", "day_local")):
                self._connection.execute(f"DELETE FROM {table} WHERE NOT EXISTS ({_STANDS.format(table, key, first)})")
            for table in ("day_spans", "unplaced"):
                self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute(
                "INSERT INTO unplaced SELECT node, boot, 0, max(sequence) FROM records WHERE lane = ? GROUP BY 1, 2",
                (TELEMETRY,),
            )

    # --- inside ---

    def _place_some(self, nodes_max: int) -> int:
        """Places readings of some nodes in a transaction of its own, for a helper reads what is committed."""
        if self._connection.execute(_UNPLACED, (1,)).fetchone() is None:
            return 0
        with database.transaction(self._connection):
            unplaced = self._connection.execute(_UNPLACED, (nodes_max,)).fetchall()
            for (node,) in unplaced:
                self._place(node)
        return len(unplaced)

    def _place(self, node: bytes) -> None:
        """Marks the days of readings that have to be placed, and those on which they lay before their times changed.
        Those whose time is not known are found by the day of their receipt."""
        reader = Reader(self._connection, [node])
        for boot, first, last in self._connection.execute(_UNPLACED_SPANS, (node,)).fetchall():
            self._connection.execute(_MARK_FORMER, (node, boot, last, first))
            spans: dict[int, list[int]] = {}
            for sequence, unix_s in reader.placed(node, boot, first, last):
                spans.setdefault(hours.day_of(unix_s), []).append(sequence)
            self._connection.executemany(
                MARK_DAY, [(node, day, boot, min(some), max(some)) for day, some in spans.items()]
            )
        self._connection.execute("DELETE FROM unplaced WHERE node = ?", (node,))

    def _computed(self, marked: Sequence[Mark]) -> Iterator[Rows]:
        """Computes days, shared with the helper where they are many; what one has computed is written while the other
        computes."""
        if self._helper is None or len(marked) < ROLLUP_SHARED_MIN:
            yield computed(self._connection, marked)
            return
        pieces, asked = deque(_pieces(marked)), 0
        while pieces or asked:
            while pieces and asked < 2:  # one waits for it, so that it never waits
                self._helper.ask(pieces.popleft())
                asked += 1
            if asked and (not pieces or self._helper.has_answered()):
                yield self._helper.answer()
                asked -= 1
            else:
                yield computed(self._connection, pieces.pop())

    def _write(self, rows: Rows) -> None:
        for statement, values in (
            (_REMOVE_HOUR, rows.hours_gone),
            (_REMOVE_DAY, rows.days_gone),
            # In the order of their keys, so that rows that lie together are written together.
            (_WRITE_HOUR, sorted(rows.hours)),
            (_WRITE_DAY, sorted(rows.days)),
        ):
            if values:
                self._connection.executemany(statement, values)
        self._add_days(rows.known_days)

    def _add_days(self, days: Iterable[int]) -> None:
        for day in set(days) - self._days_known:
            self._connection.executemany(
                "INSERT INTO calendar VALUES (?, ?, ?, ?) ON CONFLICT (hour_unix_s) DO NOTHING", hours.calendar(day)
            )
            self._days_known.add(day)


def _pieces(marked: Sequence[Mark]) -> Iterator[list[Mark]]:
    """Divides days in order into pieces of whole nodes."""
    first = 0
    for place in range(1, len(marked)):
        if place - first >= ROLLUP_PIECE and marked[place][0] != marked[place - 1][0]:
            yield list(marked[first:place])
            first = place
    yield list(marked[first:])
