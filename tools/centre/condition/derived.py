"""Keeps the tables `faults`, `feeders` and `campaigns` equal to what the records say, in the transaction that stores
the records.

Any order of arrival gives the same faults. What arrives after all that is known of a node, as nearly always, is folded
onto its open faults; for what arrives late, the node's records are read again from there on. Both cost as much as the
alarms that they concern: a territory has some hundreds a day, and readings cost nothing here.

It writes no record, and reads no clock.
"""

from collections.abc import Iterable
from typing import Any

from tools.centre.condition.fold import Fault, Position, campaign, fold, statement, switched
from tools.centre.store import bodies, database
from wire import event

_ALARM, _EVENT = event.LANES.index(event.ALARM), event.LANES.index(event.EVENT)
_COLUMNS = "boot, sequence, code, part, last_boot, last_sequence, end_boot, end_sequence"
# The faults that end at a position or later, or not yet; a step in the index of ends, however many faults there were.
_NOT_OVER_AT = " UNION ALL ".join(
    f"SELECT {_COLUMNS} FROM faults WHERE node = ? AND {ends}"
    for ends in ("end_boot IS NULL", "(end_boot, end_sequence) >= (?, ?)")
)
_RECORDS = """SELECT boot, sequence, body FROM records
    WHERE node = ? AND (boot, sequence) >= (?, ?) AND lane = ? ORDER BY boot, sequence"""
_RECORD = """SELECT body, seconds, quality, received_unix_s FROM records
    WHERE node = ? AND boot = ? AND sequence = ?"""
_SWITCHED = """INSERT INTO feeders (node, feeder, boot, sequence, closed, seconds, quality, received_unix_s)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node, feeder) DO UPDATE
    SET boot = excluded.boot, sequence = excluded.sequence, closed = excluded.closed, seconds = excluded.seconds,
        quality = excluded.quality, received_unix_s = excluded.received_unix_s
    WHERE (excluded.boot, excluded.sequence) > (feeders.boot, feeders.sequence)"""

_CAMPAIGN = """INSERT INTO campaigns (node, product, boot, sequence) VALUES (?, ?, ?, ?)
    ON CONFLICT (node, product) DO UPDATE SET boot = excluded.boot, sequence = excluded.sequence
    WHERE (excluded.boot, excluded.sequence) > (campaigns.boot, campaigns.sequence)"""


class Derived:
    """Reads and writes within the transactions of its owner."""

    def __init__(self, connection: database.Connection):
        self._connection = connection
        self._touched: dict[bytes, Position] = {}
        self._switched: list[tuple[bytes, str, int, int, bool]] = []
        self._campaigns: list[tuple[bytes, str, int, int]] = []

    def note(self, rows: Iterable[Any]) -> None:
        """Notes records that this transaction stores (rows of the ingest)."""
        for row in rows:
            if row.lane == _ALARM:
                position = row.boot, row.sequence
                self._touched[row.node] = min(position, self._touched.get(row.node, position))
            elif row.lane == _EVENT:
                self._note_event(row.node, row.boot, row.sequence, row.body)

    def _note_event(self, node: bytes, boot: int, sequence: int, body: bytes) -> None:
        decoded = bodies.decode(body)
        for feeder, closed in switched(decoded).items():
            self._switched.append((node, feeder, boot, sequence, closed))
        if (product := campaign(decoded)) is not None:
            self._campaigns.append((node, product, boot, sequence))

    def note_gone(self, node: bytes, boot: int) -> None:
        """Notes that the records of a node from a boot on are none any more."""
        self._connection.execute(
            "UPDATE faults SET end_boot = NULL, end_sequence = NULL WHERE node = ? AND end_boot >= ?", (node, boot)
        )
        position = boot, 0
        self._touched[node] = min(position, self._touched.get(node, position))
        gone = [
            self._connection.execute(f"DELETE FROM {table} WHERE node = ? AND boot >= ?", (node, boot)).rowcount
            for table in ("feeders", "campaigns")
        ]
        if any(gone):
            for at, sequence, body in self._connection.execute(_RECORDS, (node, -1, 0, _EVENT)).fetchall():
                self._note_event(node, at, sequence, body)

    def forget(self) -> None:
        """Begins a transaction, or ends one that failed."""
        self._touched.clear()
        self._switched.clear()
        self._campaigns.clear()

    def save(self) -> None:
        """Ends a transaction."""
        for node, position in self._touched.items():
            self._refold(node, position)
        # Only what is held counts: of two records with one identity, the first.
        held = []
        for node, feeder, boot, sequence, closed in self._switched:
            body, *stamp = self._record(node, boot, sequence)
            if switched(body) == {feeder: closed}:
                held.append((node, feeder, boot, sequence, int(closed), *stamp))
        self._connection.executemany(_SWITCHED, held)
        decoded = [row for row in self._campaigns if campaign(self._record(row[0], *row[2:])[0]) == row[1]]
        self._connection.executemany(_CAMPAIGN, decoded)
        self.forget()

    def _record(self, node, boot, sequence):
        """Returns the body of a record, its time and the quality of that, and when it was received."""
        body, *stamp = self._connection.execute(_RECORD, (node, boot, sequence)).fetchone()
        return bodies.decode(body), *stamp

    def _refold(self, node, position):
        while True:
            found = map(_fault, self._connection.execute(_NOT_OVER_AT, (node, node, *position)))
            known = sorted(fault for fault in found if fault.begin < position)
            # What a record after the position states too is folded again from its beginning.
            earlier = [fault.begin for fault in known if fault.last >= position]
            if not earlier:
                break
            position = min(earlier)
        stated = (
            statement((boot, sequence), bodies.decode(body))
            for boot, sequence, body in self._connection.execute(_RECORDS, (node, *position, _ALARM)).fetchall()
        )
        faults = fold(known, (one for one in stated if one is not None))
        self._connection.execute("DELETE FROM faults WHERE node = ? AND (boot, sequence) >= (?, ?)", (node, *position))
        self._connection.executemany(
            "DELETE FROM faults WHERE node = ? AND boot = ? AND sequence = ?",
            [(node, *fault.begin) for fault in known],
        )
        self._connection.executemany(
            f"INSERT INTO faults (node, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (node, *fault.begin, fault.code, fault.part, *fault.last, *(fault.end or (None, None)))
                for fault in faults
            ],
        )


def _fault(row) -> Fault:
    boot, sequence, code, part, last_boot, last_sequence, *end = row
    ends = None if end[0] is None else (end[0], end[1])
    return Fault((boot, sequence), code, part, (last_boot, last_sequence), ends)
