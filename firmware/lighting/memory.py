"""Encodes what a lamp keeps across a power cut: its hours, starts and energy, and the faults in force.

    seconds lit u32, starts u32, Wh u32, checksum of the asset record u32, gear's Wh u64 (all ones: unknown),
    faults in force u32, day and hours of the settings' `lamp_hours` that were accepted last u32 u32 (0: none)

Little-endian, 36 bytes. A lamp is repaired with its fuse pulled: a fault that was reported stays in force through the
cut without a second report, and its end is reported when the lamp is found healthy.

Any other bytes count as none: a lamp must start without a memory. The store has a checksum of its own.
"""

import struct
from collections import namedtuple

from lighting import limits
from wire import event

# `faults`: bits as of the function `fault_bits`. `aged`: (YYYYMMDD, hours).
LampMemory = namedtuple("LampMemory", ("lamp_s", "starts", "wh", "gear_wh", "asset", "faults", "aged"))

_FORMAT = "<IIIIQIII"
_UNKNOWN = 0xFFFFFFFFFFFFFFFF
U32 = 0xFFFFFFFF
EMPTY = LampMemory(0, 0, 0, None, 0, 0, (0, 0))

# Bits of `faults`, the lowest first; a code never changes its place.
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
# The relay did not follow while the lamp was lit.
RELAY_STUCK_LIT = 1 << 10
GEAR_SILENT = 1 << 11
CELL_SHIFT = 12  # two bits: the place of the fault in lighting.photocell.STUCK
CELL_SILENT = 1 << 14
PRESENCE_FAILED = 1 << 15
# From here on the flags of a gear, bits as in lighting.dali_banks.FLAGS.
GEAR_FLAGS_SHIFT = 16


def decode(data):
    """Returns the LampMemory in bytes of `encode`; EMPTY for any others."""
    if len(data) != struct.calcsize(_FORMAT):
        return EMPTY
    lamp_s, starts, wh, asset, gear_wh, faults, day, hours = struct.unpack(_FORMAT, data)
    return LampMemory(lamp_s, starts, wh, None if gear_wh == _UNKNOWN else gear_wh, asset, faults, (day, hours))


def encode(kept):
    """Returns the 36 bytes of a LampMemory."""
    gear_wh = _UNKNOWN if kept.gear_wh is None else kept.gear_wh
    counts = [min(count, U32) for count in (kept.lamp_s, kept.starts, kept.wh)]
    return struct.pack(
        _FORMAT, counts[0], counts[1], counts[2], kept.asset, gear_wh, kept.faults, kept.aged[0], kept.aged[1]
    )


def with_hours(kept, entry):
    """Returns the LampMemory with the hours of the settings' `lamp_hours`, or `kept` if that entry sets nothing.

    The entry sets the hours if it differs from the last one and is not older. An older entry comes from settings that
    returned because newer ones crashed.
    """
    if entry == kept.aged or entry[0] < kept.aged[0]:
        return kept
    return LampMemory(3600 * entry[1], 0, kept.wh, kept.gear_wh, kept.asset, kept.faults, entry)


def codes(faults):
    """Returns the event codes of lamp and mains in these bits, as a set."""
    return {code for place, code in enumerate(_CODES) if faults >> place & 1}


def fault_bits(active):
    """Returns the bits of a set of event codes."""
    return sum(1 << place for place, code in enumerate(_CODES) if code in active)


class EnergyMeter:
    """Counts the Wh of one lamp since its first day: they never fall, across power cuts and changes of the meter.

    Some meters count from zero at each start (BL0942), some for their whole life (a D4i gear, bank 202): only the steps
    of both are added up. What a meter without a memory has counted since the last checkpoint is lost with the mains,
    one hour at most; a gear's counter gives it back. Without a counter, power is integrated over time. A step larger
    than a lamp can draw comes from another meter, and adds nothing.

    `wh`: the total. `last_wh`: the meter's last reading, or None. `keeps`: the meter counts for its whole life.
    """

    def __init__(self, wh, last_wh, *, keeps):
        self.wh = wh
        self.keeps = keeps
        # A meter that starts at zero has had nothing counted before its first reading.
        self.last_wh = last_wh if keeps else 0
        self._parts_dwms = 0
        self._power = None  # (instant ms, 0.1 W)

    def sample(self, meter_wh, power_dw, *, now_ms):
        """Observes one reading of the meter's Wh and of the power in 0.1 W, each of them or None."""
        if meter_wh is not None:
            self._power = None
            if meter_wh != self.last_wh:
                self._count(meter_wh)
        elif power_dw is not None:
            self._integrate(max(0, power_dw), now_ms)

    def _count(self, meter_wh):
        last_wh = self.last_wh
        self.last_wh = meter_wh
        if last_wh is None:
            return
        step_wh = meter_wh - last_wh
        if step_wh < 0:
            step_wh = 0 if self.keeps else meter_wh
        if step_wh > limits.ENERGY_STEP_MAX_WH:
            return
        self.wh = min(limits.ENERGY_MAX_WH, self.wh + step_wh)

    def _integrate(self, power_dw, now_ms):
        before = self._power
        self._power = (now_ms, power_dw)
        if before is None or now_ms - before[0] > limits.ENERGY_GAP_MAX_MS:
            return
        # The unit is 0.1 W over a millisecond: 36 million of them are a Wh.
        self._parts_dwms += (now_ms - before[0]) * (before[1] + power_dw) // 2
        self.wh = min(limits.ENERGY_MAX_WH, self.wh + self._parts_dwms // 36_000_000)
        self._parts_dwms %= 36_000_000
