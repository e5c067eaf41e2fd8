"""Reads the rows of a file as statements: of this equipment, from this day on, these fields are so.

A field whose column the file does not have stays as it is; an empty cell empties its field. All faults of a file are
found at once. Must not know what the register holds.
"""

from typing import NamedTuple

from gateway.language import N_, Message
from tools.centre.register import equipment, projection
from tools.centre.register.equipment import (
    ATTRIBUTES,
    CABINET,
    COMMUNE,
    FEEDER,
    Cell,
    CellFault,
    Key,
)
from tools.centre.register.mapping import Mapping
from tools.centre.register.table import Fault, Table, fault
from wire import topic

_POSITION = ("longitude", "latitude")
_BOTH = N_("give longitude and latitude, or neither")
_INSEE_CHARACTERS = 5


class Statement(NamedTuple):
    """States what an equipment is from `from_unix_s` until `until_unix_s` (None: until its next change). `given` holds
    the attributes of Equipment that the line states."""

    line: int
    key: Key
    from_unix_s: int
    until_unix_s: int | None
    given: dict[str, object]


class Context(NamedTuple):
    """Holds what is so of a line that does not say it: its commune, and the day from which it holds."""

    insee: str | None
    from_unix_s: int


class _LineFault(Exception):
    def __init__(self, field: str, problem: Message, remedy: Message) -> None:
        super().__init__(field)
        self.field = field
        self.problem = problem
        self.remedy = remedy


def read(table: Table, mapping: Mapping, context: Context) -> tuple[list[Statement], list[Fault]]:
    """Returns the statements of a table, and everything that is wrong with it; statements count only without faults."""
    if faults := _of_columns(table, mapping):
        return [], faults
    faults = list(table.faults)
    statements = []
    for line, cells in table.rows:
        values, found = _values(table, mapping, line, cells)
        if not found:
            try:
                statements.append(_statement(line, values, mapping, context))
            except _LineFault as error:
                found = [fault(line, table.columns.heading(error.field), error.problem, error.remedy)]
        faults.extend(found)
    faults.extend(_clashes(statements))
    return statements, sorted(faults, key=lambda one: one.line or 0)


def _of_columns(table: Table, mapping: Mapping) -> list[Fault]:
    faults = []
    places = table.columns.places
    for first, second in table.columns.doubled:
        remedy = N_("rename one of them, or choose in a mapping file (--mapping)")
        faults.append(fault(None, second, N_("means the same as the column {first}"), remedy, first=first))
    ids = {"id", COMMUNE} if mapping.kind == COMMUNE else {"id", CABINET} if mapping.kind == CABINET else {"id"}
    if mapping.kind == FEEDER:
        ids.add(FEEDER)
    if not ids & set(places):
        names = ", ".join(table.columns.unread[:20]) or "—"
        remedy = N_("call the column of the equipment's number `id`, or say in a mapping file (--mapping) which it is")
        faults.append(fault(None, "id", N_("is missing; not understood: {names}"), remedy, names=names))
    if (_POSITION[0] in places) != (_POSITION[1] in places):
        lacking = _POSITION[_POSITION[0] in places]
        faults.append(fault(None, lacking, N_("is missing"), _BOTH))
    return faults


def _values(
    table: Table, mapping: Mapping, line: int, cells: tuple[Cell, ...]
) -> tuple[dict[str, object], list[Fault]]:
    """Returns the value of each field of a line, and its faults."""
    values: dict[str, object] = {}
    faults = []
    projected = table.crs not in projection.DEGREES
    for field, (place, heading) in table.columns.places.items():
        cell = cells[place]
        if equipment.is_empty(cell):
            values[field] = None
            continue
        try:
            if field == "kind" and mapping.kinds:
                word = mapping.kinds.get(equipment.fold(str(cell)))
                values[field] = word or equipment.parse(field, cell)
            elif projected and field in _POSITION:
                values[field] = equipment.number(cell)
            else:
                values[field] = equipment.parse(field, cell)
        except CellFault as error:
            faults.append(Fault(line, heading, error.problem, error.remedy))
    if not faults and _POSITION[0] in values:
        faults = _position(table, line, values)
    return values, faults


def _position(table: Table, line: int, values: dict[str, object]) -> list[Fault]:
    """Turns metres into degrees; returns what is wrong with the position."""
    x, y = (values[field] for field in _POSITION)
    heading = table.columns.heading(_POSITION[1] if y is None else _POSITION[0])
    if (x is None) != (y is None):
        return [fault(line, heading, N_("is missing"), _BOTH)]
    if not isinstance(x, float) or not isinstance(y, float):
        return []
    if table.crs not in projection.DEGREES:
        x, y = projection.degrees(table.crs, x, y)
        try:
            values["longitude"] = equipment.parse("longitude", x)
            values["latitude"] = equipment.parse("latitude", y)
        except CellFault as error:
            return [Fault(line, heading, error.problem, error.remedy)]
    if projection.is_swapped(x, y):
        remedy = N_("exchange the two columns: in France the latitude is 41 to 52")
        return [fault(line, heading, N_("longitude and latitude are swapped"), remedy)]
    return []


# --- one line -----------------------------------------------------------------------------------------------


def _statement(line: int, values: dict[str, object], mapping: Mapping, context: Context) -> Statement:
    kind = str(values.pop("kind", None) or mapping.kind)
    start = values.pop("valid_from", None) or context.from_unix_s
    end = values.pop("valid_until", None)
    assert isinstance(start, int) and (end is None or isinstance(end, int))
    if end is not None and end <= start:
        raise _LineFault("valid_until", N_("is before the first day"), N_("give a later day, or none"))
    key = _key(kind, values, context)
    given = {ATTRIBUTES.get(field, field): value for field, value in values.items()}
    return Statement(line, key, start, end, given)


def _key(kind: str, values: dict[str, object], context: Context) -> Key:
    """Takes commune and id out of `values`, and completes its cabinet and feeder."""
    insee = _optional(values.pop("commune", None)) or context.insee
    id = _optional(values.pop("id", None))
    if kind == COMMUNE:
        insee = id or insee
        if insee is None or not topic.is_insee(insee):
            raise _LineFault("commune", N_("is no INSEE code"), N_("give its five characters, such as 49135"))
        return Key(insee, kind, insee)
    if kind == CABINET and id is None:
        id = _optional(values.get("cabinet"))
    if insee is None and id is not None and _has_insee(id):
        insee = id[:_INSEE_CHARACTERS]
    if insee is None:
        raise _LineFault("commune", N_("is missing"), N_("give its INSEE code in a column, or --commune"))
    id = _without_insee(insee, id)
    if kind == FEEDER:
        return _feeder_key(insee, id, values)
    if not id:
        raise _LineFault("id", N_("is missing"), N_("give the number by which the commune knows it"))
    if kind == CABINET:
        values["cabinet"] = values["feeder"] = None
    else:
        _complete_place(insee, values)
    return Key(insee, kind, id)


def _feeder_key(insee: str, id: str | None, values: dict[str, object]) -> Key:
    """A feeder is known by its cabinet and its name in it: two columns, or both in its id (`mairie-1/bourg`)."""
    if id is not None:
        before, _, after = id.rpartition("/")
        values["cabinet"] = values.get("cabinet") or before or None
        values["feeder"] = values.get("feeder") or after
    _complete_place(insee, values)
    cabinet, feeder = _optional(values.get("cabinet")), _optional(values.get("feeder"))
    if not cabinet or not feeder:
        raise _LineFault("id", N_("is incomplete"), N_("give the feeder's cabinet and its name: mairie-1/bourg"))
    key = Key(cabinet[:_INSEE_CHARACTERS], FEEDER, f"{cabinet[_INSEE_CHARACTERS + 1 :]}/{feeder}")
    if id is not None and "/" in id and key.id != _without_insee(key.insee, id):
        raise _LineFault("id", N_("names another feeder than the line does"), N_("leave one of the two empty"))
    return key


def _complete_place(insee: str, values: dict[str, object]) -> None:
    """Gives the cabinet its commune; takes `mairie-1/bourg` apart."""
    cabinet, feeder = _optional(values.get("cabinet")), _optional(values.get("feeder"))
    if feeder is not None and cabinet is None and "/" in feeder:
        cabinet, _, feeder = feeder.rpartition("/")
        values["cabinet"], values["feeder"] = cabinet, feeder
    if cabinet is not None and not _has_insee(cabinet):
        values["cabinet"] = f"{insee}-{cabinet}"


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _has_insee(text: str) -> bool:
    return text[_INSEE_CHARACTERS : _INSEE_CHARACTERS + 1] == "-" and topic.is_insee(text[:_INSEE_CHARACTERS])


def _without_insee(insee: str, id: str | None) -> str | None:
    while id is not None and id.startswith(insee + "-"):
        id = id[_INSEE_CHARACTERS + 1 :]
    return id


# --- all lines ----------------------------------------------------------------------------------------------


def _clashes(statements: list[Statement]) -> list[Fault]:
    """Returns what is wrong between lines of one equipment: two of the same day, or days that overlap."""
    faults = []
    before: Statement | None = None
    for one in sorted(statements, key=lambda statement: (statement.key, statement.from_unix_s, statement.line)):
        if before is not None and before.key == one.key:
            values = {"address": one.key.address, "other": before.line}
            if before.from_unix_s == one.from_unix_s:
                problem = N_("{address} stands already on line {other}, from the same day")
                faults.append(fault(one.line, "", problem, N_("leave one out, or give them different days"), **values))
            elif before.until_unix_s is not None and before.until_unix_s > one.from_unix_s:
                problem = N_("{address} stands on line {other} until a later day")
                faults.append(fault(one.line, "", problem, N_("let the one end before the other begins"), **values))
        before = one
    return faults
