"""Defines the vocabulary of the register: kinds of equipment, what is known of each, and how people write it in a cell.

An equipment is known by its commune (INSEE code), its kind and its id, which is what the commune calls it: `0117` on a
post, `mairie-1` for a cabinet (the name that its gateway has in MQTT topics), `mairie-1/bourg` for a feeder of that
cabinet (the name that policy and cabinet use). `49007-0117` is the same with its commune, as screens and reports show
it. Days are civil days of France and begin at midnight; `valid_until` is the last day, as in a policy.

Cells are read as communes write them: decimal commas, spaces in numbers, `35 W`, dates as 2026-11-29 or 29/11/2026.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, NC_, Message, Sentence, translate
from policy import civil
from tools.centre.limits import EQUIPMENT_TEXT_MAX, EQUIPMENT_WATTS_MAX, EQUIPMENT_ZONE_MAX
from wire import limits, topic

COMMUNE, CABINET, FEEDER, LIGHT, ROOM, GREEN_SPACE, METER = (
    "commune", "cabinet", "feeder", "light", "room", "green_space", "meter"
)  # fmt: skip
KINDS: dict[str, Message] = {
    COMMUNE: NC_("equipment", "commune"),
    CABINET: NC_("equipment", "cabinet"),
    FEEDER: NC_("equipment", "feeder"),
    LIGHT: NC_("equipment", "light"),
    ROOM: NC_("equipment", "room"),
    GREEN_SPACE: NC_("equipment", "green space"),
    METER: NC_("equipment", "meter"),
}

# The heading of each field in a file that people read; the key is its heading for programs.
FIELDS: dict[str, Message] = {
    "kind": NC_("column", "kind"),
    "commune": NC_("column", "commune"),
    "id": NC_("column", "id"),
    "name": NC_("column", "name"),
    "street": NC_("column", "street"),
    "post": NC_("column", "post"),
    "lamp": NC_("column", "lamp"),
    "watts": NC_("column", "watts"),
    "longitude": NC_("column", "longitude"),
    "latitude": NC_("column", "latitude"),
    "cabinet": NC_("column", "cabinet"),
    "feeder": NC_("column", "feeder"),
    "node": NC_("column", "node"),
    "zone": NC_("column", "zone"),
    "valid_from": NC_("column", "valid_from"),
    "valid_until": NC_("column", "valid_until"),
}


class Key(NamedTuple):
    """Names one equipment for good."""

    insee: str
    kind: str
    id: str

    @property
    def address(self) -> str:
        return self.insee if self.kind == COMMUNE else f"{self.insee}-{self.id}"


class Equipment(NamedTuple):
    """Holds what is known of an equipment for some days; None is not known, or has no meaning for its kind.

    post: the number on it, where that is not its id. power_dw in 0.1 W; position in degrees of WGS84. cabinet:
    `49007-mairie-1`; feeder: its name in that cabinet. zone: which zone of its node serves it, where there are several.
    """

    name: str | None = None
    street: str | None = None
    post: str | None = None
    lamp: str | None = None
    power_dw: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    cabinet: str | None = None
    feeder: str | None = None
    node: bytes | None = None
    zone: int | None = None


def cabinet_of(insee: str, name: str) -> str:
    """Returns a cabinet as certificates name it: 49007-mairie-1."""
    return f"{insee}-{name}"


def place_of_feeder(insee: str, id: str, cabinet: str | None) -> tuple[str, str]:
    """Returns the cabinet that a feeder hangs on and its name there: of `mairie-1/bourg` it is mairie-1, unless the
    register says another."""
    name, _, feeder = id.partition("/")
    return cabinet or cabinet_of(insee, name), feeder


# The field of Equipment behind a column, where it has another name.
ATTRIBUTES = {"watts": "power_dw"}


class Version(NamedTuple):
    """States what an equipment was `from_unix_s <= t < until_unix_s` (None: it still is)."""

    key: Key
    from_unix_s: int
    until_unix_s: int | None
    equipment: Equipment


def row_of(version: Version) -> dict[str, "Cell"]:
    """Returns the cell of each field, in their order."""
    (insee, kind, id), start, end, equipment = version
    return {
        "kind": kind,
        "commune": insee,
        "id": id,
        "name": equipment.name,
        "street": equipment.street,
        "post": equipment.post,
        "lamp": equipment.lamp,
        "watts": None if equipment.power_dw is None else equipment.power_dw / 10,
        "longitude": equipment.longitude,
        "latitude": equipment.latitude,
        "cabinet": equipment.cabinet,
        "feeder": equipment.feeder,
        "node": None if equipment.node is None else equipment.node.hex(),
        "zone": equipment.zone,
        "valid_from": day_text(start),
        "valid_until": None if end is None else day_text(end - 1),
    }


class CellFault(Exception):
    """Is raised for a cell that cannot be read: what is wrong with it, and what to write instead."""

    def __init__(self, problem: Sentence, remedy: Sentence) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.remedy = remedy


Cell = str | int | float | None


def is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


# --- cells to values ----------------------------------------------------------------------------------------


def parse(field: str, cell: Cell) -> object:
    """Returns the value of a cell that is not empty; CellFault when it has none."""
    return _PARSERS[field](cell)


def _text(cell: Cell) -> str:
    """Returns a cell as one line; a spreadsheet's 117.0 is 117."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    text = " ".join(text.split())
    if len(text) > EQUIPMENT_TEXT_MAX:
        raise _fault(N_("{text} is too long"), text, N_("give {high} characters at most"), high=EQUIPMENT_TEXT_MAX)
    return text


_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?")


def number(cell: Cell) -> float:
    """Returns the number in a cell; CellFault when it is none."""
    if isinstance(cell, str):
        text = cell.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")  # of thousands, in French
        if not _NUMBER.fullmatch(text):
            raise _fault(N_("{text} is no number"), cell, N_("write a number such as 35 or 35.5"))
        return float(text.replace(",", "."))
    value = float(cell or 0)
    if not math.isfinite(value):
        raise _fault(N_("{text} is no number"), cell, N_("write a number such as 35 or 35.5"))
    return value


def _watts(cell: Cell) -> int:
    """Returns 0.1 W."""
    try:
        power_dw = round(10 * number(re.sub(r"\s*[Ww]\s*$", "", cell) if isinstance(cell, str) else cell))
    except CellFault as error:
        raise _fault(error.problem.message, cell, error.remedy.message) from error
    if not 0 <= power_dw <= 10 * EQUIPMENT_WATTS_MAX:
        raise _fault(N_("{text} is no power in watts"), cell, N_("give 0 to {high} W"), high=EQUIPMENT_WATTS_MAX)
    return power_dw


def _degrees(high: int) -> Callable[[Cell], float]:
    def parse_degrees(cell: Cell) -> float:
        # Seven decimals are 1 cm; a float keeps them, and an export gives back the same ones.
        degrees = round(number(cell), 7)
        if not -high <= degrees <= high:
            remedy = N_("metres? then say in a mapping file (--mapping) which, for example {example}")
            raise _fault(N_("{text} is no degree of longitude or latitude"), cell, remedy, example='crs = "EPSG:2154"')
        return degrees + 0.0  # no -0.0

    return parse_degrees


def id_from_hex(text: str) -> bytes | None:
    """Returns a node's id from its 16 hexadecimal digits; None for any other text."""
    is_id = len(text) == 2 * limits.NODE_ID_BYTES and re.fullmatch("[0-9A-Fa-f]+", text)
    return bytes.fromhex(text) if is_id else None


def _node(cell: Cell) -> bytes:
    node = id_from_hex(re.sub("[ :.-]", "", str(cell)))
    if node is None:
        remedy = N_("give the 16 hexadecimal digits of its label; in a spreadsheet the column has to be text")
        raise _fault(N_("{text} is no id of a node"), cell, remedy)
    return node


def _zone(cell: Cell) -> int:
    zone = number(cell)
    if zone != int(zone) or not 0 < zone <= EQUIPMENT_ZONE_MAX:
        raise _fault(N_("{text} is no zone"), cell, N_("give 1 to {high}"), high=EQUIPMENT_ZONE_MAX)
    return int(zone)


def _insee(cell: Cell) -> str:
    text = _text(cell).upper()
    if len(text) == 4 and text.isdecimal():
        text = "0" + text  # a spreadsheet took 01004 for a number
    if not topic.is_insee(text):
        raise _fault(N_("{text} is no INSEE code"), cell, N_("give its five characters, such as 49135"))
    return text


def _kind(cell: Cell) -> str:
    found = _kinds_by_word().get(fold(_text(cell)))
    if found is None:
        names = ", ".join(KINDS)
        remedy = N_("give one of {names}, or say in a mapping file (--mapping) which it is")
        raise _fault(N_("{text} is no kind of equipment"), cell, remedy, names=names)
    return found


@lru_cache(maxsize=1000)
def _first_second(text: str) -> int:
    """Returns the Unix second with which a day of France begins."""
    found = re.fullmatch("([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})", text)  # GDAL writes 2026/11/29
    if found:
        year, month, day = map(int, found.groups())
    else:
        found = re.fullmatch("([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})", text)
        day, month, year = map(int, found.groups()) if found else (0, 0, 0)
    if not 1900 <= year < 2200 or not civil.is_date(year, month, day):
        raise _fault(N_("{text} is no day"), text, N_("give a day such as 2026-11-29 or 29/11/2026"))
    return int(civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, day), 0))


def _day(cell: Cell) -> int:
    return _first_second(_text(cell))


def _last_day(cell: Cell) -> int:
    """Returns the first second after the day."""
    return following_day(_first_second(_text(cell)))


_PARSERS: dict[str, Callable[[Cell], object]] = {
    "kind": _kind,
    "commune": _insee,
    "watts": _watts,
    "longitude": _degrees(180),
    "latitude": _degrees(90),
    "node": _node,
    "zone": _zone,
    "valid_from": _day,
    "valid_until": _last_day,
    **dict.fromkeys(("id", "name", "street", "post", "lamp", "cabinet", "feeder"), _text),
}


def _fault(problem: Message, cell: Cell, remedy: Message, **values: object) -> CellFault:
    shown = "".join(character for character in str(cell)[:40] if character.isprintable())
    return CellFault(Sentence(problem, {"text": f"« {shown} »"}), Sentence(remedy, values))


# --- days ---------------------------------------------------------------------------------------------------


def first_second(unix_s: int) -> int:
    """Returns the beginning of the day of France to which an instant belongs."""
    return int(civil.unix_from_local(civil.PARIS, civil.local_from_unix(civil.PARIS, unix_s).civil_day, 0))


def following_day(unix_s: int) -> int:
    return int(civil.unix_from_local(civil.PARIS, civil.local_from_unix(civil.PARIS, unix_s).civil_day + 1, 0))


@lru_cache(maxsize=1000)
def day_text(unix_s: int) -> str:
    year, month, day = civil.civil_from_days(civil.local_from_unix(civil.PARIS, unix_s).civil_day)
    return f"{year:04}-{month:02}-{day:02}"


# --- words --------------------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """Returns a heading or a word without case, accents and punctuation: `N° de support` is `nodesupport`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


@lru_cache(maxsize=1)
def _kinds_by_word() -> dict[str, str]:
    found = {fold(kind): kind for kind in KINDS}
    for language in LANGUAGES:
        found.update({fold(translate(message, language)): kind for kind, message in KINDS.items()})
    return found


def kind_word(kind: str, language: str = DEFAULT_LANGUAGE) -> str:
    return translate(KINDS[kind], language)
