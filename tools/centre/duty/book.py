"""Keeps what was told to whom, in a file of its own that only the process of the duty writes and the screens read.

    causes      what was told as one, from its first message until its end was told
    members     which faults belong to which cause, until they have been gone for a while
    owed        who is still to be told of an end
    messages    each message to one person by one channel: waiting, sent, or given up
    subjects    of which causes a message speaks

A message is on the disk, with the decision that made it, before anything is sent. Each try is written down before it is
made: a process that is killed between sending and writing sends that message once more, and never leaves one out. A
mail has its number in its Message-ID, so that a mailbox may know it again.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import NamedTuple

from gateway.language import DEFAULT_LANGUAGE, N_
from tools.centre.limits import DUTY_KEPT_S, SEND_DELAY_MAX_S, SEND_DELAY_MIN_S, SEND_TRIES_MAX
from tools.centre.scope import grants
from tools.centre.store import database, sqlite_file

VERSION = 500  # neither a warehouse, nor a control file, nor a file of the web's
_TABLES = """
-- steps: how many persons were told: 0, 1 (on duty), 2 (and the substitute). holder: the person who works on it, or ''.
-- said: what it is, by language. Times are Unix seconds.
CREATE TABLE causes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, insee TEXT NOT NULL, trade TEXT NOT NULL, said TEXT NOT NULL,
    key TEXT NOT NULL, begun_unix_s INTEGER NOT NULL, steps INTEGER NOT NULL, told_unix_s INTEGER,
    holder TEXT NOT NULL, over_unix_s INTEGER, closed_unix_s INTEGER
);
CREATE INDEX causes_open ON causes (closed_unix_s);
CREATE TABLE members (member TEXT NOT NULL PRIMARY KEY, cause INTEGER NOT NULL, seen_unix_s INTEGER NOT NULL)
    WITHOUT ROWID;
-- Who is still to be told that a cause is over.
CREATE TABLE owed (cause INTEGER NOT NULL, person TEXT NOT NULL, PRIMARY KEY (cause, person)) WITHOUT ROWID;
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL, made_unix_s INTEGER NOT NULL, tries INTEGER NOT NULL,
    next_unix_s INTEGER NOT NULL, sent_unix_s INTEGER, error TEXT NOT NULL, is_over INTEGER NOT NULL
);
CREATE INDEX messages_waiting ON messages (is_over, next_unix_s);
CREATE INDEX messages_person ON messages (person, made_unix_s);
CREATE TABLE subjects (cause INTEGER NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (cause, message)) WITHOUT ROWID;
-- name: looked (when causes were last looked at), morning (the day whose list was made), unaddressed (causes for which
-- nobody is on duty, now), given_up (messages, ever).
CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
SCHEMA = database.Schema(N_("a book of the duty"), VERSION, _TABLES)
# What stands in the place of an error where the fault was over before its message was sent.
WITHDRAWN = "withdrawn"
# Kinds of messages.
NEW, ESCALATED, FIXED, SUMMARY, MORNING, TRIAL = "new", "escalated", "fixed", "summary", "morning", "trial"
_MESSAGE = "number, person, channel, kind, subject, body, made_unix_s, tries, next_unix_s, sent_unix_s, error, is_over"
_CAUSE = "number, insee, trade, said, key, begun_unix_s, steps, told_unix_s, holder, over_unix_s, closed_unix_s"


class Message(NamedTuple):
    """Holds a message. is_over: it was sent, or given up."""

    number: int
    person: str
    channel: str
    kind: str
    subject: str
    body: str
    made_unix_s: int
    tries: int
    next_unix_s: int
    sent_unix_s: int | None
    error: str
    is_over: bool


class Alert(NamedTuple):
    """Holds a cause that was told, or is about to be. key: where the screen of faults has it, "" nowhere."""

    number: int
    insee: str
    trade: str
    said: str
    key: str
    begun_unix_s: int
    steps: int
    told_unix_s: int | None
    holder: str
    over_unix_s: int | None
    closed_unix_s: int | None

    def text(self, language: str) -> str:
        """Returns what it is, in a sentence."""
        said: dict[str, str] = json.loads(self.said)
        return said.get(language) or said[DEFAULT_LANGUAGE]


class State(NamedTuple):
    """Holds how far the sending is. waiting: messages that were tried and go again; given_up: in the last day;
    unaddressed: causes for which nobody is on duty or can be reached; looked_unix_s: None, never."""

    looked_unix_s: int | None
    waiting: int
    given_up: int
    unaddressed: int


class Book:
    """Reads and writes the file within the transactions of its owner; it is used from one thread."""

    def __init__(self, connection: database.Connection) -> None:
        self.connection = connection

    @classmethod
    def open(cls, path: str, synchronous: str = "FULL") -> "Book":
        """Returns a book that is written; `synchronous` as of `database.open_to_write`."""
        return cls(database.made(SCHEMA, sqlite_file.open_to_write(path, synchronous)))

    @classmethod
    def open_to_read(cls, path: str) -> "Book":
        """Returns the book; database.Error where there is none."""
        return cls(database.checked(SCHEMA, sqlite_file.open_to_read(path)))

    def close(self) -> None:
        self.connection.close()

    # --- causes ---

    def open_causes(self) -> list[Alert]:
        """Returns the causes whose end was not told yet."""
        return self._causes("closed_unix_s IS NULL ORDER BY number", ())

    def _causes(self, where: str, values: tuple[object, ...]) -> list[Alert]:
        rows = self.connection.execute(f"SELECT {_CAUSE} FROM causes WHERE {where}", values)
        return [Alert(*row) for row in rows.fetchall()]

    def members(self) -> dict[str, int]:
        return dict(self.connection.execute("SELECT member, cause FROM members").fetchall())

    def begin(self, insee: str, trade: str, said: Mapping[str, str], key: str, *, now_s: int) -> Alert:
        text = json.dumps(said, ensure_ascii=False)
        row = (insee, trade, text, key, now_s, 0, None, "", None, None)
        done = self.connection.execute(
            f"INSERT INTO causes ({_CAUSE.partition(', ')[2]}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
        )
        return Alert(done.lastrowid, *row)

    def put(self, one: Alert) -> None:
        """Writes how a cause stands."""
        self.connection.execute(
            "UPDATE causes SET steps = ?, told_unix_s = ?, holder = ?, over_unix_s = ?, closed_unix_s = ?"
            " WHERE number = ?",
            (one.steps, one.told_unix_s, one.holder, one.over_unix_s, one.closed_unix_s, one.number),
        )

    def join(self, members: Iterable[str], number: int, *, now_s: int) -> None:
        """Says to which cause these belong, as they are seen now."""
        self.connection.executemany(
            "INSERT INTO members VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE"
            " SET cause = excluded.cause, seen_unix_s = excluded.seen_unix_s",
            [(member, number, now_s) for member in members],
        )

    def part(self, *, before_s: int) -> None:
        """Forgets what was last seen before then: should it come back, it is another cause."""
        self.connection.execute("DELETE FROM members WHERE seen_unix_s < ?", (before_s,))

    def end(self, one: Alert, *, now_s: int) -> None:
        """Ends a cause: what was not sent of it is withdrawn, and all who may have heard of it are to be told."""
        about = "number IN (SELECT message FROM subjects WHERE cause = ?)"
        self.connection.execute(
            f"INSERT INTO owed SELECT DISTINCT ?, person FROM messages WHERE {about}"
            f" AND (tries > 0 OR kind = '{SUMMARY}')",
            (one.number, one.number),
        )
        self.connection.execute(
            f"UPDATE messages SET is_over = 1, error = '{WITHDRAWN}' WHERE {about} AND is_over = 0"
            f" AND kind IN ('{NEW}', '{ESCALATED}')",
            (one.number,),
        )
        self.connection.execute("DELETE FROM members WHERE cause = ?", (one.number,))
        self.put(one._replace(closed_unix_s=now_s))

    def owed(self) -> list[tuple[str, Alert]]:
        """Returns whom the end of which cause is still to be told."""
        columns = ", ".join(f"causes.{column}" for column in _CAUSE.split(", "))
        rows = self.connection.execute(
            f"SELECT person, {columns} FROM owed JOIN causes ON cause = number ORDER BY number, person"
        )
        return [(person, Alert(*row)) for person, *row in rows.fetchall()]

    def pay(self, cause: int, person: str) -> None:
        self.connection.execute("DELETE FROM owed WHERE cause = ? AND person = ?", (cause, person))

    # --- messages ---

    def add(
        self, person: str, channel: str, kind: str, text: tuple[str, str], causes: Iterable[int], *, now_s: int
    ) -> None:
        """Keeps a message (subject, body) that is to be sent now."""
        done = self.connection.execute(
            f"INSERT INTO messages ({_MESSAGE.partition(', ')[2]}) VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL, '', 0)",
            (person, channel, kind, *text, now_s, now_s),
        )
        rows = [(cause, done.lastrowid) for cause in causes]
        self.connection.executemany("INSERT INTO subjects VALUES (?, ?)", rows)

    def alerted(self, cause: int, at_s: int | None) -> list[str]:
        """Returns who was told of a cause at an instant."""
        rows = self.connection.execute(
            "SELECT DISTINCT person FROM messages JOIN subjects ON message = number"
            " WHERE cause = ? AND made_unix_s = ? ORDER BY 1",
            (cause, at_s),
        )
        return [person for (person,) in rows]

    def recent(self, person: str, since_s: int) -> list[tuple[str, int]]:
        """Returns the kind and time of what a person was told since then, once for both channels."""
        rows = self.connection.execute(
            "SELECT DISTINCT s.cause, m.kind, m.made_unix_s FROM messages AS m"
            " JOIN subjects AS s ON s.message = m.number"
            " WHERE m.person = ? AND m.made_unix_s > ? AND m.kind NOT IN (?, ?)",
            (person, since_s, MORNING, TRIAL),
        ).fetchall()
        single = {(cause, kind, at_s) for cause, kind, at_s in rows if kind != SUMMARY}
        summaries = {(0, kind, at_s) for _, kind, at_s in rows if kind == SUMMARY}
        return [(kind, at_s) for _, kind, at_s in single | summaries]

    def due(self, *, now_s: int, most: int) -> list[Message]:
        """Returns the messages whose turn it is; those that wake before any other."""
        rows = self.connection.execute(
            f"SELECT {_MESSAGE} FROM messages WHERE is_over = 0 AND next_unix_s <= ?"
            " ORDER BY kind IN ('fixed', 'morning'), next_unix_s, number LIMIT ?",
            (now_s, most),
        )
        return [Message(*row) for row in rows.fetchall()]

    def note_try(self, one: Message, *, now_s: int) -> None:
        """Writes that a message is being sent: whatever becomes of the process, it goes again, and not for ever."""
        tries = one.tries + 1
        delay_s = min(SEND_DELAY_MAX_S, SEND_DELAY_MIN_S << (tries - 1))
        self.connection.execute(
            "UPDATE messages SET tries = ?, next_unix_s = ? WHERE number = ?", (tries, now_s + delay_s, one.number)
        )

    def note_sent(self, one: Message, *, now_s: int) -> None:
        self.connection.execute(
            "UPDATE messages SET sent_unix_s = ?, error = '', is_over = 1 WHERE number = ?", (now_s, one.number)
        )

    def note_failed(self, one: Message, error: str) -> bool:
        """Writes that a try failed; returns whether the message is given up."""
        is_over = one.tries + 1 >= SEND_TRIES_MAX
        self.connection.execute(
            "UPDATE messages SET error = ?, is_over = ? WHERE number = ?", (error, int(is_over), one.number)
        )
        if is_over:
            self.set("given_up", self.get("given_up", 0) + 1)
        return is_over

    # --- what is told about it ---

    def get(self, name: str, otherwise: int) -> int:
        row = self.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return otherwise if row is None else row[0]

    def set(self, name: str, value: int) -> None:
        statement = "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self.connection.execute(statement, (name, value))

    def state(self, *, now_s: int) -> State:
        def count(where: str, *values: int) -> int:
            return self.connection.execute(f"SELECT count(*) FROM messages WHERE {where}", values).fetchone()[0]

        waiting = count("is_over = 0 AND tries > 0")
        unsent = f"is_over = 1 AND sent_unix_s IS NULL AND error <> '{WITHDRAWN}'"
        given_up = count(f"{unsent} AND next_unix_s > ?", now_s - 86_400)
        looked_s = self.get("looked", 0)
        return State(looked_s or None, waiting, given_up, self.get("unaddressed", 0))

    def log(self, areas: Iterable[tuple[str, str]], *, most: int) -> list[tuple[Alert, list[Message]]]:
        """Returns the latest causes of these communes and trades, those that last first, each with its messages."""
        pairs = sorted(set(areas))
        if not pairs:
            return []
        marks = ", ".join("(?, ?)" for _ in pairs)
        values = tuple(value for pair in pairs for value in pair)
        where = f"(insee, trade) IN (VALUES {marks}) ORDER BY closed_unix_s IS NOT NULL, number DESC LIMIT {most}"
        return [(one, self.about(one.number)) for one in self._causes(where, values)]

    def open_of(self, areas: Iterable[tuple[str, str]]) -> list[tuple[Alert, list[str]]]:
        """Returns the causes of these communes and trades that last, each with its members."""
        pairs, members = set(areas), self.members()
        return [
            (one, [member for member, cause in members.items() if cause == one.number])
            for one in self.open_causes()
            if (one.insee, one.trade) in pairs
        ]

    def unheard(self, insee: str, since_s: int, until_s: int) -> list[Alert]:
        """Returns the causes of a time that no record states, the last first: silences of a commune's cabinets, and
        troubles of the centre, where records come late."""
        where = (
            "key = '' AND insee IN (?, ?) AND begun_unix_s < ? AND coalesce(over_unix_s, closed_unix_s, ?) > ?"
            " ORDER BY number DESC"
        )
        return self._causes(where, (insee, grants.ALL, until_s, until_s, since_s))

    def about(self, cause: int) -> list[Message]:
        """Returns the messages about a cause, in their order."""
        rows = self.connection.execute(
            f"SELECT {_MESSAGE} FROM messages JOIN subjects ON message = number WHERE cause = ? ORDER BY number",
            (cause,),
        )
        return [Message(*row) for row in rows.fetchall()]

    def of_channel(self, channel: str, *, since_s: int) -> list[Message]:
        """Returns the messages of a channel that were made since then, the latest first."""
        question = f"SELECT {_MESSAGE} FROM messages WHERE channel = ? AND made_unix_s >= ? ORDER BY number DESC"
        return [Message(*row) for row in self.connection.execute(question, (channel, since_s)).fetchall()]

    def purge(self, *, now_s: int) -> None:
        """Forgets what is over and old."""
        before_s = now_s - DUTY_KEPT_S
        self.connection.execute("DELETE FROM causes WHERE closed_unix_s < ?", (before_s,))
        self.connection.execute("DELETE FROM messages WHERE is_over = 1 AND made_unix_s < ?", (before_s,))
        self.connection.execute("DELETE FROM subjects WHERE message NOT IN (SELECT number FROM messages)")


def state_of(path: str, *, now_s: int) -> State | None:
    """Returns how the sending goes by the book at `path`; None where there is none yet."""
    try:
        book = Book.open_to_read(path)
    except database.Error:
        return None
    with closing(book):
        return book.state(now_s=now_s)


