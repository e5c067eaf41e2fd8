"""States which column of a file holds which field: the headings that are known, and those of a mapping file (TOML).

A mapping file has `kind` (what the lines are when no column says so), `crs` (of a CSV whose positions are in metres),
`[columns]` (field = heading, or a list of them) and `[kinds]` (word of the file = kind); `eclext.toml` is a sample. A
field that it names has these headings only; the other fields keep the known ones.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from gateway.language import LANGUAGES, N_, translate
from gateway.language.reasons import of_file, of_toml
from tools.centre.register import projection
from tools.centre.register.equipment import FIELDS, KINDS, LIGHT, fold
from tools.centre.register.table import GIVE_ANOTHER, Columns, Unreadable, fault, unreadable

_TO_FILL = "à compléter"


class Mapping(NamedTuple):
    """Holds folded headings by field, folded words by kind."""

    headings: dict[str, tuple[str, ...]]
    kinds: dict[str, str]
    kind: str = LIGHT
    crs: int | None = None


@cache
def known() -> Mapping:
    """Returns the mapping that needs no file."""
    document = tomllib.loads(Path(__file__).with_name("columns.toml").read_text(encoding="utf-8"))
    headings = {}
    for field, message in FIELDS.items():
        own = (field, *(translate(message, language) for language in LANGUAGES))
        headings[field] = tuple(map(fold, (*own, *document["columns"].get(field, ()))))
    return Mapping(headings, {})


def load(path: Path) -> Mapping:
    """Returns the known mapping with what the file says; Unreadable when it is at fault."""
    try:
        return _mapping(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(N_("cannot be read: {why}"), GIVE_ANOTHER, why=of_file(error)) from error
    except tomllib.TOMLDecodeError as error:
        line, why = of_toml(error)
        raise unreadable("{why}", N_("write it as in eclext.toml"), at=line, why=why) from error


def _mapping(document: dict[str, Any]) -> Mapping:
    base = known()
    for name in document:
        _choose(name, name, ("kind", "crs", "columns", "kinds"))
    for name in ("columns", "kinds"):
        if not isinstance(document.get(name, {}), dict):
            raise _fault(name, N_("is no table"), N_("write it as in eclext.toml"))
    if empty := [field for field, given in document.get("columns", {}).items() if given == _TO_FILL]:
        remedy = N_("give the headings of these columns, or delete their lines")
        raise Unreadable(tuple(fault(None, f"columns.{field}", N_("is to be filled in"), remedy) for field in empty))
    headings = dict(base.headings)
    for field, given in document.get("columns", {}).items():
        _choose(f"columns.{field}", field, tuple(FIELDS))
        names = given if isinstance(given, list) else [given]
        if not names or not all(isinstance(name, str) and fold(name) for name in names):
            raise _fault(f"columns.{field}", N_("is no heading"), N_("give a text, or a list of texts"))
        headings[field] = tuple(map(fold, names))
    kinds = {}
    for word, kind in document.get("kinds", {}).items():
        _choose(f"kinds.{word}", kind, tuple(KINDS))
        kinds[fold(word)] = kind
    kind = document.get("kind", LIGHT)
    _choose("kind", kind, tuple(KINDS))
    crs = document.get("crs")
    if crs is not None and projection.code_of(crs) is None:
        raise _fault("crs", N_("is not known here"), N_("give one of {names}"), names=", ".join(projection.NAMES))
    return Mapping(headings, kinds, kind, None if crs is None else projection.code_of(crs))


def columns(headings: list[str], mapping: Mapping) -> Columns:
    """Returns which field each column of a file holds."""
    fields = {heading: field for field, names in mapping.headings.items() for heading in names}
    # A heading that a mapping file gives to a field is that field's, whatever else knows it.
    base = known().headings
    fields.update({name: field for field, names in mapping.headings.items() if names != base[field] for name in names})
    places: dict[str, tuple[int, str]] = {}
    unread, doubled = [], []
    for place, heading in enumerate(headings):
        field = fields.get(fold(heading))
        if field is None:
            if heading.strip():
                unread.append(heading)
        elif field in places:
            doubled.append((places[field][1], heading))
        else:
            places[field] = (place, heading)
    return Columns(places, tuple(unread), tuple(doubled))


def _choose(field: str, value: object, names: tuple[str, ...]) -> None:
    if value not in names:
        raise _fault(field, N_("is not known here"), N_("give one of {names}"), names=", ".join(names))


def _fault(field: str, problem: str, remedy: str, **values: object) -> Unreadable:
    return Unreadable((fault(None, field, problem, remedy, **values),))
