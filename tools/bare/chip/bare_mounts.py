"""Mounts the flash of the bare machine: a littlefs in memory that survives a reset, and a loss of power in a
file of the desk's. Runs on the bare machine only.

Erasing does nothing: littlefs reads no block before it has written it.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import uctypes
import vfs

ADDRESS, BYTES, BLOCK_BYTES = 0x83000000, 1 << 20, 4096
_COUNT, _SIZE = 4, 5


class Flash:
    """Is a block device with the extended interface, of which littlefs writes parts of a block."""

    def __init__(self):
        self._memory = memoryview(uctypes.bytearray_at(ADDRESS, BYTES))

    def readblocks(self, block, buffer, offset=0):
        """Fills the buffer from `offset` within the block."""
        at = block * BLOCK_BYTES + offset
        buffer[:] = self._memory[at : at + len(buffer)]

    def writeblocks(self, block, data, offset=0):
        """Writes the bytes from `offset` within the block on."""
        at = block * BLOCK_BYTES + offset
        self._memory[at : at + len(data)] = data

    def ioctl(self, operation, _argument):
        """Returns the number of blocks, the bytes of one, or 0 for done."""
        return BYTES // BLOCK_BYTES if operation == _COUNT else BLOCK_BYTES if operation == _SIZE else 0


vfs.mount(vfs.VfsLfs2(Flash()), "/")
