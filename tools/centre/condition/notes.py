"""Hands what people say about faults on the screens, that they read there about persons, and what they let contractors
see, from the web to the roll-up (`tools.centre.store.web_outbox`).

The roll-up believes nothing of it: the author must have had the right, when it was written, to see a record that states
a fault, and by a trade what a ticket opens. Until it is fetched the screens read a note where the web has written it. A
line of the journal is on the disk before anything is shown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from tools.centre.condition import faults
from tools.centre.condition.faults import Note
from tools.centre.condition.fold import Position, statement
from tools.centre.limits import NOTE_TEXT_MAX, NOTES_KEPT_S, NOTES_OF_ONE_MAX, TICKET_S_MAX, TICKETS_OF_ONE_MAX
from tools.centre.register.equipment import GREEN_SPACE, LIGHT, METER, ROOM
from tools.centre.register.register import Register
from tools.centre.scope import grants, journal, reader
from tools.centre.store import bodies, database, web_outbox
from tools.centre.store.web_outbox import path_of as path_of

_NOTE = "written_unix_s, author, holder, words, repaired"
_COLUMNS = f"insee, node, boot, sequence, {_NOTE}"
_LINE = ", ".join(journal.Line._fields)
_TICKET = ", ".join(grants.Grant._fields)
# What is told of by records of its own; a cabinet and its feeders speak for all that hangs on them.
_OPENED = f"""SELECT 1 FROM equipment WHERE insee = ? AND kind IN ('{LIGHT}', '{ROOM}', '{GREEN_SPACE}', '{METER}')
    AND ? IN ('{grants.OF_PLACE}' || kind || '/' || id, '{grants.OF_STREET}' || street) LIMIT 1"""
_LENGTHS = "length(insee), length(node), length(author), length(words), coalesce(length(holder), 0)"


class Full(Exception):
    """Is raised when a person has written more in a day than anybody reads, or given more tickets."""


class Sent(NamedTuple):
    """Holds a note and the record that states its fault."""

    insee: str
    node: bytes
    position: Position
    note: Note


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
    with closing(web_outbox.open_to_write(path)) as web, database.transaction(web):
        web.execute("DELETE FROM notes WHERE written_unix_s < ?", (now_s - NOTES_KEPT_S,))
        counted = web.execute(
            "SELECT count(*) FROM notes WHERE author = ? AND written_unix_s > ?", (sent.note.author, now_s - 86_400)
        )
        if counted.fetchone()[0] >= NOTES_OF_ONE_MAX:
            raise Full
        web.execute(
            f"INSERT INTO notes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (sent.insee, sent.node, *sent.position, *sent.note),
        )


def put_line(path: str, line: journal.Line) -> None:
    """Keeps on the disk that a person reads about persons; database.Error where that cannot be."""
    with closing(web_outbox.open_to_write(path)) as web, database.transaction(web):
        web_outbox.add_line(web, line)


def put_ticket(path: str, ticket: grants.Grant) -> None:
    """Keeps on the disk what a contractor is to see; Full where its giver has given too many today."""
    day_s = ticket.given_unix_s - 86_400
    with closing(web_outbox.open_to_write(path)) as web, database.transaction(web):
        web.execute("DELETE FROM tickets WHERE given_unix_s < ?", (ticket.given_unix_s - NOTES_KEPT_S,))
        counted = web.execute(
            "SELECT count(*) FROM tickets WHERE given_by = ? AND given_unix_s > ?", (ticket.given_by, day_s)
        )
        if counted.fetchone()[0] >= TICKETS_OF_ONE_MAX:
            raise Full
        web.execute(f"INSERT INTO tickets ({_TICKET}) VALUES (?, ?, ?, ?, ?, ?, ?)", ticket)


def with_sent(path: str, found: list[faults.StandingFault]) -> list[faults.StandingFault]:
    """Returns the faults with what was written about them here, fetched or not."""
    if not found:
        return found
    try:
        web = web_outbox.open_to_read(path)
    except database.Error:  # no note was ever written
        return found
    with closing(web):
        return [fault._replace(notes=faults.in_order([*fault.notes, *_about(web, fault)])) for fault in found]


def _about(web: database.Connection, fault: faults.StandingFault) -> Iterator[Note]:
    question = f"SELECT {_NOTE} FROM notes WHERE node = ? AND boot = ? AND sequence = ?"
    yield from map(_note, web.execute(question, (fault.node, *fault.begin)))


def _note(row: Sequence[Any]) -> Note:
    return Note._make((*row[:-1], None if row[-1] is None else bool(row[-1])))


# --- the roll-up's side -----------------------------------------------------------------------------------------


class Fetcher:
    """Brings what people wrote in the web at `path` into the warehouse at `where`; call `fetch` often."""

    def __init__(self, path: str, where: str, connection: database.Connection, log: Callable[..., None]) -> None:
        is_short = f"max({_LENGTHS}) <= {NOTE_TEXT_MAX} AND (repaired IS NULL OR repaired IN (0, 1))"
        self._reader = web_outbox.Reader(path, "notes", f"number, {_COLUMNS}", is_short, log)
        is_line_short = f"max(length(person), length(deed), length(insee), length(about)) <= {NOTE_TEXT_MAX}"
        self._lines = web_outbox.Reader(path, "lines", f"number, {_LINE}", is_line_short, log)
        is_ticket_short = f"max(length(person), length(insee), length(trade), length(given_by)) <= {NOTE_TEXT_MAX}"
        self._tickets = web_outbox.Reader(path, "tickets", f"number, {_TICKET}", is_ticket_short, log)
        self._where = where
        self._connection = connection
        self._log = log

    def close(self) -> None:
        for one in (self._reader, self._lines, self._tickets):
            one.close()

    def fetch(self, *, now_s: int) -> None:
        """Writes each note, line and ticket that is new and sound. Its error when the warehouse refuses; then it comes
        again."""
        for number, insee, node, boot, sequence, *said in self._reader.new(now_s=now_s):
            self._keep(number, Sent(insee, node, (boot, sequence), _note(said)), now_s)
        for number, *line in self._lines.new(now_s=now_s):
            self._keep_line(number, journal.Line(*line), now_s)
        for number, *given in self._tickets.new(now_s=now_s):
            self._keep_ticket(number, grants.Grant(*given), now_s)

    def _keep_line(self, number: int, line: journal.Line, now_s: int) -> None:
        is_plain = all(isinstance(text, str) and is_line(text) for text in line[1:])
        is_past = isinstance(line.at_unix_s, int) and line.at_unix_s <= now_s
        if is_plain and is_past and reader.areas_of(self._where, line.person, now_s=line.at_unix_s):
            journal.write(self._connection, line)
        else:
            self._log("line-refused", number=number)

    def _keep_ticket(self, number: int, ticket: grants.Grant, now_s: int) -> None:
        if not self._is_fit(ticket, now_s):
            self._log("ticket-refused", number=number)
            return
        with database.transaction(self._connection):
            grants.give(self._connection, ticket)
            line = journal.of_grant(ticket, "access give", ticket.given_by, now_s=ticket.given_unix_s)
            journal.add(self._connection, line)

    def _is_fit(self, ticket: grants.Grant, now_s: int) -> bool:
        texts = (ticket.person, ticket.insee, ticket.trade, ticket.given_by)
        times = (ticket.from_unix_s, ticket.until_unix_s, ticket.given_unix_s)
        if not all(isinstance(text, str) and text and is_line(text) for text in texts):
            return False
        if not all(isinstance(one, int) for one in times) or ticket.given_unix_s > now_s:
            return False
        assert ticket.until_unix_s is not None
        if ticket.from_unix_s != ticket.given_unix_s or ticket.until_unix_s > ticket.from_unix_s + TICKET_S_MAX:
            return False
        areas = reader.areas_of(self._where, ticket.given_by, now_s=ticket.given_unix_s)
        if not areas & {(ticket.insee, grants.ANY), (grants.ALL, grants.ANY)}:
            return False
        # The rights of a person of the territory are not a contractor's to be given a second time.
        if any(not grants.is_of_ticket(one.trade) for one in grants.every(self._connection, person=ticket.person)):
            return False
        with closing(reader.open_to_read(self._where, areas)) as seen:
            return seen.execute(_OPENED, (ticket.insee, ticket.trade)).fetchone() is not None

    def _keep(self, number: int, sent: Sent, now_s: int) -> None:
        if not self._is_sound(sent, now_s):
            self._log("note-refused", number=number)
            return
        said = sent.note
        deed = "alarms --comment" if said.holder is None else "alarms --acknowledge"
        with database.transaction(self._connection):
            if faults.note(self._connection, [(sent.node, sent.position)], said):
                place = Register(self._connection).of_node(sent.node, unix_s=said.written_unix_s)
                about = sent.node.hex() if place is None else place.name or place.key.id
                line = journal.Line(said.written_unix_s, said.author, deed, sent.insee, about)
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
