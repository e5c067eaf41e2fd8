"""Makes new nodes: an id that nobody has, a key of its own, and settings that its kind accepts.

examples:
  bocage node new --kind streetlight --place "Rue du Port 12"
  bocage node new --csv street.csv --like street.json

`--like` is a JSON file with the settings that the nodes share (kind, gateway, network, calendar). Without `--csv` what
is missing is asked for, one question a setting, each with what is wrong and what to write. A CSV file has a node a
line; its first line names the columns: `place`, and any setting. A file with a fault makes no node at all. Every
setting and its meaning: `bocage node new --reference KIND`.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.language import N_, translate
from node import settings as node_settings
from policy.fault import Fault
from tools import firmware_modules
from tools.command_line import Refused, UsageError
from tools.node import settings
from tools.node.workshop import Workshop, add_folder, with_key

_BENCH_MAX = 255
_MADE = N_("{node}: {kind}, {place}; settings in {path}")
_NEXT = N_("next: bocage node flash {node}; then, at the cabinet: sudo bocage gateway adopt {key}")
_QUESTION = N_("{name}: {problem}; {remedy}: ")
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
        common["kind"] = args.kind
    workshop = Workshop(args.folder, bench=args.bench)
    try:
        if args.csv is None:
            _make(workshop, [(args.place, _answered(workshop, common, args.lang))], args.lang)
        else:
            _make(workshop, _of_table(workshop, args.csv, common), args.lang)
    except OSError as error:
        raise Refused(str(error)) from error
    return 0


def reference(kind: str) -> str:
    """Returns what the readers of the settings themselves say of each; UsageError for a word that is no kind."""
    known = firmware_modules.kinds()
    if kind not in known:
        raise UsageError(N_("{kind} is no kind of node; there are {kinds}"), kind=repr(kind), kinds=", ".join(known))
    module = _OWN_OF_KIND.get(kind, f"kinds.{kind}")
    return f"{node_settings.__doc__}\n{import_module(module).__doc__}".rstrip()


def _answered(workshop: Workshop, common: dict[str, Any], language: str) -> dict[str, Any]:
    def ask(fault: Fault) -> str:
        question = translate(_QUESTION, language, name=fault.path, problem=fault.problem, remedy=fault.remedy)
        if sys.stdin.isatty():
            return input(question)
        raise UsageError(question.rstrip(": "))

    return settings.asked(with_key(common, workshop.new_key()), ask)


def _of_table(workshop: Workshop, path: Path, common: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Returns (place, settings) of every line; UsageError with all faults, each with its line."""
    made, faults = [], []
    key = workshop.new_key()  # to judge the lines by; each node gets its own
    for line, cells in _lines(path):
        place = cells.pop("place", "")
        plain = settings.merged(common, cells)
        found = settings.faults_of(with_key(plain, key))
        faults += [f"{path}:{line}: {fault.path}: {fault.problem}; {fault.remedy}" for fault in found]
        made.append((place, plain))
    if faults:
        raise UsageError("\n  ".join(faults))
    return made


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            for row in reader:
                if None in row:
                    raise UsageError(
                        N_("{path}:{line}: has more cells than the first line"), path=path, line=reader.line_num
                    )
                yield reader.line_num, row
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{path}: {error}") from error


def _make(workshop: Workshop, wanted: list[tuple[str, dict[str, Any]]], language: str) -> None:
    for place, plain in wanted:
        key, path = workshop.add(plain, place)
        told = translate(_MADE, language, node=key.node.hex(), kind=plain["kind"], place=place or "-", path=path)
        print(told, flush=True)
    if wanted:
        print(translate(_NEXT, language, node=key.node.hex(), key=workshop.key_path(key.node.hex())))
