"""Finds the modules that a node of a kind needs, by following the imports of the modules that the chip starts with.
Must import the standard library only, because `firmware/manifest.py` runs this inside MicroPython's own build.

A module has its name on the chip: `wire.cbor`, and at the root `main`, `boot` (kept in `firmware/esp32`, since on the
chip `esp32` is a module of the port). A module that is neither ours nor built into the port's firmware must be a
package of micropython-lib that LIBRARY names, with its purpose.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
# Modules at the root of the chip are kept here.
ROOT_FOLDER = "esp32"
# The modules that the port runs after a reset, in this order. The first is made for each kind (boards/boot_<kind>.py).
BOOT, MAIN = "boot", "main"
# Our packages that no node carries: the concentrator is another program.
OTHER_PROGRAMS = frozenset(("concentrator",))

# Package of micropython-lib -> what our modules use it for.
LIBRARY = {
    "onewire": "the bits of a 1-Wire bus, in C below it: the DS18B20 of drivers.ds18b20",
}
# Modules in the ESP32 port's firmware, in C or frozen with it by ports/esp32/modules; and `boot`, made for each kind.
BUILT_IN = frozenset(
    (
        BOOT, "binascii", "collections", "cryptolib", "esp32", "espnow", "gc", "hashlib", "io", "json", "machine",
        "math", "micropython", "network", "os", "select", "socket", "struct", "sys", "time",
    )
)  # fmt: skip


class UnknownModule(Exception):
    """Is raised for an import that nothing provides on the chip."""


def kinds(firmware: Path = FIRMWARE) -> list[str]:
    """Returns the kinds of node; each has one file."""
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
    """Returns the modules that every start of a kind loads, with all that they import at their top level."""
    return [MAIN, f"kinds.{kind}", f"boards.{kind}"]


def fitted(kind: str, firmware: Path = FIRMWARE) -> list[str]:
    """Returns the drivers that every node of a kind loads: those whose `open_...` its ports call without a
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
    """Returns the modules that the shell releases before the node is made (kinds.READING)."""
    for statement in ast.parse((firmware / "kinds" / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "READING":
            return list(ast.literal_eval(statement.value))
    raise UnknownModule("kinds/__init__.py has no READING")


def libraries(modules: dict[str, Path], firmware: Path = FIRMWARE) -> list[str]:
    """Returns the packages of micropython-lib that these modules import. UnknownModule for an import that nothing
    provides."""
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
    """Returns the path of a module on the chip, without suffix: `wire/cbor`, `wire/__init__`."""
    path = name.replace(".", "/")
    return f"{path}/__init__" if source.name == "__init__.py" else path


def find(name: str, firmware: Path = FIRMWARE) -> Path | None:
    """Returns the file of one of our modules; None for the chip's own, and for a name that is no module."""
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
    """Yields what a file imports, at any depth; names imported from a package may be modules."""
    yield from _imported(path.read_text(encoding="utf-8"))


@cache  # the kinds share most of their modules
def _imported(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found
