"""Counts what a cabinet brings in a day, against what it may: one that was broken into fills no disk before a person
has looked. Works within the transactions of its owner.

What is beyond is refused for `quota`: the cabinet holds it in its journal, and sends it on the next day. Alarms and
events have a bound of their own each, so that a flood of readings stops no alarm. A batch that comes twice counts
twice.
"""

from tools.centre.ingest import alarms
from tools.centre.ingest.alarms import Alarms
from tools.centre.ingest.intake import PreparedBatch
from tools.centre.limits import BROUGHT_BYTES_A_DAY_MAX, BROUGHT_URGENT_BYTES_A_DAY_MAX, ROW_BYTES
from tools.centre.store import database
from wire import event

_DAY_S = 86_400
_URGENT = (event.ALARM, event.EVENT)


class Quota:
    """Reads a count when it is first asked for in a transaction, for other processes write too, and writes it once."""

    def __init__(self, connection: database.Connection, raised: Alarms):
        self._connection = connection
        self._alarms = raised
        self._brought: dict[tuple[str, str], tuple[int, int]] = {}  # by (cabinet, lane): day, bytes

    def forget(self) -> None:
        """Begins a transaction."""
        self._brought.clear()

    def admits(self, cabinet: str, batch: PreparedBatch, now_s: int) -> bool:
        """Returns whether the cabinet may bring this batch today (of UTC), and raises the alarm where it may not; a
        question brings nothing."""
        lane = batch.envelope.lane
        bound = BROUGHT_URGENT_BYTES_A_DAY_MAX if lane in _URGENT else BROUGHT_BYTES_A_DAY_MAX
        if not batch.contents.rows or self._today(cabinet, lane, now_s) < bound:
            return True
        self._alarms.raise_for(alarms.QUOTA, cabinet, lane)
        return False

    def note(self, cabinet: str, batch: PreparedBatch, now_s: int) -> None:
        """Notes a batch that was accepted."""
        lane, rows = batch.envelope.lane, batch.contents.rows
        more = sum(len(row.body) for row in rows) + ROW_BYTES * len(rows)
        self._brought[cabinet, lane] = now_s // _DAY_S, self._today(cabinet, lane, now_s) + more

    def save(self) -> None:
        """Ends a transaction."""
        self._connection.executemany(
            "INSERT INTO brought VALUES (?, ?, ?, ?)"
            " ON CONFLICT (cabinet, lane) DO UPDATE SET day = excluded.day, bytes = excluded.bytes",
            [(*key, *value) for key, value in self._brought.items()],
        )

    def _today(self, cabinet, lane, now_s) -> int:
        found = self._brought.get((cabinet, lane))
        if found is None:
            read = self._connection.execute(
                "SELECT day, bytes FROM brought WHERE cabinet = ? AND lane = ?", (cabinet, lane)
            ).fetchone()
            found = read or (0, 0)
            if read is not None:
                self._brought[cabinet, lane] = found
        return found[1] if found[0] == now_s // _DAY_S else 0
