"""Damage to a journal's folder, as cards, file systems and hands do it, drawn from a seed.

Knows files and their names, nothing of what they hold but how long a header is. Says of each damage which
file of the folder it was done to, and under which names the bytes of that file stand afterwards.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.core.custody.segment import HEADER_SIZE
from simulator.world.chance import Prng

_BLOCK_BYTES = 512
_FLIPS_MAX = 8


class Done(NamedTuple):
    """`name`: the file that was damaged, None for a foreign file; `now`: names that hold what is left of it."""

    kind: str
    name: str | None
    now: tuple[str, ...]


def truncate(path: Path, prng: Prng) -> tuple[str, ...]:
    """Cut at any byte, the first one included."""
    os.truncate(path, prng.randrange(path.stat().st_size))
    return (path.name,)


def flip(path: Path, prng: Prng) -> tuple[str, ...]:
    """A few bits anywhere."""
    data = bytearray(path.read_bytes())
    for _ in range(prng.between(1, _FLIPS_MAX)):
        data[prng.randrange(len(data))] ^= 1 << prng.randrange(8)
    path.write_bytes(data)
    return (path.name,)


def zero(path: Path, prng: Prng) -> tuple[str, ...]:
    """One block, or all from one block on."""
    data = bytearray(path.read_bytes())
    start = prng.randrange(-(-len(data) // _BLOCK_BYTES)) * _BLOCK_BYTES
    end = len(data) if prng.chance(300) else min(len(data), start + _BLOCK_BYTES)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return (path.name,)


def tear_header(path: Path, prng: Prng) -> tuple[str, ...]:
    """Part of the header overwritten with anything."""
    data = bytearray(path.read_bytes())
    start = prng.randrange(HEADER_SIZE)
    end = prng.between(start + 1, HEADER_SIZE)
    data[start:end] = _bytes(end - start, prng)
    path.write_bytes(data)
    return (path.name,)


def append_litter(path: Path, prng: Prng) -> tuple[str, ...]:
    """Bytes of somebody else behind the last record."""
    with path.open("ab") as file:
        file.write(_bytes(prng.between(1, 700), prng))
    return (path.name,)


def duplicate(path: Path, prng: Prng) -> tuple[str, ...]:
    """A second copy: under a foreign name, or under the name of a segment that does not exist."""
    copy = path.with_name(_other_name(path.name, prng))
    copy.write_bytes(path.read_bytes())
    return (path.name, copy.name)


def rename(path: Path, prng: Prng) -> tuple[str, ...]:
    """The same bytes under another name."""
    name = _other_name(path.name, prng)
    path.rename(path.with_name(name))
    return (name,)


def empty(path: Path, prng: Prng) -> tuple[str, ...]:
    """Nothing left, or only zeros of the old length."""
    path.write_bytes(bytes(path.stat().st_size) if prng.chance(500) else b"")
    return (path.name,)


KINDS: dict[str, Callable[[Path, Prng], tuple[str, ...]]] = {
    "truncated": truncate,
    "bits flipped": flip,
    "blocks zeroed": zero,
    "header torn": tear_header,
    "litter appended": append_litter,
    "duplicated": duplicate,
    "renamed": rename,
    "emptied": empty,
}


def strike(folder: Path, prng: Prng) -> Done:
    """Damage one segment of the folder, which must hold one with bytes in it, or add a foreign file."""
    if prng.chance(120):
        foreign = folder / f"stray-{prng.bits64():016x}"
        foreign.write_bytes(_bytes(prng.randrange(3_000), prng))
        return Done("foreign", None, (foreign.name,))
    paths = sorted(path for path in folder.iterdir() if ".seg" in path.name and path.stat().st_size)
    path = paths[prng.randrange(len(paths))]
    kind = list(KINDS)[prng.randrange(len(KINDS))]
    return Done(kind, path.name, KINDS[kind](path, prng))


def _other_name(name: str, prng: Prng) -> str:
    if prng.chance(500):
        return f"{name}.{prng.bits64():x}.bak"
    generation, _, rest = name.split("-", 2) if name.count("-") > 2 else ("00000000", "", f"{name}.seg")
    return f"{generation}-{prng.between(0x10000, 0xFFFFFF):08x}-{rest}"


def _bytes(count: int, prng: Prng) -> bytes:
    return b"".join(prng.bits64().to_bytes(8, "big") for _ in range(-(-count // 8)))[:count]
