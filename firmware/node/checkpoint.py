"""Defines checkpoints, the state that a node writes to its flash to survive a power cut, and how often it may write.

A Checkpoint holds the trade's memory and the application's own: the learned rates of its clocks, and how often it has
written (a few bytes; a shorter or unknown form is read as nothing learned).

Flash bears some 100,000 erasures of a block (data sheets of the W25Q and GD25Q families); littlefs spreads them over
the free blocks, and each write of ours costs two of them at most (one of data, and a share of its directory's). So a
budget of writes a day, by purpose, sets the life of the flash. It stops a fault that writes in a loop (an alarm that
comes and goes), which shows in the health record; writes that must never be refused are only counted. The budget is
counted from each start: crashes at every start are handled by the guard, and a crash that repeats is noted once
(esp32.lifeline).
"""

import struct
from collections import namedtuple

from node import limits

# The boot it belongs to, the sequence up to which its records are safe, the trade's memory, and the bytes of an
# OwnMemory.
Checkpoint = namedtuple("Checkpoint", ("boot", "durable_sequence", "memory", "own"))

# drift_ppm: learned rate of the crystal, positive when fast, ± drift_doubt_ppm (0: not learned). sleep_ppm,
# sleep_doubt_ppm: the same for the oscillator of deep sleep. chip_set_s: Unix seconds when the clock chip was set last,
# 0 for never, ± chip_doubt_s. flash_writes: since the board was made.
OwnMemory = namedtuple(
    "OwnMemory",
    ("drift_ppm", "drift_doubt_ppm", "sleep_ppm", "sleep_doubt_ppm", "chip_set_s", "chip_doubt_s", "flash_writes"),
)

NOTHING_LEARNED = OwnMemory(0, 0, 0, 0, 0, 0, 0)

_FORM = 1
_FORMAT = "<BhBiHIHI"
OWN_BYTES_MAX = 32


def encode_own(own) -> bytes:
    """Returns the bytes of an OwnMemory; a value out of its range is set to the nearest end."""
    return struct.pack(
        _FORMAT,
        _FORM,
        max(-32768, min(32767, own.drift_ppm)),
        min(255, own.drift_doubt_ppm),
        max(-1_000_000, min(1_000_000, own.sleep_ppm)),
        min(65535, own.sleep_doubt_ppm),
        own.chip_set_s,
        min(65535, own.chip_doubt_s),
        min(0xFFFFFFFF, own.flash_writes),
    )


def decode_own(data) -> OwnMemory:
    """Returns the OwnMemory that `encode_own` wrote; NOTHING_LEARNED for anything else. A newer form may be longer, but
    these fields never change."""
    if len(data) < struct.calcsize(_FORMAT) or data[0] == 0:
        return NOTHING_LEARNED
    return OwnMemory(*struct.unpack(_FORMAT, data[: struct.calcsize(_FORMAT)])[1:])


def learned(time, chip, flash_writes) -> OwnMemory:
    """Returns the OwnMemory of a Timekeeper and a ClockChip; without a chip, `chip` is the remembered OwnMemory."""
    rate, sleep = time.rate, time.sleep_drift or (0, 0)
    return OwnMemory(
        rate.ppm, rate.doubt_ppm or 0, sleep[0], sleep[1], chip.chip_set_s, chip.chip_doubt_s, flash_writes
    )


def crystal_drift(own):
    """Returns (ppm, ± ppm) of the crystal as earlier boots have learned it, or None."""
    return (own.drift_ppm, own.drift_doubt_ppm) if own.drift_doubt_ppm else None


def sleep_drift(own):
    """Returns (ppm, ± ppm) of the oscillator of deep sleep, or None."""
    return (own.sleep_ppm, own.sleep_doubt_ppm) if own.sleep_doubt_ppm else None


# --- wear of the flash ----------------------------------------------------------------------------------------

BOOT = "boot"
CHECKPOINT = "checkpoint"
LOG = "log"
SETTINGS = "settings"

# Writes a day; None: never refused. Unused writes are kept for a day.
BUDGETS = (
    (BOOT, None),
    (CHECKPOINT, limits.CHECKPOINTS_A_DAY),
    (LOG, limits.LOG_WRITES_A_DAY),
    (SETTINGS, None),
)
_DAY_MS = 86_400_000


class Wear:
    """Counts the writes to flash by purpose and refuses those beyond the day's budget.

    `total`: writes since the board was made, of which `before` are of earlier lives. `refused`: {purpose: count}.
    `is_waking`: the chip has just woken from deep sleep, which earns it less than a whole day's budget."""

    def __init__(self, *, before=0, now_ms, is_waking=False):
        self.total = before
        self.written = {purpose: 0 for purpose, _ in BUDGETS}
        self.refused = dict.fromkeys(self.written, 0)
        self._left = {purpose: budget for purpose, budget in BUDGETS if budget is not None}
        self._filled_ms = dict.fromkeys(self._left, now_ms)
        if is_waking:
            self._left[CHECKPOINT] = limits.CHECKPOINTS_A_WAKING

    def spend(self, purpose, *, now_ms) -> bool:
        """Counts one write and returns True, or returns False when the budget of the purpose is used up."""
        if purpose in self._left:
            self._fill(purpose, now_ms)
            if self._left[purpose] == 0:
                self.refused[purpose] += 1
                return False
            self._left[purpose] -= 1
        self.written[purpose] += 1
        self.total += 1
        return True

    def _fill(self, purpose, now_ms):
        """Gives one write back every day / budget; never more than a day's writes are kept."""
        budget = next(a_day for name, a_day in BUDGETS if name == purpose)
        each_ms = _DAY_MS // budget
        places = (now_ms - self._filled_ms[purpose]) // each_ms
        if places > 0:
            self._left[purpose] = min(budget, self._left[purpose] + places)
            self._filled_ms[purpose] += places * each_ms
