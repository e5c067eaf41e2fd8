"""Encodes what a thermostat keeps across a power cut: 23 bytes or 27, versioned, every field checked. Holds no outputs.

    version 1 · rate, and rate after long emptiness, 0.01 K/h · dead time, s · cooling, 1/1000 an hour · civil day of
    the last exercise, 0 none · openings of the valve or relay · energy, Wh · relay on-time, s
    version 2, where there is a meter: · its last reading, Wh
"""

import struct
from collections import namedtuple

from heating import limits
from heating.preheat import Learned

_FORMAT = ">BHHHHHIII"
_VERSION = 1
_METERED = 2
_METER = ">I"

# exercise_day None: never. meter_wh None: no meter.
RoomMemory = namedtuple("RoomMemory", ("learned", "exercise_day", "openings", "energy_wh", "on_s", "meter_wh"))


def fresh(dead_s):
    """Returns the RoomMemory of a new node. The dead time depends on the kind of heating."""
    learned = Learned(
        limits.RATE_DEFAULT_CK_H, limits.RATE_LONG_DEFAULT_CK_H, dead_s, limits.COOLING_DEFAULT_PERMILLE_H
    )
    return RoomMemory(learned, None, 0, 0, 0, None)


def encode(memory) -> bytes:
    learned = memory.learned
    meter = b"" if memory.meter_wh is None else struct.pack(_METER, memory.meter_wh & 0xFFFFFFFF)
    packed = struct.pack(
        _FORMAT,
        _METERED if meter else _VERSION,
        learned.rate_ck_h,
        learned.rate_long_ck_h,
        learned.dead_s,
        learned.cooling_permille_h,
        memory.exercise_day or 0,
        memory.openings & 0xFFFFFFFF,
        memory.energy_wh & 0xFFFFFFFF,
        memory.on_s & 0xFFFFFFFF,
    )
    return packed + meter


def decode(data):
    """Returns the RoomMemory in the bytes, or None if any field is out of its bounds."""
    size, meter_wh = struct.calcsize(_FORMAT), None
    if len(data) == size + struct.calcsize(_METER) and data[0] == _METERED:
        meter_wh = struct.unpack(_METER, data[size:])[0]
    elif len(data) != size or data[0] != _VERSION:
        return None
    _, rate_ck_h, rate_long_ck_h, dead_s, cooling, day, openings, energy_wh, on_s = struct.unpack(_FORMAT, data[:size])
    sound = (
        limits.RATE_MIN_CK_H <= rate_ck_h <= limits.RATE_MAX_CK_H
        and limits.RATE_MIN_CK_H <= rate_long_ck_h <= limits.RATE_MAX_CK_H
        and dead_s <= limits.DEAD_MAX_S
        and limits.COOLING_MIN_PERMILLE_H <= cooling <= limits.COOLING_MAX_PERMILLE_H
    )
    if not sound:
        return None
    learned = Learned(rate_ck_h, rate_long_ck_h, dead_s, cooling)
    return RoomMemory(learned, day or None, openings, energy_wh, on_s, meter_wh)
