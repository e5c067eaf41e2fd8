"""Turns hardware facts (hardware/*.toml) into what the firmware and the technician read, and reports when that is
stale.

For each hardware/nodes/KIND.toml: firmware/boards/KIND.py (constants), firmware/boards/boot_KIND.py (the chip's
boot.py) and hardware/nodes/KIND.md (the sheet). Refuses impossible facts, each with a reason (tools/hardware). Run as
`python -m tools.hardware.generate` after a change; `--check` writes nothing and exits with 1 when a file differs.
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.hardware import conflicts, files
from tools.hardware.board_text import board_text, boot_text
from tools.hardware.files import Facts, FileFault
from tools.hardware.sheet import sheet_text

ROOT = Path(__file__).resolve().parents[2]
BOARDS = Path("firmware/boards")
NODES = Path("hardware/nodes")
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
    return wanted


def orphans(root: Path, wanted: dict[Path, str]) -> list[Path]:
    """Lists the generated files whose source is gone."""
    present = [*(root / BOARDS).glob("*.py"), *(root / NODES).glob("*.md")]
    return sorted(path for path in present if path not in wanted and path.name != "__init__.py")


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Writes or checks the generated files and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.hardware.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
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
    return 1 if (stale or gone) and args.check else 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
