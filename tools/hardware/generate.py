"""Turns hardware facts (hardware/*.toml) into what the firmware and the technician read, and says when that is stale.

For each hardware/nodes/KIND.toml: firmware/boards/KIND.py (constants), firmware/boards/boot_KIND.py (the chip's
boot.py) and hardware/nodes/KIND.md (the sheet). Refuses facts that cannot be, each with a reason (tools/hardware). Run
as `python -m tools.hardware.generate` after a change; `--check` writes nothing and exits with 1 when a file differs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.hardware import joints, reading
from tools.hardware.board_text import board_text, boot_text
from tools.hardware.reading import Facts, Found
from tools.hardware.sheet import sheet_text

ROOT = Path(__file__).resolve().parents[2]
BOARDS = Path("firmware/boards")
NODES = Path("hardware/nodes")
DRIVERS = Path("firmware/drivers")


def facts(root: Path) -> tuple[Facts, list[Found]]:
    """Every file under `root`, and everything that is wrong: first each alone, then together."""
    found_facts, found = reading.read(root)
    if found:  # what hangs together is only judged when each file is sound
        return found_facts, found
    drivers = frozenset(path.stem for path in (root / DRIVERS).glob("*.py"))
    for stem, part in found_facts.parts.items():
        found += [Found(f"hardware/parts/{stem}.toml", fault) for fault in joints.part_faults(part, drivers)]
    for kind, node in found_facts.nodes.items():
        found += [Found(f"hardware/nodes/{kind}.toml", fault) for fault in joints.node_faults(node, found_facts)]
    return found_facts, found


def texts(root: Path) -> dict[Path, str]:
    """What every generated file should hold. ValueError with all faults when the facts are refused."""
    found_facts, found = facts(root)
    if found:
        raise ValueError("\n".join(str(fault) for fault in found))
    wanted = {}
    for kind, node in found_facts.nodes.items():
        wanted[root / BOARDS / f"{kind}.py"] = board_text(kind, node)
        wanted[root / BOARDS / f"boot_{kind}.py"] = boot_text(kind, node)
        wanted[root / NODES / f"{kind}.md"] = sheet_text(kind, node, found_facts)
    return wanted


def orphans(root: Path, wanted: dict[Path, str]) -> list[Path]:
    """Generated files whose source is gone."""
    present = [*(root / BOARDS).glob("*.py"), *(root / NODES).glob("*.md")]
    return sorted(path for path in present if path not in wanted and path.name != "__init__.py")


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """The exit status."""
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
