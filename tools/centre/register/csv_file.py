"""Reads and writes equipment as CSV, as spreadsheets in town halls do.

Read: UTF-8 with or without BOM, UTF-16 (Excel's "Unicode text") or Windows-1252; `;`, comma or tab, whichever the
heading has most of. Written for French: UTF-8 with BOM, `;`, decimal commas and French headings, which Excel opens by a
double click; for English: comma, points and the headings of programs.
"""

import csv
import io
from collections.abc import Iterable

from gateway.language import N_, translate
from tools.centre.limits import REGISTER_ROWS_MAX
from tools.centre.register import projection
from tools.centre.register.equipment import FIELDS, Cell, Version, kind_word, row_of
from tools.centre.register.mapping import Mapping, columns
from tools.centre.register.table import Fault, Table, fault, unreadable

_SEPARATORS = ";,\t"


def read(data: bytes, mapping: Mapping) -> Table:
    """Returns the table in a file; Unreadable when it is none."""
    lines = io.StringIO(_decoded(data), newline="")
    heading = lines.readline()
    lines.seek(0)
    rows = csv.reader(lines, delimiter=max(_SEPARATORS, key=heading.count), strict=True)
    found: list[tuple[int, tuple[Cell, ...]]] = []
    faults: list[Fault] = []
    headings: list[str] = []
    line = 1
    try:
        headings = [text.strip() for text in next(rows, [])]
        line = rows.line_num + 1
        for cells in rows:
            if any(map(str.strip, cells)):
                if uneven := _uneven(line, cells, headings):
                    faults.append(uneven)
                else:
                    found.append((line, tuple(cells)))
            if len(found) > REGISTER_ROWS_MAX:
                raise unreadable(N_("has too many lines"), N_("split it"), at=line)
            line = rows.line_num + 1
    except csv.Error as error:
        raise unreadable(N_("is no CSV: {why}"), N_("save it as CSV anew"), at=line, why=error) from error
    return Table(columns(headings, mapping), found, mapping.crs or projection.WGS84, tuple(faults))


def _uneven(line: int, cells: list[str], headings: list[str]) -> Fault | None:
    """Returns what is wrong with the number of cells: a cell that is not there would empty its field."""
    while len(cells) > len(headings) and not cells[-1].strip():
        cells.pop()
    if len(cells) == len(headings):
        return None
    problem, remedy = N_("has {cells} cells, the heading has {headings}"), N_("put texts that hold a {sign} in quotes")
    return fault(line, "", problem, remedy, cells=len(cells), headings=len(headings), sign="« ; »")


def _decoded(data: bytes) -> str:
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise unreadable(N_("is text neither in UTF-8 nor in Windows-1252"), N_("save it as CSV in UTF-8"), at=line)


def write(versions: Iterable[Version], language: str) -> bytes:
    """Returns the file that holds these versions."""
    french = language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",", lineterminator="\r\n" if french else "\n")
    writer.writerow([translate(message, language) if french else field for field, message in FIELDS.items()])
    for version in versions:
        cells = row_of(version)
        cells["kind"] = kind_word(version.key.kind, language) if french else version.key.kind
        writer.writerow([_cell(cell, french) for cell in cells.values()])
    return out.getvalue().encode("utf-8-sig" if french else "utf-8")


def _cell(cell: Cell, french: bool) -> Cell:
    if not isinstance(cell, float):
        return cell
    text = f"{cell:.7f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if french else text
