"""Messages between gateway and radio concentrator on their serial line, inside `wire.slip` frames.

A body is one byte of kind and fields of fixed length, big-endian. Each side has a session number, drawn at
its start: HELLO names the concentrator's and the gateway's that it answers, so that a reset of either is
noticed by both.

**Credits.** The concentrator has few places for datagrams that wait for the air. Each DOWN has a number;
CREDIT names the last one that was seen and how many places are free after it. So the gateway knows what it
may send, even if messages were lost on the line: what it sent since is taken off the places. ASK carries the number of
the last DOWN: all before it has come or is lost.

Must not know what a datagram means. What the radio acknowledged is not told: it proves nothing (a frame that
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
# France allows 12 and 13 as well, but MicroPython's ESP32 port tells the driver no country, which then knows 1 to 11.
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
    "up-overflow",  # dropped: the line takes nothing
    "up-malformed",  # longer than a datagram
    "probes",
    "down",  # datagrams from the line
    "down-overrun",  # dropped: no place, against the credit
    "sent",  # frames given to the radio
    "sent-acked",
    "sent-failed",
    "sent-refused",  # the driver did not take it
    "stuck",  # frames that never completed
    "reinits",
    "evicted",  # peers that made room for others
    "line-faults",  # frames of the line that were none
    "unknown-kinds",
    "radio-dropped",  # by the driver: its buffer was full, and the sender has its acknowledgement
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
    """Encodes `values`: integers in the order of HEALTH_NAMES; what is above 32 bits wraps."""
    return bytes((HEALTH,)) + b"".join([struct.pack(">I", value & 0xFFFFFFFF) for value in values])


def peers(entries) -> bytes:
    """Encodes `entries`: at most PEERS_MAX tuples like Peer; counts wrap at 65536."""
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
    """Returns one of the tuples above; raises WireFault: `kind` for an unknown one, else `short`, `long`, `mac`,
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
    """Returns (MAC, datagram) with so many bytes between them."""
    mac, datagram = rest[:MAC_BYTES], rest[MAC_BYTES + between :]
    if not datagram:
        raise WireFault("short")
    if len(datagram) > limits.DATAGRAM_BYTES_MAX:
        raise WireFault("long")
    if mac[0] & 1:  # a group address: nothing is sent to all, and nothing comes from all
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
