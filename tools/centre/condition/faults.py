"""Answers which faults there are, with what people noted about them, and writes such notes.

A fault's times are those of its records, through anchors where the node did not know the time; one that cannot be known
stays unknown. A note is attached to a record that states the fault. Records are never altered by what people say.

A fault of a node that was exchanged is over from the exchange on: no record of it can come. If the equipment still has
it, the node in its place states it anew.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from tools.centre.condition.fold import Position, fields, statement
from tools.centre.register.equipment import CABINET, cabinet_of
from tools.centre.register.register import Place, Register, nodes_of_commune
from tools.centre.store import bodies, database
from tools.centre.store.archive import Archive
from wire import record

_RECORD = """{0}.quality, {0}.seconds, {0}.uncertainty_s, {0}.received_unix_s,
    EXISTS (SELECT 1 FROM doubts WHERE doubts.node = {0}.node AND doubts.boot = {0}.boot
    AND doubts.sequence = {0}.sequence)"""
# The record that begins a fault is there. LEFT: from an inner join PostgreSQL's planner (17) draws that the last record
# is of the same node, and then reads all records of the node for it.
_SELECT = f"""SELECT f.node, f.code, f.part, last.body, insee, name, f.boot, f.sequence, {_RECORD.format("first")},
    f.end_boot, f.end_sequence, {{end}}
    FROM faults f
    LEFT JOIN records AS first ON first.node = f.node AND first.boot = f.boot AND first.sequence = f.sequence
    JOIN records AS last ON last.node = f.node AND last.boot = f.last_boot AND last.sequence = f.last_sequence
    JOIN gateways ON gateways.gateway = last.gateway {{join}}
    WHERE {{where}} ORDER BY f.node, f.boot, f.sequence"""
_FINISH = """LEFT JOIN records AS finish
    ON finish.node = f.node AND finish.boot = f.end_boot AND finish.sequence = f.end_sequence"""
# Faults that last have no record that ends them, and it is not looked for.
_OPEN = _SELECT.format(end="NULL, NULL, NULL, NULL, NULL", join="", where="f.end_boot IS NULL{}")
_ANY = _SELECT.format(end=_RECORD.format("finish"), join=_FINISH, where="{}")
_DAY_S = 86_400  # an exchange is known to its day
_NOTES = """SELECT boot, sequence, written_unix_s, author, changes_hands, holder, words, repaired FROM fault_notes
    WHERE node = ?"""

_ADD_NOTE = """INSERT INTO fault_notes
    (node, boot, sequence, written_unix_s, author, changes_hands, holder, words, repaired)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""


class Note(NamedTuple):
    """States what a person said about a fault. `holder`: the person who works on it from then on, "" for no one; None:
    the note is a comment. An author who is the holder took the fault in hand; any other author handed it over.
    `is_repaired`: what the author says of the repair; None: nothing. A measurement alone ends a fault (`visits`)."""

    written_unix_s: int
    author: str
    holder: str | None
    words: str
    is_repaired: bool | None = None


def in_order(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Returns notes in the order in which they were written, each once."""

    def place(note: Note) -> tuple[Any, ...]:
        return note.written_unix_s, note.author, note.holder or "", note.words, note.is_repaired is True

    return tuple(sorted(set(notes), key=place))


class StandingFault(NamedTuple):
    """Holds a fault as people see it. `since_unix_s` and `end_unix_s`: None, not known; `is_over` tells whether it has
    an end; `is_replaced`: that is the exchange of the node it is about, and no record. insee, gateway: who carried its
    latest record."""

    node: bytes
    code: int
    detail: Any
    since_unix_s: int | None
    received_unix_s: int
    is_over: bool
    end_unix_s: int | None
    end_received_unix_s: int | None
    insee: str
    gateway: str
    place: Place | None
    notes: tuple[Note, ...]
    begin: Position
    is_replaced: bool = False

    @property
    def from_unix_s(self) -> int:
        """Returns when it began or, where that is not known, when that was received."""
        return self.received_unix_s if self.since_unix_s is None else self.since_unix_s

    @property
    def until_unix_s(self) -> int | None:
        """Returns when it ended or, where that is not known, when that was received; None: it lasts."""
        return self.end_received_unix_s if self.end_unix_s is None else self.end_unix_s

    @property
    def taken(self) -> Note | None:
        """Returns the note by which a person has it in hand; None: no person has."""
        latest = next((note for note in reversed(self.notes) if note.holder is not None), None)
        return latest if latest is not None and latest.holder else None

    @property
    def holder(self) -> str | None:
        """Returns the person who has it in hand; None: no person has."""
        return None if self.taken is None else self.taken.holder

    @property
    def cabinet(self) -> str:
        """Returns the cabinet (49007-mairie-1) that it is about, or that carries its node."""
        return (None if self.place is None else self.place.cabinet) or cabinet_of(self.insee, self.gateway)

    @property
    def subject(self) -> bytes:
        """Returns the node that it is about: its own, or the one that a gateway reports."""
        about = fields(self.code, self.detail).get("about")
        return about if isinstance(about, bytes) else self.node

    @property
    def commune(self) -> str:
        """Returns the INSEE code of where it is."""
        return self.insee if self.place is None else self.place.key.insee

    @property
    def names_feeder(self) -> bool:
        """Returns whether a cabinet states it of one of its feeders."""
        return isinstance(fields(self.code, self.detail).get("feeder"), str)

    @property
    def zone(self) -> int | None:
        """Returns the zone of its node that it is about; None: all of the node."""
        zone = fields(self.code, self.detail).get("zone")
        return zone if isinstance(zone, int) else None

    @property
    def feeder(self) -> str | None:
        """Returns the feeder that it is about, or on which its equipment is."""
        named = fields(self.code, self.detail).get("feeder")
        return named if isinstance(named, str) else None if self.place is None else self.place.feeder


class Faults:
    """Answers questions on one connection; it is used from one thread."""

    def __init__(self, connection: database.Connection) -> None:
        self._connection = connection
        self._archive = Archive(connection)
        self._register = Register(connection)
        self._has_notes = connection.execute("SELECT 1 FROM fault_notes LIMIT 1").fetchone() is not None

    def open(self, nodes: Collection[bytes] | None = None) -> list[StandingFault]:
        """Returns the faults that last, the latest first; `nodes`: those that these state."""
        if nodes is None:
            rows = self._connection.execute(_OPEN.format(""))
        else:
            rows = self._connection.among(_OPEN.format(" AND f.node {}"), nodes)
        return [fault for fault in self._faults(rows) if not fault.is_over]

    def open_in(self, insee: str) -> list[StandingFault]:
        """Returns the faults that last in a commune: those that its nodes and cabinets state."""
        return self.open(nodes_of_commune(self._connection, insee))

    def between(self, since_unix_s: int, until_unix_s: int) -> list[StandingFault]:
        """Returns the faults that lasted at some time of `since <= t < until`, the latest first."""
        return [
            fault
            for fault in self._ended(since_unix_s)
            if fault.from_unix_s < until_unix_s and (fault.until_unix_s is None or fault.until_unix_s >= since_unix_s)
        ]

    def ended(self, since_unix_s: int) -> list[StandingFault]:
        """Returns the faults that ended since then, the latest first."""
        return [fault for fault in self._ended(since_unix_s) if (fault.until_unix_s or 0) >= since_unix_s]

    def of_nodes(self, nodes: Collection[bytes]) -> list[StandingFault]:
        """Returns all faults that these nodes have ever stated, the latest first."""
        return self._faults(self._connection.among(_ANY.format("f.node {}"), nodes))

    def _ended(self, since_unix_s: int) -> list[StandingFault]:
        """Returns the faults that last, or whose end was received since then: an end lies before its receipt."""
        where = "f.end_boot IS NULL OR finish.received_unix_s >= ?"
        return self._faults(self._connection.execute(_ANY.format(where), (since_unix_s,)))

    def _faults(self, found: Iterable[tuple]) -> list[StandingFault]:
        rows = list(found)
        self._register.remember({row[0] for row in rows})
        return sorted(map(self._fault, rows), key=latest_first)

    def _fault(self, row) -> StandingFault:
        node, code, part, body, insee, gateway = row[:6]
        begin, end = (row[6], row[7]), (row[13], row[14])
        is_over = end[0] is not None
        since_s, received_s = self._times(node, row[6:13])
        end_s, end_received_s = self._times(node, row[13:]) if is_over else (None, None)
        detail = bodies.decode(body).detail
        place = self._place(node, code, detail, received_s if since_s is None else since_s)
        notes = self._notes(node, code, part, begin, end if is_over else None) if self._has_notes else ()
        times = since_s, received_s, is_over, end_s, end_received_s
        fault = StandingFault(node, code, detail, *times, insee, gateway, place, notes, begin)
        return fault if is_over else self._until_replaced(fault)

    def _until_replaced(self, fault: StandingFault) -> StandingFault:
        replaced_s = self._register.replaced_unix_s(fault.subject)
        # What a node says after the day of its exchange is not that day's: perhaps the register is wrong.
        if replaced_s is None or fault.from_unix_s >= replaced_s + _DAY_S:
            return fault
        end_s = max(replaced_s, fault.from_unix_s)
        return fault._replace(is_over=True, end_unix_s=end_s, end_received_unix_s=end_s, is_replaced=True)

    def _times(self, node, row) -> tuple[int | None, int]:
        """Returns when a record was made, None where that is not known, and when it was received."""
        boot, _, quality, seconds, uncertainty_s, received_s, is_doubtful = row
        stated = self._archive.moment(node, boot, record.Stamp(quality, seconds, uncertainty_s))
        return stated.unless(is_doubtful).unix_s, received_s

    def _place(self, node, code, detail, at_s) -> Place | None:
        """Returns where it is: the equipment of its node, its zone, the feeder that a cabinet names, or the node that a
        gateway reports."""
        found = fields(code, detail)
        about, feeder, zone = found.get("about"), found.get("feeder"), found.get("zone")
        place = self._register.of_node(about if isinstance(about, bytes) else node, unix_s=at_s, zone=zone)
        if place is None or place.key.kind != CABINET or not isinstance(feeder, str):
            return place
        return self._register.of_feeder(place, feeder, unix_s=at_s)

    def _notes(self, node, code, part, begin, end) -> tuple[Note, ...]:
        found = []
        rows = self._connection.execute(_NOTES, (node,)).fetchall()
        for *position, written_s, author, changes_hands, holder, words, repaired in rows:
            if tuple(position) < begin or (end is not None and tuple(position) > end):
                continue
            row = self._connection.execute(
                "SELECT body FROM records WHERE node = ? AND boot = ? AND sequence = ?", (node, *position)
            ).fetchone()
            # A stranger's record is kept apart, and its note with it.
            said = None if row is None else statement((position[0], position[1]), bodies.decode(row[0]))
            if said is not None and (said.code, said.part) == (code, part):
                is_repaired = None if repaired < 0 else bool(repaired)
                found.append(Note(written_s, author, holder if changes_hands else None, words, is_repaired))
        return in_order(found)


def note(connection: database.Connection, positions: Iterable[tuple[bytes, Position]], said: Note) -> bool:
    """Writes what a person says about the faults that these records of nodes state, in the transaction of the caller;
    returns whether any of it is new."""
    repaired = -1 if said.is_repaired is None else int(said.is_repaired)
    values = said.written_unix_s, said.author, int(said.holder is not None), said.holder or "", said.words, repaired
    return sum(connection.execute(_ADD_NOTE, (node, *position, *values)).rowcount for node, position in positions) > 0


def latest_first(fault: StandingFault) -> tuple[int, bytes, Position]:
    """Returns what faults are sorted by for people."""
    return -fault.from_unix_s, fault.node, fault.begin
