"""Encodes the image of a node's RAM that is kept through deep sleep, as bytes that fit the memory that keeps its
contents.

It belongs to one boot: waking with it is no start (ARCHITECTURE, section 3), so record numbers, keys, uptime and the
gateway's directives continue. It holds no records: a node that sleeps has none that are only in RAM. It
holds no outputs either: a node that sleeps has switched everything off.

An image is used once. It holds a nonce count, so the shell invalidates it on waking before anything is sent
(`esp32.sleeping`). `decode` refuses an image that is not complete and possible; the chip then starts as after any
reset. Must not decide when to sleep: that is `node.sleeper`'s.
"""

import struct
from collections import namedtuple

from node import limits
from node.checkpoint import OWN_BYTES_MAX
from node.trade import ASLEEP_BYTES_MAX, MEMORY_BYTES_MAX
from wire import limits as wire_limits
from wire.oscore_link import ASLEEP_BYTES

# A Timekeeper's state for deep sleep, all integers: uptime, UTC at the beginning of the sleep (ms of Unix time, None:
# unset) and its doubt; the sleep since the time was last corrected, and the doubt of that correction; how long ago the
# gateway answered last, None: never.
Asleep = namedtuple("Asleep", ("uptime_ms", "unix_ms", "uncertainty_ms", "slept_ms", "answer_doubt_ms", "age_ms"))
# sequence: of the next record. time: an Asleep. dues: a Dues. silent: wakings in a row without an answer.
# chip_reported: 1 when the clock chip's fault was reported in this boot. lost, retransmitted: counts of this boot.
# own, link, memory, rest, directives: bytes of their owners.
Image = namedtuple(
    "Image",
    (
        "boot",
        "sequence",
        "time",
        "dues",
        "silent",
        "chip_reported",
        "lost",
        "retransmitted",
        "own",
        "link",
        "memory",
        "rest",
        "directives",
    ),
)
# Milliseconds from the beginning of the sleep to: the next telemetry, health record and checkpoint; the next question
# for directives and for a program (None: none is due); the next attempt to send, after a silence.
Dues = namedtuple("Dues", ("report_ms", "health_ms", "checkpoint_ms", "directives_ms", "program_ms", "talk_ms"))

# How a chip woke: its Image, the milliseconds that the sleep's oscillator counted, and the cause: a word of node.trade,
# None for its timer.
Woken = namedtuple("Woken", ("image", "slept_ms", "by"))

# The longest sleep that is ever set: a quarter of an hour is usual.
SLEPT_MS_MAX = 86_400_000

VERSION = 2
# version, boot, sequence; uptime, UTC (0: unset), doubt, slept, doubt of the answer, its age (-1: none)
_HEAD = "<BIIqqIqIq"
# dues (_NEVER: none), silent, chip_reported, lost, retransmitted
_REST = "<iiiiiiBBII"
_NEVER = -0x80000000
_DUE_MS_MAX = 0x7FFFFFFF
_U32 = 0xFFFFFFFF
# No node is up for longer than this: 30 years.
_UPTIME_MS_MAX = 946_080_000_000
# An answer's second was written before its arrival, on average half a second and half a round trip: its age may exceed
# the uptime by this.
_ANSWER_MS_MAX = 300_000
# The greatest length of each part, in their order.
_PARTS_MAX = (OWN_BYTES_MAX, ASLEEP_BYTES, MEMORY_BYTES_MAX, ASLEEP_BYTES_MAX, 90)


def encode(image) -> bytes:
    """Returns the bytes of an Image, at most limits.IMAGE_BYTES_MAX."""
    time = image.time
    parts = [
        struct.pack(
            _HEAD,
            VERSION,
            image.boot,
            image.sequence,
            time.uptime_ms,
            time.unix_ms or 0,
            min(_U32, time.uncertainty_ms),
            time.slept_ms,
            min(_U32, time.answer_doubt_ms),
            -1 if time.age_ms is None else time.age_ms,
        ),
        struct.pack(
            _REST,
            _due(image.dues[0]),
            _due(image.dues[1]),
            _due(image.dues[2]),
            _due(image.dues[3]),
            _due(image.dues[4]),
            _due(image.dues[5]),
            min(image.silent, limits.SILENT_MAX),
            image.chip_reported,
            min(_U32, image.lost),
            min(_U32, image.retransmitted),
        ),
    ]
    for part, length_max in zip(image[8:], _PARTS_MAX):
        assert len(part) <= length_max
        parts.append(struct.pack("<H", len(part)))
        parts.append(part)
    data = b"".join(parts)
    assert len(data) <= limits.IMAGE_BYTES_MAX
    return data


def decode(data):
    """Returns the Image of the bytes, or None when they are not complete and possible."""
    head, rest = struct.calcsize(_HEAD), struct.calcsize(_REST)
    if data is None or not head + rest <= len(data) <= limits.IMAGE_BYTES_MAX or data[0] != VERSION:
        return None
    _, boot, sequence, uptime_ms, unix_ms, doubt_ms, slept_ms, answer_ms, age_ms = struct.unpack(_HEAD, data[:head])
    values = struct.unpack(_REST, data[head : head + rest])
    parts, at = [], head + rest
    for length_max in _PARTS_MAX:
        if at + 2 > len(data):
            return None
        length = data[at] | data[at + 1] << 8
        at += 2
        if length > length_max or at + length > len(data):
            return None
        parts.append(bytes(data[at : at + length]))
        at += length
    if at != len(data) or len(parts[1]) != ASLEEP_BYTES:
        return None
    if not 0 <= slept_ms <= uptime_ms <= _UPTIME_MS_MAX or not -1 <= age_ms <= uptime_ms + _ANSWER_MS_MAX:
        return None
    if unix_ms and not 1000 * limits.UNIX_S_MIN <= unix_ms <= 1000 * limits.UNIX_S_MAX:
        return None
    if not 0 < boot <= wire_limits.BOOT_MAX or sequence > wire_limits.SEQUENCE_MAX:
        return None
    if values[6] > limits.SILENT_MAX or values[7] > 1:
        return None
    time = Asleep(uptime_ms, unix_ms or None, doubt_ms, slept_ms, answer_ms, None if age_ms < 0 else age_ms)
    dues = Dues(*[None if due_ms == _NEVER else due_ms for due_ms in values[:6]])
    if None in (dues.report_ms, dues.health_ms, dues.checkpoint_ms, dues.talk_ms):
        return None
    return Image(boot, sequence, time, dues, values[6], values[7], values[8], values[9], *parts)


def _due(due_ms):
    return _NEVER if due_ms is None else max(-_DUE_MS_MAX, min(_DUE_MS_MAX, due_ms))
