"""Keeps what people said on the screens until the process that may write it elsewhere has read it.

    web      put, commit ──▶ orders ──▶ control daemon    check again, keep in the control file
                         ├─▶ notes  ──▶ roll-up           check again, write into the warehouse
                         ├─▶ lines  ──▶ roll-up           the same, into its journal
                         └─▶ tickets ─▶ roll-up           the same, into its grants

The web writes this file and no other that counts; each reader writes only its own. What is said is on the disk before
the person is answered, so it goes whatever becomes of the web's process; what comes twice is one. A reader believes
nothing of what stands here. A file that cannot be read delays nothing else.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from gateway.language import N_
from tools.centre.limits import NOTES_KEPT_S, OUTBOX_MODE, OUTBOX_ROWS_MAX, OUTBOX_TRY_S
from tools.centre.store import database, sqlite_file

# From 200 on: neither a warehouse nor a control file.
VERSION = 203
_TABLES = """
-- person: whose account gave it; the key that signed it is in the order. Times are Unix seconds.
CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, insee TEXT NOT NULL, expires_s INTEGER NOT NULL,
    signed BLOB NOT NULL, person TEXT NOT NULL, put_unix_s INTEGER NOT NULL
);
-- Each row is one of `fault_notes` to be; insee: of the page on which it was written.
CREATE TABLE notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, insee TEXT NOT NULL,
    node BLOB NOT NULL, boot INTEGER NOT NULL, sequence INTEGER NOT NULL,
    written_unix_s INTEGER NOT NULL, author TEXT NOT NULL, holder TEXT, words TEXT NOT NULL, repaired INTEGER
);
CREATE INDEX notes_node ON notes (node);
CREATE INDEX notes_author ON notes (author, written_unix_s);
-- Each row is one of `journal` to be.
CREATE TABLE lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_unix_s INTEGER NOT NULL, person TEXT NOT NULL, deed TEXT NOT NULL, insee TEXT NOT NULL, about TEXT NOT NULL
);
-- Each row is one of `grants` to be, of a contractor.
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL, insee TEXT NOT NULL, trade TEXT NOT NULL, from_unix_s INTEGER NOT NULL,
    until_unix_s INTEGER NOT NULL, given_by TEXT NOT NULL, given_unix_s INTEGER NOT NULL
);
"""
SCHEMA = database.Schema(N_("an outbox of the screens"), VERSION, _TABLES)


def path_of(data: str) -> str:
    """Returns the path of the outbox of the web whose own database this is."""
    return data + ".outbox"


def open_to_write(path: str) -> sqlite_file.Connection:
    return database.made(SCHEMA, sqlite_file.open_to_write(path, mode=OUTBOX_MODE))


def open_to_read(path: str) -> sqlite_file.Connection:
    """Returns a connection that cannot write; database.Error where nothing was ever said."""
    return database.checked(SCHEMA, sqlite_file.open_to_read(path))


def add_line(web: sqlite_file.Connection, line: tuple[int, str, str, str, str]) -> None:
    """Adds a line that is to be the journal's (`scope.journal.Line`), in the transaction of the caller."""
    web.execute("DELETE FROM lines WHERE at_unix_s < ?", (line[0] - NOTES_KEPT_S,))
    web.execute("INSERT INTO lines (at_unix_s, person, deed, insee, about) VALUES (?, ?, ?, ?, ?)", line)


class Reader:
    """Reads what is new in one table; call `new` often. It is used from one thread; `close` ends it.

    `columns`, of which the first is `number`, and `condition`: of a row that is read, with `:now_s` for the time, by
    which rows may only go. The file stays open, and is asked for rows when another connection has written.
    """

    def __init__(self, path: str, table: str, columns: str, condition: str, log: Callable[..., None]) -> None:
        self._path = path
        self._question = f"""SELECT {columns} FROM {table} WHERE number = :last OR (number > :last AND {condition})
            ORDER BY number LIMIT {OUTBOX_ROWS_MAX}"""
        self._log = log
        # The row that was read last: a file that was made again has another there, and is read from its start.
        self._last: tuple[Any, ...] | None = None
        self._try_s = 0
        self._held = database.HeldOpen(path, open_to_read)
        # The connection, its changes and the clock when all that is new was read. A clock that is put back may bring
        # rows back.
        self._read: tuple[sqlite_file.Connection | None, int, int] = None, 0, 0

    def close(self) -> None:
        self._held.close()

    def new(self, *, now_s: int) -> Iterator[tuple[Any, ...]]:
        """Yields each new row, and some at a time; one at which the caller fails comes again."""
        if now_s < self._try_s or not os.path.exists(self._path):
            return
        try:
            web = self._held.connection()
            changes = web.changes_by_others()
            if self._read[:2] == (web, changes) and self._read[2] <= now_s:
                return
            web.execute("PRAGMA trusted_schema = OFF")
            found = self._found(web, now_s)
        except database.Error as error:
            self.close()
            self._try_s = now_s + OUTBOX_TRY_S
            self._log("outbox-unreadable", path=self._path, error=str(error))
            return
        for row in found:
            yield row
            self._last = row
        if len(found) < OUTBOX_ROWS_MAX - 1:
            self._read = web, changes, now_s

    def _found(self, web: sqlite_file.Connection, now_s: int) -> list[tuple[Any, ...]]:
        def after(number: int) -> list[tuple[Any, ...]]:
            return web.execute(self._question, {"last": number, "now_s": now_s}).fetchall()

        if self._last is None:
            return after(0)
        found = after(self._last[0])
        return found[1:] if found[:1] == [self._last] else after(0)
