"""Damages the files of a journal's folder as cards, file systems and hands do it, drawn from a seed.

Each kind works on one file and returns the names that hold what is left of it. `forge` alone needs a sound file, and
that nobody touches it afterwards.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway.core.custody.segment import (
    HEADER_SIZE,
    VoidRun,
    decode_header,
    encode_record,
    encode_voids,
    parse_name,
    scan,
)
from simulator.world.chance import Prng

_BLOCK_BYTES = 512
_FLIPS_MAX = 8


class Damage(NamedTuple):
    """Holds one damage to a file of the folder. `name`: the damaged file, None for a foreign file that was added;
    `now`: the names that hold what is left of it."""

    kind: str
    name: str | None
    now: tuple[str, ...]


def truncate(path: Path, prng: Prng) -> tuple[str, ...]:
    """Cuts the file at any byte, the first one included."""
    os.truncate(path, prng.randrange(path.stat().st_size))
    return (path.name,)


def flip(path: Path, prng: Prng) -> tuple[str, ...]:
    """Flips a few bits anywhere."""
    data = bytearray(path.read_bytes())
    for _ in range(prng.between(1, _FLIPS_MAX)):
        data[prng.randrange(len(data))] ^= 1 << prng.randrange(8)
    path.write_bytes(data)
    return (path.name,)


def zero(path: Path, prng: Prng) -> tuple[str, ...]:
    """Zeroes one block, or everything from one block on."""
    data = bytearray(path.read_bytes())
    start = prng.randrange(-(-len(data) // _BLOCK_BYTES)) * _BLOCK_BYTES
    end = len(data) if prng.chance(300) else min(len(data), start + _BLOCK_BYTES)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return (path.name,)


def tear_header(path: Path, prng: Prng) -> tuple[str, ...]:
    """Overwrites part of the header with random bytes."""
    data = bytearray(path.read_bytes())
    start = prng.randrange(HEADER_SIZE)
    end = prng.between(start + 1, HEADER_SIZE)
    data[start:end] = _bytes(end - start, prng)
    path.write_bytes(data)
    return (path.name,)


def append_litter(path: Path, prng: Prng) -> tuple[str, ...]:
    """Appends foreign bytes after the last record."""
    with path.open("ab") as file:
        file.write(_bytes(prng.between(1, 700), prng))
    return (path.name,)


def duplicate(path: Path, prng: Prng) -> tuple[str, ...]:
    """Makes a second copy: under a foreign name, or under the name of a segment that does not exist."""
    copy = path.with_name(_other_name(path.name, prng))
    copy.write_bytes(path.read_bytes())
    return (path.name, copy.name)


def rename(path: Path, prng: Prng) -> tuple[str, ...]:
    """Gives the file another name."""
    name = _other_name(path.name, prng)
    path.rename(path.with_name(name))
    return (name,)


def empty(path: Path, prng: Prng) -> tuple[str, ...]:
    """Empties the file, or fills it with zeros of the same length."""
    path.write_bytes(bytes(path.stat().st_size) if prng.chance(500) else b"")
    return (path.name,)


def delete(path: Path, _prng: Prng) -> tuple[str, ...]:
    """Deletes the file."""
    path.unlink()
    return ()


def swap(path: Path, prng: Prng) -> tuple[str, ...]:
    """Exchanges the names of the file and of another one."""
    others = [other for other in _segments(path.parent) if other != path]
    if not others:
        return (path.name,)
    other = others[prng.randrange(len(others))]
    between = path.with_name("between")
    path.rename(between)
    other.rename(path)
    between.rename(other)
    return (path.name, other.name)


def replace(path: Path, prng: Prng) -> tuple[str, ...]:
    """Puts a link, a folder or a pipe in the place of the file."""
    path.unlink()
    kinds: tuple[Callable[[], None], ...] = (
        lambda: path.symlink_to("/etc/hostname"),
        path.mkdir,
        lambda: os.mkfifo(path),
    )
    kinds[prng.randrange(len(kinds))]()
    return ()


def forge(folder: Path, done: list[Damage], prng: Prng) -> Damage | None:
    """Puts a whole file of other records in the place of a closed and undamaged one, with right checksums; None where
    there is none. (Of the open file only the positions are listed, and of one that is also damaged all counts that its
    checksums prove.)"""
    touched = {name for struck in done for name in (struck.name, *struck.now)}
    found = [path for path in _segments(folder) if path.name not in touched and _is_followed(path)]
    if not found:
        return None
    path = found[prng.randrange(len(found))]
    data = path.read_bytes()
    header = decode_header(data)
    assert header is not None
    seed = header[0].seed
    out = data[:HEADER_SIZE]
    for index, _, content in scan(partial(piece, data), len(data), seed, voids=header[1] > 0):
        if isinstance(content, VoidRun):
            out += encode_voids(seed, index, content.positions)
        else:
            out += encode_record(seed, index, content[:-1] + bytes([content[-1] ^ 1]))
    path.write_bytes(out.ljust(len(data), b"\0"))
    return Damage("forged", path.name, (path.name,))


def _is_followed(path: Path) -> bool:
    identity = parse_name(path.name)
    others = [parse_name(other.name) for other in _segments(path.parent)]
    return identity is not None and any(
        other is not None and other[2:4] == identity[2:4] and other.first > identity.first for other in others
    )


def _segments(folder: Path) -> list[Path]:
    paths = (path for path in folder.iterdir() if ".seg" in path.name)
    return sorted(path for path in paths if path.is_file() and not path.is_symlink() and path.stat().st_size)


DAMAGES: dict[str, Callable[[Path, Prng], tuple[str, ...]]] = {
    "truncated": truncate,
    "bits flipped": flip,
    "blocks zeroed": zero,
    "header torn": tear_header,
    "litter appended": append_litter,
    "duplicated": duplicate,
    "renamed": rename,
    "emptied": empty,
    "deleted": delete,
    "swapped": swap,
    "replaced": replace,
}


def inflict_damage(folder: Path, prng: Prng) -> Damage:
    """Damages one segment of the folder, which must hold one with bytes in it, or adds a foreign file."""
    if prng.chance(120):
        foreign = folder / f"stray-{prng.bits64():016x}"
        foreign.write_bytes(_bytes(prng.randrange(3_000), prng))
        return Damage("foreign", None, (foreign.name,))
    paths = _segments(folder)
    path = paths[prng.randrange(len(paths))]
    kind = list(DAMAGES)[prng.randrange(len(DAMAGES))]
    return Damage(kind, path.name, DAMAGES[kind](path, prng))


def _other_name(name: str, prng: Prng) -> str:
    if prng.chance(500):
        return f"{name}.{prng.bits64():x}.bak"
    generation, _, rest = name.split("-", 2) if name.count("-") > 2 else ("00000000", "", f"{name}.seg")
    return f"{generation}-{prng.between(0x10000, 0xFFFFFF):08x}-{rest}"


def _bytes(count: int, prng: Prng) -> bytes:
    return b"".join(prng.bits64().to_bytes(8, "big") for _ in range(-(-count // 8)))[:count]


def piece(data: bytes, offset: int, length: int) -> bytes:
    """Returns bytes as the fetch of `scan` does, from a file that was read whole."""
    return data[offset : offset + length]
