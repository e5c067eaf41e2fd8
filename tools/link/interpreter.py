"""Reads what ESP-IDF makes of an interpreter of our own (firmware/interpreter), for an update of nodes that run one.

It is `micropython.bin`, the application alone: a header (Espressif, "App Image Format": the chip's id at byte 12, at
byte 23 whether a digest is at the end), then segments. The first begins with a descriptor that no boot loader has
(magic word 0xABCD5432). `firmware.bin` beside it is for USB: boot loader, partition table and application in one.
"""

import re
import struct
from hashlib import sha256
from pathlib import Path

from wire import image, interpreter

# As `make BOARD=BOCAGE` names the build (firmware/interpreter/README.md), and the chip of its board.
BUILD = "BOCAGE"
CHIP_ID = 9
_MAGIC, _DESCRIPTOR, _HEAD_BYTES = 0xE9, 0xABCD5432, 36
_BANNER = re.compile(rb"MicroPython (v[0-9][!-~]*) on ")


class InterpreterFault(Exception):
    """Is raised for a file that is no interpreter of ours; the text says why, and the remedy."""


def read(path: Path) -> tuple[dict[str, bytes], str]:
    """Returns ({path: whole piece}, its version); the piece with the header is the last, so that a partition that was
    written in part is no interpreter. InterpreterFault, OSError."""
    data = path.read_bytes()
    fault = _fault(data)
    if fault:
        raise InterpreterFault(f"{path}: {fault}")
    banner = _BANNER.search(data)
    return pieces(data), banner[1].decode()[: image.TEXT_CHARS_MAX] if banner else ""


def pieces(data: bytes) -> dict[str, bytes]:
    """Returns {path: whole piece} of an application, its header last."""
    size = interpreter.PIECE_BYTES
    data += b"\xff" * (-len(data) % size)
    indices = [*range(1, len(data) // size), 0]
    return {image.rom_path(index): data[size * index : size * (index + 1)] for index in indices}


def product(mpy: bytes) -> str:
    """Returns the product of an interpreter that runs this .mpy, by the version of its bytecode (byte 1)."""
    return interpreter.product(BUILD, mpy[1])


def _fault(data: bytes) -> str:
    if len(data) < _HEAD_BYTES or data[0] != _MAGIC or struct.unpack_from("<I", data, 32)[0] != _DESCRIPTOR:
        return "is no application of ESP-IDF; give build-BOCAGE/micropython.bin"
    chip = struct.unpack_from("<H", data, 12)[0]
    if chip != CHIP_ID:
        return f"is made for another chip (id {chip}); the board of firmware/interpreter is an ESP32-S3"
    if not data[23] or sha256(data[:-32]).digest() != data[-32:]:
        return "its digest does not hold: it is cut short; copy it again"
    if _BANNER.search(data) is None or BUILD.encode() + b"\0" not in data:
        return f"is no MicroPython of the build {BUILD}; make it as firmware/interpreter/README.md says"
    if len(data) > image.IMAGE_BYTES_MAX:
        return f"has {len(data)} bytes, and an OTA partition {image.IMAGE_BYTES_MAX} for it"
    return ""
