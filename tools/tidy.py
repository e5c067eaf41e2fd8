"""Checks the house rules that no ready-made tool checks: docstrings, sizes, names, words, portability, blocking calls.

`python -m tools.tidy` prints what it finds, as `file:line: what`; `tests/test_tidy.py` keeps it at nothing. Line
lengths, order of imports and the like are checked by ruff, import directions by import-linter. Must stay under 2 s, and
must not import what it checks. A rule is a function `(Source) -> iterator of (line, message)` in RULES.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("firmware", "gateway", "simulator", "hardware", "tests", "tools", ".ci")
TEXT_SUFFIXES = frozenset(
    (".py", ".md", ".toml", ".yml", ".yaml", ".json", ".txt", ".csv", ".sh", ".html", ".css", ".js", ".svg")
)
TEXT_NAMES = frozenset(("Makefile", "run", ".gitignore"))

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

# Opens the reason in the docstring of a longer module or function.
LONG = "Long because "

VAGUE_NAMES = frozenset(("utils", "util", "common", "helpers", "helper", "misc"))

_PORTABLE_NAMES = (
    "wire", "policy", "node", "kinds", "lighting", "heating", "watering", "drivers", "links", "concentrator", "esp32"
)  # fmt: skip
PORTABLE = (*(f"firmware/{name}/" for name in _PORTABLE_NAMES), "simulator/twins/")

# Modules that MicroPython lacks or has in another form, and what to write instead.
NOT_PORTABLE_MODULES = {
    "__future__": "annotations are never evaluated there: leave the import out",
    "abc": "say the interface in a docstring",
    "bisect": "write the six lines of the search",
    "contextlib": "write try and except or finally",
    "dataclasses": "use collections.namedtuple, or a class with __init__",
    "enum": "use module constants",
    "functools": "keep the value in an attribute, or pass a closure",
    "hmac": "use the HMAC of wire",
    "itertools": "write the loop",
    "logging": "return it as an event or count it",
    "pathlib": "cores see no file; shells use os",
    "typing": "use built-in names in annotations, or none",
}
NOT_PORTABLE_METHODS = {
    "bit_length": "compare with a constant or shift in a loop",
    "hexdigest": "use binascii.hexlify of digest()",
    "monotonic": "time is an argument",
    "_replace": "make a new namedtuple",
}

# Calls that hold the poll loop of the shell longer than BLOCKING_MS_MAX (ARCHITECTURE, section 7).
BLOCKING_MS_MAX = 100
BLOCKING_CALLS = {
    "getaddrinfo": "waits for DNS without a bound: use the gateway's literal address",
    "input": "waits for a person",
    "scan": "a Wi-Fi scan takes seconds: scan one channel at a time from the poll loop",
    "settime": "waits for an NTP answer: time comes from the gateway",
    "wait_msg": "waits for a message without a bound",
}
BLOCKING_MODULES = frozenset(("mip", "ntptime", "requests", "umqtt", "urequests"))
SLEEPS_PER_S = {"sleep": 1, "sleep_ms": 1000, "sleep_us": 1_000_000}

# Machine paths, registry hosts, words on how the work is organised. In pieces, so that this file is clean.
FORBIDDEN_WORDS = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:wor" + "k|far" + "m)/",
            r"/tmp/(?:ve" + "nv|bash_" + "jobs)",
            r"index" + r"-url",
            r"(?:pypi"
            + r"\.org|python"
            + r"hosted\.org|npm"
            + r"js\.(?:org|com)|deb\.deb"
            + r"ian\.org|pkg"
            + r"\.dev)",
            r"\b(?:CE" + r"O|sub" + r"agents?)\b",
            r"(?<!\w)\.lib" + r"rary\b",
        ]
    )
)


class Source:
    """Holds one text file. `name` is its path from the root, with slashes; `tree` exists for Python only."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.is_python = name.endswith(".py")
        self.is_portable = name.startswith(PORTABLE)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))


Found = Iterator[tuple[int, str]]


def opens_with_docstring(source: Source) -> Found:
    if source.is_python and ast.get_docstring(source.tree) is None:
        yield 1, "a file opens with a docstring: what it is for and what it must not do"


def sizes(source: Source) -> Found:
    """Checks sizes; a long module or function gives its reason in its docstring: `Long because ...`."""
    if not source.is_python:
        return
    if len(source.lines) > MODULE_LINES_MAX and LONG not in (ast.get_docstring(source.tree) or ""):
        length = len(source.lines)
        yield 1, f"{length} lines, more than {MODULE_LINES_MAX}: split it, or write `{LONG}...` in its docstring"
    for node in functions(source.tree.body):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES_MAX and LONG not in (ast.get_docstring(node) or ""):
            yield (
                node.lineno,
                f"{node.name} has {length} lines, more than {FUNCTION_LINES_MAX}: split it, or write `{LONG}...` "
                "in its docstring",
            )


def functions(block: Iterable[ast.AST]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields the functions in a block and in the blocks within; expressions, nine of ten nodes, hold none."""
    for node in block:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        if "body" not in node._fields and not isinstance(node, ast.Match):
            continue  # the other four stand beside a body
        for within in ("body", "handlers", "orelse", "finalbody", "cases"):
            yield from functions(getattr(node, within, ()))


def telling_name(source: Source) -> Found:
    parts = source.name.removesuffix(".py").split("/")
    if source.is_python and VAGUE_NAMES.intersection(parts):
        yield 1, "name a module for what it holds, not utils, common or helpers"


def forbidden_words(source: Source) -> Found:
    if not FORBIDDEN_WORDS.search(source.text):  # nearly always
        return
    for number, line in enumerate(source.lines, 1):
        for word in FORBIDDEN_WORDS.findall(line):
            yield number, f"{word!r}: no machine path, registry or organisation of work in the repository"


def portable_imports(source: Source) -> Found:
    if not source.is_portable:
        return
    for number, module in imports(source):
        remedy = NOT_PORTABLE_MODULES.get(module)
        if remedy:
            yield number, f"MicroPython has no {module}: {remedy}"


def portable_syntax(source: Source) -> Found:
    if not source.is_portable:
        return
    for node in source.nodes:
        found = not_portable(node)
        if found:
            yield getattr(node, "lineno", 1), f"outside the portable subset: {found}"


def not_portable(node: ast.AST) -> str | None:
    match node:
        case ast.Match():
            return "match; use if and elif, or a table"
        case ast.arguments(posonlyargs=[_, *_]):
            return "positional-only parameters"
        case ast.Dict(keys=keys) if None in keys:
            return "{**a}; use update()"
        case ast.Tuple(elts=items, ctx=ast.Load()) if any(isinstance(item, ast.Starred) for item in items):
            return "(*a, b); use tuple addition"
        case ast.Raise(cause=ast.expr()):
            return "raise ... from; the cause is dropped there"
        case ast.Delete(targets=targets) if any(is_slice(target) for target in targets):
            return "del buffer[:n]; copy what stays"
        case ast.Assign(targets=[ast.Subscript(slice=ast.Slice(step=ast.expr()))]):
            return "assignment to a stepped slice"
        case ast.Call(func=ast.Attribute(attr="to_bytes"), keywords=[_, *_]):
            return "to_bytes with keywords; use struct for signed values"
        case ast.Attribute(attr=name) if name in NOT_PORTABLE_METHODS:
            return f".{name}; {NOT_PORTABLE_METHODS[name]}"
    return None


def is_slice(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)


def blocking(source: Source) -> Found:
    if not source.name.startswith(("firmware/esp32/", "firmware/concentrator/")):
        return
    for number, module in imports(source):
        if module in BLOCKING_MODULES:
            yield number, f"{module} blocks for seconds; the shell is one poll loop"
    for node in source.nodes:
        if isinstance(node, ast.Call):
            found = blocks(node)
            if found:
                yield node.lineno, found


def blocks(call: ast.Call) -> str | None:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in BLOCKING_CALLS:
        return f"{name}() {BLOCKING_CALLS[name]}"
    is_made = getattr(getattr(function, "value", None), "id", "") == "select"  # select.poll() makes one
    if name == "poll" and not call.args and not call.keywords and not is_made:
        return "poll() without a time-out waits for ever"
    if name in SLEEPS_PER_S:
        value = getattr(call.args[0], "value", None) if call.args else None
        if not isinstance(value, int | float) or value * 1000 > BLOCKING_MS_MAX * SLEEPS_PER_S[name]:
            return f"{name}() of more than {BLOCKING_MS_MAX} ms, or of no constant time: use a deadline"
    return None


def imports(source: Source) -> Found:
    """Yields (line, top-level module) of every import."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").partition(".")[0]


RULES = (
    opens_with_docstring,
    sizes,
    telling_name,
    forbidden_words,
    portable_imports,
    portable_syntax,
    blocking,
)


def check_text(name: str, text: str) -> list[str]:
    """Returns the faults of the file `name` (path from the root, with slashes) with the content `text`."""
    source = Source(name, text)
    return [f"{name}:{line}: {message}" for rule in RULES for line, message in rule(source)]


def sources(root: Path) -> Iterator[tuple[str, str]]:
    """Yields (name, text) of every text file under `root` that the rules apply to, in order."""
    paths = [path for path in root.iterdir() if path.is_file()]
    for folder in FOLDERS:
        paths += (root / folder).rglob("*")
    for path in sorted(paths):
        if path.suffix not in TEXT_SUFFIXES and path.name not in TEXT_NAMES:
            continue
        inside = path.relative_to(root).parts[1:]
        if "__pycache__" in inside or any(part.startswith(".") for part in inside):
            continue
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def check(root: Path = ROOT) -> list[str]:
    """Returns the faults of the repository at `root`, one line each."""
    return [found for name, text in sources(root) for found in check_text(name, text)]


def main() -> int:
    found = check()
    print("\n".join(found) if found else "tidy")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
