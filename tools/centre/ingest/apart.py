"""Keeps apart what a cabinet says about nodes that are not its own, and what a stranger said with a node's key, whole
and unaltered, until a person decides, or for as long as readings are kept.

The positions of such records are held like any other, so they stop no gateway's journal; but they are no rows, gaps,
anchors or doubts. Released, they become what they would have been at their receipt; discarded, they go.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from tools.centre.ingest import intake
from tools.centre.ingest.intake import Contents
from tools.centre.ingest.plain import Row
from tools.centre.limits import APART_RECORDS_MAX
from tools.centre.store import database

_COLUMNS = """cabinet, about, node, boot, sequence, seconds, quality, uncertainty_s, lane, body, gateway,
    received_unix_s"""
_INSERT = f"INSERT INTO apart ({_COLUMNS}) VALUES ({', '.join('?' * 12)}) ON CONFLICT DO NOTHING"
_ROWS = """SELECT number, about, node, boot, sequence, seconds, quality, uncertainty_s, lane, body,
    apart.gateway, id, received_unix_s FROM apart JOIN gateways ON gateways.gateway = apart.gateway
    WHERE cabinet = ? ORDER BY number"""
# Nobody has decided to let them count: whoever binds a cabinet to a node means to release what it said of it before.
_OLD = """FROM apart WHERE received_unix_s < ? AND NOT EXISTS (SELECT 1 FROM serving
    WHERE serving.node = apart.about AND serving.cabinet = apart.cabinet AND NOT EXISTS (SELECT 1 FROM disowned
        WHERE disowned.node = apart.node AND apart.boot >= first_boot AND apart.boot <= last_boot))"""

_OF_BOOTS = """SELECT insee || '-' || name, {0}.gateway, received_unix_s,
    node, boot, sequence, seconds, quality, uncertainty_s, lane, body
    FROM {0} JOIN gateways ON gateways.gateway = {0}.gateway WHERE node = ? AND boot >= ?
    ORDER BY 1, 2, 3, boot, sequence"""


class Released(NamedTuple):
    """Holds what one gateway brought at one time: the gateway's number, the time of receipt, and the rows."""

    gateway: int
    received_unix_s: int
    contents: Contents


class Apart:
    """Reads and writes within the transactions of its owner."""

    def __init__(self, connection: database.Connection):
        self._connection = connection

    def has_room(self, cabinet: str) -> bool:
        found = self._connection.execute("SELECT records FROM apart_counts WHERE cabinet = ?", (cabinet,)).fetchone()
        return found is None or found[0] < APART_RECORDS_MAX

    def is_empty(self, cabinet: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM apart WHERE cabinet = ? LIMIT 1", (cabinet,)).fetchone()
        return found is None

    def keep(self, rows: Iterable[tuple[bytes, Row]], cabinet: str, gateway: int, now_s: int) -> None:
        """Keeps rows, each with the node that it is about."""
        values = [(cabinet, about, *row, gateway, now_s) for about, row in rows]
        self._count(cabinet, self._connection.executemany(_INSERT, values).rowcount)

    def move_out(self, node: bytes, first_boot: int) -> list[Row]:
        """Moves the records of these boots of a node here; returns them."""
        moved: list[Row] = []
        for table in ("records", "conflicts"):
            found = self._connection.execute(_OF_BOOTS.format(table), (node, first_boot)).fetchall()
            for source, some in groupby(found, key=lambda row: row[:3]):
                rows = [Row(*row[3:]) for row in some]
                self.keep(((node, row) for row in rows), *source)
                moved += rows
            self._connection.execute(f"DELETE FROM {table} WHERE node = ? AND boot >= ?", (node, first_boot))
        return moved

    def remove(self, cabinet: str, nodes: Iterable[bytes] | None) -> list[Released]:
        """Removes what is kept of a cabinet about these nodes (None: about any), and returns it in order of receipt."""
        wanted = None if nodes is None else set(nodes)
        rows = [row for row in self._connection.execute(_ROWS, (cabinet,)) if wanted is None or row[1] in wanted]
        self._connection.executemany("DELETE FROM apart WHERE number = ?", [row[:1] for row in rows])
        self._count(cabinet, -len(rows))
        return list(_released(rows))

    def count_old(self, before_s: int) -> int:
        """Returns how many records `remove_old` would remove, however many at once."""
        (count,) = self._connection.execute(f"SELECT count(*) {_OLD}", (before_s,)).fetchone()
        return count

    def remove_old(self, before_s: int, records: int) -> int:
        """Removes so many records at most that were received before, and whose cabinet has not been bound to their node
        since; what a stranger said goes in any case. Returns how many went."""
        found = self._connection.execute(f"SELECT number, cabinet {_OLD} ORDER BY number LIMIT ?", (before_s, records))
        rows = found.fetchall()
        self._connection.executemany("DELETE FROM apart WHERE number = ?", [row[:1] for row in rows])
        for cabinet, count in Counter(cabinet for _, cabinet in rows).items():
            self._count(cabinet, -count)
        return len(rows)

    def _count(self, cabinet: str, more: int) -> None:
        self._connection.execute(
            "INSERT INTO apart_counts VALUES (?, ?)"
            " ON CONFLICT (cabinet) DO UPDATE SET records = apart_counts.records + excluded.records",
            (cabinet, more),
        )


def _released(rows) -> Iterator[Released]:
    for (gateway, identity, received_s), some in groupby(rows, key=lambda row: row[10:]):
        yield Released(gateway, received_s, intake.contents_of((Row(*row[2:10]) for row in some), identity))
