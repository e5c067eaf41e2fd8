"""Works out what the rules ask about a person: which cabinets and nodes are theirs, in temporary tables.

What is granted are communes and trades; the register says which cabinets and nodes these have, and from when to when.
"""

from tools.centre.register.equipment import CABINET, day_text
from tools.centre.scope import grants
from tools.centre.scope.rules import ALWAYS_S, area, is_open
from tools.centre.store import database, sqlite_file

# Before and after all days.
_FIRST_DAY, _LAST_DAY = "", "9"
_AREAS = "CREATE TEMP TABLE scope_areas (insee TEXT NOT NULL, trade TEXT NOT NULL, PRIMARY KEY (insee, trade))"
_RELATIONS = """;
CREATE TEMP TABLE scope_cabinets (cabinet TEXT NOT NULL PRIMARY KEY);
CREATE TEMP TABLE scope_nodes (
    node BLOB NOT NULL, from_unix_s BIGINT NOT NULL, until_unix_s BIGINT NOT NULL,
    from_day TEXT NOT NULL, until_day TEXT NOT NULL, is_always BIGINT NOT NULL,
    PRIMARY KEY (node, from_unix_s)
);
CREATE TEMP TABLE scope_several (node BLOB NOT NULL PRIMARY KEY)"""
_COMMUNES = "SELECT insee FROM equipment UNION SELECT insee FROM gateways"
_CONTROL_COMMUNES = "SELECT insee FROM gateways UNION SELECT insee FROM commands UNION SELECT insee FROM policies"
# Nodes that served several equipments, at once or one after the other.
_SEVERAL = "SELECT node FROM equipment WHERE node IS NOT NULL GROUP BY node HAVING count(*) > 1"
_IS_OPEN = is_open("e", cabinets=grants.LIGHTING)
# In SQLite a CROSS JOIN is done as it is written: by the communes, not by all nodes.
_SERVED_ONE = f"""SELECT e.node, -{ALWAYS_S}, {ALWAYS_S}
    FROM (SELECT DISTINCT insee FROM scope_areas) AS c CROSS JOIN equipment AS e
    WHERE e.insee = c.insee AND e.node IS NOT NULL AND e.node NOT IN (SELECT node FROM scope_several) AND {_IS_OPEN}"""
# From the first on for ever before, and after each until it served the next.
_SERVED_SEVERAL = f"""SELECT e.node,
    CASE WHEN e.from_unix_s = (SELECT min(f.from_unix_s) FROM equipment AS f WHERE f.node = e.node)
        THEN -{ALWAYS_S} ELSE e.from_unix_s END AS begins,
    max(CASE WHEN e.until_unix_s IS NULL THEN {ALWAYS_S} ELSE COALESCE((SELECT min(f.from_unix_s) FROM equipment AS f
        WHERE f.node = e.node AND f.from_unix_s >= e.until_unix_s), {ALWAYS_S}) END) AS ends
    FROM scope_several AS v CROSS JOIN equipment AS e WHERE e.node = v.node AND {_IS_OPEN} GROUP BY 1, 2"""
_GATEWAYS = f"""SELECT g.id, g.begins, g.ends FROM
    (SELECT id, insee, COALESCE(CASE WHEN lag(id) OVER own IS NULL THEN -{ALWAYS_S} END, first_seen_unix_s) AS begins,
        COALESCE(lead(first_seen_unix_s) OVER own, {ALWAYS_S}) AS ends
        FROM gateways WINDOW own AS (PARTITION BY id ORDER BY gateway)) AS g
    WHERE {area("g.insee", f"'{grants.LIGHTING}'")} AND NOT EXISTS (SELECT 1 FROM equipment AS e WHERE e.node = g.id)"""
_STRANGERS = f"""SELECT v.node, -{ALWAYS_S}, {ALWAYS_S} FROM serving AS v
    WHERE NOT EXISTS (SELECT 1 FROM equipment AS e WHERE e.node = v.node)
    AND v.node NOT IN (SELECT id FROM gateways)
    GROUP BY v.node
    HAVING min(CASE WHEN {area("substr(v.cabinet, 1, 5)", f"'{grants.EVERY}'")} THEN 1 ELSE 0 END) = 1"""
_CABINETS = f"""SELECT g.insee || '-' || g.name FROM gateways AS g WHERE {area("g.insee", f"'{grants.ANY}'")}
    UNION SELECT e.insee || '-' || e.id FROM equipment AS e JOIN scope_areas AS a ON a.insee = e.insee
        WHERE e.kind = '{CABINET}' AND a.trade = '{grants.ANY}'
    UNION SELECT v.cabinet FROM scope_nodes AS s JOIN serving AS v ON s.node = v.node
        WHERE s.until_unix_s = {ALWAYS_S}"""


def _relate_areas(connection: database.Connection, areas: set[tuple[str, str]], communes: str, tables: str) -> None:
    for statement in tables.split(";"):
        is_file = isinstance(connection, sqlite_file.Connection)
        connection.execute(statement + (" WITHOUT ROWID" if is_file else ""))
    everywhere = {trade for insee, trade in areas if insee == grants.ALL}
    known = [insee for (insee,) in connection.execute(communes)] if everywhere else []
    of_all = {(insee, trade) for insee in known for trade in everywhere}
    connection.executemany("INSERT INTO scope_areas VALUES (?, ?)", sorted(areas | of_all))


def relate_control(connection: database.Connection, areas: set[tuple[str, str]]) -> None:
    """Makes and fills the relation of the rules for a control file."""
    _relate_areas(connection, areas, _CONTROL_COMMUNES, _AREAS)


def relate(connection: database.Connection, areas: set[tuple[str, str]]) -> None:
    """Makes and fills the relations of the rules for a warehouse, as temporary tables of either engine."""
    _relate_areas(connection, areas, _COMMUNES, _AREAS + _RELATIONS)
    if (grants.ALL, grants.EVERY) in areas:
        return
    connection.execute("INSERT INTO scope_several " + _SEVERAL)
    questions = [_SERVED_ONE, _SERVED_SEVERAL, _GATEWAYS]
    if any(trade == grants.EVERY for _, trade in areas):
        questions.append(_STRANGERS)
    for question in questions:
        always = f"SELECT n.*, '{_FIRST_DAY}', '{_LAST_DAY}', 1 FROM ({question}) AS n"
        connection.execute("INSERT INTO scope_nodes " + always)
    # Few nodes ever moved: their days have bounds too.
    moved = connection.execute(
        "SELECT node, from_unix_s, until_unix_s FROM scope_nodes WHERE from_unix_s > ? OR until_unix_s < ?",
        (-ALWAYS_S, ALWAYS_S),
    ).fetchall()
    connection.executemany(
        "UPDATE scope_nodes SET is_always = 0, from_day = ?, until_day = ? WHERE node = ? AND from_unix_s = ?",
        [
            (
                _FIRST_DAY if begins == -ALWAYS_S else day_text(begins),
                _LAST_DAY if ends == ALWAYS_S else day_text(ends),
                node,
                begins,
            )
            for node, begins, ends in moved
        ],
    )
    connection.execute("INSERT INTO scope_cabinets " + _CABINETS)
