"""Runs the bare 32-bit machine in QEMU: its serial line, its reset button, its plug, and the flash that survives both.

Addresses are those of board.h. A program is a ROMFS image of which `boot.py` and then `main.py` run after each reset;
without them the line is MicroPython's prompt. Must not know what a program does.
"""

import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from littlefs import LittleFS

from tools.node import interpreter

QEMU, PACKAGE = "qemu-system-riscv32", "qemu-system-riscv"
RAM, RAM_BYTES = 0x8000_0000, 64 << 20
TOLD, ROM, FLASH = 0x8100_0000, 0x8200_0000, 0x8300_0000
FLASH_BYTES = 2 << 20
STACK, STACK_BYTES, _UNUSED = 0x8060_0000, 64 << 10, 0xBB  # the port's startup fills it with that
ROM_BYTES = 8 << 20
# What MicroPython shows when no program runs: first the one, at last the other.
BANNER, PROMPT = b"MicroPython v", b"\r\n>>> "
# One instruction takes 4 ns of the machine's time, as on an ESP32 at 240 MHz.
_COUNTED = ["-icount", "shift=2"]


class MachineFault(Exception):
    """Is raised when the machine does not say what is waited for; the text is what it has said."""


class Machine:
    """Is a machine under power, from its making until `close`.

    `rom`: the image of which _boot.py, boot.py and main.py run, mounted at /rom; b"" where `memory` holds it; `heap`,
    `second`, `stack`: bytes for Python, 0 for what the build has, and no second area; `memory`: a file that holds its
    RAM, with the flash in it; `cut`: the erase or write of this life, counted from 1, in the middle of which its power
    fails; `counted`: its clock is the count of its instructions, so that a loaded desk makes no watchdog bite; `pty`:
    its line is a terminal, `line`, in place of `read` and `write`; `is_heard`: False where what it says goes to this
    process's own output, in place of `read`; `plugin`: a plugin of QEMU with its arguments.
    """

    def __init__(
        self,
        elf: Path,
        rom: bytes,
        *,
        heap: int = 0,
        second: int = 0,
        stack: int = 0,
        memory: Path | None = None,
        cut: int = 0,
        counted: bool = False,
        pty: bool = False,
        is_heard: bool = True,
        plugin: str = "",
    ) -> None:
        assert len(rom) <= ROM_BYTES
        self._folder = tempfile.TemporaryDirectory()
        command = [_qemu(), "-machine", "virt", "-bios", "none", "-display", "none", "-monitor", "none"]
        command += ["-m", f"{RAM_BYTES >> 20}M", "-kernel", str(elf), *(_COUNTED if counted else [])]
        command += ["-serial", "pty" if pty else "stdio"]
        command += ["-plugin", plugin] if plugin else []
        for address, data in ((TOLD, struct.pack("<4I", heap, second, stack, cut)), (ROM, rom)):
            if not data:
                continue
            path = Path(self._folder.name) / f"{address:x}"
            path.write_bytes(data)
            command += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
        if memory is not None:
            backend = f"memory-backend-file,id=ram,size={RAM_BYTES},mem-path={memory},share=on"
            command += ["-object", backend, "-machine", "memory-backend=ram"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if is_heard else None,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        self.process_id = self._process.pid
        self.line = self.until(b"\n").split()[4].decode() if pty else ""

    def write(self, data: bytes) -> None:
        """Puts bytes onto the line, at its pace."""
        assert self._process.stdin is not None
        while data:
            data = data[os.write(self._process.stdin.fileno(), data) :]

    def read(self, timeout_s: float = 0.0) -> bytes:
        """Returns bytes that have come; b"" where none do in that time. MachineFault at the end of the machine."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            return b""
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            raise MachineFault(f"the machine ended with {self._process.wait()}")
        return data

    def until(self, end: bytes, *, deadline_s: float = 60) -> bytes:
        """Returns all bytes up to `end` and with it. MachineFault where it does not come."""
        said, until_s = b"", time.monotonic() + deadline_s
        while end not in said:
            if time.monotonic() > until_s:
                raise MachineFault(f"no {end!r} in {deadline_s} s, but {said[-2000:]!r}")
            try:
                said += self.read(0.2)
            except MachineFault as fault:
                raise MachineFault(f"{fault}: {said[-2000:]!r}") from None
        return said

    @property
    def running(self) -> bool:
        """Returns True while it has power."""
        return self._process.poll() is None

    def close(self) -> None:
        """Cuts the power: the machine gets no chance to do anything."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_installed() -> bool:
    """Returns whether this machine has QEMU for RISC-V."""
    return shutil.which(QEMU) is not None


def _qemu() -> str:
    path = shutil.which(QEMU)
    if path is None:
        raise MachineFault(f"no {QEMU} (apt-get install {PACKAGE})")
    return path


def flash_image(files: Mapping[str, bytes]) -> bytes:
    """Returns a flash that is a littlefs with these files, {path: bytes}."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    for at, piece in interpreter.pieces(dict(files), FLASH_BYTES):
        flash[at : at + len(piece)] = piece
    return bytes(flash)


def make_memory(path: Path, flash: bytes, rom: bytes = b"") -> None:
    """Makes the file of a machine's RAM; all but its flash is empty, as after a loss of power. `rom`: the partition of
    ROMFS images, where the machine is to write to it."""
    with path.open("wb") as file:
        file.truncate(RAM_BYTES)
        for address, data in ((FLASH, flash), (ROM, rom)):
            file.seek(address - RAM)
            file.write(data)


def cut_power(path: Path) -> None:
    """Leaves in the file of a machine's RAM what survives a loss of power: its flash. The machine must be closed."""
    make_memory(path, flash_in(path), rom_in(path))


def files_in(path: Path) -> dict[str, bytes]:
    """Returns the files in the flash of a machine that is closed, {path: bytes}, as another littlefs than the machine's
    reads them."""
    held = LittleFS(block_size=interpreter.BLOCK_BYTES, block_count=FLASH_BYTES // interpreter.BLOCK_BYTES, mount=False)
    held.context.buffer = bytearray(flash_in(path))
    held.mount()
    found = {}
    for folder, _, names in held.walk("/"):
        for name in names:
            with held.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                found[f"{folder.strip('/')}/{name}".lstrip("/")] = file.read()
    return found


def flash_in(path: Path) -> bytes:
    """Returns the flash in the file of a machine's RAM."""
    return _part(path, FLASH, FLASH_BYTES)


def rom_in(path: Path) -> bytes:
    """Returns the partition of ROMFS images in the file of a machine's RAM."""
    return _part(path, ROM, ROM_BYTES)


def stack_used(path: Path) -> int:
    """Returns the most bytes of stack that were ever in use since the reset, C below Python included, from the file of
    a machine's RAM."""
    return len(_part(path, STACK, STACK_BYTES).lstrip(bytes([_UNUSED])))


def _part(path: Path, address: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(address - RAM)
        return file.read(size)
