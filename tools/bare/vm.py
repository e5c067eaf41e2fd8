"""Stands where a MicroPython program of the desk stands for `bocage bench`, and runs the script on the bare machine.

    python -m tools.bare.vm -X heapsize=111168 tools/bench/node_vm.py

The working folder is the machine's flash. VM_SECOND and VM_STACK: bytes of a second area of heap and of the stack;
VM_IN_PLACE: a kind of node, whose program runs in place. The clock is the count of instructions.
"""

import os
import select
import sys
import tempfile
from pathlib import Path

from tools.bare import board, build, image, machine
from tools.link.romfs import romfs_image

ASKED = ("-X", "heapsize=")


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
            counted=True,
        ) as made:
            _pass_on(made)
    return 0


def _flash() -> dict[str, bytes]:
    """Returns the files of the working folder; its folders may be links."""
    paths = [Path(folder, name) for folder, _, names in os.walk(".", followlinks=True) for name in names]
    return {path.as_posix(): path.read_bytes() for path in paths}


def _image(script: Path) -> dict[str, bytes]:
    """Returns the files of an image that mounts the flash and runs the script, compiled: its source would lie in the
    heap that is measured."""
    boot = f"import bare_mounts, {script.stem}".encode()
    compiled = {f"{script.stem}.mpy": image.compiled(script, script.name)}
    return {"_boot.py": boot, **compiled, **image.chip("bare_mounts", "flashbdev")}


def _pass_on(made: machine.Machine) -> None:
    """Passes bytes both ways, with ends of lines as the desk has them."""
    held = tail = b""
    while True:
        ready, _, _ = select.select([0, made.output], [], [])
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                return
            made.write(data)
        if made.output in ready:
            try:
                came = made.read()
            except machine.MachineFault:
                return
            data = held + came
            held = b"\r" if data.endswith(b"\r") else b""
            os.write(1, data[: len(data) - len(held)].replace(b"\r\n", b"\n"))
            tail = (tail + came)[-len(machine.PROMPT) :]  # the line gives what it has, in pieces of any length
            if tail == machine.PROMPT:  # the script has failed
                return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
