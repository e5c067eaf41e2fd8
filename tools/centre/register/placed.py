"""Brings into the register which light a node serves, as a technician stated beside it at the page of its cabinet.

Where the register has no node at that light, and the node serves nothing, the statement is applied from its day on.
Where it has the same, nothing is to do. Anything else (another node, another light, no such light, several) is proposed
to an operator, who accepts or refuses it; the statement stands until then, and a later one of the same node takes its
place. What was so before stays known (`history`). Nothing here depends on who stated it: the record has that.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from tools.centre.register import register
from tools.centre.register.equipment import LIGHT, Key, first_second, fold
from tools.centre.register.statements import Statement
from tools.centre.register.table import Fault
from tools.centre.store import database
from wire import record

# Why a statement is not applied by itself: the register has no such light, or several that fit; it has another node
# there, or this node elsewhere; it has a light of a node that is stated to serve none.
UNKNOWN, SEVERAL, DIFFERS, GONE = "unknown", "several", "differs", "gone"
APPLY, AGREES = "apply", "agrees"

_KEEP = """INSERT INTO placed VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (node) DO UPDATE SET
    insee = excluded.insee, light = excluded.light, street = excluded.street, stated_unix_s = excluded.stated_unix_s,
    by_node = excluded.by_node, by_boot = excluded.by_boot, by_sequence = excluded.by_sequence, decided = 0
    WHERE excluded.stated_unix_s > placed.stated_unix_s OR (excluded.stated_unix_s = placed.stated_unix_s
        AND excluded.by_node = placed.by_node AND (excluded.by_boot > placed.by_boot
        OR excluded.by_boot = placed.by_boot AND excluded.by_sequence > placed.by_sequence))"""
_OPEN = "SELECT node, insee, light, street, stated_unix_s, by_node FROM placed WHERE decided = 0 ORDER BY 2, 3, 1"
_LIGHTS = f"""SELECT id, from_unix_s, street, node FROM equipment WHERE insee = ? AND kind = '{LIGHT}'
    AND (id = ? OR post = ?) AND until_unix_s IS NULL ORDER BY id"""
_SERVED = "SELECT insee, kind, id, from_unix_s FROM equipment WHERE node = ? AND until_unix_s IS NULL ORDER BY 1, 2, 3"


class Placed(NamedTuple):
    """States that a node serves a light, by the word of a gateway, and what the register has: `key`, the light (None:
    not found, or several); `holder`, its node there; `serves`, what the node serves. `state`: APPLY, AGREES, or why a
    person decides."""

    node: bytes
    insee: str
    light: str | None
    street: str | None
    stated_unix_s: int
    gateway: bytes
    state: str
    key: Key | None = None
    from_unix_s: int = 0
    holder: bytes | None = None
    serves: tuple[tuple[Key, int], ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state not in (APPLY, AGREES)


def keep(connection: database.Connection, contents: Any, insee: str, now_s: int) -> None:
    """Keeps what the placings of a batch state, in the transaction of the rows. `contents`: of ingest.intake."""
    rows = {row[:3]: row for row in contents.rows}
    for by, about, light, street in contents.placings:
        row = rows[by]
        is_dated = row.quality != record.UNSET and row.seconds <= now_s
        values = (about, insee, light, street, row.seconds if is_dated else now_s, *by)
        connection.execute(_KEEP, values)


def open_statements(connection: database.Connection) -> list[Placed]:
    """Returns every statement that is not decided, with what the register has."""
    return [_compared(connection, *row) for row in connection.execute(_OPEN).fetchall()]


def reconcile(connection: database.Connection) -> int:
    """Applies what contradicts nothing; returns how many lights got their node."""
    if connection.execute("SELECT 1 FROM placed WHERE decided = 0 LIMIT 1").fetchone() is None:
        return 0
    with database.transaction(connection):
        found = open_statements(connection)
        _decide(connection, [one.node for one in found if one.state == AGREES])
        # Two nodes that are stated to serve one light are for a person.
        nodes = Counter(one.key for one in found if one.state == APPLY)
        applied = [one for one in found if one.state == APPLY and nodes[one.key] == 1]
        if not applied:
            return 0
        # A node that served something else on that day, by the register of before, is for a person too.
        if _write(connection, map(_statement, applied)):
            applied = [one for one in applied if not _write(connection, [_statement(one)])]
        _decide(connection, [one.node for one in applied])
    return len(applied)


def accept(connection: database.Connection, nodes: Collection[bytes]) -> tuple[list[bytes], tuple[Fault, ...]]:
    """Brings what is stated of these nodes into the register, in place of what it has. Returns those of which nothing
    stands, or whose light it does not know, and what forbids the others: then nothing is changed. Nodes that were
    exchanged are accepted together."""
    with database.transaction(connection):
        chosen = [one for one in open_statements(connection) if one.node in nodes]
        able = [one for one in chosen if one.key is not None or one.state == GONE]
        given: dict[Key, Statement] = {}
        for one in able:
            for key, start in one.serves:
                given[key] = Statement(0, key, max(start, first_second(one.stated_unix_s)), None, {"node": None})
        given |= {one.key: _statement(one) for one in able if one.key is not None}
        faults = _write(connection, given.values())
        if not faults:
            _decide(connection, [one.node for one in able])
    return sorted(set(nodes) - {one.node for one in able}), faults


def refuse(connection: database.Connection, nodes: Collection[bytes]) -> list[bytes]:
    """Sets what is stated of these nodes aside; returns those of which nothing stands."""
    with database.transaction(connection):
        standing_nodes = {row[0] for row in connection.execute(_OPEN)}
        _decide(connection, standing_nodes & set(nodes))
    return sorted(set(nodes) - standing_nodes)


# --- inside -------------------------------------------------------------------------------------------------


def _compared(
    connection: database.Connection,
    node: bytes,
    insee: str,
    light: str | None,
    street: str | None,
    stated_s: int,
    gateway: bytes,
) -> Placed:
    serves = tuple((Key(*row[:3]), row[3]) for row in connection.execute(_SERVED, (node,)))
    stated = Placed(node, insee, light, street, stated_s, gateway, GONE if serves else AGREES, serves=serves)
    if light is None:
        return stated
    id = light.removeprefix(f"{insee}-")
    found = connection.execute(_LIGHTS, (insee, id, id)).fetchall()
    if street is not None and len(found) > 1:
        found = [row for row in found if fold(row[2] or "") == fold(street)]
    if len(found) != 1:
        return stated._replace(state=SEVERAL if found else UNKNOWN)
    id, from_s, _, holder = found[0]
    key = Key(insee, LIGHT, id)
    is_free = holder is None and not serves
    state = AGREES if holder == node else APPLY if is_free else DIFFERS
    return stated._replace(state=state, key=key, from_unix_s=from_s, holder=holder)


def _statement(one: Placed) -> Statement:
    """Returns the node of the light from the day of the statement on, or from the light's first day."""
    assert one.key is not None
    start = max(first_second(one.stated_unix_s), one.from_unix_s)
    return Statement(0, one.key, start, None, {"node": one.node})


def _write(connection: database.Connection, statements: Iterable[Statement]) -> tuple[Fault, ...]:
    """Changes the register, if nothing forbids it; returns what does."""
    planned = register.plan_of(connection, statements, str)
    if not planned.faults:
        register.apply(connection, planned)
    return planned.faults


def _decide(connection: database.Connection, nodes: Iterable[bytes]) -> None:
    connection.executemany("UPDATE placed SET decided = 1 WHERE node = ?", [(node,) for node in nodes])
