"""Measures a day of each kind of node on a bare 32-bit machine in QEMU: instructions of its turns, RAM, calls.

The real application runs a busy day in virtual time with the real gateway's link (tools/bench/node_world.py), from the
flash of a new node, on MicroPython for RV32 (tools/bare): 32-bit objects and single floats, as on an ESP32. Once in one
area of heap, once in two, as on a module with PSRAM, and once in two with its program in place (`rom`). QEMU counts
instructions, which repeat to a thousandth; an ESP32's Xtensa has others, and each costs more than a cycle there, so
they compare programs and kinds, not milliseconds. `started` and `peak` are bytes of the node's own, its program among
them; `loading_ms` is the time of loader, imports and start, where an instruction takes 4 ns. `stack` is the most of the
stack that was in use, C below Python included, which STACK_BYTES_MAX compares with an ESP32's. `usual_lines` and
`most_lines` are of the turns of an hour: lines of 32 bytes that an ESP32-S3's data cache would fetch from PSRAM or from
a program in place, or write back (cached.c); each takes 1 us of a quad PSRAM at 80 MHz (node.py).

    bocage bench bare --kind thermostat --hours 24 --json
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from gateway.language.arguments import whole
from tools import firmware_modules
from tools.bare import build, machine
from tools.bench.node_program import compile_kind, lay_out
from tools.bench.node_world import BusyDay, Program, Vm, World
from tools.bench.vm import require_checkout
from tools.command_line import Refused, add_json

HOUR_MS = 3_600_000
HOURS = 24
ROOT = Path(__file__).resolve().parents[2]


class Heap(NamedTuple):
    """Holds the bytes of both areas of heap."""

    first: int
    second: int


# What every kind can be loaded into; what an ESP32-S3 gives a program first, and what 2 MB of PSRAM then add.
HEAPS = {"one": Heap(1_600_000, 0), "two": Heap(57_344, 1_900_000), "rom": Heap(57_344, 1_900_000)}
IN_PLACE = "rom"
# Of an ESP32's 15 KiB for calls (tools/bench/node.py), 3 KiB less for its own drivers; a plain call of Python takes 326
# bytes there and 256 here.
STACK_BYTES_MAX = (15 - 3) * 1024 * 256 // 326


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", action="append", choices=firmware_modules.kinds(), help="this kind only")
    parser.add_argument("--hours", type=whole(1, 240), default=HOURS, help=f"simulated hours ({HOURS})")
    parser.add_argument("--heap", action="append", choices=HEAPS, help="areas of heap: this only")
    add_json(parser)


def stand_in(
    folder: Path, second: int = 0, in_place: str = "", *, counted: bool = True, plugin: Path | None = None
) -> str:
    """Returns the path of a program, made in `folder`, that runs the bench's script on the bare machine as a
    MicroPython of the desk would; it leaves `stack` there at its end, and of each turn the line `plugin` makes in
    `lines`. `in_place`: a kind of node, whose program is not in the working folder; `counted`: whether the work of
    turns is wanted, which costs half as much again."""
    told = [f"PYTHONPATH={ROOT}:{firmware_modules.FIRMWARE}", f"VM_SECOND={second}", f"VM_STACK_USED={folder}/stack"]
    told += [f"VM_IN_PLACE={in_place}"] if in_place else []
    told += [] if counted else ["VM_UNCOUNTED=1"]
    told += [f"VM_PLUGIN={plugin},out={folder}/lines"] if plugin else []
    words = shlex.join(["env", *told, sys.executable, "-m", "tools.bare.vm"])
    path = folder / f"rv32-{second}-{in_place}"
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def node_in(name: str, program: Program, folder: Path, *, counted: bool = True, plugin: Path | None = None) -> Vm:
    """Returns a node in the areas of heap of this name."""
    heap = HEAPS[name]
    in_place = program.kind if name == IN_PLACE else ""
    vm = stand_in(folder, heap.second, in_place, counted=counted, plugin=plugin)
    if name == IN_PLACE:
        program = program._replace(place=folder / "nothing")
        program.place.mkdir(exist_ok=True)
    return Vm(vm, program, heap.first)


def stack_in(folder: Path) -> int:
    """Returns the most bytes of stack that the last node in `folder` has used; it must be closed."""
    return int((folder / "stack").read_text(encoding="utf-8"))


def measure(program: Program, name: str, hours: int, folder: Path) -> dict:
    """Returns the figures of a kind in the areas of heap of this name."""
    with node_in(name, program, folder) as node:
        world = World(node, program.case, range(0), BusyDay(program.kind))
        turns = sorted(turn.work for turn in world.run(hours * HOUR_MS, idles=False))
        figures = {"started": node.started, "loading_ms": node.loading_ms, "records": world.acknowledged}
    figures |= {"turns": len(turns), "usual_turn": turns[len(turns) // 2], "longest_turn": turns[-1]}
    return figures | {"stack": stack_in(folder)}


def cached(program: Program, name: str, hours: int, folder: Path) -> dict:
    """Returns how many lines the cache in front of PSRAM moves in a turn."""
    plugin = folder / "cached.so"
    if not plugin.exists():
        compiled = ["cc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(Path(__file__).with_name("cached.c"))]
        subprocess.run(compiled, check=True)
    with node_in(name, program, folder, plugin=plugin) as node:
        world = World(node, program.case, range(0), BusyDay(program.kind))
        turns = len(list(world.run(hours * HOUR_MS, idles=False)))
    told = (folder / "lines").read_text(encoding="utf-8").splitlines()[-turns:]  # before them are those of its start
    moved = sorted(sum(map(int, line.split())) for line in told)
    return {"usual_lines": moved[len(moved) // 2], "most_lines": moved[-1]}


def peak(program: Program, hours: int, folder: Path) -> int:
    """Returns the most bytes that are live at once, calls under way included, in one area of heap."""
    with Vm(stand_in(folder), program, HEAPS["one"].first, looks=True) as node:
        node.look()
        for _ in World(node, program.case, range(0)).run(hours * HOUR_MS, idles=False):
            pass
        return node.peak()


def run(args: argparse.Namespace) -> int:
    """Prints the figures of each kind in each heap."""
    require_checkout()
    if not machine.is_installed():
        raise Refused(f"no {machine.QEMU} (apt-get install {machine.PACKAGE})")
    if shutil.which("cc") is None:
        raise Refused("no cc (apt-get install gcc)")
    try:
        build.build()
    except build.BuildFault as fault:
        raise Refused(str(fault)) from fault
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in args.kind or firmware_modules.kinds():
            program = lay_out(compile_kind(kind), folder)
            for heap in args.heap or HEAPS:
                print(f"bocage bench bare: {kind}, heap in {heap}", file=sys.stderr, flush=True)
                rows.append({"kind": kind, "heap": heap, **measure(program, heap, args.hours, folder)})
                if HEAPS[heap].second:
                    rows[-1] |= cached(program, heap, 1, folder)
            rows.append({"kind": kind, "heap": "one", "peak": peak(program, 1, folder)})
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(", ".join(f"{name} {figure}" for name, figure in row.items()))
    return 0
