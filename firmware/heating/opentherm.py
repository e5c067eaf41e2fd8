"""The OpenTherm frame: 32 bits between a room unit (master) and a boiler (slave), and what the data items mean.

OpenTherm Protocol Specification 2.2, section 4.2: bit 31 parity (the number of ones is even), 30-28 message type, 27-24
spare (0), 23-16 data id, 15-0 data value, most significant first. Section 5.1: f8.8 is a signed number of 1/256.

A frame is four bytes here, never one integer: a chip's small integer has 31 bits. Bytes from a peer give None, never an
exception. Knows no timing: that is `heating.boiler`'s, and the bits' that of the bridge.
"""

from collections import namedtuple

READ_DATA = 0
WRITE_DATA = 1
INVALID_DATA = 2
READ_ACK = 4
WRITE_ACK = 5
DATA_INVALID = 6
UNKNOWN_DATAID = 7

STATUS = 0
CONTROL_SETPOINT = 1
MASTER_CONFIG = 2
SLAVE_CONFIG = 3
FAULTS = 5
MAX_MODULATION = 14
MODULATION = 17
WATER_PRESSURE = 18
FLOW_TEMPERATURE = 25
OUTDOOR_TEMPERATURE = 27
RETURN_TEMPERATURE = 28
MAX_CH_BOUNDS = 49
MAX_CH_SETPOINT = 57

# Of id 0: the master's flags in the high byte, the slave's in the low one.
CH_ENABLE = 0x01
DHW_ENABLE = 0x02
FAULT = 0x01
CH_MODE = 0x02
DHW_MODE = 0x04
FLAME = 0x08

Frame = namedtuple("Frame", ("type", "id", "value"))

_SPARE_MASK = 0x0F
_PARITY = 0x80


def encode(kind, data_id, value) -> bytes:
    """The four bytes of a frame. `value` is 0 to 65535 (`f8_8` for temperatures)."""
    assert 0 <= kind <= 7 and 0 <= data_id <= 255 and 0 <= value <= 0xFFFF
    high, low = value >> 8, value & 0xFF
    first = kind << 4
    if _odd(first ^ data_id ^ high ^ low):
        first |= _PARITY
    return bytes((first, data_id, high, low))


def decode(data):
    """The Frame behind four bytes; None for another length, odd parity or spare bits."""
    if len(data) != 4 or _odd(data[0] ^ data[1] ^ data[2] ^ data[3]) or data[0] & _SPARE_MASK:
        return None
    return Frame(data[0] >> 4 & 7, data[1], data[2] << 8 | data[3])


def f8_8(value_ck) -> int:
    """The data value of a number in 0.01 (°C, %, bar), nearest 1/256."""
    return ((value_ck * 256 + 50) // 100) & 0xFFFF


def from_f8_8(value) -> int:
    """The number in 0.01 that a data value writes, nearest."""
    signed = value - 0x10000 if value & 0x8000 else value
    return (signed * 100 + 128) // 256


def _odd(folded) -> int:
    folded ^= folded >> 4
    folded ^= folded >> 2
    return (folded ^ folded >> 1) & 1
