"""Opens the centre's databases: a file of SQLite, or PostgreSQL where `--db` is `postgresql://…`. Must not know a table
or read a row.

Tables and statements are written once, in what both engines have in common, with `?` for values. Whatever an engine
refuses is an `Error`. One process writes at a time on either: `transaction` acquires the lock before anything is read,
so several processes share work through the database. Each kind of database has its own range of versions, so that no
kind is mistaken for another.
"""

import importlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from gateway.language import N_, Sentence, translate

# PostgreSQL's errors are raised as these.
Error = sqlite3.Error

_OTHER = N_("not {kind} of version {wanted}: choose another --db")
_OLDER = N_("not {kind} of version {wanted} but of version {found}: run the version that made it, or begin a new --db")


class Unusable(sqlite3.DatabaseError):
    """States why a database is not used, as a sentence of the catalogue with its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(translate(message, "en", **values))
        self.message, self.values = message, values


class Schema(NamedTuple):
    """Holds the schema of a database. `kind`: what it is, a message; `version`: of its tables; `statements`: what
    creates them."""

    kind: str
    version: int
    statements: str


class Connection(Protocol):
    """States what both engines offer. Outside of a transaction each statement is one. A cursor is iterated by rows,
    which are tuples, and has `fetchone`, `fetchall`, `rowcount` and `description`."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any: ...

    def ask(self, statement: str, rows: Sequence[Sequence[Any]], /) -> list[list[tuple]]:
        """Returns what one question answers for each row of its values; a server is asked once. The values of a column
        are of one type, and none is NULL."""

    def among(self, statement: str, values: Collection[Any], /) -> Iterable[tuple]:
        """Returns the rows of a question about many values, in whose place it has `{}`: `WHERE node {}`. The values
        differ, and are of one type. A file is asked for some at a time: what is sorted is sorted among these."""

    def stream(self, statement: str, values: Sequence[Any] = ..., /) -> Iterator[tuple]:
        """Returns the rows of a question whose answer may not fit into memory."""

    def begin(self) -> None:
        """Begins a transaction once no other process writes."""

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def changes_by_others(self) -> int:
        """Returns, in a transaction, a number that differs from the last one when another process has written since;
        it may differ too when none has."""

    def version(self) -> int | None:
        """Returns the version of the tables; None where nothing was ever made, 0 where the tables are not ours."""

    def create(self, statements: str, version: int) -> None:
        """Makes the tables, in a transaction."""

    def give_back(self) -> bool:
        """Gives a little of the room that rows have left back to the disk; returns False where there is no more to give
        than what the next days need. A server does that by itself."""

    def close(self) -> None: ...


_C = TypeVar("_C", bound=Connection)


def is_server(where: str) -> bool:
    """Returns whether this names a database of PostgreSQL, and not a file."""
    return where.startswith("postgresql://")


def open_to_write(schema: Schema, where: str, synchronous: str = "FULL") -> Connection:
    """Returns a connection that may write, and makes what is missing; ":memory:" lives as long as the connection. Error
    where there is another kind of database.

    `synchronous` FULL: a commit is on the disk. NORMAL and OFF are for simulated worlds.
    """
    if synchronous not in ("FULL", "NORMAL", "OFF"):
        raise ValueError(f"synchronous: {synchronous!r} is not FULL, NORMAL or OFF")
    return made(schema, open_unchecked(where, synchronous))


def open_unchecked(where: str, synchronous: str = "FULL") -> Connection:
    """Returns a connection that may write to whatever is there, or to nothing yet."""
    return _engine(where).open_to_write(where, synchronous)


def open_to_read(schema: Schema, where: str) -> Connection:
    """Returns a connection that cannot write; Error where there is no such database."""
    return checked(schema, _engine(where).open_to_read(where))


def made(schema: Schema, connection: _C) -> _C:
    """Returns the connection, with the tables of the schema; two processes may start on a new database at once."""
    try:
        with transaction(connection):
            if connection.version() is None:
                connection.create(schema.statements, schema.version)
    except BaseException:
        connection.close()
        raise
    return checked(schema, connection)


def checked(schema: Schema, connection: _C) -> _C:
    """Returns the connection; Unusable where the tables are of another kind or version."""
    try:
        found = connection.version()
    except Error:
        connection.close()
        raise
    if found != schema.version:
        connection.close()
        # A warehouse counts from 1, a control file from 100.
        is_kin = found is not None and found > 0 and found // 100 == schema.version // 100
        raise Unusable(_OLDER if is_kin else _OTHER, kind=Sentence(schema.kind), wanted=schema.version, found=found)
    return connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commits everything within, or nothing. Other processes write too: what a decision needs is read under the
    writer's lock."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


class HeldOpen(Generic[_C]):
    """Keeps a connection that only reads open between two questions, for one thread; `close` after an error, too.

    `open_to_read`: returns a connection to `where`, or raises Error.
    """

    def __init__(self, where: str, open_to_read: Callable[[str], _C]) -> None:
        self._where = where
        self._open = open_to_read
        self._connection: _C | None = None
        self._file: tuple[int, int] | None = None

    def connection(self) -> _C:
        """Returns a connection to what is there now: where another file took its place, a new one. Error."""
        file = None if is_server(self._where) else _file_at(self._where)
        if self._connection is None or file != self._file:
            self.close()
            self._connection, self._file = self._open(self._where), file
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _file_at(path: str) -> tuple[int, int] | None:
    """Returns device and inode, None where there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _engine(where: str) -> Any:
    # A desk has no driver for a server, and a server's driver is not loaded for a file.
    return importlib.import_module("tools.centre.store." + ("postgres" if is_server(where) else "sqlite_file"))
