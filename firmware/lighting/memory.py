"""What a lamp keeps across a power cut, as bytes: its hours, starts and energy, the faults that stand.

    seconds lit u32, starts u32, Wh u32, checksum of the asset record u32, gear's Wh u64 (all ones: unknown),
    faults that stand u32

Little-endian, 28 bytes. A lamp is repaired with its fuse pulled: a fault that was told stands through the cut, unsaid
again, and its end is told when the lamp is seen healthy.

What ends with the gear's Wh (24 bytes), or was the seconds alone (4 bytes), is an older board's and read too; a newer
form may be longer, never other in what is here. Whatever else stands there is of no use and counts as nothing: a lamp
starts without a memory, not never. The checksum is the store's.
"""

import struct
from collections import namedtuple

from wire import event

# `standing`: bits as `standing` makes them.
Kept = namedtuple("Kept", ("lamp_s", "starts", "wh", "gear_wh", "asset", "standing"))

_FORMAT = "<IIIIQ"
_STANDING = "<I"
_UNKNOWN = 0xFFFFFFFFFFFFFFFF
U32 = 0xFFFFFFFF
EMPTY = Kept(0, 0, 0, None, 0, 0)

# Bits of `standing`, the lowest first; a place is for good.
_CODES = (
    event.LAMP_FAILURE,
    event.LAMP_UNEXPECTED_ON,
    event.RELAY_FAILURE,
    event.CYCLING_FAILURE,
    event.DIMMING_FAILURE,
    event.POWER_TOO_HIGH,
    event.POWER_TOO_LOW,
    event.METER_FAILURE,
    event.VOLTAGE_TOO_LOW,
    event.VOLTAGE_TOO_HIGH,
)
# The relay was seen not to follow while lit.
RELAY_STUCK_LIT = 1 << 10
GEAR_SILENT = 1 << 11
CELL_DARK = 1 << 12
CELL_BRIGHT = 1 << 13
CELL_SILENT = 1 << 14
PRESENCE_FAILED = 1 << 15
# From here on the flags of a gear, bits as of lighting.dali_banks.FLAGS.
GEAR_FLAGS_SHIFT = 16


def unpack(data):
    """The Kept behind bytes of `pack`, of an older board, or of nobody."""
    size = struct.calcsize(_FORMAT)
    if len(data) == 4:
        return Kept(struct.unpack("<I", data)[0], 0, 0, None, 0, 0)
    if len(data) != size and len(data) < size + struct.calcsize(_STANDING):
        return EMPTY
    lamp_s, starts, wh, asset, gear_wh = struct.unpack(_FORMAT, data[:size])
    standing = 0 if len(data) == size else struct.unpack(_STANDING, data[size : size + struct.calcsize(_STANDING)])[0]
    return Kept(lamp_s, starts, wh, None if gear_wh == _UNKNOWN else gear_wh, asset, standing)


def pack(kept):
    """28 bytes."""
    gear_wh = _UNKNOWN if kept.gear_wh is None else kept.gear_wh
    counts = [min(count, U32) for count in (kept.lamp_s, kept.starts, kept.wh)]
    data = struct.pack(_FORMAT, counts[0], counts[1], counts[2], kept.asset, gear_wh)
    return data + struct.pack(_STANDING, kept.standing)


def codes(standing):
    """The event codes of lamp and mains that stand, as a set."""
    return {code for place, code in enumerate(_CODES) if standing >> place & 1}


def standing(active):
    """Bits of such a set."""
    return sum(1 << place for place, code in enumerate(_CODES) if code in active)
