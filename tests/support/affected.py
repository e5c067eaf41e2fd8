"""Chooses the tests of what has changed, for `make quick ARGS=...`.

A test is chosen when it imports a changed module, or stands in the folder that mirrors the module's and reaches it
through `tests/support`: a world is a part of its test. A world of the gateway imports half of the core to build it, so
tests elsewhere that only stand on it are chosen where no nearer ones are. What is no module (a page, a template, a
table in `hardware/`) leads to the tests of the nearest folder that mirrors its own. Tests of what imports the changed
module in turn are not chosen, or a change in `wire` would choose them all: `make test` runs those. Must read imports
only, for it stands before every quick run.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firmware", "gateway", "simulator", "tools", "tests")
CHANGED = "changed"
# Top-level folder -> where its mirror stands under tests/, if not under its own name.
MIRRORS = {"firmware": "", "hardware": "tools/hardware"}

# Parsing says the same and takes 2.4 s instead of 0.1.
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+([^\n#]+))", re.M)


def affected(names: Iterable[str], root: Path = ROOT) -> set[Path]:
    """Returns the test files to run for these files and folders; `changed` stands for what git sees as changed."""
    paths: list[Path] = []
    for name in names:
        paths += changed(root) if name == CHANGED else [(root / name).resolve()]
    modules = {_module(path.relative_to(root)): path for folder in FOLDERS for path in (root / folder).rglob("*.py")}
    importers: defaultdict[Path, set[Path]] = defaultdict(set)
    for path in modules.values():
        for imported in _imports(path.read_text(encoding="utf-8")):
            if imported in modules:
                importers[modules[imported]].add(path)
    chosen: set[Path] = set()
    for path in paths:
        touched = {module for module in modules.values() if module == path or path in module.parents}
        through_worlds = _tests_of(touched, importers, root)
        importing = set().union(*(importers[module] for module in touched)) & through_worlds
        beside = _mirrored(path, root)
        near = importing | (beside & through_worlds if path.suffix == ".py" else beside)
        is_test = path.is_relative_to(root / "tests")
        chosen |= through_worlds | near if is_test else near or through_worlds
    return chosen


def _tests_of(touched: set[Path], importers: Mapping[Path, set[Path]], root: Path) -> set[Path]:
    """Returns the test files among these modules, and those that import them or worlds that do."""
    near, waiting = set(touched), list(touched)
    while waiting:
        for path in importers[waiting.pop()] - near:
            if path.is_relative_to(root / "tests"):
                near.add(path)
                waiting.append(path)
    return {path for path in near if path.name.startswith("test_")}


def changed(root: Path = ROOT) -> list[Path]:
    """Returns what differs from the branch point with main, committed or not, and what git does not know yet."""
    base = _git(root, "merge-base", "HEAD", "main") or ["HEAD"]
    names = _git(root, "diff", "--name-only", base[0]) + _git(root, "ls-files", "--others", "--exclude-standard")
    return [root / name for name in names]


def _git(root: Path, *words: str) -> list[str]:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[parts[0] == "firmware" : len(parts) - (parts[-1] == "__init__")])


def _imports(text: str) -> Iterator[str]:
    """Yields the modules that a text imports; a name that is imported from a package may be one."""
    for source, names, plain in _IMPORT.findall(text):
        words = [word.split() for word in re.sub("#.*", "", names or plain).strip("()").split(",")]
        found = [word[0] for word in words if word]
        yield from [source, *(f"{source}.{name}" for name in found)] if source else found


def _mirrored(path: Path, root: Path) -> set[Path]:
    """Returns the tests of a folder with all that is in it, or of the nearest folder that mirrors a file's."""
    top, *rest = path.relative_to(root).parts or ("tests",)
    place = root / "tests" / (MIRRORS.get(top, top) if top != "tests" else "") / Path(*rest)
    if place.is_dir() and path.is_dir():
        return set(place.rglob("test_*.py"))
    while not place.is_dir():
        place = place.parent
    return set(place.glob("test_*.py"))
