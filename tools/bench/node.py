"""Measures what each kind of node uses on each MicroPython VM: heap, heap per turn and record, the longest turn.

What runs is what `bocage node flash` writes: the loader, and the application's compiled modules, loaded from their
folder into the heap, which lies in the PSRAM of the module. The node runs 30 days in virtual time with the real
gateway's link, three of them without an answer, so that its outbox is full; `live_days` is what is live at the end of
each, `growth` what the last week has more at least than the first one after the silence. Bytes are those of the VM; one
of 64 bits takes twice a chip's at most, and has twice its bounds. `started` is the RAM after the start; `peak` is the
most that is live at once in sixteen days, the last three in silence, including the calls under way, which MicroPython
keeps in its heap. This bench's own script is in neither. `call_stack` is the least stack in which the start, a busy day
and hours of silence run, in a chip's bytes; it needs a VM whose stack can be set (`bocage bench vm`). A bound without a
figure does not count as met: any other VM, or less than thirteen days, ends in `not measured` and status 3.

Turns are scaled to an ESP32 at 240 MHz, with the collector at work as it ships, in a heap of the module's PSRAM, which
grows by areas as on the chip (on the VM of `bocage bench vm`; any other has one area). A VM that counts its own work
(tools/bench/counted.c) gives the same figure each time; on any other the wall time is used, the least of several runs,
scaled by a loop of integer work. The time of a basic block of the VM on the chip comes from MicroPython's own
benchmarks there and their count here: see BLOCK_PS. They ran in internal RAM. What the cache in front of PSRAM adds to
a collection is given apart (`collection_psram_ms`); `bocage bench bare` counts it for every turn. Not included are
erasing flash (50 ms a sector, once an hour at most), and loading bytecode of a turn into the cache (a few ms); AES and
SHA run in the chip's hardware, and are not counted.

    bocage bench node --kind streetlight --json
    bocage bench node --kind streetlight --vm /tmp/vm --counted /tmp/vm-counted --json
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from gateway.language.arguments import whole
from simulator.hosts.vm import micropythons
from tools import firmware_modules
from tools.bench.node_cases import CASES
from tools.bench.node_program import Compiled, NoCompiler, compile_kind, lay_out
from tools.bench.node_world import DAY_MS, BusyDay, Program, Turn, Vm, VmFault, World
from tools.bench.vm import require_checkout
from tools.command_line import add_json, executable
from wire import event

# What the collector looks at twice in TURN_MS_MAX, by the scale below: 0.15 ms each 1000 bytes and round. It needs a
# second round where its table of 64 overflows (esp32/collector.py).
HEAP_BYTES_MAX = 350_000
# Growth from the first whole days after the silence to the last ones. Before it every kept instant grows once: on day
# 12.4 it no longer fits 31 bits.
GROWTH_BYTES_MAX = 256
_GROWTH_DAYS = 7
# Heap of a whole turn of the shell in which nothing is due, on a chip; pointers of a VM of 64 bits are twice as large.
# From day 12.4 on an instant takes heap of its own, and a turn makes some twenty of them.
IDLE_BYTES_MAX, LATE_IDLE_BYTES_MAX = 1152, 2048
TURN_MS_MAX = 100
SILENT_DAYS = range(10, 13)
# The days whose turns are counted: a first one, and one in which instants have grown.
_COUNTED_DAYS = (0, 14)
DAYS = 30
# The ESP32 port's task has 16 KB and keeps 1 KB back; 3 KB are for the calls of C below Python, which are not checked.
CALL_STACK_BYTES_MAX = 12 * 1024
# The command's status when no bound is broken, but some bounds had no figure.
INCOMPLETE = 3
# The time of a basic block of MicroPython on an ESP32 at 240 MHz. Usual: 1661 Pystones a second with `machine.freq` set
# (micropython/micropython issue 5673), 7306 blocks each in a VM of 32 bits. Slowest: bm_float, of the ten programs of
# tests/perf_bench in issue 6565 (52 to 101 ns) and pull request 7850 (56 to 120 ns), at clocks that are not stated
# there.
BLOCK_PS, DEAREST_BLOCK_PS = 82_400, 120_000
# What moving a line of 32 bytes to or from a quad PSRAM at 80 MHz takes (two cycles for the command, six for the
# address, six of waiting, 64 for the data); a collection of one round moves 37 lines each 1000 bytes that are live
# (`bocage bench bare`, `most_lines`), since small objects share lines and the table of blocks lies there too.
PSRAM_LINE_PS = 1_000_000
COLLECTION_PSRAM_PS = PSRAM_LINE_PS * 37 // 1000
# The blocks in the loop of node_vm; the PSRAM of an N8R2, and the heap for a VM of 64 bits.
_CALIBRATION_BLOCKS = 1_823_700
_CHIP_HEAP = 2_000_000
_HEAP = 2 * _CHIP_HEAP
_BLOCK_MS = 30_000
_POWER_ON, _WATCHDOG = 1, 3  # as node_vm.Machine has them, and MicroPython on the ESP32
# Stack bytes of a plain Python call: 49 KB held 154 on an ESP32 (micropython/micropython issue 4840), 50 kB less 15
# held 128 here.
_CALL_CHIP, _CALL_HERE = 326, 272
_STACKS = (2_000, 16_000)
_STACK_STEP = 250
# The peak is measured where it is highest: in a silence after every kept instant has grown.
_PEAK_DAYS, _PEAK_SILENT = 16, range(13, 16)
_REPEATS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", action="append", choices=firmware_modules.kinds(), help="this kind only")
    parser.add_argument("--days", type=whole(2, 400), default=DAYS, help=f"simulated days ({DAYS})")
    parser.add_argument("--vm", action="append", type=executable, metavar="PROGRAM", help="this VM only")
    parser.add_argument("--counted", type=executable, metavar="PROGRAM", help="time turns on this VM, which counts")
    add_json(parser)


def measure(vm: str, compiled: Compiled, days: int, folder: Path, counted: str | None = None) -> dict:
    """Returns all figures of one kind on one VM; turns are timed on `counted` where it is given."""
    program = lay_out(compiled, folder)
    figures: dict = {"kind": compiled.kind, "vm": vm, "mpy_bytes": compiled.mpy_bytes()}
    _print_progress(f"{compiled.kind} on {vm}: {days} days")
    figures.update(_long_run(vm, program, days))
    _print_progress(f"{compiled.kind} on {vm}: how long turns take")
    figures.update(_turn_times(counted or vm, program))
    figures["collection_psram_ms"] = figures["live_days"][-1] * COLLECTION_PSRAM_PS // figures["wider"] // 1_000_000_000
    _print_progress(f"{compiled.kind} on {vm}: a block")
    figures["block"] = _block(vm, program, folder)
    _print_progress(f"{compiled.kind} on {vm}: the stack")
    figures["call_stack_chip"] = _call_stack(vm, program)
    _print_progress(f"{compiled.kind} on {vm}: the peak")
    figures["peak"] = _peak(vm, program)
    return figures | judged(figures)


def judged(figures: dict) -> dict:
    """Returns the judgement of the figures. `passed`: all that has a bound was measured, and every bound holds;
    otherwise `too_much` lists the bounds that are broken, `not_measured` those that this VM, or a run of so few days,
    does not measure."""
    wider = figures["wider"]
    bounds = {
        "peak": HEAP_BYTES_MAX * wider,
        "growth": GROWTH_BYTES_MAX * wider,
        "idle_turn": IDLE_BYTES_MAX * wider,
        "late_idle_turn": LATE_IDLE_BYTES_MAX * wider,
        "longest_turn_chip_ms": TURN_MS_MAX,
        "call_stack_chip": CALL_STACK_BYTES_MAX,
    }
    not_measured = [name for name in (*bounds, "block") if figures.get(name) is None]
    too_much = [name for name, most in bounds.items() if name not in not_measured and figures[name] > most]
    if "block" not in not_measured and figures["block"].get("cause") != "watchdog":
        too_much.append("block")
    return {"passed": not too_much and not not_measured, "too_much": too_much, "not_measured": not_measured}


def verdict(row: dict) -> str:
    """Returns the judgement of one kind on one VM, in words."""
    told = f"TOO MUCH: {', '.join(row['too_much'])}" if row["too_much"] else "within its bounds"
    if row["not_measured"]:
        told = f"{told if row['too_much'] else 'INCOMPLETE'}; not measured: {', '.join(row['not_measured'])}"
    return told


def status(rows: list[dict]) -> int:
    """Returns the exit status. 0: all within their bounds; 1: a bound is broken; INCOMPLETE: no bound is broken, but
    some were not measured."""
    if all(row["passed"] for row in rows):
        return 0
    return 1 if any(row["too_much"] for row in rows) else INCOMPLETE


def _print_progress(what: str) -> None:
    print(f"bocage bench node: {what}", file=sys.stderr, flush=True)


def _long_run(vm: str, program: Program, days: int) -> dict:
    """Returns the live heap through the days, and the heap that turns use."""
    live_days: list[int] = []
    sums = {"control_step": [0, 0], "record": [0, 0]}
    idles: dict[int, int] = {}
    with Vm(vm, program, _HEAP) as node:
        world = World(node, program.case, SILENT_DAYS)
        for day in range(days):
            is_counted = day in _COUNTED_DAYS
            node.count(is_counted)
            for turn in world.run((day + 1) * DAY_MS, idles=is_counted):
                if is_counted:
                    _count(sums, turn)
                    idles[day] = max(idles.get(day, 0), turn.idle or 0)
            live_days.append(node.live())
        records, started, wider = world.acknowledged, node.started, 1 if node.is_32_bit else 2
    means = {name: total // max(1, count) for name, (total, count) in sums.items()}
    first, late = (idles.get(day) for day in _COUNTED_DAYS)
    return {
        "wider": wider,
        "started": started,
        "live_days": live_days,
        "growth": growth(live_days),
        "control_step": means["control_step"],
        "record": means["record"],
        "idle_turn": first,
        "late_idle_turn": late,
        "records": records,
    }


def growth(live_days: list[int]) -> int:
    """Returns what the last days have more than the first ones after the silence, the least of each."""
    settled = live_days[SILENT_DAYS.stop + 1 :] or live_days
    return min(settled[-_GROWTH_DAYS:]) - min(settled[:_GROWTH_DAYS])


def _count(sums: dict[str, list[int]], turn: Turn) -> None:
    """Adds a turn to its sum: a control step samples, decides and sends nothing; a record is made, sealed and handed to
    the bearer."""
    if turn.is_sample and not turn.records and not turn.datagrams:
        sums["control_step"][0] += turn.taken
        sums["control_step"][1] += 1
    elif turn.records and turn.datagrams:
        sums["record"][0] += turn.taken
        sums["record"][1] += turn.records


def _turn_times(vm: str, program: Program) -> dict:
    """Returns the times of a day's turns, in ms on a chip. Every run is the same to the byte: one count is exact; of
    wall times the least is used."""
    runs: list[list[int]] = []
    best = None
    for _ in range(_REPEATS):
        with Vm(vm, program, _HEAP) as node:
            turns = list(World(node, program.case, range(0), BusyDay(program.kind)).run(DAY_MS, idles=False))
            if node.counts:
                return _of_chip([turn.work for turn in turns], counted=True)
            best = node.calibration_us if best is None else min(best, node.calibration_us)
            runs.append([turn.took_us for turn in turns])
    least = [min(times) for times in zip(*runs, strict=True)]
    return _of_chip([took_us * _CALIBRATION_BLOCKS // (best or 1) for took_us in least], counted=False)


def _of_chip(blocks: list[int], *, counted: bool) -> dict:
    longest, usual = max(blocks), sorted(blocks)[len(blocks) // 2]
    return {
        "turns_counted": counted,
        "longest_turn_chip_ms": longest * BLOCK_PS // 1_000_000_000,
        "longest_turn_chip_ms_dearest": longest * DEAREST_BLOCK_PS // 1_000_000_000,
        "usual_turn_chip_ms": usual * BLOCK_PS // 1_000_000_000,
        "turns": len(blocks),
        "turns_too_long": sum(one * BLOCK_PS > TURN_MS_MAX * 1_000_000_000 for one in blocks),
    }


def _block(vm: str, program: Program, folder: Path) -> dict:
    """Returns what ends a call that blocks: the watchdog's reset, then a start that knows the cause."""
    flash = folder / f"{program.kind}-flash"
    flash.mkdir(exist_ok=True)
    with Vm(vm, program, _HEAP, block_ms=_BLOCK_MS, cause=_POWER_ON, flash=flash) as node:
        world = World(node, program.case, range(0))
        for _ in world.run(DAY_MS // 24, idles=False):
            pass
        node.block()
        for turn in world.run(DAY_MS // 12, idles=False):
            if turn.is_sample:
                break
        begun_ms, bit = world.now_ms, node.bit()
    if bit is None:
        return {"ends_in": "nothing"}
    with Vm(vm, program, _HEAP, block_ms=_BLOCK_MS, cause=_WATCHDOG, rtc=bit[1], flash=flash) as node:
        world = World(node, program.case, range(0))
        turns = list(world.run(DAY_MS // 288, idles=False))
    boots = [detail for code, detail in world.events if code == event.BOOT]
    crashes = [detail for code, detail in world.events if code == event.CRASH]
    return {
        "block_ms": _BLOCK_MS,
        "reset_after_ms": bit[0] - begun_ms,
        "cause": boots[0][2] if boots else None,
        "stood_in": crashes[0][2] if crashes else None,
        "first_outputs": turns[0].outputs,
    }


def _call_stack(vm: str, program: Program) -> int | None:
    """Returns the least stack that suffices, by halving, in bytes of a chip. None for a VM whose stack cannot be
    set."""
    low, high = _STACKS
    if _runs_in_a_stack(vm, program, low):
        return None
    while high - low > _STACK_STEP:
        middle = (low + high) // 2
        if _runs_in_a_stack(vm, program, middle):
            high = middle
        else:
            low = middle
    return high * _CALL_CHIP // _CALL_HERE


def _runs_in_a_stack(vm: str, program: Program, size: int) -> bool:
    """Returns True when a start, a busy day and six silent hours run in so many bytes of stack here."""
    try:
        with Vm(vm, program, _HEAP, stack=size) as node:
            for _ in World(node, program.case, range(1, 2), BusyDay(program.kind)).run(DAY_MS * 5 // 4, idles=False):
                pass
            return True
    except (VmFault, BrokenPipeError):
        return False


def _peak(vm: str, program: Program) -> int:
    """Returns the most bytes that were live at once, calls under way included."""
    with Vm(vm, program, _HEAP, looks=True) as node:
        world = World(node, program.case, _PEAK_SILENT)
        for until in (_PEAK_SILENT.start, _PEAK_DAYS):
            for _ in world.run(until * DAY_MS, idles=False):
                pass
            node.look()
        return node.peak()


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when every bound holds for every kind on every VM, INCOMPLETE where one
    was not measured."""
    require_checkout()
    names = args.kind or firmware_modules.kinds()
    if missing := [name for name in names if name not in CASES]:
        print(f"bocage bench node: no case for {', '.join(missing)} in tools/bench/node_cases.py", file=sys.stderr)
        return 1
    vms = args.vm or micropythons()
    if not vms:
        print("no MicroPython VM (apt-get install micropython, or set BOCAGE_MICROPYTHON)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows = [
                measure(vm, compile_kind(name), args.days, Path(folder), args.counted) for name in names for vm in vms
            ]
        except NoCompiler as error:
            print(f"bocage bench node: {error}", file=sys.stderr)
            return 1
    if args.json:
        passed = all(row["passed"] for row in rows)
        print(json.dumps({"heap_bytes_max": HEAP_BYTES_MAX, "passed": passed, "rows": rows}, indent=1))
        return status(rows)
    for row in rows:
        print(f"{row['kind']} on {row['vm']}: {verdict(row)}")
        for name, figure in row.items():
            if name not in ("kind", "vm", "passed", "too_much", "not_measured"):
                print(f"  {name:22} {figure}")
    return status(rows)
