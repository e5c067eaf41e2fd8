"""Converts the heap of a 64-bit MicroPython VM to what it would take on a 32-bit chip, object by object.

A block of the heap is four words on both: 32 bytes here, 16 on the chip. So objects made of pointers take as many
blocks there as here, half the bytes: tuples, lists, maps, instances, functions, floats (which are single on the chip).
Data keeps its bytes: the length of texts and buffers is known from the object that owns them. All other blocks are
converted word by word: a word that may be a pointer or a small integer (its upper 16 bits are all alike) takes 4 bytes
there, any other 8.

The map is that of `micropython.mem_info(1)`.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = 32
_CHIP_BLOCK = 16
_WORD = 8
# Letters of mem_info: all others are of objects made of pointers alone; of texts and buffers this is true of the head.
_TEXT, _BUFFER, _OTHER = "S", "A", "h"
_ALIKE = (0, 0xFFFF)


class Sizes(NamedTuple):
    """Holds sizes in bytes: here, and on a chip."""

    here: int
    chip: int


class Heap(NamedTuple):
    """Holds a heap of the VM. `base`: address of the first block. `heads`: {block: (letter, blocks)}. `data`: its
    bytes."""

    base: int
    heads: dict[int, tuple[str, int]]
    data: bytes

    def words(self, block: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count * BLOCK // _WORD}Q", self.data, block * BLOCK)


def read_map(lines: list[str]) -> tuple[int, int, dict[int, tuple[str, int]]]:
    """Returns (base address, bytes covered, heads) from the output of mem_info(1)."""
    base, row, letters = 0, 0, {}
    for line in lines:
        if line.startswith("GC memory layout"):
            base = int(line.split("from")[1].strip(" :"), 16)
        elif base and line[:1].strip() and ":" in line:
            place, _, cells = line.partition(":")
            row = int(place, 16) // BLOCK
            for offset, letter in enumerate(cells.strip(" ")):
                letters[row + offset] = letter
    heads: dict[int, tuple[str, int]] = {}
    last = None
    for block in sorted(letters):
        letter = letters[block]
        if letter == "=" and last is not None:
            heads[last] = (heads[last][0], heads[last][1] + 1)
        elif letter == ".":
            last = None
        else:
            heads[block] = (letter, 1)
            last = block
    covered = (max(letters) + 1) * BLOCK if letters else 0
    return base, covered, heads


def sizes(heap: Heap) -> Sizes:
    """Returns the sizes of the whole heap."""
    owned = dict(_owned(heap))
    here = chip = 0
    for block, (letter, count) in heap.heads.items():
        here += count * BLOCK
        if letter == _OTHER and block in owned:
            chip += _rounded(owned[block])
        elif letter == _OTHER:
            chip += _rounded(sum(4 if word >> 48 in _ALIKE else 8 for word in heap.words(block, count)))
        else:
            chip += count * _CHIP_BLOCK
    return Sizes(here, chip)


def _owned(heap: Heap) -> Iterator[tuple[int, int]]:
    """Yields (block, bytes of data) of the data that texts and buffers own."""
    for block, (letter, _) in heap.heads.items():
        if letter not in (_TEXT, _BUFFER):
            continue
        words = heap.words(block, 1)
        data = words[3] - heap.base
        length = words[2] + (1 if letter == _TEXT else words[1] >> 8)  # a text ends in a zero; a buffer may have room
        if data >= 0 and data % BLOCK == 0 and data // BLOCK in heap.heads:
            blocks = heap.heads[data // BLOCK][1]
            yield data // BLOCK, min(length, blocks * BLOCK)


def _rounded(length: int) -> int:
    return -(-length // _CHIP_BLOCK) * _CHIP_BLOCK
