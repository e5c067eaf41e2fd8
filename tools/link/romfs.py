"""Makes ROMFS images by MicroPython's own writer (mpremote), and lays out a partition of them.

What lies in such an image runs in place, as from flash (extmod/vfs_rom.c). A node's partition has a base that no link
writes, and two halves, of which each holds one program (firmware/esp32/place_rom.py).
"""

import struct
from collections.abc import Mapping
from typing import Any

from wire import image

# As in firmware/esp32/place_rom.py.
BLOCK_BYTES = 4096
BASE_BYTES = 64 * BLOCK_BYTES


class RomFault(Exception):
    """Is raised when an image cannot be made, or has no room in its place; the text says why."""


def romfs_image(files: Mapping[str, bytes]) -> bytes:
    """Returns the image of these files, {path with slashes: bytes}. RomFault without mpremote."""
    try:
        from mpremote.romfs import VfsRomWriter
    except ModuleNotFoundError:
        raise RomFault("mpremote is not installed; in a checkout: pip install --editable '.[workshop]'") from None
    tree: dict = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = data
    writer = VfsRomWriter()
    _add(writer, tree)
    return bytes(writer.finalise())


def _add(writer: Any, tree: Mapping) -> None:
    for name, inside in sorted(tree.items()):
        if isinstance(inside, bytes):
            writer.mkfile(name, inside)
        else:
            writer.opendir(name)
            _add(writer, inside)
            writer.closedir()


def pieces(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Returns the ROMFS image of a program in the pieces that an update sends, {path: bytes}, all of one size. The last
    is the piece with the image's header, so that a half that arrived in part is no file system."""
    data = romfs_image(files)
    size = image.ROM_PIECE_BYTES
    data += b"\xff" * (-len(data) % size)
    indices = [*range(1, len(data) // size), 0]
    return {image.rom_path(index): data[size * index : size * (index + 1)] for index in indices}


def partition(base: Mapping[str, bytes], program: Mapping[str, bytes], manifest: bytes, size: int) -> bytes:
    """Returns the bytes of a partition of `size` bytes: the base, the pieces of a program with its manifest in half a,
    and an empty half b. RomFault when one has no room."""
    half = (size - BASE_BYTES) // BLOCK_BYTES // 2 * BLOCK_BYTES
    made = bytearray(b"\xff" * size)
    _put(made, "base", 0, romfs_image(base), BASE_BYTES)
    whole = b"".join(data for _, data in sorted(program.items()))
    _put(made, "program", BASE_BYTES, whole, half - BLOCK_BYTES)
    kept = struct.pack("<I", len(manifest)) + manifest
    _put(made, "manifest", BASE_BYTES + half - BLOCK_BYTES, kept, BLOCK_BYTES)
    return bytes(made)


def _put(made: bytearray, what: str, at: int, data: bytes, room: int) -> None:
    if len(data) > room:
        raise RomFault(f"the {what} has {len(data)} bytes, and its place in the ROMFS partition {max(0, room)}")
    made[at : at + len(data)] = data
