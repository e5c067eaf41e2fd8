"""Makes ROMFS images, as MicroPython mounts them (extmod/vfs_rom.c): what lies in one runs in place, as from flash.

A record is its kind and its length as numbers of 7 bits a byte, high first, and its payload; a file's payload is its
name and a record of its data, a folder's its name and what it holds.
"""

from collections.abc import Mapping

# The first bytes of an image, and the kinds of its records.
_MAGIC = b"\xd2\xcd\x31"
_DATA, _FOLDER, _FILE = 2, 4, 5


def romfs_image(files: Mapping[str, bytes]) -> bytes:
    """Returns the image of these files, {path with slashes: bytes}."""
    tree: dict = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = data
    payload = _contents(tree)
    length = _uint(len(payload))
    if (len(_MAGIC) + len(length) + len(payload)) % 2:
        length = b"\x80" + length  # the whole must be even; a number may be padded in front
    return _MAGIC + length + payload


def _contents(tree: Mapping) -> bytes:
    records = []
    for name, inside in sorted(tree.items()):
        named = _uint(len(name.encode())) + name.encode()
        if isinstance(inside, bytes):
            records.append(_record(_FILE, named + _record(_DATA, inside)))
        else:
            records.append(_record(_FOLDER, named + _contents(inside)))
    return b"".join(records)


def _record(kind: int, payload: bytes) -> bytes:
    return _uint(kind) + _uint(len(payload)) + payload


def _uint(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))
