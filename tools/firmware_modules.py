"""Which modules a node of a kind needs: found by following the imports of what the chip starts with. Standard library
only, for `firmware/manifest.py` runs this inside MicroPython's own build.

A module is named as the chip sees it: `wire.cbor`, and at the root `main`, `boot` (kept in `firmware/esp32`, a name
that on the chip is the port's). What is neither ours nor built into the port's firmware must be a package of
micropython-lib that LIBRARY names, with what it is for.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
# Modules at the root of the chip are kept here.
ROOT_FOLDER = "esp32"
# What the port runs after a reset, in this order. The first is made for each kind (boards/boot_<kind>.py).
BOOT, MAIN = "boot", "main"
# Packages of ours that no node carries: the concentrator is a program of its own.
OTHER_PROGRAMS = frozenset(("concentrator",))

# Package of micropython-lib -> what ours uses it for.
LIBRARY = {
    "onewire": "the bits of a 1-Wire bus, in C below it: the DS18B20 of drivers.ds18b20",
}
# In the ESP32 port's firmware, in C or frozen with it by ports/esp32/modules; and `boot`, which is made for each kind.
BUILT_IN = frozenset(
    (
        BOOT, "binascii", "collections", "cryptolib", "esp32", "espnow", "gc", "hashlib", "io", "json", "machine",
        "math", "micropython", "network", "os", "select", "socket", "struct", "sys", "time",
    )
)  # fmt: skip


class UnknownModule(Exception):
    """An import that nothing provides on the chip."""


def kinds(firmware: Path = FIRMWARE) -> list[str]:
    """Returns the kinds of node there are, one file each."""
    return sorted(path.stem for path in (firmware / "kinds").glob("*.py") if path.stem != "__init__")


def needed(kind: str, firmware: Path = FIRMWARE) -> dict[str, Path]:
    """Returns {module: its file} of the whole program of a node of this kind, packages included, sorted by name."""
    found = {BOOT: firmware / "boards" / f"boot_{kind}.py"}
    waiting = [*started(kind), *imports(found[BOOT])]
    while waiting:
        name = waiting.pop()
        path = find(name, firmware)
        if path is None or name in found:
            continue
        found[name] = path
        parent = name.rpartition(".")[0]
        waiting += [parent] if parent else []
        waiting += imports(path)
    return dict(sorted(found.items()))


def started(kind: str) -> list[str]:
    """Returns the modules that every start of a kind loads, with all that these import at their top."""
    return [MAIN, f"kinds.{kind}", f"boards.{kind}"]


def fitted(kind: str, firmware: Path = FIRMWARE) -> list[str]:
    """Returns the drivers that every node of a kind loads: its ports begin by the board's `open_...`, without a
    condition."""
    opened: set[str] = set()
    program = ast.parse((firmware / "kinds" / f"{kind}.py").read_text(encoding="utf-8"))
    ports = [node for node in program.body if isinstance(node, ast.ClassDef) and node.name == "Ports"]
    waiting: list[ast.AST] = [part for node in ports for part in node.body if getattr(part, "name", "") == "__init__"]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute):
            opened.add(node.attr)
        if not isinstance(node, ast.If | ast.For | ast.IfExp):
            waiting += ast.iter_child_nodes(node)
    board = ast.parse((firmware / "boards" / f"{kind}.py").read_text(encoding="utf-8"))
    return sorted(
        part.module
        for function in board.body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("open_") and function.name in opened
        for part in ast.walk(function)
        if isinstance(part, ast.ImportFrom) and part.module is not None and find(part.module, firmware) is not None
    )


def let_go(firmware: Path = FIRMWARE) -> list[str]:
    """Returns the modules that the shell lets go once the node is made (kinds.READING)."""
    for statement in ast.parse((firmware / "kinds" / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "READING":
            return list(ast.literal_eval(statement.value))
    raise UnknownModule("kinds/__init__.py has no READING")


def libraries(modules: dict[str, Path], firmware: Path = FIRMWARE) -> list[str]:
    """Returns the packages of micropython-lib that these modules import. UnknownModule for what nobody provides."""
    used = set()
    for path in modules.values():
        for name in imports(path):
            top = name.partition(".")[0]
            if top in LIBRARY:
                used.add(top)
            elif top not in BUILT_IN and top not in modules and find(top, firmware) is None:
                raise UnknownModule(f"{path}: imports {name}: LIBRARY or BUILT_IN must name what the chip has")
    return sorted(used)


def chip_path(name: str, source: Path) -> str:
    """Returns where a module lies on the chip, without suffix: `wire/cbor`, `wire/__init__`."""
    path = name.replace(".", "/")
    return f"{path}/__init__" if source.name == "__init__.py" else path


def find(name: str, firmware: Path = FIRMWARE) -> Path | None:
    """Returns the file of a module of ours; None for the chip's own, and for a name that is no module."""
    top, dot, _ = name.partition(".")
    if top == ROOT_FOLDER or top in OTHER_PROGRAMS:
        return None
    if (firmware / top / "__init__.py").is_file():
        place = firmware / name.replace(".", "/")
        options = [place / "__init__.py", place.with_suffix(".py")]
    else:
        options = [] if dot else [firmware / ROOT_FOLDER / f"{top}.py"]
    return next((path for path in options if path.is_file()), None)


def imports(path: Path) -> Iterator[str]:
    """Returns what a file imports, at whatever depth; names taken from a package may be modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
