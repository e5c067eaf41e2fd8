"""Reads the interpreter's file, as micropython.org publishes it for a chip, and makes the file system beside it.

The file holds boot loader, partition table and program, one after the other as they lie in flash (ESP-IDF, "App Image
Format": chip id at byte 12 of the header; "Partition Tables": entries of 32 bytes, magic 0x50AA). Since 1.26
MicroPython has no partition for its file system in that table: at the start it takes all that lies behind the last
partition (ports/esp32/main.c). The file system is littlefs 2 with the port's sizes (extmod/vfs_lfsx.c).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from littlefs import LittleFS

from gateway.language import N_
from gateway.language.reasons import of_file
from tools.command_line import UsageError
from tools.node.faults import of_path

BLOCK_BYTES = 4096

# chip: (id in an image's header, flash address where the file begins)
_CHIPS = {"ESP32": (0, 0x1000), "ESP32-S3": (9, 0x0)}
_IMAGE_MAGIC = 0xE9
_TABLE_ADDRESS = 0x8000
_TABLE_BYTES = 0xC00
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
# The names under which the port looks for its file system.
_FILE_SYSTEMS = ("vfs", "ffat")
_ROM = "romfs"  # (ports/esp32/esp32_partition.c)
# What the port gives littlefs: read and program 32 bytes, look ahead 32, cache four times that.
_UNIT_BYTES = 32
_NAME_MAX = 255
_DISK_VERSION = 0x0002_0000  # the oldest of littlefs 2, which every release reads


class Interpreter(NamedTuple):
    """Is one sound file. `start`: where in flash it begins; `end`: where its last partition ends; `place`: (start,
    size) of a partition for the file system, None when the rest of the flash is it; `rom`: of a ROMFS partition, None
    for the official build."""

    data: bytes
    start: int
    end: int
    place: tuple[int, int] | None
    rom: tuple[int, int] | None

    def file_system(self, flash_bytes: int) -> tuple[int, int]:
        """Returns (start, size) of the file system on a chip with so much flash; UsageError when it has no room."""
        start, size = self.place or (self.end, flash_bytes - self.end)
        if size <= 0 or start + size > flash_bytes:
            message = N_(
                "the interpreter wants more flash than the {size} MB of this module; take the file for its size"
            )
            raise UsageError(message, size=flash_bytes >> 20)
        return start, size


def check(path: Path) -> None:
    """Raises UsageError where a file cannot be read: before a person plugs the first module in."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        message = N_("--interpreter {path}: {why}; it is MicroPython's .bin file of micropython.org/download")
        raise UsageError(message, path=path, why=of_file(error)) from error


def read(path: Path, chip: str) -> Interpreter:
    """Returns the interpreter in a file for this chip; UsageError for one of another chip, or for no interpreter."""
    if chip not in _CHIPS:
        raise UsageError(
            N_("{chip} is no chip that nodes are made of; take {known}"), chip=chip, known=", ".join(_CHIPS)
        )
    number, start = _CHIPS[chip]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise of_path(path, error, UsageError) from error
    table = data[_TABLE_ADDRESS - start : _TABLE_ADDRESS - start + _TABLE_BYTES]
    partitions = list(_partitions(table))
    if len(data) < 16 or data[0] != _IMAGE_MAGIC or (data[12] | data[13] << 8) != number or not partitions:
        message = N_(
            "{path}: is no MicroPython for {chip}; take the .bin file of micropython.org/download for this module"
        )
        raise UsageError(message, path=path, chip=chip)
    places = {name: (first, size) for name, first, size in reversed(partitions)}
    place = next((places[name] for name in _FILE_SYSTEMS if name in places), None)
    end = max(first + size for _, first, size in partitions)
    return Interpreter(data, start, end, place, places.get(_ROM))


def _partitions(table: bytes) -> Iterator[tuple[str, int, int]]:
    """Yields (label, start, size) of each entry."""
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        magic, _, _, start, size, label, _ = _ENTRY.unpack_from(table, at)
        if magic != _ENTRY_MAGIC:
            return
        yield label.rstrip(b"\0").decode("ascii", "replace"), start, size


def pieces(files: dict[str, bytes], size: int) -> list[tuple[int, bytes]]:
    """Returns the file system with these files, {path: bytes}, as (offset, bytes) of each stretch that holds something:
    the rest of erased flash is as littlefs wants it."""
    made = LittleFS(
        block_size=BLOCK_BYTES,
        block_count=size // BLOCK_BYTES,
        read_size=_UNIT_BYTES,
        prog_size=_UNIT_BYTES,
        lookahead_size=_UNIT_BYTES,
        cache_size=4 * _UNIT_BYTES,
        name_max=_NAME_MAX,
        disk_version=_DISK_VERSION,
    )
    for path, data in files.items():
        if folder := path.rpartition("/")[0]:
            made.makedirs(folder, exist_ok=True)
        with made.open(path, "wb") as file:
            file.write(data)
    return list(written(bytes(made.context.buffer)))


def written(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the stretches of blocks that are not as an erase leaves them."""
    empty = b"\xff" * BLOCK_BYTES
    begin = None
    for at in range(0, len(data) + BLOCK_BYTES, BLOCK_BYTES):
        is_empty = data[at : at + BLOCK_BYTES] in (empty, b"")
        if begin is None and not is_empty:
            begin = at
        elif begin is not None and is_empty:
            yield begin, data[begin:at]
            begin = None
