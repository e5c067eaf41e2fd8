"""Defines and fills the table of works on the whole warehouse, so that a person is told of one that is not done."""

from tools.centre.store import database

ROLLUP, PURGE = "rollup", "purge"
TABLES = """
-- When a work on the whole warehouse, `rollup` or `purge`, was last done to its end.
CREATE TABLE runs (name TEXT NOT NULL PRIMARY KEY, ended_unix_s BIGINT NOT NULL);
"""


def note(connection: database.Connection, name: str, now_s: int) -> None:
    """Notes that a work was done to its end."""
    with database.transaction(connection):
        connection.execute(
            "INSERT INTO runs VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ended_unix_s = excluded.ended_unix_s",
            (name, now_s),
        )
