"""What the application itself remembers through a power cut, beside its trade: what it learned of its clocks, and how
much it has written. A few bytes in each checkpoint; a shorter or unknown form is read as nothing learned.
"""

import struct
from collections import namedtuple

# drift_ppm: learned rate of the crystal, positive fast, ± drift_doubt_ppm (0: not learned). sleep_ppm, sleep_doubt_ppm:
# the same of the oscillator of deep sleep. chip_set_s: Unix seconds when the clock chip was set last, 0 never, ±
# chip_doubt_s. flash_writes: since the board was made.
OwnMemory = namedtuple(
    "OwnMemory",
    ("drift_ppm", "drift_doubt_ppm", "sleep_ppm", "sleep_doubt_ppm", "chip_set_s", "chip_doubt_s", "flash_writes"),
)

NOTHING = OwnMemory(0, 0, 0, 0, 0, 0, 0)

_FORM = 1
_FORMAT = "<BhBiHIHI"
OWN_BYTES_MAX = 32


def encode(own) -> bytes:
    """The bytes of an OwnMemory; what is out of its range is held at its end."""
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


def decode(data) -> OwnMemory:
    """What `encode` wrote; NOTHING for anything else. A newer form may be longer, never other in what is here."""
    if len(data) < struct.calcsize(_FORMAT) or data[0] == 0:
        return NOTHING
    return OwnMemory(*struct.unpack(_FORMAT, data[: struct.calcsize(_FORMAT)])[1:])


def gather(time, chip, flash_writes) -> OwnMemory:
    """What a Timekeeper and a ClockChip know now; without a chip, what is remembered of it."""
    rate, sleep = time.rate, time.sleep_drift or (0, 0)
    return OwnMemory(
        rate.ppm, rate.doubt_ppm or 0, sleep[0], sleep[1], chip.chip_set_s, chip.chip_doubt_s, flash_writes
    )


def drift(own):
    """(ppm, ± ppm) of the crystal as earlier boots have learned it, or None."""
    return (own.drift_ppm, own.drift_doubt_ppm) if own.drift_doubt_ppm else None


def sleep_drift(own):
    """The same of the oscillator of deep sleep."""
    return (own.sleep_ppm, own.sleep_doubt_ppm) if own.sleep_doubt_ppm else None
