"""Makes and opens files of SQLite. Must not know a table or read a row."""

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from tools.centre.limits import BUSY_TIMEOUT_MS, FILE_MODE, FREE_ROOM_PARTS, GIVE_BACK_PAGES, VALUES_PER_QUESTION


class Connection(sqlite3.Connection):
    """Is `tools.centre.store.database.Connection` on a file."""

    def ask(self, statement: str, rows: Sequence[Sequence[Any]]) -> list[list[tuple]]:
        return [self.execute(statement, row).fetchall() for row in rows]

    def among(self, statement: str, values: Collection[Any]) -> Iterator[tuple]:
        statement, wanted = statement.format(f"IN ({', '.join('?' * VALUES_PER_QUESTION)})"), list(values)
        for at in range(0, len(wanted), VALUES_PER_QUESTION):
            asked = wanted[at : at + VALUES_PER_QUESTION]
            asked += asked[:1] * (VALUES_PER_QUESTION - len(asked))
            yield from self.execute(statement, asked)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple]:
        return self.execute(statement, values)

    def begin(self) -> None:
        self.execute("BEGIN IMMEDIATE")

    def changes_by_others(self) -> int:
        return self.execute("PRAGMA data_version").fetchone()[0]

    def version(self) -> int | None:
        version = self.execute("PRAGMA user_version").fetchone()[0]
        is_new = version == 0 and self.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        return None if is_new else version

    def give_back(self) -> bool:
        free, pages = (self.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
        if free * FREE_ROOM_PARTS <= pages:
            return False
        self.execute(f"PRAGMA incremental_vacuum({GIVE_BACK_PAGES})").fetchall()
        return True

    def create(self, statements: str, version: int) -> None:
        for statement in _split(statements):
            self.execute(statement)
        self.execute(f"PRAGMA user_version = {version}")


def open_to_write(path: str, synchronous: str = "FULL", *, mode: int = FILE_MODE) -> Connection:
    """Returns a connection that may write, on a file that is made with this mode where there is none."""
    make(path, mode)
    connection = _connect(path)
    # It has to be said before the first page is written: it makes it possible to shrink a file while others use it.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def open_to_read(path: str, *, threads: bool = False) -> Connection:
    """Returns a connection that cannot write; sqlite3.OperationalError when there is no such file. threads: several use
    it, one at a time."""
    return _connect(uri_to_read(path), uri=True, threads=threads)


def uri_to_read(path: str) -> str:
    """Returns the URI by which SQLite opens a file and cannot write to it."""
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{name}?mode=ro"


def make(path: str, mode: int = FILE_MODE) -> None:
    """Makes an empty file of a mode where there is none; SQLite gives its -wal and -shm the same."""
    if path == ":memory:":
        return
    # A folder that refuses is reported by SQLite, in its own words, when it opens the file.
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            os.fchmod(file, mode)  # `os.open` takes the bits of the umask away
        finally:
            os.close(file)


def _connect(path: str, *, uri: bool = False, threads: bool = False) -> Connection:
    return sqlite3.connect(
        path,
        uri=uri,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_MS / 1000,
        check_same_thread=not threads,
        factory=Connection,
    )


def _split(text: str) -> Iterator[str]:
    # executescript would commit before it starts.
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
