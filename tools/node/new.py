"""Makes new nodes: an id that nobody has, a key of its own, and settings that its kind accepts.

examples:
  bocage node new --kind streetlight --place "Rue du Port 12"
  bocage node new --csv street.csv --like street.json --signer programs.pub

`--like` is a JSON file with the settings that the nodes share (kind, gateway, network, calendar). Without `--csv` what
is missing is asked for, one question a setting, each with what is wrong and what to write. A CSV file (commas, or the
semicolons of a French spreadsheet) has a node a line; its first line names the columns: `place`, and any setting. A
file with a fault makes no node at all. The same file again makes only what is missing: a place that has its node is
left as it is. Every setting and its meaning: `bocage node new --reference KIND`.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.language import N_, NN_, Sentence, translate
from gateway.language.reasons import of_file
from gateway.shell import keys as node_keys
from node import settings as node_settings
from policy.fault import Fault
from tools import firmware_modules
from tools.command_line import UsageError, help_text
from tools.node import faults, settings
from tools.node.workshop import Workshop, add_folder, delimiter, with_key
from tools.policy import keys

_BENCH_MAX = 255
_MADE = N_("{node}: {kind}, {place}; settings in {path}")
_KEPT = NN_(
    "{count} line has its node already and is left as it is",
    "{count} lines have their nodes already and are left as they are",
)
_NEXT = N_(
    "next: bocage node flash {node} --interpreter micropython.bin; then, at the cabinet: sudo bocage gateway adopt "
    "{key}"
)
_NEXT_ALL = N_(
    "next, for all: bocage node flash --all --interpreter micropython.bin; then, at the cabinet: sudo bocage gateway "
    "adopt {keys}"
)
_NO_UPDATES = N_(
    "without update_keys, as these settings are, a node never takes another program over its link: give the public key "
    "of the person who signs programs, --signer programs.pub (bocage policy keys new makes it)"
)
_QUESTION = N_("{name}: {problem}; {remedy}: ")
_ABOUT = N_("{meaning}, such as {example}")
# What a person at the bench is asked for: what it is, and an example.
ASKED = {
    "gateway": (N_("address and port of the cabinet"), '["192.168.1.10", 5683]'),
    "wifi": (N_("network and its key"), '["bocage", "secret"]'),
    "site": (N_("latitude and longitude in ten-thousandths of a degree"), "[474736, -5516]"),
    "lamp": (N_("power and standby in tenths of a watt"), "[360, 6]"),
    "output": (N_("what heats: relay, valve or opentherm"), "relay"),
    "meter": (N_("millilitres a pulse, and the greatest flow in millilitres a minute"), "[10000, 600000]"),
}
_NO_KIND = N_("{kind} is no kind of node; there are {kinds}")
_NO_FORM = N_("{path}: {why}; in a spreadsheet, save it as “CSV UTF-8”")
_NO_LINES = N_("{path}: has no node; its first line names the columns (place, …), each further one is a node")
_MORE_CELLS = N_(
    '{path}:{line}: has more cells than the first line; between commas a list stands in quotes: "[360, 6]"'
)
_NO_PLACE = N_("{path}:{line}: place: is empty; say where the node will stand: by that a second run knows what is made")
_OWN = N_("{path}: {name}: is one node's own and is made for each; take the column out")
_OTHER = N_(
    "{path}:{line}: {place}: its node {node} has other settings ({names}); change them in {settings}, or give another "
    "place"
)
# A kind whose trade is elsewhere; another is its own file.
_OWN_OF_KIND = {
    "streetlight": "lighting.settings",
    "thermostat": "heating.settings",
    "irrigation": "watering.settings",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_folder(parser)
    parser.add_argument("--kind", help="of node: a name of firmware/kinds")
    parser.add_argument("--place", default="", help="where it will stand, for the list and the label")
    parser.add_argument("--like", type=Path, metavar="JSON", help="the settings that the nodes share")
    parser.add_argument(
        "--signer", type=Path, action="append", metavar="PUB", help="public key of who signs programs for these nodes"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a node a line")
    parser.add_argument(
        "--bench", type=int, default=1, metavar="N", help="number of this bench, in every id (%(default)s)"
    )
    parser.add_argument("--reference", metavar="KIND", help="print every setting of a kind, and make nothing")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 made, 1 a file cannot be written, 2 a setting or the usage is at fault."""
    if args.reference is not None:
        print(reference(args.reference))
        return 0
    if not 0 <= args.bench <= _BENCH_MAX:
        raise UsageError(N_("--bench {value}: give 0 to {high}"), value=args.bench, high=_BENCH_MAX)
    common = {} if args.like is None else settings.shared(args.like)
    if args.kind is not None:
        common["kind"] = _known(args.kind)
    if args.signer:
        common["update_keys"] = [keys.load_member(path).key.hex() for path in args.signer]
    workshop = Workshop(args.folder, bench=args.bench)
    try:
        if args.csv is None:
            _make(workshop, [(args.place, _answered(workshop, common, args.lang))], args)
        else:
            _make(workshop, _of_table(workshop, args.csv, common, args.lang), args)
    except OSError as error:
        raise faults.of_path(error.filename or args.folder, error) from error
    return 0


def reference(kind: str) -> str:
    """Returns what the readers of the settings themselves say of each; UsageError for a word that is no kind."""
    module = _OWN_OF_KIND.get(_known(kind), f"kinds.{kind}")
    return "\n\n".join(help_text(one.__doc__) for one in (node_settings, import_module(module)))


def _known(kind: str) -> str:
    known = firmware_modules.kinds()
    if kind not in known:
        raise UsageError(_NO_KIND, kind=repr(kind), kinds=", ".join(known))
    return kind


def _answered(workshop: Workshop, common: dict[str, Any], language: str) -> dict[str, Any]:
    def ask(fault: Fault) -> str:
        values = {"name": fault.path, "problem": faults.said(fault.problem), "remedy": faults.said(fault.remedy)}
        if fault.path == "kind":
            values["remedy"] = ", ".join(firmware_modules.kinds())
        elif fault.path in ASKED:
            meaning, example = ASKED[fault.path]
            values["remedy"] = Sentence(_ABOUT, {"meaning": Sentence(meaning), "example": example})
        question = translate(_QUESTION, language, **values)
        if sys.stdin.isatty():
            with suppress(EOFError):
                return input(question)
        raise UsageError(question.rstrip(": "))

    return settings.asked(with_key(common, workshop.new_key()), ask)


def _of_table(
    workshop: Workshop, path: Path, common: dict[str, Any], language: str
) -> list[tuple[str, dict[str, Any]]]:
    """Returns (place, settings) of every line whose node is not made yet; UsageError with all faults, each with its
    line. A place with several nodes has as many lines."""
    at_place = defaultdict(list)
    for row in workshop.in_use():
        at_place[row.place].append(row.node)
    made, found, kept = [], [], 0
    key = workshop.new_key()  # to judge the lines by; each node gets its own
    for line, cells in _lines(path):
        place = cells.pop("place", "").strip()
        plain = with_key(settings.merged(common, cells), key)
        found += [faults.of_setting(fault, f"{path}:{line}") for fault in settings.faults_of(plain)]
        if not place:
            found.append(Sentence(_NO_PLACE, {"path": path, "line": line}))
        elif at_place[place]:
            kept += 1
            found += _differs(workshop, at_place[place].pop(0), plain, {"path": path, "line": line, "place": place})
        else:
            made.append((place, plain))
    if found:
        raise faults.listed(found)
    if kept:
        print(translate(_KEPT, language, count=kept), flush=True)
    elif not made:
        raise UsageError(_NO_LINES, path=path)
    return made


def _differs(workshop: Workshop, node: str, plain: dict[str, Any], values: dict[str, object]) -> list[Sentence]:
    """Returns the fault of a line whose node has other settings; none where they are the same."""
    path = workshop.settings_path(node)
    held, _ = settings.read(path)
    names = sorted(name for name in {*held, *plain} - settings.MINTED if held.get(name) != plain.get(name))
    values = {**values, "node": node, "names": ", ".join(names), "settings": path}
    return [Sentence(_OTHER, values)] if names else []


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields the lines of a table that hold something, each with its number."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, restval="", delimiter=delimiter(first), skipinitialspace=True)
            for name in settings.MINTED & set(reader.fieldnames or ()):
                raise UsageError(_OWN, path=path, name=name)
            for row in reader:
                if None in row:
                    raise UsageError(_MORE_CELLS, path=path, line=reader.line_num)
                if any(cell.strip() for cell in row.values()):
                    yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise UsageError(_NO_FORM, path=path, why=of_file(error)) from error
    except (OSError, csv.Error) as error:
        raise faults.of_path(path, error, UsageError) from error


def _make(workshop: Workshop, wanted: list[tuple[str, dict[str, Any]]], args: argparse.Namespace) -> None:
    for place, plain in wanted:
        key, path = workshop.add(plain, place)
        told = translate(_MADE, args.lang, node=key.node.hex(), kind=plain["kind"], place=place or "-", path=path)
        print(told, flush=True)
    if not all(plain.get("update_keys") for _, plain in wanted):
        print(translate(_NO_UPDATES, args.lang))
    if len(wanted) == 1:
        print(translate(_NEXT, args.lang, node=key.node.hex(), key=workshop.key_path(key.node.hex())))
    elif wanted:
        print(translate(_NEXT_ALL, args.lang, keys=args.folder / f"*{node_keys.SUFFIX}"))
