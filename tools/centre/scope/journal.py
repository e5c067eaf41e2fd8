"""Keeps who read what about persons, and who did what. A line is added, and goes by its age; none is changed.

About persons is what shows the habits of those who live or work in a place: temperatures, set-points and heating of
rooms finer than a day, and this journal. A lamp, a feeder, a lawn are not: no record of a
lamp tells that somebody passed it (`simulator.checkers.presence`).
"""

from typing import NamedTuple

from tools.centre.limits import JOURNAL_KEPT_S
from tools.centre.scope.grants import ALL, Grant
from tools.centre.store import database

# What a line is about when the journal was read on a screen: the page.
ON_SCREEN = "web, page "


class Line(NamedTuple):
    """States what a person read or did. deed: the command; insee '': the whole territory; about: in its words."""

    at_unix_s: int
    person: str
    deed: str
    insee: str
    about: str


_COLUMNS = ", ".join(Line._fields)


def write(connection: database.Connection, line: Line) -> None:
    """Adds a line in a transaction of its own, and purges those that are older than JOURNAL_KEPT_S."""
    with database.transaction(connection):
        add(connection, line)
        connection.execute("DELETE FROM journal WHERE at_unix_s < ?", (line.at_unix_s - JOURNAL_KEPT_S,))


def add(connection: database.Connection, line: Line) -> None:
    """Adds a line in the transaction of the caller: with what was done, or not at all."""
    connection.execute(f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", line)


def of_grant(grant: Grant, deed: str, by: str, *, now_s: int) -> Line:
    """Returns the line of a grant that was given or withdrawn."""
    return Line(now_s, by, deed, "" if grant.insee == ALL else grant.insee, f"{grant.person}: {grant.trade}")


def read(
    connection: database.Connection, *, since_unix_s: int, until_unix_s: int, person: str | None = None
) -> list[Line]:
    """Returns the lines of `since <= t < until` (of one person), the oldest first."""
    where = "" if person is None else " AND person = ?"
    values = (since_unix_s, until_unix_s, *(() if person is None else (person,)))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM journal WHERE at_unix_s >= ? AND at_unix_s < ?{where} ORDER BY 1, 2, 3, 4, 5", values
    )
    return [Line._make(row) for row in rows]


def count(connection: database.Connection) -> int:
    """Returns how many lines there are."""
    return int(connection.execute("SELECT count(at_unix_s) FROM journal").fetchone()[0])


def newest(connection: database.Connection, rows: slice) -> list[Line]:
    """Returns these of the lines, the newest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM journal ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 DESC, 5 DESC LIMIT ? OFFSET ?",
        (rows.stop - rows.start, rows.start),
    )
    return [Line._make(row) for row in found]
