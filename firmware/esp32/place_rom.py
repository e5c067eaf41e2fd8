"""Finds the programs of a chip that has them in one ROMFS partition, from which they run in place: for an
interpreter of our own (firmware/interpreter). It lies beside the loader as `place`; `place_folder` has the same names.

    base    BASE_BLOCKS; boot, loader and the modules it needs (`ota` is one), the rescue program: mounted at /rom
            before any Python
    half a  half of the rest: a ROMFS image, and a manifest in the last block (`slot_rom`)
    half b  the same

It is in the base, which no link ever writes, so it imports nothing that an update could change.
"""

from collections import namedtuple

PROGRAMS = ("/a", "/b")
RESCUE = "/rom/r"
SUFFIX = "-rom"
# Names that a program has brought stay where they are in flash, and any other that is equal is the same (py/qstr.c):
# after an import its half must not be erased before a reset.
IS_MAPPED = True

BLOCK_BYTES = 4096
BASE_BLOCKS = 64

_SEGMENT, _COUNT = 2, 4  # of vfs.rom_ioctl, and of a block device

# A half: the block device of the partition, its first block, its blocks.
Half = namedtuple("Half", ("flash", "first", "count"))


def half(slot):
    """Returns the Half of a slot."""
    flash = _partition()
    count = (flash.ioctl(_COUNT, 0) - BASE_BLOCKS) // 2
    return Half(flash, BASE_BLOCKS + slot * count, count)


def begin():
    """Mounts both halves, as far as they hold an image. Returns the ota.Choice of the interpreter, or None."""
    import vfs

    memory = memoryview(_partition())
    for slot in range(len(PROGRAMS)):
        _, first, count = half(slot)
        try:
            vfs.mount(vfs.VfsRom(memory[first * BLOCK_BYTES : (first + count) * BLOCK_BYTES]), PROGRAMS[slot])
        except OSError:
            print("place: no image in", PROGRAMS[slot])
    try:
        import ota

        return ota.begin()
    except Exception as error:  # no update replaces this code: a start without a choice is better than none
        print("place: no choice of interpreters:", repr(error))


def _partition():
    import vfs

    return vfs.rom_ioctl(_SEGMENT, 0)


def prepare(folder):
    """Does nothing: names are used where they are."""
