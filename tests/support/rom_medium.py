"""A chip whose programs are in a ROMFS partition: its file system, and NOR flash that loses its power as that does."""

from hashlib import sha256

from esp32.place_rom import SUFFIX, Half
from esp32.slot_rom import SlotRom, running_number
from simulator.world.flash import Medium
from tools.link import romfs
from wire import image

# Small enough that every erase and write can be the last: blocks of 256 bytes, pieces of two.
BLOCK, BLOCKS = 256, 19
HALF_BLOCKS = 9
FIRST = 1


class Flash:
    """A block device. An erase sets all bits, a write clears some; the power fails before, within or after each."""

    def __init__(self, medium, blocks=BLOCKS):
        self.medium = medium
        self.data = bytearray(b"\xff" * BLOCK * blocks)

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, data, offset):
        at, half = block * BLOCK + offset, len(data) // 2
        for begin, end in ((0, half), (half, len(data))):
            self.medium.step()
            for index in range(begin, end):
                self.data[at + index] &= data[index]
        assert self.data[at : at + len(data)] == data, "written without an erase"

    def ioctl(self, operation, block):
        if operation == 4:
            return len(self.data) // BLOCK
        assert operation == 6
        for begin in (0, BLOCK // 2):
            self.medium.step()
            at = block * BLOCK + begin
            self.data[at : at + BLOCK // 2] = b"\xff" * (BLOCK // 2)
        return 0


class Halves:
    """The two halves, as `tests.support.node_update_rig` asks for programs. `small(monkeypatch)` before."""

    suffix = SUFFIX

    def __init__(self):
        self.medium = Medium()
        self.flash = Flash(self.medium)

    @staticmethod
    def small(monkeypatch):
        monkeypatch.setattr("esp32.slot_rom._BLOCK_BYTES", BLOCK)
        monkeypatch.setattr(image, "ROM_PIECE_BYTES", 2 * BLOCK)

    @staticmethod
    def files_of(files):
        return romfs.pieces(files)

    def half(self, slot):
        return Half(self.flash, FIRST + slot * HALF_BLOCKS, HALF_BLOCKS)

    def slot_files(self, slot, choose, confirm):
        return SlotRom(self.half(slot), choose, confirm)

    def number(self, slot):
        return running_number(self.half(slot))

    def install(self, slot, one):
        """Put a whole image into a half, as a first installation does."""
        at = BLOCK * (FIRST + slot * HALF_BLOCKS)
        files = zip(image.decode(one.manifest).files, one.files, strict=True)
        whole = b"".join(data for _, data in sorted((file.path, data) for file, data in files))
        assert len(whole) <= BLOCK * (HALF_BLOCKS - 1)
        self.flash.data[at : at + len(whole)] = whole
        kept, last = len(one.manifest).to_bytes(4, "little") + one.manifest, at + BLOCK * (HALF_BLOCKS - 1)
        self.flash.data[last : last + len(kept)] = kept

    def is_whole(self, slot):
        """Whether a half holds exactly what a manifest in it says."""
        at = BLOCK * (FIRST + slot * HALF_BLOCKS)
        last = at + BLOCK * (HALF_BLOCKS - 1)
        length = int.from_bytes(self.flash.data[last : last + 4], "little")
        if length > BLOCK:
            return False
        files = image.decode(bytes(self.flash.data[last + 4 : last + 4 + length])).files
        held = [self.flash.data[at + 2 * BLOCK * int(file.path[:2]) :][: 2 * BLOCK] for file in files]
        return all(sha256(data).digest() == file.digest for data, file in zip(held, files, strict=True))

    def choice(self):
        """The ota.Choice of a start; this chip has one place for an interpreter."""
        return None

    def runs(self):
        """Whether the interpreter is well."""
        return True
