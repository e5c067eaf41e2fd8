"""Prints rows as a table for people, as CSV for their spreadsheet, or as JSON for a program.

A table fits the terminal: where it is too wide, the widest columns are narrowed and their cells go on in the next line.
CSV in French has semicolons, decimal commas, French headings and words, as spreadsheets there expect; with `--lang en`
it has commas, points, and the names and values of the JSON.
"""

import argparse
import csv
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.language import NN_, Message, Phrases, translate
from gateway.language.figures import number

_WAITING = Phrases({
    "nodes": NN_(
        "{count} node has readings that are not counted yet: `bocage centre rollup` counts them",
        "{count} nodes have readings that are not counted yet: `bocage centre rollup` counts them",
    )
})  # fmt: skip
# No column is narrowed below this.
_WIDTH_MIN = 8
_GAP = "  "
# No line ends within a date and its time, or within a number.
_DIGITS = re.compile("(?<=[0-9]) (?=[0-9])")
_HELD_SPACE = "\u00a0"


class Column(NamedTuple):
    """Describes a column: its name for programs, its heading for people, and how people read a value (`text`; None: as
    it stands). `digits`: decimals of a float. A column that is not `shown` stands in files only."""

    name: str
    heading: Message
    text: Callable[[Any, str], str] | None = None
    digits: int = 1
    is_shown: bool = True


Row = Mapping[str, Any]


def add_forms(parser: argparse.ArgumentParser) -> None:
    """Adds `--csv` and `--json`."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="for a spreadsheet")
    forms.add_argument("--json", action="store_true", help="for programs")


def show(args: argparse.Namespace, columns: Sequence[Column], rows: Sequence[Row], nothing: Message) -> None:
    """Prints the rows in the form that was asked for; `nothing`: what a person reads where there are none."""
    if args.json:
        print(json.dumps([{column.name: row[column.name] for column in columns} for row in rows],
                         ensure_ascii=False, indent=2))  # fmt: skip
    elif args.csv:
        _write_csv(columns, rows, args.lang)
    elif rows:
        print("\n".join(table(columns, rows, args.lang, width())))
    else:
        print(translate(nothing, args.lang))


def warn_waiting(args: argparse.Namespace, nodes: int) -> None:
    """Says, apart from the rows, of how many nodes the roll-up has not counted all readings yet."""
    if nodes:
        print(_WAITING.text("nodes", args.lang, count=nodes), file=sys.stderr)


def width() -> int:
    """Returns the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def table(columns: Sequence[Column], rows: Iterable[Row], language: str, width: int) -> list[str]:
    """Returns the lines of a table of at most `width` columns; numbers stand at the right, an empty column is left
    out."""
    rows = list(rows)
    shown = [column for column in columns if column.is_shown and any(row[column.name] is not None for row in rows)]
    given = [[row[column.name] for column in shown] for row in rows]
    texts = [
        [_DIGITS.sub(_HELD_SPACE, _text(value, column, language)) for value, column in zip(row, shown, strict=True)]
        for row in given
    ]
    is_number = [
        column.text is None and any(isinstance(row[place], (int, float)) for row in given)
        for place, column in enumerate(shown)
    ]
    headings = [translate(column.heading, language) for column in shown]
    widths = _widths([headings, *texts], width - len(_GAP) * (len(shown) - 1))
    lines = []
    for cells in [headings, *texts]:
        wrapped = [
            textwrap.wrap(cell, size, break_on_hyphens=False) or [""] for cell, size in zip(cells, widths, strict=True)
        ]
        for at in range(max(map(len, wrapped))):
            parts = [cell[at] if at < len(cell) else "" for cell in wrapped]
            aligned = (
                part.rjust(size) if right else part.ljust(size)
                for part, size, right in zip(parts, widths, is_number, strict=True)
            )
            lines.append(_GAP.join(aligned).rstrip().replace(_HELD_SPACE, " "))
    return lines


def _widths(rows: list[list[str]], total: int) -> list[int]:
    """Returns the widths of columns: what their cells need, less where that is too much; words are broken last,
    and a date with its time never."""
    columns = list(zip(*rows, strict=True))
    widths = [max(1, *map(len, cells)) for cells in columns]
    words = [[word for cell in cells for word in cell.split(" ")] for cells in columns]
    whole = [max(map(len, own)) for own in words]
    held = [max(_WIDTH_MIN, *(len(word) for word in own if _HELD_SPACE in word), 0) for own in words]
    for least in (whole, held):
        while sum(widths) > total and (wide := [(size, at) for at, size in enumerate(widths) if size > least[at]]):
            widths[max(wide)[1]] -= 1
    return widths


def _write_csv(columns: Sequence[Column], rows: Iterable[Row], language: str) -> None:
    french = language == "fr"
    writer = csv.writer(sys.stdout, delimiter=";" if french else ",", lineterminator="\n")
    writer.writerow([translate(column.heading, language) if french else column.name for column in columns])
    for row in rows:
        plain = [row[column.name] for column in columns]
        shown = [_text(value, column, language) for value, column in zip(plain, columns, strict=True)]
        writer.writerow(shown if french else plain)


def _text(value: Any, column: Column, language: str) -> str:
    if column.text is not None:
        return column.text(value, language)
    if isinstance(value, float):
        return number(value, language, column.digits)
    return "" if value is None else str(value)
