"""Encodes what an irrigation node keeps across a power cut: version, fixed layout, CRC-16.

Counters only ever grow; the shell writes hourly, so a cut costs an hour of them at most. A burst, the drought level and
the end of a programme are written at once (`WateringTrade.keeps`). Bytes that do not decode, or hold impossible values,
are replaced as a whole by safe defaults: soil half way to its trigger, drought level unknown, nothing learned. Must not
keep an output.
"""

import struct
from collections import namedtuple

from policy import limits as policy_limits
from watering import limits
from wire.crc16 import crc16

VERSION = 2

ZONES = policy_limits.watering_zones_max
PROGRAMS = policy_limits.watering_programs_max

# depletion in 0.01 mm (None: not known); flows: the last clean runs, mL/min; irrigated in 0.1 mm over the node's life;
# reference: the flow of the first clean runs, in % of the design's flow, 0: not known.
ZoneMemory = namedtuple("ZoneMemory", ("depletion_cmm", "flows", "irrigated_dmm", "openings", "reference_percent"))
# closed_day: civil day that the balance was last closed for, 0 never; rain_cmm: of rain_day so far; drought: last known
# level or None; burst: zone of a latched burst (0: none known), None: nothing latched; burst_flow in mL/min; marks: of
# programs; coils: mean mA of each output; volume_l over the node's life; et0_cmm of the last closed day; dry_until:
# when the rain sensor's delay ends, UTC, or (below RELATIVE_S) the seconds that are left of it where the time was not
# known, 0 none.
WateringMemory = namedtuple(
    "WateringMemory",
    (
        "zones",
        "volume_l",
        "master_openings",
        "closed_day",
        "rain_day",
        "rain_cmm",
        "drought",
        "burst",
        "burst_flow",
        "marks",
        "coils",
        "et0_cmm",
        "dry_until",
    ),
)
RELATIVE_S = 1 << 20

_HEAD = "<BIIHHHBBHH"
_ZONE = "<HHHHII"
_NOTHING = 0xFFFF
_NO = 0xFF
_FLOW_STEP = 10  # mL/min: 600 L/min fit 16 bits
_COIL_STEP = 20  # mA: 5 A fit a byte
_U32 = 0xFFFFFFFF
# Where `dry_until` stands.
_DRY_AT = struct.calcsize(_HEAD) + ZONES * struct.calcsize(_ZONE) + 2 * PROGRAMS + limits.OUTPUTS_MAX
LENGTH = _DRY_AT + 4 + ZONES + 2


def empty() -> WateringMemory:
    """Returns the memory of a new node."""
    zones = (ZoneMemory(None, (), 0, 0, 0),) * ZONES
    return WateringMemory(zones, 0, 0, 0, 0, 0, None, None, 0, (0,) * PROGRAMS, (0,) * limits.OUTPUTS_MAX, 0, 0)


def encode(memory) -> bytes:
    """Returns the LENGTH bytes of a WateringMemory."""
    parts = [
        struct.pack(
            _HEAD,
            VERSION,
            memory.volume_l & _U32,
            memory.master_openings & _U32,
            memory.closed_day,
            memory.rain_day,
            min(memory.rain_cmm, _NOTHING),
            _NO if memory.drought is None else memory.drought,
            _NO if memory.burst is None else memory.burst,
            min(memory.burst_flow // _FLOW_STEP, _NOTHING),
            memory.et0_cmm,
        )
    ]
    for zone in memory.zones:
        flows = [min(_NOTHING, flow // _FLOW_STEP) for flow in zone.flows]
        while len(flows) < limits.CLEAN_RUNS_MIN:
            flows.append(0)
        depletion = _NOTHING if zone.depletion_cmm is None else zone.depletion_cmm
        parts.append(
            struct.pack(_ZONE, depletion, flows[0], flows[1], flows[2], zone.irrigated_dmm & _U32, zone.openings & _U32)
        )
    for mark in memory.marks:
        parts.append(struct.pack("<H", mark))
    parts.append(bytes([min(255, current // _COIL_STEP) for current in memory.coils]))
    parts.append(struct.pack("<I", memory.dry_until & _U32))
    parts.append(bytes([min(255, zone.reference_percent) for zone in memory.zones]))
    body = b"".join(parts)
    return body + struct.pack("<H", crc16(body))


def decode(data) -> WateringMemory:
    """Returns the WateringMemory in the bytes; `empty` for any others."""
    if len(data) != LENGTH or data[0] != VERSION:
        return empty()
    body = bytes(data[:-2])
    if struct.unpack("<H", bytes(data[-2:]))[0] != crc16(body):
        return empty()
    head = struct.unpack(_HEAD, body[: struct.calcsize(_HEAD)])
    at = struct.calcsize(_HEAD)
    zones = []
    for index in range(ZONES):
        values = struct.unpack(_ZONE, body[at : at + struct.calcsize(_ZONE)])
        at += struct.calcsize(_ZONE)
        flows = tuple([_FLOW_STEP * flow for flow in values[1:4] if flow])
        depletion = None if values[0] == _NOTHING else values[0]
        zones.append(ZoneMemory(depletion, flows, values[4], values[5], body[_DRY_AT + 4 + index]))
    marks = struct.unpack("<" + "H" * PROGRAMS, body[at : at + 2 * PROGRAMS])
    coils = tuple([_COIL_STEP * value for value in body[at + 2 * PROGRAMS : _DRY_AT]])
    drought = None if head[6] > 4 else head[6]
    burst = None if head[7] > ZONES else head[7]
    return WateringMemory(
        tuple(zones), head[1], head[2], head[3], head[4], head[5], drought, burst, _FLOW_STEP * head[8], marks, coils,
        min(head[9], limits.ET0_CMM_MAX), struct.unpack("<I", body[_DRY_AT : _DRY_AT + 4])[0],
    )  # fmt: skip
