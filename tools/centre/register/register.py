"""Reads and writes the register in the warehouse: versions of equipment, and where a node or a gateway is on a day.

A node that serves no equipment on a day answers with the equipment it served last before, or first after: what a lamp
said on the day of its replacement has a name too. Must not parse a file; days are Unix seconds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple

from tools.centre.register.changes import Plan, plan
from tools.centre.register.equipment import CABINET, COMMUNE, FEEDER, Equipment, Key, Version, id_from_hex
from tools.centre.register.history import History, nearest
from tools.centre.register.statements import Statement
from tools.centre.store import database
from tools.centre.store.condition_tables import REPLACED

_COLUMNS = ", ".join(("insee", "kind", "id", "from_unix_s", "until_unix_s", *Equipment._fields))
_SELECT = f"SELECT {_COLUMNS} FROM equipment"
_ORDER = " ORDER BY insee, kind, id, from_unix_s"
_INSERT = f"INSERT INTO equipment ({_COLUMNS}) VALUES ({', '.join('?' * (5 + len(Equipment._fields)))})"

_NODES = """SELECT node, insee, name, received_unix_s FROM latest JOIN gateways ON gateways.gateway = latest.gateway
WHERE NOT EXISTS (SELECT 1 FROM equipment WHERE equipment.node = latest.node)
    AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.id = latest.node)
ORDER BY node"""
_COMMUNES = f"SELECT insee, name FROM equipment WHERE kind = '{COMMUNE}' AND until_unix_s IS NULL ORDER BY id DESC"
_GATEWAYS = """SELECT id, insee, name, first_seen_unix_s FROM gateways WHERE bound = 1
    AND NOT EXISTS (SELECT 1 FROM equipment WHERE equipment.node = gateways.id)
    AND NOT EXISTS (SELECT 1 FROM equipment WHERE equipment.insee = gateways.insee AND kind = 'cabinet'
        AND equipment.id = gateways.name)
ORDER BY insee, name"""
# The nodes that say something of a commune's equipment: those that serve it, those that its cabinets carry, and the
# gateways of the cabinets that it hangs on or that carry it, wherever these are.
NODES_OF_COMMUNE = """SELECT node FROM equipment WHERE insee = ? AND node IS NOT NULL
    UNION SELECT node FROM serving WHERE cabinet >= ? AND cabinet < ?
    UNION SELECT id FROM gateways WHERE insee = ? OR insee || '-' || name IN (
        SELECT cabinet FROM equipment WHERE insee = ? AND cabinet IS NOT NULL UNION
        SELECT serving.cabinet FROM serving JOIN equipment ON equipment.node = serving.node WHERE insee = ?)"""


def of_commune_values(insee: str) -> tuple[str, ...]:
    """Returns the values of NODES_OF_COMMUNE."""
    return insee, f"{insee}-", f"{insee}.", insee, insee, insee


def nodes_of_commune(connection: database.Connection, insee: str) -> list[bytes]:
    """Returns the nodes that say something of a commune's equipment, each once."""
    return [node for (node,) in connection.execute(NODES_OF_COMMUNE, of_commune_values(insee))]


class Place(NamedTuple):
    """States what a node serves, or where a cabinet is, as people call it. None is not known."""

    key: Key
    name: str | None
    street: str | None
    commune: str | None
    cabinet: str | None
    feeder: str | None


class UnknownNode(NamedTuple):
    """Names a node that sends and is not in the register: the cabinet that last carried it, and when that came."""

    node: bytes
    insee: str
    gateway: str
    received_unix_s: int


class UnknownGateway(NamedTuple):
    node: bytes
    insee: str
    gateway: str
    first_seen_unix_s: int


class Register:
    """Answers questions on one connection; it is used from one thread. It remembers the names that it was asked for: a
    later import is seen by a new one."""

    def __init__(self, connection: database.Connection) -> None:
        self._connection = connection
        self._served: dict[bytes, list[Version]] = {}
        self._histories: dict[Key, History] = {}

    # --- what stands where ---

    def versions(
        self, *, insee: str | None = None, kind: str | None = None, at_unix_s: int | None = None
    ) -> Iterator[Version]:
        """Returns the versions (of a commune, of a kind, in force at an instant) by commune, kind, id and day."""
        given = {"insee = ?": insee, "kind = ?": kind, "from_unix_s <= ?": at_unix_s}
        wanted = {condition: value for condition, value in given.items() if value is not None}
        if at_unix_s is not None:
            wanted["(until_unix_s IS NULL OR until_unix_s > ?)"] = at_unix_s
        where = " WHERE " + " AND ".join(wanted) if wanted else ""
        return map(_version, self._connection.execute(_SELECT + where + _ORDER, tuple(wanted.values())))

    def find(self, text: str) -> list[Version]:
        """Returns all versions of the equipment that a person names: by its id with or without commune, the number on
        its post, or a node that served it."""
        ids: list[object] = [text, text, text[6:] if text[5:6] == "-" else "", text[:5]]
        where = " WHERE id = ? OR post = ? OR (id = ? AND insee = ?)"
        if (node := id_from_hex(text)) is not None:
            where += " OR node = ?"
            ids.append(node)
        keys = {_version(row).key: None for row in self._connection.execute(_SELECT + where + _ORDER, ids)}
        return [Version(key, *version) for key in keys for version in self.history(key)]

    def history(self, key: Key) -> History:
        if key not in self._histories:
            rows = self._connection.execute(_SELECT + " WHERE insee = ? AND kind = ? AND id = ?" + _ORDER, key)
            self._histories[key] = tuple(_version(row)[1:] for row in rows)
        return self._histories[key]

    # --- names ---

    def of_node(self, node: bytes, *, unix_s: int, zone: int | None = None) -> Place | None:
        """Returns what a node serves; None when the register does not know it. `zone`: of a node that has several;
        without it their names are joined. The id of a gateway gives its cabinet."""
        versions = self._versions_of(node)
        if not versions:
            return self._of_gateway_id(node, unix_s)
        places = [self._place(version.key, version.equipment, unix_s) for version in _serving(versions, unix_s, zone)]
        return places[0] if len(places) == 1 else _together(places)

    def replaced_unix_s(self, node: bytes) -> int | None:
        """Returns since when another node, which has been heard since, is in the place of one that serves nothing any
        more; None where there is none."""
        versions = self._versions_of(node)
        if not versions or any(version.until_unix_s is None for version in versions):
            return None
        (at_s,) = self._connection.execute(f"SELECT {REPLACED.format('?')}", (node, node)).fetchone()
        return at_s

    def remember(self, nodes: Iterable[bytes]) -> None:
        """Reads at once what many nodes serve, and the communes of these, for `of_node`."""
        wanted = [node for node in nodes if node not in self._served]
        self._served.update((node, []) for node in wanted)
        insees: set[str] = set()
        for version in map(_version, self._connection.among(_SELECT + " WHERE node {}" + _ORDER, wanted)):
            assert version.equipment.node is not None
            self._served[version.equipment.node].append(version)
            insees.add(version.key.insee)
        communes = [insee for insee in insees if Key(insee, COMMUNE, insee) not in self._histories]
        rows = self._connection.among(f"{_SELECT} WHERE kind = '{COMMUNE}' AND insee {{}}{_ORDER}", communes)
        for key, versions in groupby(map(_version, rows), itemgetter(0)):
            self._histories[key] = tuple(version[1:] for version in versions)

    def of_gateway(self, insee: str, name: str, *, unix_s: int) -> Place | None:
        """Returns the cabinet of a gateway, which has its name; None when the register does not know it."""
        key = Key(insee, CABINET, name)
        equipment = nearest(self.history(key), unix_s)
        return None if equipment is None else self._place(key, equipment, unix_s)

    def of_feeder(self, cabinet: Place, feeder: str, *, unix_s: int) -> Place:
        """Returns a feeder of a cabinet, with what the register says of it."""
        key = Key(cabinet.key.insee, FEEDER, f"{cabinet.key.id}/{feeder}")
        equipment = nearest(self.history(key), unix_s)
        if equipment is None:
            return cabinet._replace(feeder=feeder)
        place = self._place(key, equipment, unix_s)
        return place._replace(street=place.street or cabinet.street)

    def _versions_of(self, node: bytes) -> list[Version]:
        if node not in self._served:
            rows = self._connection.execute(_SELECT + " WHERE node = ?" + _ORDER, (node,))
            self._served[node] = [_version(row) for row in rows]
        return self._served[node]

    def _of_gateway_id(self, node: bytes, unix_s: int) -> Place | None:
        row = self._connection.execute(
            "SELECT insee, name FROM gateways WHERE id = ? ORDER BY bound DESC LIMIT 1", (node,)
        ).fetchone()
        return None if row is None else self.of_gateway(*row, unix_s=unix_s)

    def _place(self, key: Key, equipment: Equipment, unix_s: int) -> Place:
        commune = nearest(self.history(Key(key.insee, COMMUNE, key.insee)), unix_s)
        cabinet = key.address if key.kind == CABINET else equipment.cabinet
        name = None if commune is None else commune.name
        return Place(key, equipment.name, equipment.street, name, cabinet, equipment.feeder)

    def gateway_ids(self, cabinet: str) -> list[bytes]:
        """Returns the ids of all gateways that ever were in a cabinet (49007-mairie-1)."""
        insee, _, name = cabinet.partition("-")
        rows = self._connection.execute("SELECT id FROM gateways WHERE insee = ? AND name = ?", (insee, name))
        return [identity for (identity,) in rows]

    # --- what the register lacks ---

    def unknown_nodes(self) -> list[UnknownNode]:
        """Returns the nodes that have sent and serve no equipment on any day; their records are kept like others."""
        return [UnknownNode(*row) for row in self._connection.execute(_NODES)]

    def unknown_gateways(self) -> list[UnknownGateway]:
        return [UnknownGateway(*row) for row in self._connection.execute(_GATEWAYS)]

    def unknown_references(self) -> list[tuple[Key, int]]:
        """Returns the communes, cabinets and feeders that equipment names and the register does not have, and how many
        equipments name each. A feeder of a cabinet that it does not have is left out."""
        named: dict[Key, set[Key]] = {}
        for key, _, _, equipment in self.versions():
            named.setdefault(key, set()).update(_references(key, equipment))
        counted = Counter(chain.from_iterable(named.values()))
        lacking = {key: times for key, times in counted.items() if key not in named}
        return sorted(
            (key, times)
            for key, times in lacking.items()
            if key.kind != FEEDER or Key(key.insee, CABINET, key.id.partition("/")[0]) in named
        )


def with_communes(connection: database.Connection, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns rows with the name of their commune in the place of its INSEE code, which becomes their `insee`."""
    names = dict(connection.execute(_COMMUNES))
    return [{**row, "insee": row["commune"], "commune": names.get(row["commune"]) or row["commune"]} for row in rows]


# --- changes ------------------------------------------------------------------------------------------------


def plan_of(connection: database.Connection, statements: Iterable[Statement], heading: Callable[[str], str]) -> Plan:
    """Returns what the statements would change."""
    register = Register(connection)
    stated = list(statements)
    held: dict[Key, History] = {}
    for insee in sorted({statement.key.insee for statement in stated}):
        for key, *version in register.versions(insee=insee):
            held[key] = (*held.get(key, ()), tuple(version))  # type: ignore[arg-type]
    served = map(_version, connection.execute(_SELECT + " WHERE node IS NOT NULL"))
    return plan(held, stated, served, heading)


def apply(connection: database.Connection, planned: Plan) -> None:
    """Writes what was planned, in the transaction of the caller, in which it was planned too."""
    assert not planned.faults
    keys = list(planned.histories)
    connection.executemany("DELETE FROM equipment WHERE insee = ? AND kind = ? AND id = ?", keys)
    rows = [(*key, start, end, *what) for key in keys for start, end, what in planned.histories[key]]
    connection.executemany(_INSERT, rows)


def _version(row: tuple) -> Version:
    return Version(Key(*row[:3]), row[3], row[4], Equipment._make(row[5:]))


def _serving(versions: list[Version], unix_s: int, zone: int | None) -> list[Version]:
    """Returns the versions in force, of that zone where one is; none in force: the last before, or the first after."""
    if len(versions) == 1:
        return versions
    before = [one for one in versions if one.from_unix_s <= unix_s]
    now = [one for one in before if one.until_unix_s is None or unix_s < one.until_unix_s]
    if not now:
        begin_s = max(map(_begin, before)) if before else min(map(_begin, versions))
        now = [one for one in versions if one.from_unix_s == begin_s]
    return [one for one in now if zone is not None and one.equipment.zone == zone] or now


def _begin(version: Version) -> int:
    return version.from_unix_s


def _together(places: list[Place]) -> Place:
    """Returns one place for the zones of a node: their names joined, and what they have in common."""
    names = ", ".join(place.name or place.key.id for place in places)
    others = zip(*(place[2:] for place in places), strict=True)
    return Place(places[0].key, names, *(values[0] if len(set(values)) == 1 else None for values in others))


def _references(key: Key, equipment: Equipment) -> Iterator[Key]:
    if key.kind != COMMUNE:
        yield Key(key.insee, COMMUNE, key.insee)
    if equipment.cabinet is not None:
        insee, _, name = equipment.cabinet.partition("-")
        yield Key(insee, CABINET, name)
        if equipment.feeder is not None:
            yield Key(insee, FEEDER, f"{name}/{equipment.feeder}")
