"""Stands where a MicroPython program of the desk stands for `bocage bench`, and runs the script on the bare machine.

    python -m tools.bare.vm -X heapsize=111168 tools/bench/node_vm.py

The working folder is the machine's flash. VM_SECOND and VM_STACK: bytes of a second area of heap and of the stack;
VM_IN_PLACE: a kind of node, whose program runs in place. The clock is the count of instructions, or with VM_UNCOUNTED
the desk's, which costs half the processor time. VM_STACK_USED: a file, which gets the bytes of stack that were used.
VM_PLUGIN: a plugin of QEMU.
"""

import os
import select
import sys
import tempfile
from pathlib import Path

from tools.bare import board, build, image, machine
from tools.link.romfs import romfs_image

ASKED = ("-X", "heapsize=")
# The line with a FIFO: QEMU brings 14 bytes at a time, and each time is dear. What it held before is lost.
_BOOT = """import sys, umachine
umachine.mem8[0x10000002] = 0xC1
try:
    import bare_mounts, {}
except BaseException as fault:
    sys.print_exception(fault)
umachine.mem32[0x100000] = 0x5555
"""


def main(words: list[str]) -> int:
    """Runs until the script ends or its input does; another call than that of `bocage bench` has status 2."""
    if len(words) != 3 or words[0] != ASKED[0] or not words[1].startswith(ASKED[1]):
        return 2
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory"
        files, kind = _image(Path(words[2])), os.environ.get("VM_IN_PLACE")
        rom = romfs_image(files) if kind is None else board.rom_in_place(kind, files)
        machine.make_memory(memory, machine.flash_image(_flash()), rom)
        with machine.Machine(
            build.build(),
            b"",
            heap=int(words[1].removeprefix(ASKED[1])),
            second=int(os.environ.get("VM_SECOND", "0")),
            stack=int(os.environ.get("VM_STACK", "0")),
            memory=memory,
            counted="VM_UNCOUNTED" not in os.environ,
            is_heard=False,
            plugin=os.environ.get("VM_PLUGIN", ""),
        ) as made:
            _pass_on(made)
        if path := os.environ.get("VM_STACK_USED"):
            Path(path).write_text(f"{machine.stack_used(memory)}\n", encoding="utf-8")
    return 0


def _flash() -> dict[str, bytes]:
    """Returns the files of the working folder; its folders may be links."""
    paths = [Path(folder, name) for folder, _, names in os.walk(".", followlinks=True) for name in names]
    return {path.as_posix(): path.read_bytes() for path in paths}


def _image(script: Path) -> dict[str, bytes]:
    """Returns the files of an image that mounts the flash and runs the script, compiled: its source would lie in the
    heap that is measured. At its end the machine is off."""
    compiled = {f"{script.stem}.mpy": image.compiled(script, script.name)}
    return {"_boot.py": _BOOT.format(script.stem).encode(), **compiled, **image.chip("bare_mounts", "flashbdev")}


def _pass_on(made: machine.Machine) -> None:
    """Passes on what comes, until it ends or the machine does."""
    ended = os.pidfd_open(made.process_id)
    while ended not in select.select([0, ended], [], [])[0] and (data := os.read(0, 65536)):
        made.write(data)
    os.close(ended)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
