"""A chip with two OTA partitions for its interpreter, beside the halves of `rom_medium`: `esp32.Partition` as
MicroPython has it (ports/esp32/esp32_partition.c, 1.25), and the boot loader of ESP-IDF with app rollback.

After bootloader_utility.c, bootloader_common_loader.c and esp_ota_ops.c of ESP-IDF 5.5: `otadata` has a sector for each
of two records (sequence, state, CRC of the sequence). The sound one with the higher sequence counts, whose partition is
(sequence - 1) % 2; INVALID and ABORTED ones do not. Each change erases its sector and writes it anew, so the power may
take the record: then the other one counts. A partition whose image does not verify is passed over for the other one.
"""

import struct
import sys
from binascii import crc32
from hashlib import sha256
from types import SimpleNamespace

from esp32 import place_rom, slot_rom, slots
from esp32.place_rom import Half
from tests.support.node_update_rig import image, offered
from tests.support.rom_medium import BLOCK, Flash, Halves
from tools.link import interpreter as made
from wire import interpreter

NEW, PENDING_VERIFY, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF
ESP_ERR_OTA_VALIDATE_FAILED = 0x1503
_BLANK = 0xFFFFFFFF
_RECORD = struct.Struct("<I20sII")
_BLOCKS = 9
_HEAD_BYTES = 36
RUNS_ON = SimpleNamespace(_build=made.BUILD, _mpy=6)
PRODUCT = interpreter.product(made.BUILD, 6)


class Brick(AssertionError):
    """No partition can be started."""


def application(number, *, chip=made.CHIP_ID, bytes_max=900):
    """Stands for `micropython.bin`: a header with its length, content, the digest of both."""
    head = bytearray(_HEAD_BYTES)
    head[0], head[12], head[23] = 0xE9, chip, 1
    head[32:36] = struct.pack("<I", 0xABCD5432)
    head[24:28] = struct.pack("<I", bytes_max)
    text = b"MicroPython v1.26.%d on BOCAGE\0 " % number
    data = bytes(head) + (text * (bytes_max // 30 + 1))[: bytes_max - _HEAD_BYTES - 32]
    return data + sha256(data).digest()


class Chip:
    """`partition`: the class that `esp32` would have. `boot()`: what the boot loader does at each reset."""

    def __init__(self, medium):
        self.medium = medium
        self.flash = [Flash(medium, _BLOCKS), Flash(medium, _BLOCKS)]
        self.otadata = Flash(medium, 2)
        self.running = None
        chip = self

        class Partition:
            BOOT, RUNNING = 0, 1

            def __init__(self, which):
                self.slot = chip.boot_slot() if which == self.BOOT else chip.running

            def info(self):
                return 0, 0x10 + self.slot, 0x10000 + 0x270000 * self.slot, BLOCK * _BLOCKS, f"ota_{self.slot}", False

            def get_next_update(self):
                other = Partition(self.RUNNING)
                other.slot = 1 - self.slot
                return other

            def readblocks(self, block, buffer, offset=0):
                chip.flash[self.slot].readblocks(block, buffer, offset)

            def writeblocks(self, block, data, offset):
                assert self.slot != chip.running, "the running interpreter is written over"
                chip.flash[self.slot].writeblocks(block, data, offset)

            def ioctl(self, operation, block):
                assert operation == 4 or self.slot != chip.running, "the running interpreter is erased"
                return chip.flash[self.slot].ioctl(operation, block)

            def set_boot(self):
                if not chip.is_sound(self.slot):
                    raise OSError(-ESP_ERR_OTA_VALIDATE_FAILED)
                chip.set_boot(self.slot)

            @staticmethod
            def mark_app_valid_cancel_rollback():
                active, records = chip.active(), chip.records()
                if active is not None and records[active][1] != VALID:
                    chip.write(active, records[active][0], VALID)

        self.partition = Partition

    # --- otadata --------------------------------------------------------------------------------------------------

    def records(self):
        found = []
        for sector in (0, 1):
            sequence, _, state, crc = _RECORD.unpack_from(self.otadata.data, BLOCK * sector)
            found.append((sequence, state, crc == crc32(struct.pack("<I", sequence))))
        return found

    def write(self, sector, sequence, state):
        self.otadata.ioctl(6, sector)
        crc = crc32(struct.pack("<I", sequence))
        self.otadata.writeblocks(sector, _RECORD.pack(sequence, b"\xff" * 20, state, crc), 0)

    def active(self):
        """The sector that counts, or None."""
        sound = [
            (sequence, sector)
            for sector, (sequence, state, has_crc) in enumerate(self.records())
            if sequence != _BLANK and state not in (INVALID, ABORTED) and has_crc
        ]
        return max(sound)[1] if sound else None

    def boot_slot(self):
        active = self.active()
        return 0 if active is None else (self.records()[active][0] - 1) % 2

    def set_boot(self, slot):
        active = self.active()
        if active is None:
            self.write(0, slot + 1, NEW)
            return
        sequence = self.records()[active][0]
        if (sequence - 1) % 2 == slot:
            self.write(active, sequence, NEW)
        else:
            self.write(1 - active, sequence + 1, NEW)

    # --- the boot loader ------------------------------------------------------------------------------------------

    def is_sound(self, slot):
        """As esp_image_verify: magic, chip, digest."""
        data = bytes(self.flash[slot].data)
        length = struct.unpack_from("<I", data, 24)[0]
        if data[0] != 0xE9 or data[12] != made.CHIP_ID or not _HEAD_BYTES + 32 < length <= len(data):
            return False
        return sha256(data[: length - 32]).digest() == data[length - 32 : length]

    def boot(self):
        for sector, (sequence, state, _) in enumerate(self.records()):
            if state == PENDING_VERIFY:
                self.write(sector, sequence, ABORTED)
        records, first, is_blank = self.records(), -1, False
        if all(sequence == _BLANK or state in (INVALID, ABORTED) for sequence, state, _ in records):
            first, is_blank = 0, all(sequence == _BLANK or not has_crc for sequence, _, has_crc in records)
        elif (active := self.active()) is not None:
            sequence, state, _ = records[active]
            first = (sequence - 1) % 2
            if state == NEW:
                self.write(active, sequence, PENDING_VERIFY)
        for slot in [*range(first, -1, -1), *range(first + 1, 2)]:
            if self.is_sound(slot):
                if is_blank:
                    self.write(0, slot + 1, VALID)
                self.running = slot
                return
        raise Brick("no partition can be started")


class Partitions(Halves):
    """As `tests.support.node_update_rig` asks for programs. `interprets(number)`: whether the interpreter of that
    number runs the node; what has no number came by USB."""

    def __init__(self):
        super().__init__()
        self.chip = Chip(self.medium)
        one = application(0)
        self.chip.flash[0].data[: len(one)] = one
        self.interprets = lambda _number: True
        self.started = []  # numbers of the interpreters that were started

    @staticmethod
    def small(monkeypatch):
        """The modules as they lie on the chip, and small places."""
        Halves.small(monkeypatch)
        for name, module in (("place", place_rom), ("slot_rom", slot_rom), ("slots", slots)):
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(interpreter, "PIECE_BYTES", 2 * BLOCK)

    def choice(self):
        from esp32 import ota

        self.chip.boot()
        of = self.chip.partition
        running = of(of.RUNNING)
        store = slots.Store(open_file=lambda name, mode: self.medium.open("ota-" + name, mode))
        self._choice = ota.Choice(store, of, running, running.get_next_update())
        self.started.append(self.interpreter_number())
        return self._choice

    def interpreter_number(self):
        of = self.chip.partition
        return slot_rom.running_number(Half(of(of.RUNNING), 0, _BLOCKS))

    def runs(self):
        return self.interprets(self.started[-1])

    def both(self, program, files, choice, updating):
        from esp32.two_updates import open_two

        return open_two(program, files, choice, updating, implementation=RUNS_ON)


def interpreter_offered(number, *, chip=made.CHIP_ID, product=PRODUCT):
    """What the gateway serves of an interpreter."""
    pieces = made.pieces(application(number, chip=chip))
    return offered(image(number, product=product, files=pieces), product=product)
