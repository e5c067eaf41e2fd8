"""What a lamp keeps across a power cut, as bytes: seconds lit, starts, energy, the gear's own counter.

    seconds lit u32, starts u32, Wh u32, checksum of the asset record u32, gear's Wh u64 (all ones: unknown)

Little-endian, 24 bytes.

A board that kept the seconds alone (4 bytes) is read too. Whatever else stands there is of no use and counts as
nothing: a lamp starts without a memory, not never. The checksum is the store's.
"""

import struct
from collections import namedtuple

Kept = namedtuple("Kept", ("lamp_s", "starts", "wh", "gear_wh", "asset"))

_FORMAT = "<IIIIQ"
_UNKNOWN = 0xFFFFFFFFFFFFFFFF
_U32 = 0xFFFFFFFF
EMPTY = Kept(0, 0, 0, None, 0)


def unpack(data):
    """The Kept behind bytes of `pack`, of an older board, or of nobody."""
    if len(data) == 4:
        return Kept(struct.unpack("<I", data)[0], 0, 0, None, 0)
    if len(data) != struct.calcsize(_FORMAT):
        return EMPTY
    lamp_s, starts, wh, asset, gear_wh = struct.unpack(_FORMAT, data)
    return Kept(lamp_s, starts, wh, None if gear_wh == _UNKNOWN else gear_wh, asset)


def pack(kept):
    """24 bytes."""
    gear_wh = _UNKNOWN if kept.gear_wh is None else kept.gear_wh
    counts = [min(count, _U32) for count in (kept.lamp_s, kept.starts, kept.wh)]
    return struct.pack(_FORMAT, counts[0], counts[1], counts[2], kept.asset, gear_wh)
