"""Keeps when a work on the whole warehouse was last done to its end, so that a person is told of one that is not."""

from tools.centre.store import database

ROLLUP, PURGE = "rollup", "purge"


def note(connection: database.Connection, name: str, now_s: int) -> None:
    """Notes that a work was done to its end."""
    with database.transaction(connection):
        connection.execute(
            "INSERT INTO runs VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ended_unix_s = excluded.ended_unix_s",
            (name, now_s),
        )
