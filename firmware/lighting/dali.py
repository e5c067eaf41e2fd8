"""Encodes the forward frames of DALI control gear and its dimming curve, and names the answers. Pure functions.

IEC 62386-101/-102: a frame is an address byte `0AAAAAAS` (short), `100AAAAS` (group) or `1111111S` (broadcast), whose
last bit shows whether the second byte is a level (0: direct arc power) or a command (1). Special commands are another
form: their first byte is the command. A gear answers a query with one byte; no answer means no. Commands 32 to 129
configure, and count only when they are sent twice within 100 ms. The bridge carries the frames (drivers.dali_bridge).
"""

from collections import namedtuple

# One forward frame. `twice`: it must be sent twice. `answers`: it is a query, which a gear may answer.
Step = namedtuple("Step", ("frame", "twice", "answers"))

SHORT_MAX = 63
BROADCAST = 127

OFF = 0x00
ENABLE_WRITE_MEMORY = 0x81
QUERY_STATUS = 0x90
QUERY_CONTENT_DTR0 = 0x98
QUERY_ACTUAL_LEVEL = 0xA0
READ_MEMORY_LOCATION = 0xC5

DTR0 = 0xA3
DTR1 = 0xC3
WRITE_MEMORY_NO_REPLY = 0xC9

# Bits of the answer to QUERY STATUS.
STATUS_GEAR_FAILURE = 1
STATUS_LAMP_FAILURE = 2
STATUS_LAMP_ON = 4
STATUS_FADE_RUNNING = 16
STATUS_POWER_CYCLE = 128

LEVEL_MAX = 254
# As an answer to QUERY ACTUAL LEVEL: the gear is starting, or its lamp is dead.
LEVEL_MASK = 255

LOGARITHMIC = "log"
LINEAR = "linear"

# The level for each % of light on the standard curve, n = (log10(%) + 1) · 253 / 3 + 1, rounded. It is a table so that
# no result depends on float precision.
_LEVELS = bytes(
    (
        0, 85, 111, 126, 136, 144, 151, 157, 161, 166, 170, 173, 176, 179, 182, 185, 187, 189, 191, 193,
        195, 197, 199, 200, 202, 203, 205, 206, 207, 209, 210, 211, 212, 213, 214, 216, 217, 218, 219, 220,
        220, 221, 222, 223, 224, 225, 226, 226, 227, 228, 229, 229, 230, 231, 231, 232, 233, 233, 234, 235,
        235, 236, 236, 237, 238, 238, 239, 239, 240, 240, 241, 241, 242, 242, 243, 243, 244, 244, 245, 245,
        246, 246, 247, 247, 248, 248, 248, 249, 249, 250, 250, 251, 251, 251, 252, 252, 253, 253, 253, 254,
        254,
    )
)


def address_byte(address, is_command):
    """Returns the first byte of a frame to a short address, 0 to 63, or to BROADCAST."""
    assert 0 <= address <= SHORT_MAX or address == BROADCAST
    return 2 * address + (1 if is_command else 0)


def arc_power(address, level):
    """Returns the frame that fades to a level, 1 to 254; 0 fades out; 255 stops a fade."""
    return Step(address_byte(address, False) << 8 | level, False, False)


def command(address, code):
    """Returns a command of the first page: configuration must be sent twice, queries are answered."""
    return Step(address_byte(address, True) << 8 | code, 0x20 <= code <= 0x81, code >= 0x90)


def special(code, data):
    """Returns a special command (DTR0, DTR1, WRITE_MEMORY_NO_REPLY): it goes to all gear and is never answered."""
    return Step(code << 8 | data, False, False)


def level_of(percent, curve):
    """Returns the level for 0 to 100 % of light on the gear's dimming curve."""
    assert 0 <= percent <= 100
    if curve == LINEAR:
        return (LEVEL_MAX * percent + 50) // 100
    return _LEVELS[percent]


def percent_of(level, curve):
    """Returns the light of a level in whole %: at least 1 for a lit lamp, None for LEVEL_MASK.

    Of several percentages that share a level it is the lowest; for the highest level it is 100.
    """
    if level == LEVEL_MASK:
        return None
    if level in (0, LEVEL_MAX):
        return 100 if level else 0
    if curve == LINEAR:
        return max(1, (100 * level + LEVEL_MAX // 2) // LEVEL_MAX)
    percent = 1
    while percent < 100 and 2 * level > _LEVELS[percent] + _LEVELS[percent + 1]:
        percent += 1
    return percent
