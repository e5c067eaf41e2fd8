"""Loads the hardware files and checks each against its own schema: keys, kinds, bounds. Every fault is listed, none
raises.

Must not judge one fact by another: tools/hardware/conflicts.py does.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from policy.fault import Fault
from tools.hardware import build_schema, schema
from tools.hardware.schema import Field
from wire import quantity_table

FOLDER = Path("hardware")


class Facts(NamedTuple):
    """Holds every sound file by its stem, as it was written."""

    parts: dict[str, dict[str, Any]]
    modules: dict[str, dict[str, Any]]
    nodes: dict[str, dict[str, Any]]
    builds: dict[str, dict[str, Any]]


class FileFault(NamedTuple):
    """Names a fault and the file that has it (path from the root)."""

    file: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.file}: {self.fault.path}: {self.fault.problem}; {self.fault.remedy}"


def load(root: Path) -> tuple[Facts, list[FileFault]]:
    """Returns all files under `root`/hardware, and the faults that each has by itself."""
    faults: list[FileFault] = []
    facts = Facts({}, {}, {}, {})
    for folder, into, check in (
        ("parts", facts.parts, check_part),
        ("boards", facts.modules, check_module),
        ("nodes", facts.nodes, check_node),
        ("builds", facts.builds, check_build),
    ):
        for path in sorted((root / FOLDER / folder).glob("*.toml")):
            name = f"{FOLDER.as_posix()}/{folder}/{path.name}"
            if not _is_name(path.stem, dashes=folder != "nodes"):
                faults.append(FileFault(name, Fault("", "has a name that no module can have", "use a-z, 0-9 and _")))
                continue
            try:
                plain = tomllib.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                faults.append(FileFault(name, Fault("", f"cannot be read ({error})", "write TOML in UTF-8")))
                continue
            own = list(check(plain))
            faults += [FileFault(name, fault) for fault in own]
            if not own:
                into[path.stem] = plain
    return facts, faults


def check_part(plain: Mapping[str, Any]) -> Iterator[Fault]:
    """Checks a part's file."""
    yield from check_table("", plain, schema.PART)
    if plain.get("bus") == "i2c" and not plain.get("addresses"):
        yield Fault("addresses", "is missing", "list the addresses that its pins choose")
    if ("power_on" in plain) != ("power_on_fr" in plain):
        yield Fault("power_on", "is in one language", "write power_on and power_on_fr")
    yield from _check_quantities("measures", plain.get("measures"))


def check_module(plain: Mapping[str, Any]) -> Iterator[Fault]:
    """Checks a module's file."""
    yield from check_table("", plain, schema.MODULE)


def check_node(plain: Mapping[str, Any]) -> Iterator[Fault]:
    """Checks a node's file, use by use."""
    own = {name: value for name, value in plain.items() if name in schema.NODE}
    yield from check_table("", own, schema.NODE)
    if isinstance(plain.get("chip"), Mapping):
        yield from check_table("chip.", plain["chip"], schema.CHIP)
    for name, fields in (("supply", schema.SUPPLY), ("bench", schema.BENCH)):
        if isinstance(plain.get(name), Mapping):
            yield from check_table(f"{name}.", plain[name], fields)
    for name, value in plain.items():
        if name not in schema.NODE:
            yield from _check_use(name, value)


def check_build(plain: Mapping[str, Any]) -> Iterator[Fault]:
    """Checks a build's file: its tables, items, wires and checks."""
    yield from check_table("", plain, build_schema.BUILD)
    for name, fields in (("made", build_schema.MADE), ("enclosure", build_schema.ENCLOSURE)):
        if isinstance(plain.get(name), Mapping):
            yield from check_table(f"{name}.", plain[name], fields)
    items = plain.get("item")
    for name, item in items.items() if isinstance(items, Mapping) else ():
        if isinstance(item, Mapping):
            yield from check_table(f"item.{name}.", item, build_schema.ITEM)
        else:
            yield Fault(f"item.{name}", "is not a table", f"write [item.{name}]")
    for name, fields in (("wire", build_schema.WIRE), ("check", build_schema.CHECK)):
        rows = plain.get(name)
        for number, row in enumerate(rows, 1) if isinstance(rows, list) else ():
            if isinstance(row, Mapping):
                yield from check_table(f"{name} {number}.", row, fields)
            else:
                yield Fault(f"{name} {number}", "is not a table", f"write [[{name}]]")


def _check_use(name: str, value: Any) -> Iterator[Fault]:
    if not _is_name(name, dashes=False):
        yield Fault(name, "is no name for a constant", "use a-z, 0-9 and _")
    if not isinstance(value, Mapping):
        yield Fault(name, "is not a table", f"write [{name}]")
        return
    kind = schema.USES.get(value.get("use", ""))
    if kind is None:
        yield Fault(f"{name}.use", f"is {value.get('use')!r}", f"give one of {', '.join(schema.USES)}")
        return
    fields = {**schema.COMMON, **kind.fields}
    yield from check_table(f"{name}.", value, fields)
    if isinstance(value.get("front_end"), Mapping):
        yield from check_table(f"{name}.front_end.", value["front_end"], schema.FRONT_END)
    if ("connector" in value) != ("terminals" in value):
        yield Fault(f"{name}.connector", "stands without its terminals, or they without it", "give both or none")
    yield from _check_quantities(f"{name}.needs", value.get("needs"))


def _check_quantities(path: str, names: Any) -> Iterator[Fault]:
    known = quantity_table.BY_NAME
    for name in names if isinstance(names, list) else ():
        if name not in known:
            yield Fault(path, f"{name!r} is no quantity", f"give names of wire.quantity: {', '.join(known)}")


def check_table(path: str, plain: Mapping[str, Any], fields: Mapping[str, Field]) -> Iterator[Fault]:
    """Checks one table: missing and unknown keys, values of the wrong kind."""
    for name, field in fields.items():
        if name in plain:
            remedy = _remedy(plain[name], field)
            if remedy:
                yield Fault(path + name, f"is {plain[name]!r}", remedy)
        elif field.needed:
            yield Fault(path + name, "is missing", "add it")
    for name in plain:
        if name not in fields:
            yield Fault(path + name, "is not known", f"known are {', '.join(fields)}")


def _remedy(value: Any, field: Field) -> str:
    """Returns what to write instead, or an empty text when the value is sound."""
    if field.kind == schema.TRUTH:
        return "" if isinstance(value, bool) else "give true or false"
    if field.kind == schema.WHOLE:
        sound = _is_whole(value) and field.low <= value <= field.high
        return "" if sound else f"give a whole number from {field.low} to {field.high}"
    if field.kind == schema.TABLES:
        return "" if isinstance(value, list) and value else "write at least one table"
    if field.kind == schema.TABLE:
        return "" if isinstance(value, Mapping) else "write a table"
    if field.kind == schema.NUMBERS:
        numbers = expand(value)
        sound = numbers is not None and all(field.low <= number <= field.high for number in numbers)
        return "" if sound else f'give a list of numbers and ranges ("4-7") from {field.low} to {field.high}'
    texts = value if field.kind == schema.TEXTS else [value]
    if not isinstance(texts, list) or not all(isinstance(text, str) and "\n" not in text for text in texts):
        return "give a text" if field.kind == schema.TEXT else "give a list of texts"
    if field.words and not set(texts) <= set(field.words):
        return f"give one of {', '.join(field.words)}"
    return ""


def expand(value: Any) -> list[int] | None:
    """Turns [4, "6-8"] into [4, 6, 7, 8], and anything that is no such list into None."""
    if not isinstance(value, list):
        return None
    numbers: list[int] = []
    for item in value:
        first, dash, last = item.partition("-") if isinstance(item, str) else ("", "", "")
        if _is_whole(item):
            numbers.append(item)
        elif dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last) < 1000:
            numbers += range(int(first), int(last) + 1)
        else:
            return None
    return numbers


def uses(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the uses of a node's file, in its order."""
    return {name: value for name, value in node.items() if name not in schema.NODE}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(text: str, *, dashes: bool) -> bool:
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789_" + ("-" if dashes else ""))
    return bool(text) and text[0].isalpha() and set(text) <= letters
