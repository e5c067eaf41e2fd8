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

from tools.centre.scope import grants, server
from tools.centre.scope.relations import relate, relate_control
from tools.centre.scope.rules import CONTROL_RULES, RULES
from tools.centre.store import database, readings, schema, sqlite_file, views

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
        return server.open_to_read(where, areas)
    connection = schema.open_to_read(where)
    assert isinstance(connection, sqlite_file.Connection)
    return _scoped(connection, areas, relate, RULES, views.STATEMENTS)


def of_control(connection: sqlite_file.Connection, areas: set[tuple[str, str]]) -> sqlite_file.Connection:
    """Returns a connection to a control file, from then on of what these areas open."""
    return _scoped(connection, areas, relate_control, CONTROL_RULES, {})


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
