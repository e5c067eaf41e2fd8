"""Holds an open file of equipment: rows of cells, the fields of its columns, and faults with their line."""

from typing import NamedTuple

from gateway.language import N_, Message, Sentence
from tools.centre.register.equipment import Cell

GIVE_ANOTHER = N_("give another file")


class Fault(NamedTuple):
    """States what is wrong at a line (of a GeoPackage: a fid; None: with the file), in which column, and what to do."""

    line: int | None
    column: str
    problem: Sentence
    remedy: Sentence


class Unreadable(Exception):
    """Is raised for a file that cannot be read at all."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults


class Columns(NamedTuple):
    """Holds where each field stands: its place in a row and its heading; `unread`: headings that no field has;
    `doubled`: pairs of headings that one field has."""

    places: dict[str, tuple[int, str]]
    unread: tuple[str, ...]
    doubled: tuple[tuple[str, str], ...]

    def heading(self, field: str) -> str:
        """Returns how the file calls a field; the field itself where it has no such column."""
        return self.places[field][1] if field in self.places else field


class Table(NamedTuple):
    """Holds the rows of a file, each with its line; `crs`: the EPSG code of its positions."""

    columns: Columns
    rows: list[tuple[int, tuple[Cell, ...]]]
    crs: int
    faults: tuple[Fault, ...] = ()


def fault(line: int | None, column: str, problem: Message, remedy: Message, **values: object) -> Fault:
    """Returns a fault; both sentences have the same values."""
    return Fault(line, column, Sentence(problem, values), Sentence(remedy, values))


def unreadable(problem: Message, remedy: Message, *, at: int | None = None, **values: object) -> Unreadable:
    """Returns what is to be raised for a file; `at`: the line, where one is known."""
    return Unreadable((fault(at, "", problem, remedy, **values),))
