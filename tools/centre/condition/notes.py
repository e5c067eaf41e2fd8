"""Hands what people say about faults on the screens from the web to the roll-up, by a file of the web's own.

    web      put, commit ──▶ notes ──▶ roll-up    check again, write into the warehouse and its journal

As with orders (`tools.centre.control.outbox`) each side writes only its own: a note is on the disk before the person is
answered, so it goes whatever becomes of the web's process; one that comes twice is one. The roll-up believes nothing of
what stands here: the author must have had the right, when it was written, to see a record that states a fault. Until it
is fetched the screens read it here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from gateway.language import N_
from tools.centre.condition import faults
from tools.centre.condition.faults import Note
from tools.centre.condition.fold import Position, statement
from tools.centre.limits import NOTE_TEXT_MAX, NOTES_FETCHED_MAX, NOTES_KEPT_S, NOTES_OF_ONE_MAX
from tools.centre.scope import grants, journal, reader
from tools.centre.store import bodies, database, sqlite_file

# From 300 on: neither a warehouse, nor a control file, nor an outbox of orders.
VERSION = 300
_TABLES = """
-- Each row is one of `fault_notes` to be; insee: of the page on which it was written.
CREATE TABLE notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, insee TEXT NOT NULL,
    node BLOB NOT NULL, boot INTEGER NOT NULL, sequence INTEGER NOT NULL,
    written_unix_s INTEGER NOT NULL, author TEXT NOT NULL, holder TEXT, words TEXT NOT NULL
);
CREATE INDEX notes_node ON notes (node);
CREATE INDEX notes_author ON notes (author, written_unix_s);
"""
SCHEMA = database.Schema(N_("an outbox of notes"), VERSION, _TABLES)
_NOTE = "written_unix_s, author, holder, words"
_WAITING = f"""SELECT number, insee, node, boot, sequence, {_NOTE} FROM notes WHERE number >= ?
    AND max(length(insee), length(node), length(author), length(words), coalesce(length(holder), 0)) <= {NOTE_TEXT_MAX}
    ORDER BY number LIMIT {NOTES_FETCHED_MAX}"""


class Full(Exception):
    """Is raised when a person has written more in a day than anybody reads."""


class Sent(NamedTuple):
    """Holds a note and the record that states its fault."""

    insee: str
    node: bytes
    position: Position
    note: Note


def path_of(data: str) -> str:
    """Returns the path of the notes of the web whose own database this is."""
    return data + ".notes"


def is_line(text: str) -> bool:
    """Returns whether a text is one line that a note may hold."""
    return len(text) <= NOTE_TEXT_MAX and text.isprintable()


def is_stated(connection: database.Connection, node: bytes, position: Position) -> bool:
    """Returns whether a record of the warehouse, as the connection's person sees it, states a fault."""
    row = connection.execute(
        "SELECT body FROM records WHERE node = ? AND boot = ? AND sequence = ?", (node, *position)
    ).fetchone()
    said = None if row is None else statement(position, bodies.decode(row[0]))
    return said is not None and said.is_so


# --- the web's side ---------------------------------------------------------------------------------------------


def put(path: str, sent: Sent, *, now_s: int) -> None:
    """Keeps a note on the disk; Full where its author has written too many today."""
    with closing(database.made(SCHEMA, sqlite_file.open_to_write(path))) as web, database.transaction(web):
        web.execute("DELETE FROM notes WHERE written_unix_s < ?", (now_s - NOTES_KEPT_S,))
        counted = web.execute(
            "SELECT count(*) FROM notes WHERE author = ? AND written_unix_s > ?", (sent.note.author, now_s - 86_400)
        )
        if counted.fetchone()[0] >= NOTES_OF_ONE_MAX:
            raise Full
        web.execute(
            f"INSERT INTO notes (insee, node, boot, sequence, {_NOTE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (sent.insee, sent.node, *sent.position, *sent.note),
        )


def with_sent(path: str, found: list[faults.StandingFault]) -> list[faults.StandingFault]:
    """Returns the faults with what was written about them here, fetched or not."""
    try:
        web = database.checked(SCHEMA, sqlite_file.open_to_read(path))
    except database.Error:  # no note was ever written
        return found
    with closing(web):
        return [fault._replace(notes=faults.in_order([*fault.notes, *_about(web, fault)])) for fault in found]


def _about(web: database.Connection, fault: faults.StandingFault) -> Iterator[Note]:
    question = f"SELECT {_NOTE} FROM notes WHERE node = ? AND boot = ? AND sequence = ?"
    yield from map(Note._make, web.execute(question, (fault.node, *fault.begin)))


# --- the roll-up's side -----------------------------------------------------------------------------------------


class Fetcher:
    """Brings what people wrote in the web at `path` into the warehouse at `where`; call `fetch` often."""

    def __init__(self, path: str, where: str, connection: database.Connection, log: Callable[..., None]) -> None:
        self._path = path
        self._where = where
        self._connection = connection
        self._log = log
        # The row that was fetched last: a file that was made again has another, and is read from its start.
        self._last: tuple[Any, ...] | None = None

    def fetch(self, *, now_s: int) -> None:
        """Writes each note that is new and sound. Its error when the warehouse refuses; then the note comes again."""
        try:
            found = self._new()
        except database.Error as error:
            self._log("notes-unreadable", path=self._path, error=str(error))
            return
        for row in found:
            self._keep(row[0], Sent(row[1], row[2], (row[3], row[4]), Note(*row[5:])), now_s)
            self._last = row

    def _new(self) -> list[tuple[Any, ...]]:
        if not os.path.exists(self._path):  # no note was ever written
            return []
        with closing(sqlite_file.open_to_read(self._path)) as web:
            web.execute("PRAGMA trusted_schema = OFF")
            database.checked(SCHEMA, web)
            rows = [] if self._last is None else web.execute(_WAITING, (self._last[0],)).fetchall()
            return rows[1:] if rows[:1] == [self._last] else web.execute(_WAITING, (0,)).fetchall()

    def _keep(self, number: int, sent: Sent, now_s: int) -> None:
        if not self._is_sound(sent, now_s):
            self._log("note-refused", number=number)
            return
        said = sent.note
        deed = "alarms --comment" if said.holder is None else "alarms --acknowledge"
        with database.transaction(self._connection):
            if faults.note(self._connection, [(sent.node, sent.position)], said):
                line = journal.Line(said.written_unix_s, said.author, deed, sent.insee, sent.node.hex())
                journal.add(self._connection, line)

    def _is_sound(self, sent: Sent, now_s: int) -> bool:
        said = sent.note
        texts = (sent.insee, said.author, said.words, said.holder or "")
        is_plain = all(isinstance(text, str) and is_line(text) for text in texts) and isinstance(sent.node, bytes)
        numbers = (*sent.position, said.written_unix_s)
        if not is_plain or not all(isinstance(one, int) for one in numbers) or said.written_unix_s > now_s:
            return False
        areas = reader.areas_of(self._where, said.author, now_s=said.written_unix_s)
        if not any(insee in (sent.insee, grants.ALL) for insee, _ in areas):
            return False
        with closing(reader.open_to_read(self._where, areas)) as seen:
            return is_stated(seen, sent.node, sent.position)
