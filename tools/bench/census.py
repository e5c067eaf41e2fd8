"""Counts what a newcomer has to read, in one column for each checkout.

Give the folder of an older checkout and of this one to see a change before and after. Must not import what it counts,
and must not judge: tidy and import-linter do.

    git worktree add ../before REVISION && bocage bench census ../before .
"""

import argparse
import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("firmware", "gateway", "simulator", "hardware", "tools")
GRAPHED = ("gateway", "simulator", "tools")  # whose rooms must not import one another in a circle
SMALL_LINES = 40
PLUG_INS = frozenset(("drivers", "twins", "kinds", "shims", "boards"))

VERBS = ("take", "look", "say", "tell", "begin")
RIDDLES = re.compile(r"\b(?:whoever|nobody|somebody|whatever)\b", re.IGNORECASE)
# A docstring that opens with one of these words begins with a clause, not with a sentence.
HEADLESS = re.compile(
    r"(?:By|Of|In|On|At|For|To|With|From|What|Who|Whom|Whose|Whether|Which|How|When|Where|If|As|See|And|Or)\b"
)
FRAGMENT_WORDS_MAX = 3

Files = dict[str, str]  # path from the root, with slashes: text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT", help="folders to compare (this one)")


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    columns = [figures(root) for root in args.checkouts or [Path(__file__).resolve().parents[2]]]
    width = max(len(name) for column in columns for name in column)
    for name in columns[-1]:
        print(f"{name:{width}}", *(f"{column.get(name, 0):>9,}" for column in columns))
    return 0


def figures(root: Path) -> dict[str, int]:
    """Returns each figure of the checkout at `root` by its name."""
    product, tests = python_files(root, PRODUCT), python_files(root, ("tests",))
    trees = {name: ast.parse(text) for name, text in product.items()}
    found = {
        "product: lines": line_count(product),
        "product: files": len(product),
        "tests: lines": line_count(tests),
        "tests: files": len(tests),
        f"product: files under {SMALL_LINES} lines (no plug-ins)": small_files(product),
    }
    for top in GRAPHED:
        found[f"{top}/: loose modules"] = sum(name.startswith(f"{top}/") and name.count("/") == 1 for name in product)
    for top in GRAPHED:
        names = {name: tree for name, tree in trees.items() if name.startswith(f"{top}/")}
        arrows = room_arrows(names)
        found[f"{top}/: rooms"] = len({room(name) for name in names})
        found[f"{top}/: arrows between rooms"] = len(arrows)
        found[f"{top}/: arrows in circles"] = sum(reaches(arrows, end, start) for start, end in arrows)
    defined = Counter(name for tree in trees.values() for name in definitions(tree))
    for verb in VERBS:
        found[f"definitions of `{verb}`"] = defined[verb]
    docstrings = [text for tree in trees.values() for text in all_docstrings(tree)]
    found["docstrings"] = len(docstrings)
    found[f"docstrings of {FRAGMENT_WORDS_MAX} words or fewer"] = sum(is_short(text) for text in docstrings)
    found["docstrings that open without a subject"] = sum(bool(HEADLESS.match(text)) for text in docstrings)
    found["whoever, nobody, somebody, whatever"] = sum(len(RIDDLES.findall(text)) for text in product.values())
    return found


def python_files(root: Path, folders: tuple[str, ...]) -> Files:
    """Returns {path from `root`: text} of every Python file below `folders`."""
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def line_count(files: Files) -> int:
    return sum(len(text.splitlines()) for text in files.values())


def small_files(files: Files) -> int:
    """Counts the files of fewer than SMALL_LINES lines, without plug-ins, `__init__.py` and `__main__.py`."""
    return sum(
        len(text.splitlines()) < SMALL_LINES
        for name, text in files.items()
        if not PLUG_INS.intersection(name.split("/")) and not name.endswith(("__init__.py", "__main__.py"))
    )


def room(name: str) -> str:
    """Returns the folder of a module, or the module itself where it lies loose at the top: `gateway/core`,
    `gateway/agent`."""
    parts = name.removesuffix(".py").split("/")
    return "/".join(parts[:2])


def room_arrows(trees: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """Returns (room, room that it imports) among the modules of one top-level folder."""
    rooms = {room(name) for name in trees}
    found = set()
    for name, tree in trees.items():
        for module in imported(tree):
            target = room(module.replace(".", "/"))
            if target in rooms and target != room(name):
                found.add((room(name), target))
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """Yields every dotted name that may be a module of ours: for `from gateway import agent` also `gateway.agent`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reaches(arrows: set[tuple[str, str]], start: str, end: str) -> bool:
    """Returns True when arrows lead from `start` to `end`."""
    ways = defaultdict(set)
    for origin, target in arrows:
        ways[origin].add(target)
    seen, waiting = set(), [start]
    while waiting:
        here = waiting.pop()
        if here == end:
            return True
        if here not in seen:
            seen.add(here)
            waiting += ways[here]
    return False


def definitions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def all_docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text


def is_short(docstring: str) -> bool:
    """Recognises a heading by the length of its first sentence: few words rarely hold a subject and a verb."""
    sentence = re.split(r"[.:;]\s|\.$", docstring, maxsplit=1)[0]
    return len(sentence.split()) <= FRAGMENT_WORDS_MAX

