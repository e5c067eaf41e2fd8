"""Writes the technician's sheet of a kind of node (hardware/nodes/<kind>.md): terminals, pins, parts and safe levels.
French comes first, then English; the tables hold nothing but the data, whose description of a use is one line.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tools.hardware import schema
from tools.hardware.board_text import SOURCE, safe_outputs
from tools.hardware.conflicts import instead_of, pins
from tools.hardware.files import Facts, uses


class Words(NamedTuple):
    """Holds the words of a sheet in one language."""

    note: str
    builds: str
    module: str
    terminals: str
    terminals_head: Sequence[str]
    pins: str
    pins_head: Sequence[str]
    safe: str
    safe_head: Sequence[str]
    low: str
    high: str
    power_on: str
    parts: str
    parts_head: Sequence[str]
    option: str
    instead: str
    describes: str


FRENCH = Words(
    "Fiche produite à partir de `{source}` : ne pas la modifier à la main.",
    "Montages complets (pièces, fils, bilan de puissance, essais) : ",
    "Module",
    "Bornes",
    ("Bornier", "Bornes", "Usage", "Monté", "Rôle"),
    "Broches du module",
    ("GPIO", "Usage", "Signal", "Nature"),
    "Niveaux de repli au démarrage",
    ("Sortie", "GPIO", "Niveau", "Rôle"),
    "bas (0)",
    "haut (1)",
    "à la mise sous tension",
    "Composants",
    ("Composant", "Fabricant", "Usage", "Liaison", "Alimentation", "Notice"),
    "en option",
    "à la place de",
    "description_fr",
)
ENGLISH = Words(
    "Made from `{source}`: do not edit it by hand.",
    "Complete builds (parts, wires, power budget, checks): ",
    "Module",
    "Terminals",
    ("Connector", "Terminals", "Use", "Fitted", "What for"),
    "Pins of the module",
    ("GPIO", "Use", "Signal", "Nature"),
    "Safe levels at boot",
    ("Output", "GPIO", "Level", "What for"),
    "low (0)",
    "high (1)",
    "at power-on",
    "Parts",
    ("Part", "Maker", "Use", "Link", "Supply", "Data sheet"),
    "option",
    "instead of",
    "description",
)
_ALWAYS = {FRENCH: "toujours", ENGLISH: "always"}


def sheet_text(kind: str, node: Mapping[str, Any], facts: Facts) -> str:
    """Returns the text of the whole sheet."""
    lines = [f"# {kind}: {node['title']}", "", *_half(kind, node, facts, FRENCH)]
    lines += ["", "---", "", f"# {kind}: {node['title_en']}", "", *_half(kind, node, facts, ENGLISH)]
    return "\n".join(lines) + "\n"


def _half(kind: str, node: Mapping[str, Any], facts: Facts, words: Words) -> Iterator[str]:
    module = facts.modules[node["chip"]["module"]]
    yield words.note.format(source=SOURCE.format(kind=kind))
    yield ""
    builds = [name for name, build in facts.builds.items() if build["role"] == kind]
    if builds:
        yield words.builds + ", ".join(f"[{name}](../builds/{name}.md)" for name in builds) + "."
        yield ""
    psram = node["chip"]["psram"]
    yield f"{words.module} : {module['name']} (PSRAM {psram}), {module[words.describes]}."
    for title, head, rows in (
        (words.terminals, words.terminals_head, _terminals(node, words)),
        (words.pins, words.pins_head, _pins(node, words)),
        (words.safe, words.safe_head, _safe(node, facts, words)),
        (words.parts, words.parts_head, _parts(node, facts)),
    ):
        yield from ("", f"## {title}", "")
        yield from table(head, rows)


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """Yields the lines of a table in Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |"


def _fitted(use: Mapping[str, Any], words: Words) -> str:
    if instead_of(use):
        return f"{words.instead} {instead_of(use)}"
    return words.option if "fitted" in use else _ALWAYS[words]


def _terminals(node: Mapping[str, Any], words: Words) -> Iterator[Sequence[str]]:
    rows = [(use["connector"], name, use) for name, use in uses(node).items() if "connector" in use]
    if "supply" in node:
        rows.append((node["supply"]["connector"], "supply", node["supply"]))
    for connector, name, use in sorted(rows, key=lambda row: (int(row[0].strip("J") or 0), row[0])):
        yield connector, ", ".join(use["terminals"]), name, _fitted(use, words), use[words.describes]


def _pins(node: Mapping[str, Any], words: Words) -> Iterator[Sequence[str]]:
    rows = []
    for name, use in uses(node).items():
        kind = schema.USES[use["use"]]
        for key, (pin, _way) in pins(use).items():
            signal = key.removesuffix("pin").strip("_").upper()
            rows.append((pin, name, signal or "-", kind.name_fr if words is FRENCH else kind.name))
    for pin, name, signal, nature in sorted(rows):
        yield str(pin), name, signal, nature


def _safe(node: Mapping[str, Any], facts: Facts, words: Words) -> Iterator[Sequence[str]]:
    for pin, level, name, key in safe_outputs(node):
        signal = key.removesuffix("pin").strip("_")
        yield f"{name} {signal}".strip(), str(pin), words.high if level else words.low, node[name][words.describes]
    for name, use in uses(node).items():
        part = facts.parts.get(use.get("part", ""), {})
        if "power_on" in part:
            power_on = part["power_on_fr" if words is FRENCH else "power_on"]
            yield name, "-", f"{words.power_on}: {power_on}", use[words.describes]


def _parts(node: Mapping[str, Any], facts: Facts) -> Iterator[Sequence[str]]:
    for name, use in uses(node).items():
        if "part" not in use:
            continue
        part = facts.parts[use["part"]]
        link = f"I2C 0x{use['address']:02X}" if use["use"] == "device" else _link(use)
        yield part["name"], part["maker"], name, link, part["supply"], part["data_sheet"]


def _link(use: Mapping[str, Any]) -> str:
    if use["use"] == "uart":
        return f"UART {use['uart']}" + (f", {use['baud']} baud" if "baud" in use else "")
    return ", ".join(f"GPIO {pin}" for pin, _way in pins(use).values())
