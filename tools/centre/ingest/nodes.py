"""Knows who may speak for a node, and which boot of it is the newest.

A node belongs to the cabinet that was first heard to speak for it; a person binds it to another (`bocage centre bind`).
The register (`tools.centre.register`) does not decide this: it says which equipment a node serves. A node has its key
in one gateway's folder, where a person has put it, and does not move by itself to another cabinet's radio; so several
cabinets serve a node only where a person says so. A cabinet is named as in its certificate, insee-name: a gateway that
was exchanged under that name (`bocage centre unbind`) speaks for the same nodes. A gateway's own id belongs to its
cabinet in the same way.

What a transaction needs of the nodes is read at its beginning (`load`), unless it is known since an earlier one and no
other process has written meanwhile; what changed is written at its end (`save`).
"""

from collections.abc import Iterable

from tools.centre.ingest.plain import Row
from tools.centre.ingest.prefix import Sender
from tools.centre.limits import NODES_PER_CABINET_MAX, NODES_REMEMBERED_MAX
from tools.centre.store import database
from wire import record

_SELECT = """SELECT node, cabinet, boot, began_unix_s, purged_boot, purged_sequence
    FROM serving LEFT JOIN boots USING (node) LEFT JOIN purged_nodes USING (node)
    WHERE node {}"""
_PURGED = """SELECT 1 FROM purged WHERE node = ? AND boot = ? AND first <= ? AND last >= ?
    AND NOT EXISTS (SELECT 1 FROM records WHERE node = ? AND boot = ? AND sequence = ?)"""

_DISOWN = """INSERT INTO disowned VALUES (?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET
    first_boot = CASE WHEN excluded.first_boot < disowned.first_boot
        THEN excluded.first_boot ELSE disowned.first_boot END,
    last_boot = CASE WHEN excluded.last_boot > disowned.last_boot THEN excluded.last_boot ELSE disowned.last_boot END,
    decided_unix_s = excluded.decided_unix_s"""
# As `doubts` notes it: the newest boot, and the latest instant at which it can have begun.
_NEWEST_BOOT = f"""SELECT max(boot), min(CASE WHEN quality <> {record.UNSET} AND NOT EXISTS (SELECT 1 FROM doubts
        WHERE doubts.node = records.node AND doubts.boot = records.boot AND doubts.sequence = records.sequence)
        THEN seconds + uncertainty_s END) FROM records
    WHERE node = ? AND boot = (SELECT max(boot) FROM records WHERE node = ?)"""


class Life:
    """Holds what is known of one node. `boot`: the newest, None before the first record; `began_s`: the latest instant
    at which that boot can have begun, None while no record of it states a time; `purged`: (boot, sequence) after which
    nothing is purged."""

    __slots__ = ("began_s", "boot", "cabinets", "purged")

    def __init__(
        self, boot: int | None = None, began_s: int | None = None, purged: tuple[int, int] = (-1, -1)
    ) -> None:
        self.cabinets: list[str] = []
        self.boot = boot
        self.began_s = began_s
        self.purged = purged


class Nodes:
    """Reads and writes both within the transactions of its owner."""

    def __init__(self, connection: database.Connection):
        self._connection = connection
        self._lives: dict[bytes, Life] = {}
        self.senders: dict[tuple[str, bytes], Sender] = {}  # by cabinet and id, those that are bound
        self._changed: set[bytes] = set()
        self._bound: list[tuple[bytes, str, int]] = []  # node, cabinet and time, to be written
        self._version = -1
        self._disowned: dict[bytes, tuple[int, int]] = {}

    def load(self, nodes: Iterable[bytes]) -> None:
        """Begins a transaction that is about these nodes."""
        version = self._connection.changes_by_others()
        if version != self._version or len(self._lives) > NODES_REMEMBERED_MAX:
            self.forget()
            self._version = version
            found = self._connection.execute("SELECT node, first_boot, last_boot FROM disowned")
            self._disowned = {node: boots for node, *boots in found}
        wanted = [node for node in nodes if node not in self._lives]
        for node, cabinet, boot, began_s, *purged in self._connection.among(_SELECT, wanted):
            life = self._lives.get(node)
            if life is None:
                life = self._lives[node] = Life(boot, began_s, (-1, -1) if purged[0] is None else tuple(purged))
            life.cabinets.append(cabinet)

    def forget(self) -> None:
        """Ends a transaction that failed, or unbinds: what is known is read anew."""
        self._lives.clear()
        self.senders.clear()
        self._changed.clear()
        self._bound.clear()

    def note_boot(self, node: bytes, boot: int, began_s: int | None) -> None:
        """Notes the newest boot of a node."""
        life = self.life(node)
        life.boot, life.began_s = boot, began_s
        self._changed.add(node)

    def life(self, node: bytes) -> Life:
        """Returns what is known of one of the nodes that were loaded."""
        if node not in self._lives:
            self._lives[node] = Life()
        return self._lives[node]

    def cabinets_of(self, node: bytes) -> list[str]:
        """Returns the cabinets that may speak for the node; none: it was never heard."""
        return self.life(node).cabinets

    def others(self, nodes: Iterable[bytes], cabinet: str) -> dict[bytes, list[str]]:
        """Returns those of the nodes for which the cabinet may not speak, with the cabinets that may."""
        lives = self._lives
        return {
            node: cabinets
            for node in nodes
            if cabinet not in (cabinets := lives[node].cabinets if node in lives else [])
        }

    def purged(self, rows: Iterable[Row]) -> set[tuple[bytes, int, int]]:
        """Returns the identities of those rows that were held and are purged."""
        old = [row[:3] for row in rows if row[1:3] <= self.life(row[0]).purged]
        return {one for one in old if self._connection.execute(_PURGED, (*one, one[2], *one)).fetchone() is not None}

    def disowned(self, rows: Iterable[Row]) -> list[Row]:
        """Returns the rows of boots that were a stranger's."""
        if not self._disowned:
            return []
        boots = self._disowned
        return [row for row in rows if row[0] in boots and boots[row[0]][0] <= row[1] <= boots[row[0]][1]]

    def disown(self, node: bytes, first_boot: int, last_boot: int, now_s: int) -> None:
        """Notes boots of a node as a stranger's, and finds the newest of its own."""
        self._connection.execute(_DISOWN, (node, first_boot, last_boot, now_s))
        self._connection.execute("DELETE FROM boots WHERE node = ?", (node,))
        boot, began_s = self._connection.execute(_NEWEST_BOOT, (node, node)).fetchone()
        life = self.life(node)
        life.boot = life.began_s = None
        if boot is not None:
            self.note_boot(node, boot, began_s)
        self._version = -1

    def own(self, nodes: Iterable[bytes]) -> None:
        """Forgets that boots of these nodes were a stranger's."""
        self._connection.executemany("DELETE FROM disowned WHERE node = ?", [(node,) for node in nodes])
        self._version = -1

    def has_room(self, cabinet: str, more: int) -> bool:
        """Returns whether the cabinet may have so many nodes more at first sight."""
        held = self._connection.execute("SELECT count(*) FROM serving WHERE cabinet = ?", (cabinet,)).fetchone()[0]
        held += sum(bound[1] == cabinet for bound in self._bound)
        return held + more <= NODES_PER_CABINET_MAX

    def bind(self, node: bytes, cabinet: str, now_s: int, *, alone: bool = False) -> None:
        """Lets the cabinet speak for the node; `alone`: no other any longer."""
        if alone:
            self._connection.execute("DELETE FROM serving WHERE node = ? AND cabinet != ?", (node, cabinet))
        self._bound.append((node, cabinet, now_s))
        life = self.life(node)
        life.cabinets = [cabinet] if alone else [*life.cabinets, cabinet]

    def save(self) -> None:
        """Ends a transaction."""
        self._connection.executemany(
            "INSERT INTO boots VALUES (?, ?, ?)"
            " ON CONFLICT (node) DO UPDATE SET boot = excluded.boot, began_unix_s = excluded.began_unix_s",
            [(node, self._lives[node].boot, self._lives[node].began_s) for node in self._changed],
        )
        self._connection.executemany("INSERT INTO serving VALUES (?, ?, ?) ON CONFLICT DO NOTHING", self._bound)
        self._changed.clear()
        self._bound.clear()
