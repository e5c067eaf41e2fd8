"""Writes equipment, places and changes of the register in words."""

from gateway.language import N_, translate
from gateway.language.figures import number
from tools.centre.register.equipment import ATTRIBUTES, FEEDER, FIELDS, Equipment, Key, day_text, id_from_hex, kind_word
from tools.centre.register.register import Place, Register
from tools.centre.register.table import Fault

_FEEDER = N_("feeder {feeder}")
_KNOWN = N_("{field}: {value}")
_CHANGE = N_("{field} {before} → {after}")
_NOTHING = "—"
_FIELD_OF = {attribute: field for field, attribute in ATTRIBUTES.items()}


def place_text(place: Place, language: str) -> str:
    """Returns a place as a person says it: `point lumineux 0117, rue du Port, Feneu, départ bourg`."""
    name = place.name or key_text(place.key, language)
    feeder = None if place.feeder is None else translate(_FEEDER, language, feeder=place.feeder)
    if place.key.kind == FEEDER and place.name in (None, place.feeder):  # told once
        name, feeder = (place.name and feeder) or name, None
    street = None if place.street is not None and name.endswith(place.street) else place.street  # told once, too
    parts = (name, street, place.commune or place.key.insee, feeder)
    return ", ".join(part for part in parts if part)


def id_text(register: Register, text: str, language: str, *, unix_s: int) -> str:
    """Returns the place of a node before its id, where the text is the id of a node that the register knows."""
    node = id_from_hex(text)
    place = None if node is None else register.of_node(node, unix_s=unix_s)
    return text if place is None else f"{place_text(place, language)} ({text})"


def place_plain(place: Place | None, language: str) -> dict[str, str | None] | None:
    """Returns a place for a program; `text` is for people."""
    if place is None:
        return None
    own = {"id": place.key.address, "kind": place.key.kind, "text": place_text(place, language)}
    return {**own, **dict(zip(Place._fields[1:], place[1:], strict=True))}


def key_text(key: Key, language: str) -> str:
    return f"{kind_word(key.kind, language)} {key.id}"


def address_text(key: Key, language: str) -> str:
    return f"{kind_word(key.kind, language)} {key.address}"


def field_word(attribute: str, language: str) -> str:
    return translate(FIELDS[_FIELD_OF.get(attribute, attribute)], language)


def value_text(attribute: str, value: object, language: str) -> str:
    if value is None:
        return _NOTHING
    if attribute == "power_dw":
        assert isinstance(value, int)
        return number(value / 10, language, 0 if value % 10 == 0 else 1) + " W"
    if isinstance(value, float):
        return number(value, language, 7)
    return value.hex() if isinstance(value, bytes) else str(value)


def equipment_text(equipment: Equipment, language: str) -> str:
    """Returns everything that is known, by field."""
    known = ((name, value) for name, value in zip(Equipment._fields, equipment, strict=True) if value is not None)
    return ", ".join(
        translate(_KNOWN, language, field=field_word(name, language), value=value_text(name, value, language))
        for name, value in known
    )


def difference_text(before: Equipment, after: Equipment, language: str) -> str:
    """Returns what changes from one to the other."""
    pairs = zip(Equipment._fields, before, after, strict=True)
    return ", ".join(
        translate(
            _CHANGE,
            language,
            field=field_word(name, language),
            before=value_text(name, old, language),
            after=value_text(name, new, language),
        )
        for name, old, new in pairs
        if old != new
    )


def days_text(start: int, end: int | None, language: str) -> str:
    if end is None:
        return translate(N_("from {start}"), language, start=day_text(start))
    return translate(N_("{start} to {end}"), language, start=day_text(start), end=day_text(end - 1))


def fault_text(path: object, fault: Fault, language: str) -> str:
    """Returns a fault as compilers write theirs: `lampes.csv:17: puissance : …`."""
    place = f"{path}:" if fault.line is None else f"{path}:{fault.line}:"
    sentence = translate(N_("{problem}; {remedy}"), language, problem=fault.problem, remedy=fault.remedy)
    return f"{place} {fault.column}: {sentence}" if fault.column else f"{place} {sentence}"


def fault_plain(fault: Fault, language: str) -> dict[str, object]:
    problem, remedy = (translate(said.message, language, **said.values) for said in (fault.problem, fault.remedy))
    return {"line": fault.line, "column": fault.column, "problem": problem, "remedy": remedy}
