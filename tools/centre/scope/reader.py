"""Opens a warehouse for a person: every question on that connection sees the granted rows only, by whatever statement.

Each table and view is shadowed by a temporary view of its name, which holds the rows that `tools.centre.scope.rules`
lets the person see; so readers need to know nothing of scopes. SQLite's authorizer then refuses everything else: tables
and views of the file by any other way, ATTACH, PRAGMA, writing, making anything, recursion but that of the view
`readings`, functions that are not listed. It judges by the name of the view for which a table is read. Since a common
table expression may have any name, the views that read the file have names drawn for this connection; those that people
use stand before them.

What is granted is read at the opening: a connection lives for one question or one page, not for a day.
"""

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

from tools.centre.registry.equipment import CABINET, day_text
from tools.centre.scope import grants
from tools.centre.scope.rules import ALWAYS_S, CONTROL_RULES, RULES, area, is_open
from tools.centre.store import database, readings, schema, sqlite_file, views

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

# What the questions of the centre and its views use.
_FUNCTIONS = frozenset(
    (
        *("abs", "avg", "coalesce", "count", "hex", "instr", "json_each", "length", "lower", "max", "min", "nullif"),
        *("round", "substr", "sum"),
    )
)
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION))


def areas_of(where: str, person: str, *, now_s: int) -> set[tuple[str, str]]:
    """Returns what a person may see now by the grants that stand in a warehouse."""
    with closing(schema.open_to_read(where)) as connection:
        return grants.areas(connection, person, now_s=now_s)


def open_to_read(where: str, areas: set[tuple[str, str]]) -> database.Connection:
    """Returns a connection that reads what these areas (`grants.areas`) open, and can do nothing else."""
    if database.is_server(where):
        from tools.centre.scope import server

        return server.open_to_read(where, areas)
    connection = schema.open_to_read(where)
    assert isinstance(connection, sqlite_file.Connection)
    return _scoped(connection, areas, relate, RULES, views.STATEMENTS)


def of_control(connection: sqlite_file.Connection, areas: set[tuple[str, str]]) -> sqlite_file.Connection:
    """Returns a connection to a control file, from then on of what these areas open."""
    return _scoped(connection, areas, _relate_control, CONTROL_RULES, {})


def _scoped(
    connection: sqlite_file.Connection,
    areas: set[tuple[str, str]],
    relate: Callable[[database.Connection, set[tuple[str, str]]], None],
    rules: Mapping[str, str],
    shown: Mapping[str, str],
) -> sqlite_file.Connection:
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
        relate(connection, areas)
        _shadow(connection, rules, shown)
    except BaseException:
        connection.close()
        raise
    return connection


def _relate_areas(connection: database.Connection, areas: set[tuple[str, str]], communes: str, tables: str) -> None:
    for statement in tables.split(";"):
        is_file = isinstance(connection, sqlite_file.Connection)
        connection.execute(statement + (" WITHOUT ROWID" if is_file else ""))
    everywhere = {trade for insee, trade in areas if insee == grants.ALL}
    known = [insee for (insee,) in connection.execute(communes)] if everywhere else []
    of_all = {(insee, trade) for insee in known for trade in everywhere}
    connection.executemany("INSERT INTO scope_areas VALUES (?, ?)", sorted(areas | of_all))


def _relate_control(connection: database.Connection, areas: set[tuple[str, str]]) -> None:
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


def _shadow(connection: sqlite_file.Connection, rules: Mapping[str, str], shown: Mapping[str, str]) -> None:
    """Makes the views, and has everything else refused from then on."""
    reading = {name: f"scoped_{secrets.token_hex(8)}" for name in rules}
    made = {name: f"SELECT * FROM {reading[name]}" for name in rules}
    made |= {reading[name]: f"SELECT * FROM main.{name} WHERE {condition}" for name, condition in rules.items()}
    statements = {name: f"CREATE VIEW {name} AS {text}" for name, text in made.items()} | dict(shown)
    # After each CREATE TEMP VIEW, SQLite looks through all views that there are: 6 ms for these. As rows of the table
    # of its temporary schema it reads them at once.
    connection.execute("PRAGMA writable_schema = ON")
    connection.executemany(
        "INSERT INTO sqlite_temp_master VALUES ('view', ?1, ?1, 0, ?2)",
        [(name, statement.rstrip().rstrip(";")) for name, statement in statements.items()],
    )
    connection.execute("PRAGMA writable_schema = RESET")
    inner, outer = frozenset(reading.values()), frozenset((*rules, *shown))

    def judge(action: int, first: str | None, second: str | None, place: str | None, source: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            # Without a database it is a view that is counted: by such a name, only ours can be meant.
            is_shown = place in ("temp", None) and first in outer
            is_opened = first == "json_each"  # a function of the text that it is given
            is_allowed = is_shown or is_opened or (place == "temp" and first in inner) or source in inner
        elif action == sqlite3.SQLITE_RECURSIVE:
            is_allowed = source == readings.STEPS  # a person who takes the name reads no more rows by it
        elif action == sqlite3.SQLITE_FUNCTION:
            is_allowed = second in _FUNCTIONS
        else:
            is_allowed = action in _ALLOWED
        return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY

    connection.set_authorizer(judge)
