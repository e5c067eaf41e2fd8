"""Writes a node into the module on the USB port: interpreter, program and settings, then watches it start.

examples:
  bocage node flash 01000007 --interpreter ESP32_GENERIC_S3-v1.28.0.bin
  bocage node flash --all --interpreter ESP32_GENERIC_S3-v1.28.0.bin

An interpreter with a ROMFS partition (firmware/interpreter) gets the program there, any other in its file system. All
of the flash is erased first, so a second run mends what a pulled cable, a brown-out or a wrong file has left. The
module must have what its kind needs (hardware/nodes): chip, flash, PSRAM. A module that holds another node of this
workshop, and a node that another module holds, are refused: `--swap` says that it is meant.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.language import N_, translate
from tools import mpy
from tools.command_line import Refused, UsageError
from tools.hardware import files as hardware_files
from tools.link.image import FIRMWARE, ImageFault
from tools.link.romfs import RomFault
from tools.node import faults, interpreter, module
from tools.node import settings as node_settings
from tools.node.board import board_files, rom_partition
from tools.node.module import Module
from tools.node.workshop import Row, Workshop, add_folder
from wire import image

# A node's program takes up to 320 kB of heap from its folder (tools/FIGURES.md), more than the chip's own RAM has.
_PSRAM_MB_MIN = 2
_BAUD = 460_800
_WATCH_S = 60
_READY = "ready "
_SETTINGS = "settings:"

_STEP = N_("{step}/5  {what}")
_FOUND = N_("{chip}, {flash} MB of flash, {psram} MB of PSRAM, {mac}")
_MADE = N_("program no. {number} for {kind}: {count} files, {size} kB; settings of {node} ({place})")
_WRITING = N_("writing: {percent} %")
_WRITTEN = N_("written, and read back by its digest")
_STARTS = N_("it starts: {line}")
_PLUG_IN = N_("{number} of {count}: {node} ({place}): plug its module in")
_TAKE_OUT = N_("take the module out")
_ALL_DONE = N_("all are written: {count}")
_DONE = N_("{node} is ready. Its label: bocage node label {node}; at the cabinet: sudo bocage gateway adopt {key}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", nargs="?", help="its id, or the last digits of it (bocage node list)")
    parser.add_argument(
        "--all", action="store_true", help="every node that is not written yet, one module after the other"
    )
    parser.add_argument("--interpreter", type=Path, required=True, metavar="BIN", help="MicroPython for this module")
    parser.add_argument("--port", help="the module's (default: the only USB port)")
    add_folder(parser)
    parser.add_argument("--number", type=int, default=1, help="of the program, as `bocage link image` has it")
    parser.add_argument("--baud", type=int, default=_BAUD, help="while writing (default: %(default)s)")
    parser.add_argument(
        "--swap", action="store_true", help="the module held another node, or this node had another one"
    )


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 the node runs, 1 module or line prevent it, 2 a file or the usage is at fault."""
    workshop = Workshop(args.folder)
    if (args.node is None) is not args.all:
        raise UsageError(N_("give a node, or --all for every one that is not written yet"))
    if not 1 <= args.number <= image.NUMBER_MAX:
        raise UsageError(N_("--number {value}: give 1 to {high}"), value=args.number, high=image.NUMBER_MAX)
    interpreter.check(args.interpreter)
    if args.all:
        return _all(workshop, args)
    _write(workshop, workshop.find(args.node), module.find_port(args.port), args)
    return 0


def _all(workshop: Workshop, args: argparse.Namespace) -> int:
    """Writes every node that is not written yet, a module after the other, as they are plugged in and taken out. What a
    module or its line prevents is told, and the same node waits for the next module."""
    left = [row for row in workshop.in_use() if not row.mac]
    count = len(left)
    while left:
        told = {"number": count - len(left) + 1, "count": count, "node": left[0].node, "place": left[0].place or "-"}
        print(translate(_PLUG_IN, args.lang, **told), flush=True)
        port = module.await_port(args.port)
        try:
            _write(workshop, left[0], port, args)
            del left[0]
        except Refused as refused:
            print(refused.text(args.lang), flush=True)
        print(translate(_TAKE_OUT, args.lang), flush=True)
        module.await_absence(port)
    print(translate(_ALL_DONE, args.lang, count=count))
    return 0


def _write(workshop: Workshop, row: Row, port: str, args: argparse.Namespace) -> None:
    """Writes one node into the module on the port, watches it start, and notes it in the list."""

    def say(step: int, what: str, **values: object) -> None:
        print(translate(_STEP, args.lang, step=step, what=translate(what, args.lang, **values)), flush=True)

    plain, settings = _settings(workshop.settings_path(row.node))
    found = module.identify(port)
    say(1, _FOUND, chip=found.chip, flash=found.flash_bytes >> 20, psram=found.psram_mb, mac=found.mac)
    _check(found, row, workshop.in_use(), may_swap=args.swap)
    base = interpreter.read(args.interpreter, found.chip)
    start, size = base.file_system(found.flash_bytes)
    files = {"settings.json": settings}
    parts = [(base.start, base.data)]
    if base.rom is None:
        program = _made(board_files, plain["kind"], args.number)
        files |= program
        count, program_bytes = len(program), sum(map(len, program.values()))
    else:
        rom = list(interpreter.written(_made(rom_partition, plain["kind"], args.number, base.rom[1])))
        parts += [(base.rom[0] + at, data) for at, data in rom]
        count, program_bytes = len(rom), sum(len(data) for _, data in rom)
    facts = {"number": args.number, "kind": row.kind, "count": count, "node": row.node, "place": row.place or "-"}
    say(2, _MADE, size=program_bytes // 1000, **facts)
    parts += [(start + at, data) for at, data in interpreter.pieces(files, size)]
    module.write(port, parts, args.baud, lambda percent: say(3, _WRITING, percent=percent))
    say(4, _WRITTEN)
    say(5, _STARTS, line=_watched(port))
    written = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
    workshop.note(row._replace(mac=found.mac, written=written, program=str(args.number)))
    print(translate(_DONE, args.lang, node=row.node, key=workshop.key_path(row.node)), flush=True)


def _made(make: Callable[..., Any], kind: str, number: int, *size: int) -> Any:
    """Returns what `make` (board_files or rom_partition) makes of the firmware."""
    try:
        return make(FIRMWARE, mpy.find_compiler(), kind, number, *size)
    except (ImageFault, RomFault, OSError) as error:
        raise Refused(str(error)) from error


def _settings(path: Path) -> tuple[dict[str, Any], bytes]:
    """Returns the settings as data and as the bytes that the chip gets; UsageError with all faults."""
    plain, data = node_settings.read(path)
    if found := node_settings.faults_of(plain):
        raise faults.listed([faults.of_setting(fault, str(path)) for fault in found])
    return plain, data


def _check(found: Module, row: Row, rows: list[Row], *, may_swap: bool) -> None:
    """Refuses a module that this kind does not run on, and one that would end up with two lives."""
    facts, unsound = hardware_files.load(FIRMWARE.parent)
    if unsound or row.kind not in facts.nodes:
        raise Refused(N_("hardware/nodes has no sound file for {kind}; run this in a checkout"), kind=row.kind)
    name = facts.nodes[row.kind]["chip"]["module"]
    wanted = facts.modules[name]
    if found.chip != name.upper():
        message = N_("{kind} is made for {wanted}; this is a {chip}: take the module of hardware/boards/{name}.toml")
        raise Refused(message, kind=row.kind, wanted=wanted["name"], chip=found.chip, name=name)
    if found.flash_bytes < wanted["flash_mib"] << 20:
        raise Refused(
            N_("this module has {size} MB of flash; {kind} needs {wanted}"),
            size=found.flash_bytes >> 20,
            kind=row.kind,
            wanted=wanted["flash_mib"],
        )
    if found.psram_mb < _PSRAM_MB_MIN:
        raise Refused(
            N_("this module has no PSRAM, without which {kind} does not start: take an {wanted}"),
            kind=row.kind,
            wanted=wanted["name"],
        )
    others = [other.node for other in rows if other.mac == found.mac and other.node != row.node]
    if others and not may_swap:
        raise Refused(
            N_("this module is node {other}; if it is to become {node}: --swap"), other=others[-1], node=row.node
        )
    if row.mac not in ("", found.mac) and not may_swap:
        message = N_("{node} was written into module {mac}, and this is another one; if that one is out of use: --swap")
        raise Refused(message, node=row.node, mac=row.mac)


def _watched(port: str) -> str:
    """Returns the line by which the node says that it runs; Refused with what it said instead."""
    heard = []
    for line in module.listen(port, _WATCH_S):
        heard.append(line)
        if line.startswith(_SETTINGS):
            raise Refused(N_("the node refuses its settings: {line}"), line=line)
        if line.startswith(_READY):
            return line
    message = N_("written, but the node says nothing of being ready for {seconds} s. Its console said:\n{heard}")
    raise Refused(message, seconds=_WATCH_S, heard="\n".join(f"    {line}" for line in heard[-10:]) or "    -")
