"""Turns hardware facts (hardware/*.toml) into what the firmware and the technician read, and reports when that is
stale.

For each hardware/nodes/KIND.toml: firmware/boards/KIND.py (constants), firmware/boards/boot_KIND.py (the chip's
boot.py) and hardware/nodes/KIND.md (the sheet); for each hardware/builds/NAME.toml: NAME.md (the sheet) and NAME.yml
(the input of WireViz). Refuses impossible facts, each with a reason (tools/hardware). Run as
`python -m tools.hardware.generate` after a change; `--check` writes nothing and exits with 1 when a file differs.
`--draw` makes each NAME.svg that is stale, with WireViz and Graphviz.
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.hardware import build_sheet, builds, conflicts, drawing, files
from tools.hardware.board_text import board_text, boot_text
from tools.hardware.files import Facts, FileFault
from tools.hardware.sheet import sheet_text

ROOT = Path(__file__).resolve().parents[2]
BOARDS = Path("firmware/boards")
NODES = Path("hardware/nodes")
BUILDS = Path("hardware/builds")
DRIVERS = Path("firmware/drivers")


def load_facts(root: Path) -> tuple[Facts, list[FileFault]]:
    """Returns every file under `root` and all faults: those of each file alone, or, when there are none, those of the
    files together."""
    facts, faults = files.load(root)
    if faults:  # files are checked against one another only when each is sound
        return facts, faults
    drivers = {path.stem: _classes(path) for path in (root / DRIVERS).glob("*.py")}
    for stem, part in facts.parts.items():
        faults += [FileFault(f"hardware/parts/{stem}.toml", fault) for fault in conflicts.check_part(part, drivers)]
    for kind, node in facts.nodes.items():
        faults += [FileFault(f"hardware/nodes/{kind}.toml", fault) for fault in conflicts.check_node(node, facts)]
    for name, build in facts.builds.items():
        faults += [FileFault(f"hardware/builds/{name}.toml", fault) for fault in builds.check_build(build, facts)]
    return facts, faults


def _classes(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))


def texts(root: Path) -> dict[Path, str]:
    """Returns what every generated file should hold. ValueError with all faults when the facts are refused."""
    facts, faults = load_facts(root)
    if faults:
        raise ValueError("\n".join(str(fault) for fault in faults))
    wanted = {}
    for kind, node in facts.nodes.items():
        wanted[root / BOARDS / f"{kind}.py"] = board_text(kind, node, facts.parts)
        wanted[root / BOARDS / f"boot_{kind}.py"] = boot_text(kind, node)
        wanted[root / NODES / f"{kind}.md"] = sheet_text(kind, node, facts)
    for name, build in facts.builds.items():
        wanted[root / BUILDS / f"{name}.md"] = build_sheet.sheet_text(name, build, facts)
        wanted[root / BUILDS / f"{name}.yml"] = drawing.drawing_text(name, build, facts)
    return wanted


def orphans(root: Path, wanted: dict[Path, str]) -> list[Path]:
    """Lists the generated files whose source is gone."""
    present = [*(root / BOARDS).glob("*.py"), *(root / NODES).glob("*.md")]
    present += [path for path in (root / BUILDS).glob("*.*") if path.suffix != ".toml"]
    drawn = {path.with_suffix(".svg") for path in wanted if path.suffix == ".yml"}
    return sorted(path for path in present if path not in wanted and path not in drawn and path.name != "__init__.py")


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Writes or checks the generated files and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.hardware.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    parser.add_argument("--draw", action="store_true", help="also draw what is stale, with WireViz and Graphviz")
    args = parser.parse_args(argv)
    try:
        wanted = texts(root)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    gone = orphans(root, wanted)
    for path in stale + gone:
        if args.check:
            print(f"{path.relative_to(root)} is stale: run python -m tools.hardware.generate", file=sys.stderr)
        elif path in gone:
            path.unlink()
            print(f"removed {path.relative_to(root)}")
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {path.relative_to(root)}")
    drawings = {path.with_suffix(".svg"): text for path, text in wanted.items() if path.suffix == ".yml"}
    drawings = {path: text for path, text in drawings.items() if drawing.is_stale(path, text)}
    drawn = _draw(drawings, root, draws=args.draw and not args.check)
    return 1 if not drawn or ((stale or gone) and args.check) else 0


def _draw(drawings: dict[Path, str], root: Path, *, draws: bool) -> bool:
    """Draws or names what is stale, and returns whether nothing is left to draw."""
    for path, text in drawings.items():
        if not draws:
            print(f"{path.relative_to(root)} is stale: run python -m tools.hardware.generate --draw", file=sys.stderr)
            continue
        try:
            drawing.draw(path, text)
        except OSError as error:
            print(error, file=sys.stderr)
            return False
        print(f"drew {path.relative_to(root)}")
    return draws or not drawings


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
