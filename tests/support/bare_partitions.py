"""Replaces the chip's `esp32` on the bare machine by one with two OTA partitions, which are blocks of its NOR memory
that no program uses. At its import, the first of a life, it does what ESP-IDF's boot loader does (`ota_chip` has the
whole of it). Runs on the bare machine only.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import vfs

NEW, PENDING_VERIFY, VALID, ABORTED = 1, 2, 3, 4
OTADATA, OTA, BLOCKS = 600, (610, 660), 40
_ERASE, _COUNT, _BLANK = 6, 4, 0xFF
_rom = vfs.rom_ioctl(2, 0)


def mcu_temperature():
    return 31


def _record(sector):
    data = bytearray(2)
    _rom.readblocks(OTADATA + sector, data, 0)
    return data[0], data[1]


def _write(sector, sequence, state):
    _rom.ioctl(_ERASE, OTADATA + sector)
    _rom.writeblocks(OTADATA + sector, bytes((sequence, state)), 0)


def _active():
    found = [(_record(sector)[0], sector) for sector in (0, 1) if _record(sector)[1] not in (_BLANK, ABORTED)]
    return max(found)[1] if found else None


def _boot():
    for sector in (0, 1):
        sequence, state = _record(sector)
        if state == PENDING_VERIFY:
            _write(sector, sequence, ABORTED)
    if _active() is None:
        _write(0, 1, VALID)
    sequence, state = _record(_active())
    if state == NEW:
        _write(_active(), sequence, PENDING_VERIFY)
    return (sequence - 1) % 2


_running = _boot()
print(f"boot loader: ota_{_running}")


class Partition:
    """A partition, by BOOT or RUNNING."""

    BOOT, RUNNING = 0, 1

    def __init__(self, which):
        self.slot = (_record(_active())[0] - 1) % 2 if which == self.BOOT else _running

    def info(self):
        return 0, 0x10 + self.slot, OTA[self.slot] * 4096, BLOCKS * 4096, f"ota_{self.slot}", False

    def get_next_update(self):
        other = Partition(self.RUNNING)
        other.slot = 1 - self.slot
        return other

    def readblocks(self, block, buffer, offset=0):
        _rom.readblocks(OTA[self.slot] + block, buffer, offset)

    def writeblocks(self, block, data, offset):
        _rom.writeblocks(OTA[self.slot] + block, data, offset)

    def ioctl(self, operation, argument):
        return BLOCKS if operation == _COUNT else _rom.ioctl(operation, OTA[self.slot] + argument)

    def set_boot(self):
        head = bytearray(1)
        self.readblocks(0, head)
        if head[0] != 0xE9:
            raise OSError(-0x1503)
        active = _active()
        _write(1 - active, _record(active)[0] + 1, NEW)

    @staticmethod
    def mark_app_valid_cancel_rollback():
        _write(_active(), _record(_active())[0], VALID)
