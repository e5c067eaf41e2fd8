"""Carries out the operations of an update in the half of the ROMFS partition that the chip does not run from, and of an
interpreter in the OTA partition beside the running one. `wire.image` defines the operations; `slot_files` does the same
in a folder.

The files of such a program are the pieces of one ROMFS image (`image.rom_path`), each with a place of its own, so that
a power cut costs one piece. The piece with the image's header comes last in the manifest: until all others are there,
the half is no file system, and the partition no interpreter. The manifest lies in the last block, behind its length,
which is written last.

Each call does one small operation, and erases one block at most. An error of the flash is a result, not an exception.
It decides nothing.
"""

import struct

from wire import image
from wire.faults import WireFault

_BLOCK_BYTES = 4096
_ERASE = 6  # of a block device
_LENGTH = "<I"
_LENGTH_BYTES = struct.calcsize(_LENGTH)


class SlotRom(image.Carrier):
    """Carries out one operation at a time in `half`, a place_rom.Half, in pieces of `piece_bytes` (None: a program's).
    `choose(number)` and `confirm(number)` are the loader's, or those of `ota`."""

    def __init__(self, half, choose, confirm, piece_bytes=None):
        super().__init__(choose, confirm)
        self._flash, self._first, count = half
        self._manifest_at = (count - 1) * _BLOCK_BYTES
        self._piece_bytes = piece_bytes or image.ROM_PIECE_BYTES
        # Of the file being written: where it begins, the next byte, its end; and the block that is erased.
        self._begin_at = self._at = self._end_at = 0
        self._erased = None

    def _read(self, path, offset):
        begin_at, end_at = self._bounds(path)
        if path == image.MANIFEST_NAME:
            length = struct.unpack(_LENGTH, self._load(begin_at, _LENGTH_BYTES))[0]
            begin_at += _LENGTH_BYTES
            end_at = min(end_at, begin_at + length) if length < _BLOCK_BYTES else begin_at
        at = begin_at + offset
        return self._load(at, max(0, min(image.PIECE_BYTES, end_at - at)))

    def _begin(self, path):
        self._begin_at, self._end_at = self._bounds(path)
        self._at = self._begin_at + (_LENGTH_BYTES if path == image.MANIFEST_NAME else 0)
        self._erased = None
        return image.SPACE if self._begin_at == self._end_at else ""

    def _write(self, data):
        if self._at + len(data) > self._end_at:
            return "write"
        while data:
            block, offset = divmod(self._at, _BLOCK_BYTES)
            if block != self._erased:
                self._erase(block)
                self._erased = block
            part = data[: _BLOCK_BYTES - offset]
            self._flash.writeblocks(self._first + block, part, offset)
            self._at += len(part)
            data = data[len(part) :]
        return ""

    def _end(self):
        if self._begin_at == self._manifest_at:
            length = struct.pack(_LENGTH, self._at - self._begin_at - _LENGTH_BYTES)
            self._flash.writeblocks(self._first + self._begin_at // _BLOCK_BYTES, length, 0)
        return ""

    def _clear(self):
        """Erases the block with the header: what is left is no file system."""
        self._erase(0)
        return True

    def _bounds(self, path):
        """Returns (first byte, end) of a file in the half; the two are equal where it has no place."""
        if path == image.MANIFEST_NAME:
            return self._manifest_at, self._manifest_at + _BLOCK_BYTES
        index = image.rom_index(path)
        if index is None or (index + 1) * self._piece_bytes > self._manifest_at:
            return 0, 0
        return index * self._piece_bytes, (index + 1) * self._piece_bytes

    def _load(self, at, size):
        data = bytearray(size)
        block, offset = divmod(at, _BLOCK_BYTES)
        self._flash.readblocks(self._first + block, data, offset)
        return bytes(data)

    def _erase(self, block):
        if self._flash.ioctl(_ERASE, self._first + block):
            raise OSError("erase")


def running_number(half):
    """Returns the number of the image in a half; 0 when there is no readable manifest."""
    files, data = SlotRom(half, None, None), b""
    while True:
        piece = files.do((image.READ, image.MANIFEST_NAME, len(data)))
        data += piece
        if len(piece) < image.PIECE_BYTES:
            break
    try:
        return image.decode(data).number
    except WireFault:
        return 0
