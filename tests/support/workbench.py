"""A technician's bench in a test: `bocage node` as a person types it, an interpreter's file, what a module holds."""

import contextlib
import io
import struct

from littlefs import LittleFS

from tools import cli
from tools.node import interpreter

FACTORY = (0x10000, 0x1F0000)
SHARED = {
    "kind": "streetlight",
    "gateway": ["192.168.1.10", 5683],
    "wifi": ["bocage", "wifi-secret"],
    "site": [474736, -5516],
    "lamp": [360, 6],
}
# Where the file system begins when the interpreter's table has no partition for it.
FILE_SYSTEM = sum(FACTORY)


def made_interpreter(path, *, chip=9, vfs=None, table=None):
    """A file that is laid out as MicroPython's: an image's header, a partition table (or the bytes of another one), a
    program."""
    data = bytearray(b"\xff" * FACTORY[0]) + b"program" * 1000
    data[0:16] = struct.pack("<BBBBI4sHBB", 0xE9, 1, 0, 0x3F, 0, bytes(4), chip, 0, 0)
    rows = [("nvs", 1, 2, 0x9000, 0x6000), ("factory", 0, 0, *FACTORY)] + ([("vfs", 1, 0x81, *vfs)] if vfs else [])
    for index, (label, kind, sub, start, size) in enumerate(rows):
        row = struct.pack("<HBBII16sI", 0x50AA, kind, sub, start, size, label.encode(), 0)
        data[0x8000 + 32 * index : 0x8020 + 32 * index] = row
    if table is not None:
        data[0x8000 : 0x8000 + len(table)] = table
    path.write_bytes(data)
    return path


def bocage(*words, level="node", language="en"):
    """Returns (status, what it printed on both streams)."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            status = cli.main([level, *map(str, words), "--lang", language])
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue()


def files_of(flash, start=FILE_SYSTEM):
    """The files of a module's flash, {path: bytes}, as littlefs reads them."""
    data = bytes(flash[start:])
    held = LittleFS(block_size=interpreter.BLOCK_BYTES, block_count=len(data) // interpreter.BLOCK_BYTES, mount=False)
    held.context.buffer[:] = data
    held.mount()
    found = {}
    for folder, _, names in held.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}".lstrip("/")
            with held.open(path, "rb") as file:
                found[path] = file.read()
    return found
