"""Notes in the ingest's transaction what its rows change: a node's last state, and the days to compute again.

Rows are noted by node, day and boot, and written once at the end of the transaction, which holds many rows of few
nodes. An older record never replaces a newer one: the order is that of (boot, sequence), which the node itself gave.
"""

from collections.abc import Iterable

from tools.centre.rollup.hours import day_of
from tools.centre.store import bodies, database
from wire import event, limits, quantity, record

_TELEMETRY = event.LANES.index(event.TELEMETRY)

_WIDEN = """ DO UPDATE SET
    first = CASE WHEN excluded.first < {0}.first THEN excluded.first ELSE {0}.first END,
    last = CASE WHEN excluded.last > {0}.last THEN excluded.last ELSE {0}.last END"""
# Of (node, day, boot, first, last), and of (node, boot, first, last).
MARK_DAY = (
    "INSERT INTO day_spans VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (node, day, boot)"
    + _WIDEN.format("day_spans") + ", dirty = 1"
)  # fmt: skip
MARK_UNPLACED = "INSERT INTO unplaced VALUES (?, ?, ?, ?) ON CONFLICT (node, boot)" + _WIDEN.format("unplaced")

_RECORD = ("boot", "sequence", "seconds", "quality", "uncertainty_s", "gateway", "received_unix_s")
_READINGS = (*("readings_" + name for name in _RECORD[:5]), "readings", "power_dw", "level_percent")


def _replace(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in names)


def _is_newer(names: tuple[str, ...]) -> str:
    boot, sequence = names[:2]
    newer = "excluded.{0} > latest.{0}"
    same = f"excluded.{boot} = latest.{boot}"
    return f"({newer.format(boot)} OR ({same} AND {newer.format(sequence)}))"


_INSERT = f"INSERT INTO latest (node, {', '.join(_RECORD + _READINGS)}) VALUES ({', '.join('?' * 16)}) "
_UPDATE = _INSERT + "ON CONFLICT (node) DO UPDATE SET {} WHERE {}"
# Most often both are newer: one statement then does it. Else each half is judged by itself.
_BOTH = _UPDATE.format(_replace(_RECORD + _READINGS), f"{_is_newer(_RECORD)} AND {_is_newer(_READINGS)}")
_HALVES = tuple(_UPDATE.format(_replace(half), _is_newer(half)) for half in (_RECORD, _READINGS))

_FORGET_LATEST = "DELETE FROM latest WHERE node = ?"
_MARK_ALL = "UPDATE day_spans SET dirty = 1 WHERE node = ?"
# A node tells of its own health in a record apart, each hour, between four reports: more of these do not come in a row.
_HEALTH_RUN_MAX = 8
_UPTIME = bytes((quantity.UPTIME,))
_NEWEST = f"""SELECT node, boot, sequence, seconds, quality, uncertainty_s, lane, body, gateway, received_unix_s
    FROM records WHERE node = ? {{}} ORDER BY boot DESC, sequence DESC LIMIT {_HEALTH_RUN_MAX}"""


class Marks:
    """Writes within the transactions of its owner, when it is told to `save`."""

    def __init__(self, connection: database.Connection) -> None:
        self._connection = connection
        self._newest: dict[bytes, tuple] = {}
        self._readings: dict[bytes, tuple] = {}
        self._spans: dict[tuple[bytes, int, int], list[int]] = {}
        self._unplaced: dict[tuple[bytes, int], list[int]] = {}

    def forget(self) -> None:
        """Begins a transaction."""
        for noted in (self._newest, self._readings, self._spans, self._unplaced):
            noted.clear()

    def note(self, rows: Iterable[tuple], gateway: int, received_unix_s: int) -> None:
        """Notes rows that are stored, as `tools.centre.ingest.plain.Row` names their columns."""
        newest, readings = self._newest, self._readings
        for row in rows:
            node, boot, sequence, seconds, quality, _, lane, _ = row
            held = newest.get(node)
            if held is None or row[1:3] > held[0][1:3]:
                newest[node] = row, gateway, received_unix_s
            if lane != _TELEMETRY:
                continue
            held = readings.get(node)
            if (held is None or row[1:3] > held[1:3]) and not _is_health(row[-1]):
                readings[node] = row
            spans: dict = self._unplaced if quality == record.UNSET else self._spans
            key = (node, boot) if quality == record.UNSET else (node, day_of(seconds), boot)
            span = spans.get(key)
            if span is None:
                spans[key] = [sequence, sequence]
            elif sequence > span[1]:
                span[1] = sequence
            elif sequence < span[0]:
                span[0] = sequence

    def note_times(self, identities: Iterable[tuple[bytes, int, int]]) -> None:
        """Notes readings (node, boot, sequence) whose time may have changed; a sequence of -1: all of the boot."""
        for node, boot, sequence in identities:
            first, last = (0, limits.SEQUENCE_MAX) if sequence < 0 else (sequence, sequence)
            span = self._unplaced.setdefault((node, boot), [first, last])
            span[:] = min(first, span[0]), max(last, span[1])

    def note_gone(self, node: bytes, boot: int) -> None:
        """Notes that the records of a node from a boot on are none any more: all its days are computed again."""
        for statement in (_FORGET_LATEST, _MARK_ALL):
            self._connection.execute(statement, (node,))
        self._connection.execute("DELETE FROM unplaced WHERE node = ? AND boot >= ?", (node, boot))
        for condition in ("", f"AND lane = {_TELEMETRY}"):
            for *row, gateway, received_s in self._connection.execute(_NEWEST.format(condition), (node,)).fetchall():
                self.note([tuple(row)], gateway, received_s)

    def save(self) -> None:
        """Ends a transaction."""
        measured: list[tuple] = []
        others: list[tuple] = []
        for node, (row, gateway, received_unix_s) in self._newest.items():
            readings = self._readings.get(node)
            rows = others if readings is None else measured
            rows.append((node, *row[1:6], gateway, received_unix_s, *_figures(readings)))
        if measured and self._connection.executemany(_BOTH, measured).rowcount < len(measured):
            for statement in _HALVES:
                self._connection.executemany(statement, measured)
        if others:
            self._connection.executemany(_HALVES[0], others)
        self._connection.executemany(MARK_DAY, [(*key, *span) for key, span in self._spans.items()])
        self._connection.executemany(MARK_UNPLACED, [(*key, *span) for key, span in self._unplaced.items()])


def _is_health(body: bytes) -> bool:
    """Returns whether readings are those of a node's own health, and not of what it serves."""
    return _UPTIME in body and quantity.UPTIME in bodies.decode(body)


def _figures(row: tuple | None) -> tuple:
    """Returns the half of `latest` that is about readings."""
    if row is None:
        return -1, -1, *(None,) * 6
    readings = bodies.decode(row[-1])
    return *row[1:6], row[-1], readings.get(quantity.POWER), readings.get(quantity.LEVEL_ORDERED)
