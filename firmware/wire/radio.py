"""Encodes and decodes the messages between gateway and radio concentrator on their serial line, inside `wire.slip`
frames.

A body is one byte of kind and fields of fixed length, big-endian. Each side has a session number, drawn at its start:
HELLO carries the concentrator's and the gateway's that it answers, so that both notice a reset of either.

**Credits.** The concentrator has few places for datagrams that wait to be sent by radio. Each DOWN has a number; CREDIT
carries the last number received and how many places are free after it. So the gateway knows how many it may send, even
if messages were lost on the line: it subtracts those sent since from the free places. ASK carries the number of the
last DOWN: all before it have arrived or are lost.

Must not know what a datagram means. The radio's acknowledgements are not passed on: they prove nothing (a frame that
overflows the receiver's buffer has been acknowledged), and custody is CoAP's.
"""

import struct
from collections import namedtuple

from wire import limits
from wire.faults import WireFault

VERSION = 1

# Kinds 0x06, 0x07 and 0x84 to 0x86 are `radio_update`'s.
# Concentrator to gateway.
UP = 0x01
HELLO = 0x02
CREDIT = 0x03
HEALTH = 0x04
PEERS = 0x05
# Gateway to concentrator.
DOWN = 0x81
ASK = 0x82
CHANNEL = 0x83

MAC_BYTES = 6
NUMBER_MASK = 0xFFFF
SESSION_MAX = 0xFFFFFFFF
# France allows 12 and 13 as well, but MicroPython's ESP32 port sets no country in the driver, which then allows 1 to
# 11.
CHANNEL_MIN = 1
CHANNEL_MAX = 11
FIRMWARE_BYTES_MAX = 16
BODY_BYTES_MAX = 1 + 2 + MAC_BYTES + limits.DATAGRAM_BYTES_MAX
PEERS_MAX = 19  # in one body
HEALTH_VALUES_MAX = 40

CAUSES = ("unknown", "power-on", "hard", "watchdog", "deep-sleep", "soft")

# The values of HEALTH in their order; a newer concentrator may append some.
HEALTH_NAMES = (
    "uptime-s",
    "heap-free",
    "places-free",
    "up",  # datagrams from the air to the line
    "up-overflow",  # dropped: the line accepts nothing
    "up-malformed",  # longer than a datagram
    "probes",
    "down",  # datagrams from the line
    "down-overrun",  # dropped: no place, against the credit
    "sent",  # frames given to the radio
    "sent-acked",
    "sent-failed",
    "sent-refused",  # the driver did not accept it
    "stuck",  # frames that never completed
    "reinits",
    "evicted",  # peers removed to make room for others
    "line-faults",  # malformed frames on the line
    "unknown-kinds",
    "radio-dropped",  # by the driver: its buffer was full, although the sender was acknowledged
)

Up = namedtuple("Up", ("mac", "rssi_dbm", "datagram"))
Hello = namedtuple("Hello", ("version", "session", "heard", "channel", "cause", "firmware"))
Credit = namedtuple("Credit", ("number", "free"))
Health = namedtuple("Health", ("values",))
Peer = namedtuple("Peer", ("mac", "rssi_dbm", "up", "down", "failed"))
Peers = namedtuple("Peers", ("peers",))
Down = namedtuple("Down", ("number", "mac", "datagram"))
Ask = namedtuple("Ask", ("version", "session", "number"))
Channel = namedtuple("Channel", ("channel",))

_HELLO = ">BIIBB"
_PEER = ">6sbHHH"
_PEER_BYTES = 13


def up(mac, rssi_dbm, datagram) -> bytes:
    return struct.pack(">B6sb", UP, mac, max(-128, min(127, rssi_dbm))) + datagram


def hello(session, heard, channel, cause, firmware) -> bytes:
    name = firmware.encode()[:FIRMWARE_BYTES_MAX]
    index = CAUSES.index(cause) if cause in CAUSES else 0
    return bytes((HELLO,)) + struct.pack(_HELLO, VERSION, session, heard, channel, index) + name


def credit(number, free) -> bytes:
    return struct.pack(">BHB", CREDIT, number & NUMBER_MASK, free)


def health(values) -> bytes:
    """Encodes `values`, integers in the order of HEALTH_NAMES; a value above 32 bits wraps."""
    return bytes((HEALTH,)) + b"".join([struct.pack(">I", value & 0xFFFFFFFF) for value in values])


def peers(entries) -> bytes:
    """Encodes `entries`, at most PEERS_MAX tuples like Peer; counts wrap at 65536."""
    packed = []
    for mac, rssi_dbm, ups, downs, failed in entries:
        counts = (ups & NUMBER_MASK, downs & NUMBER_MASK, failed & NUMBER_MASK)
        packed.append(struct.pack(_PEER, mac, max(-128, min(127, rssi_dbm)), *counts))
    return bytes((PEERS,)) + b"".join(packed)


def down(number, mac, datagram) -> bytes:
    return struct.pack(">BH6s", DOWN, number & NUMBER_MASK, mac) + datagram


def ask(session, number) -> bytes:
    return struct.pack(">BBIH", ASK, VERSION, session, number & NUMBER_MASK)


def channel(number) -> bytes:
    assert CHANNEL_MIN <= number <= CHANNEL_MAX
    return bytes((CHANNEL, number))


def decode(body):
    """Returns one of the tuples above; raises WireFault: `kind` for an unknown kind, else `short`, `long`, `mac`,
    `channel`."""
    if not body:
        raise WireFault("short")
    reader = _READERS.get(body[0])
    if reader is None:
        raise WireFault("kind")
    return reader(bytes(body[1:]))


def _up(rest):
    mac, datagram = _addressed(rest, 1)
    return Up(mac, struct.unpack(">b", rest[MAC_BYTES : MAC_BYTES + 1])[0], datagram)


def _down(rest):
    mac, datagram = _addressed(rest[2:], 0)
    return Down(rest[0] << 8 | rest[1], mac, datagram)


def _addressed(rest, between):
    """Returns (MAC, datagram), which have `between` bytes between them."""
    mac, datagram = rest[:MAC_BYTES], rest[MAC_BYTES + between :]
    if not datagram:
        raise WireFault("short")
    if len(datagram) > limits.DATAGRAM_BYTES_MAX:
        raise WireFault("long")
    if mac[0] & 1:  # a group address: there is no broadcast, and no sender has such an address
        raise WireFault("mac")
    return mac, datagram


def _hello(rest):
    if rest and rest[0] != VERSION:
        return Hello(rest[0], 0, 0, 0, CAUSES[0], "")
    size = struct.calcsize(_HELLO)
    if len(rest) < size:
        raise WireFault("short")
    if len(rest) > size + FIRMWARE_BYTES_MAX:
        raise WireFault("long")
    version, session, heard, number, cause = struct.unpack(_HELLO, rest[:size])
    firmware = "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in rest[size:]])
    return Hello(version, session, heard, _checked(number), CAUSES[cause if cause < len(CAUSES) else 0], firmware)


def _credit(rest):
    return Credit(*_exactly(">HB", rest))


def _health(rest):
    if len(rest) % 4:
        raise WireFault("short")
    if len(rest) > 4 * HEALTH_VALUES_MAX:
        raise WireFault("long")
    return Health([struct.unpack(">I", rest[at : at + 4])[0] for at in range(0, len(rest), 4)])


def _peers(rest):
    if len(rest) % _PEER_BYTES:
        raise WireFault("short")
    if len(rest) > PEERS_MAX * _PEER_BYTES:
        raise WireFault("long")
    starts = range(0, len(rest), _PEER_BYTES)
    return Peers([Peer(*struct.unpack(_PEER, rest[at : at + _PEER_BYTES])) for at in starts])


def _ask(rest):
    if rest and rest[0] != VERSION:
        return Ask(rest[0], 0, 0)
    return Ask(*_exactly(">BIH", rest))


def _channel(rest):
    return Channel(_checked(_exactly(">B", rest)[0]))


def _exactly(layout, rest):
    if len(rest) != struct.calcsize(layout):
        raise WireFault("short" if len(rest) < struct.calcsize(layout) else "long")
    return struct.unpack(layout, rest)


def _checked(number):
    if not CHANNEL_MIN <= number <= CHANNEL_MAX:
        raise WireFault("channel")
    return number


_READERS = {
    UP: _up,
    HELLO: _hello,
    CREDIT: _credit,
    HEALTH: _health,
    PEERS: _peers,
    DOWN: _down,
    ASK: _ask,
    CHANNEL: _channel,
}
