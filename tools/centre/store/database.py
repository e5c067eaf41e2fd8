"""Makes, opens and recognises the centre's SQLite files. Must not know a table or read a row.

Every kind of file has its own range of versions, kept in `PRAGMA user_version`, so that no kind is mistaken for
another.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tools.centre.limits import BUSY_TIMEOUT_MS, FILE_MODE


class Schema(NamedTuple):
    """Holds the schema of a file. `kind`: what it is, for messages; `version`: of its tables; `statements`: what
    creates them."""

    kind: str
    version: int
    statements: str


def open_to_write(schema: Schema, path: str, synchronous: str = "FULL") -> sqlite3.Connection:
    """Returns a connection that may write, and makes the file where there is none; ":memory:" lives as long as the
    connection.

    `synchronous` FULL: a commit is on the disk. NORMAL and OFF are for simulated worlds.
    """
    if synchronous not in ("FULL", "NORMAL", "OFF"):
        raise ValueError(f"synchronous: {synchronous!r} is not FULL, NORMAL or OFF")
    make_file(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    _create(schema, connection)
    return connection


def open_to_read(schema: Schema, path: str) -> sqlite3.Connection:
    """Returns a connection that cannot write; sqlite3.OperationalError when there is no such file."""
    uri = uri_to_read(path)
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    _check_version(schema, connection)
    return connection


def uri_to_read(path: str) -> str:
    """Returns the URI by which SQLite opens a file and cannot write to it."""
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{name}?mode=ro"


def make_file(path: str) -> None:
    """Makes an empty file of FILE_MODE where there is none; SQLite gives its -wal and -shm the same mode."""
    if path == ":memory:":
        return
    # A folder that refuses is reported by SQLite, in its own words, when it opens the file.
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            os.fchmod(file, FILE_MODE)  # `os.open` takes the bits of the umask away
        finally:
            os.close(file)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits everything within, or nothing. Other processes write too: what a decision needs is read under the
    writer's lock."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _create(schema, connection):
    # Two processes may start on a new file at once: the lock is acquired before the version is read.
    with transaction(connection):
        if _version(connection) == 0 and not _has_tables(connection):
            for statement in _statements(schema.statements):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {schema.version}")
    _check_version(schema, connection)


def _statements(text):
    # executescript would commit before it starts.
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _has_tables(connection) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def _version(connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _check_version(schema, connection):
    if _version(connection) != schema.version:
        raise sqlite3.DatabaseError(f"not {schema.kind} of version {schema.version}: choose another --db")
