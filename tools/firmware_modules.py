"""Finds the modules of a program for the chip, by following the imports of the modules that it starts with.

A module has its name on the chip: `wire.cbor`, and at the root `main`, `boot` (kept in `firmware/esp32`, since on the
chip `esp32` is a module of the port).
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
# Modules at the root of the chip are kept here.
ROOT_FOLDER = "esp32"
# The module that the port runs first after a reset is made for each kind (boards/boot_<kind>.py).
BOOT, MAIN = "boot", "main"
# Beside the loader lies one of two (place_folder, place_rom) under this name.
PLACE = "place"
# Modules in the official build of the ESP32 port: in C, or frozen with it by ports/esp32/modules (`espnow`) and
# ports/esp32/boards/manifest.py (`onewire`, of micropython-lib); and `boot`.
BUILT_IN = frozenset(
    (
        BOOT, "binascii", "collections", "cryptolib", "esp32", "espnow", "gc", "hashlib", "io", "json", "machine",
        "math", "micropython", "network", "onewire", "os", "select", "socket", "struct", "sys", "time", "vfs",
    )
)  # fmt: skip


class UnknownModule(Exception):
    """Is raised for an import that nothing provides on the chip."""


def kinds(firmware: Path = FIRMWARE) -> list[str]:
    """Returns the kinds of node; each has one file."""
    return sorted(path.stem for path in (firmware / "kinds").glob("*.py") if path.stem != "__init__")


def of_kind(kind: str, firmware: Path = FIRMWARE) -> dict[str, Path]:
    """Returns {module: its file} of all that runs on a node of this kind, packages and boot.py included, sorted by
    name. UnknownModule for an import that nothing provides."""
    boot = firmware / "boards" / f"boot_{kind}.py"
    found = needed([MAIN, f"kinds.{kind}", f"boards.{kind}", *imports(boot)], firmware)
    found[BOOT] = boot
    for path in found.values():
        for name in imports(path):
            if name.partition(".")[0] not in BUILT_IN and find(name.partition(".")[0], firmware) is None:
                raise UnknownModule(f"{path}: imports {name}, which neither we nor the official build of the port have")
    return dict(sorted(found.items()))


def needed(names: Iterable[str], firmware: Path = FIRMWARE, without: Collection[str] = ()) -> dict[str, Path]:
    """Returns {module: its file} of these modules and of all modules of ours that they import, packages included."""
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = find(name, firmware)
        if path is None or name in found or name in without:
            continue
        found[name] = path
        parent = name.rpartition(".")[0]
        waiting += [parent] if parent else []
        waiting += imports(path)
    return found


def chip_path(name: str, source: Path) -> str:
    """Returns the path of a module on the chip: `wire/cbor.py`, `wire/__init__.py`."""
    path = name.replace(".", "/")
    return f"{path}/__init__.py" if source.name == "__init__.py" else f"{path}.py"


def find(name: str, firmware: Path = FIRMWARE) -> Path | None:
    """Returns the file of one of our modules; None for the chip's own, and for a name that is no module."""
    top, dot, _ = name.partition(".")
    if top == ROOT_FOLDER or top in BUILT_IN:
        return None
    if (firmware / top / "__init__.py").is_file():
        place = firmware / name.replace(".", "/")
        options = [place / "__init__.py", place.with_suffix(".py")]
    else:
        options = [] if dot else [firmware / ROOT_FOLDER / f"{'place_folder' if top == PLACE else top}.py"]
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
