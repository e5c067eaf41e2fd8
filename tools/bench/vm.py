"""Builds the MicroPython VM that `bocage bench node` needs: as on the chip, except for its pins.

It has 32 bits, single floats, a heap that grows by areas as that of the ESP32 port does, and a stack that can be made
small (VM_STACK, in bytes).

The sources are Debian's: `apt-get source micropython mbedtls` in one folder (needs a deb-src line, dpkg-dev,
gcc-i686-linux-gnu and libc6-dev-i386-cross). They are copied below --work before anything in them is changed.

    bocage bench vm --sources ~/src --out /tmp/vm
    bocage bench vm --sources ~/src --out /tmp/vm-counted --counted
    bocage bench node --vm /tmp/vm --counted /tmp/vm-counted --json
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from gateway.language import N_
from tools import firmware_modules
from tools.command_line import Refused

_ROOT = Path(__file__).resolve().parents[2]
COUNTED_C = _ROOT / "tools/bench/counted.c"
_CROSS = "i686-linux-gnu-"
_MBEDTLS = ("libmbedcrypto.a", "libmbedtls.a", "libmbedx509.a")
# Features that a chip does not have: threads, foreign functions, a data base, frozen modules of the port.
_PORT = ("MICROPY_PY_FFI=0", "MICROPY_PY_BTREE=0", "MICROPY_PY_THREAD=0", "MICROPY_PY_JNI=0", "STRIP=true",
         "FROZEN_MANIFEST=")
_FLOATS = ("-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_FLOAT", "-DMICROPY_FLOAT_USE_NATIVE_FLT16=0")
# As in ports/esp32/mpconfigport.h. The first area has 64 KiB; each further one doubles the heap (py/gc.c).
_HEAP = ("-DMICROPY_GC_SPLIT_HEAP=1", "-DMICROPY_GC_SPLIT_HEAP_AUTO=1", "-include stdlib.h")
_STACK_BYTES = 400_000


class Change(NamedTuple):
    """Holds a line of the port and its replacement."""

    path: str
    old: str
    new: str


CHANGES = (
    Change(
        "ports/unix/main.c",
        "mp_uint_t stack_size = 40000 * (sizeof(void *) / 4);",
        'const char *told = getenv("VM_STACK");\n'
        f"    mp_uint_t stack_size = told == NULL ? {_STACK_BYTES} : strtoul(told, NULL, 10);",
    ),
    # Each import under way has a path on the stack: 4 kB on a desk, this on an ESP32 (its mpconfigport.h).
    Change(
        "ports/unix/mpconfigport.h",
        "#define MICROPY_ALLOC_PATH_MAX      (PATH_MAX)",
        "#define MICROPY_ALLOC_PATH_MAX      (128)",
    ),
    Change(
        "ports/unix/main.c",
        "long multi_heap_size = heap_size / MICROPY_GC_SPLIT_HEAP_N_HEAPS;",
        "long multi_heap_size = 64 * 1024;",
    ),
    # What the system has left for further areas: all that `-X heapsize` gives, less the areas there are.
    Change(
        "ports/unix/main.c",
        "int main(int argc, char **argv) {",
        "size_t gc_get_max_new_split(void) {\n"
        "    size_t left = heap_size;\n"
        "    for (mp_state_mem_area_t *area = &MP_STATE_MEM(area); area != NULL; area = area->next) {\n"
        "        size_t size = area->gc_pool_end - (byte *)area->gc_alloc_table_start;\n"
        "        left = size < left ? left - size : 0;\n"
        "    }\n"
        "    return left;\n"
        "}\n\n"
        "int main(int argc, char **argv) {",
    ),
    Change(
        "ports/unix/mphalport.h",
        "#define mp_hal_ticks_cpu() 0",
        "#ifdef COUNTED\nextern unsigned int counted_blocks;\n#define mp_hal_ticks_cpu() counted_blocks\n"
        "#else\n#define mp_hal_ticks_cpu() 0\n#endif",
    ),
)


class BuildFault(Exception):
    """Is raised when the build stopped; the text says why, and the remedy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the build."""
    parser.add_argument("--sources", type=Path, required=True, help="the folder with micropython-* and mbedtls-*")
    parser.add_argument("--out", type=Path, required=True, help="the program to write")
    parser.add_argument("--work", type=Path, help="keeps what was built, for the next VM (a folder of its own)")
    parser.add_argument("--counted", action="store_true", help="counts its own work (counted.c), and is slower")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a line")


def run(args: argparse.Namespace) -> int:
    """Builds the VM; the exit status is 0 when the program is there and runs."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            work = args.work or Path(folder)
            work.mkdir(parents=True, exist_ok=True)
            build(args.sources, args.out, work, is_counted=args.counted)
    except BuildFault as fault:
        raise Refused(str(fault)) from fault
    made = {"vm": str(args.out), "bytes": args.out.stat().st_size, "counted": args.counted}
    print(json.dumps(made, indent=1) if args.json else f"{args.out}: {made['bytes']} bytes, runs")
    return 0


def require_checkout(folder: Path = firmware_modules.FIRMWARE) -> None:
    """Raises Refused where the sources are installed as packages: the folder that a VM runs from is not there."""
    if not folder.is_dir():
        raise Refused(N_("this command needs a checkout of Bocage: an installed package lacks the folder firmware/"))


def build(sources: Path, out: Path, work: Path, *, is_counted: bool) -> None:
    """Builds the VM and writes it to `out`. BuildFault with what is missing or a compiler's output."""
    for program in (f"{_CROSS}gcc", "make"):
        if shutil.which(program) is None:
            raise BuildFault(f"no {program} (apt-get install gcc-i686-linux-gnu libc6-dev-i386-cross make)")
    tree = work / "micropython"
    if not tree.exists():
        shutil.copytree(_source(sources, "micropython"), tree, symlinks=True)
        for change in CHANGES:
            apply(tree, change)
        _make(tree / "mpy-cross")
    mbedtls = _mbedtls(sources, work)
    here = work / ("counted" if is_counted else "plain")
    here.mkdir(exist_ok=True)
    flags = [*_FLOATS, *_HEAP, f"-I{mbedtls / 'include'}", "-Wno-error"]
    links = ["-static", f"-L{mbedtls / 'library'}"]
    if is_counted:
        counter = here / "counted.o"
        _run([f"{_CROSS}gcc", "-Os", "-c", str(COUNTED_C), "-o", str(counter)], here)
        flags += ["-DCOUNTED", "-fsanitize-coverage=trace-pc"]
        links.append(str(counter))
    _make(
        tree / "ports/unix",
        f"BUILD={here / 'build'}",
        f"CROSS_COMPILE={_CROSS}",
        "COPT=-Os -DNDEBUG -fdata-sections -ffunction-sections",
        f"CFLAGS_EXTRA={' '.join(flags)}",
        f"LDFLAGS_EXTRA={' '.join(links)}",
        *_PORT,
    )
    shutil.copy2(here / "build/micropython", out)
    _run([str(out.resolve()), "-c", "import sys; assert sys.maxsize == 0x7FFFFFFF"], here)


def apply(tree: Path, change: Change) -> None:
    """Makes one change in a copy of the sources. BuildFault where the line is not as expected."""
    path = tree / change.path
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(change.old) != 1:
        raise BuildFault(f"{path} has not once {change.old!r}: these sources are not of MicroPython 1.25")
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")


def _source(sources: Path, name: str) -> Path:
    found = sorted(path for path in sources.glob(f"{name}-*") if path.is_dir())
    if not found:
        raise BuildFault(f"--sources {sources} has no {name}-*: run `apt-get source micropython mbedtls` there")
    return found[-1].resolve()


def _mbedtls(sources: Path, work: Path) -> Path:
    tree = work / "mbedtls"
    if not tree.exists():
        shutil.copytree(_source(sources, "mbedtls"), tree, symlinks=True)
    if not all((tree / "library" / name).exists() for name in _MBEDTLS):
        _make(tree / "library", f"CC={_CROSS}gcc", f"AR={_CROSS}ar", "CFLAGS=-O2", "static")
    return tree


def _make(folder: Path, *words: str) -> None:
    _run(["make", f"-j{os.cpu_count() or 1}", "-C", str(folder), *words], folder)


def _run(command: list[str], folder: Path) -> None:
    print(f"bocage bench vm: {' '.join(command[:4])}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise BuildFault(f"{command[0]} failed:\n{last}")
