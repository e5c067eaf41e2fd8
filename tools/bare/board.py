"""Lays out a whole node for the bare machine: its flash as `bocage node flash` makes it, with twins for its parts.

    python -m tools.bare.board --kind thermostat --out build/bare

writes micropython.elf, rom.bin and flash.bin, which hardware/renode/bare.resc loads. The node has keys of the
simulator's, and the serial line is its bearer.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from simulator.hosts.keys import settings_of
from tools import firmware_modules, mpy
from tools.bare import build, image, machine
from tools.bench.node_cases import CASES
from tools.link.romfs import romfs_image
from tools.node.board import board_files, rom_base, rom_partition

ROOT = Path(__file__).resolve().parents[2]
SHIMS = ROOT / "simulator" / "shims"
NODE = bytes.fromhex("7c1f0a2c01000001")
BAUD = 115_200


def rom(kind: str) -> dict[str, bytes]:
    """Returns the files of the image: boot.py of the kind, what starts the flash, and the twins."""
    return {
        "boot.py": (firmware_modules.FIRMWARE / "boards" / f"boot_{kind}.py").read_bytes(),
        "main.py": image.text("main"),
        **image.chip("bare_mounts"),
        **_chip(kind),
    }


def flash(kind: str, **settings: object) -> dict[str, bytes]:
    """Returns the files of the flash: a new node of the kind on a serial line, with these settings of its own."""
    files = board_files(firmware_modules.FIRMWARE, mpy.find_compiler(), kind, 1)
    return {**files, "settings.json": _settings(kind, settings)}


def rom_in_place(
    kind: str, extra: Mapping[str, bytes] | None = None, firmware: Path = firmware_modules.FIRMWARE
) -> bytes:
    """Returns the ROMFS partition of a new node whose program runs in place. The base has `extra`, too: by default what
    an interpreter of our own has frozen, and the chip's modules."""
    compiler = mpy.find_compiler()
    base = {**rom_base(firmware, compiler, kind), **(beside_base(kind, firmware) if extra is None else extra)}
    return rom_partition(firmware, compiler, kind, 1, machine.ROM_BYTES, base=base)


def beside_base(kind: str, firmware: Path = firmware_modules.FIRMWARE) -> dict[str, bytes]:
    """Returns the files of what an interpreter of our own has frozen, and of the chip's modules."""
    frozen = {name: (firmware / "interpreter" / name).read_bytes() for name in ("_boot.py", "main.py")}
    return {**frozen, **_chip(kind)}


def flash_in_place(kind: str, **settings: object) -> dict[str, bytes]:
    """Returns the files of the file system beside that partition: the settings of this node."""
    return {"settings.json": _settings(kind, settings)}


def _chip(kind: str) -> dict[str, bytes]:
    """Returns the modules that a chip's interpreter would have, and the twins of the board's parts."""
    twins = [f"simulator.twins.{path.stem}" for path in (ROOT / "simulator" / "twins").glob("*.py")]
    return {
        "bare_kind.py": f"NAME = {kind!r}".encode(),
        **{f"{name}.mpy": image.compiled(SHIMS / f"{name}.py", f"{name}.py") for name in ("esp32", "onewire")},
        **image.chip("machine", "flashbdev"),
        **image.imported([f"boards.{kind}", *twins], firmware_modules.FIRMWARE, ROOT),
    }


def _settings(kind: str, settings: dict[str, object]) -> bytes:
    own = {"node": NODE.hex(), "kind": kind, "bearer": ["uart", BAUD], **settings_of(NODE), **settings}
    return json.dumps(own).encode()


def lay_out(elf: Path, kind: str, folder: Path) -> None:
    """Writes the three files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(elf, folder / "micropython.elf")
    (folder / "rom.bin").write_bytes(romfs_image(rom(kind)))
    (folder / "flash.bin").write_bytes(machine.flash_image(flash(kind, **CASES[kind].settings)))


def main() -> int:
    """Builds what is missing, and lays the node out."""
    parser = argparse.ArgumentParser(description="Lays out a node for the bare machine.")
    parser.add_argument("--kind", required=True, choices=firmware_modules.kinds(), help="the kind of node")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write the files to")
    args = parser.parse_args()
    try:
        lay_out(build.build(), args.kind, args.out)
    except (build.BuildFault, mpy.MpyFault) as fault:
        print(f"tools.bare.board: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
