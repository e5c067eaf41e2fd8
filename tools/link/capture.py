"""Reads capture files (pcap and pcapng, as tcpdump, dumpcap and tshark write them) and the UDP datagrams in them.

It reads packet by packet, then from the link layer through IPv4 or IPv6 to UDP. A file may be hostile: no content of it
raises, every length is checked against a bound, and at most one packet is in memory. A piece that cannot be read is a
Flaw; after one that makes the rest of the file unreadable, nothing follows. Checksums are not checked, because a
capture on the sending machine has none yet, and fragments are not reassembled, because no datagram of the node link
needs them.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import BinaryIO, NamedTuple

Address = tuple[str, int]


class Packet(NamedTuple):
    """Holds a packet on a wire. `time_ns`: Unix nanoseconds, None where the file has none. `link_type`: LINKTYPE_
    number."""

    time_ns: int | None
    link_type: int
    data: bytes


class Datagram(NamedTuple):
    """Holds the payload of one UDP datagram. `time_ns` and the addresses are None where the source does not state
    them."""

    time_ns: int | None
    source: Address | None
    destination: Address | None
    data: bytes


class Flaw(NamedTuple):
    """Holds a piece that could not be read; `reason` says why, for a person."""

    reason: str


# The largest snap length that capture programs use (libpcap's MAXIMUM_SNAPLEN).
PACKET_BYTES_MAX = 262_144
# A pcapng block holds one packet and its options; longer ones (comments, name tables) are skipped up to this bound.
_BLOCK_BYTES_MAX = 16 * 1024 * 1024
_INTERFACES_MAX = 1024
_CHUNK_BYTES = 65_536
MAGIC_BYTES = 4

# First four bytes: (byte order, nanoseconds in one unit of the time stamps).
_CLASSIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION = 0x0A0D0D0A
_SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_END_OF_OPTIONS, _RESOLUTION, _OFFSET = 0, 9, 14
_NANOSECONDS = 1_000_000_000
_DEFAULT_UNITS = 1_000_000  # microseconds


def is_capture(first: bytes) -> bool:
    """True when a file that begins with these MAGIC_BYTES bytes is one of the two formats."""
    return first in _CLASSIC or first == _SECTION_MAGIC


def packets(first: bytes, file: BinaryIO) -> Iterator[Packet | Flaw]:
    """Returns the packets of a file, in order. `first`: its MAGIC_BYTES bytes, which the caller has read; `file`: the
    rest."""
    if first in _CLASSIC:
        yield from _classic(file, *_CLASSIC[first])
    elif first == _SECTION_MAGIC:
        yield from _Blocks(file).packets()
    else:
        yield Flaw("neither pcap nor pcapng")


def _classic(file: BinaryIO, order: str, unit_ns: int) -> Iterator[Packet | Flaw]:
    head = file.read(20)
    if len(head) < 20:
        yield Flaw("pcap: the file ends within its header")
        return
    link_type = struct.unpack(order + "I", head[16:20])[0] & 0xFFFF  # above: the length of a frame check sequence
    number = 0
    while head := file.read(16):
        number += 1
        if len(head) < 16:
            yield Flaw(f"pcap: the file ends within the header of packet {number}")
            return
        seconds, fraction, length, _ = struct.unpack(order + "4I", head)
        if length > PACKET_BYTES_MAX:
            yield Flaw(f"pcap: packet {number} says {length} bytes; what follows cannot be found")
            return
        data = file.read(length)
        if len(data) < length:
            yield Flaw(f"pcap: the file ends within packet {number}")
            return
        yield Packet(seconds * _NANOSECONDS + fraction * unit_ns, link_type, data)


class _Interface(NamedTuple):
    link_type: int
    snap_bytes: int  # 0: no limit
    units_per_s: int
    offset_s: int


class _Blocks:
    """Reads a pcapng file, block after block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._number = 1

    def packets(self) -> Iterator[Packet | Flaw]:
        """Returns all packets of the file, whose first four bytes are read already."""
        head = _SECTION_MAGIC
        while head:
            kind = _SECTION if head == _SECTION_MAGIC else self._word(head) if len(head) == 4 else -1
            body = self._body(kind)
            if isinstance(body, Flaw):
                yield body
                return
            found = self._content(kind, body) if body is not None else None
            if found is not None:
                yield found
                if isinstance(found, Flaw):
                    return
            self._number += 1
            head = self._file.read(4)

    def _word(self, data: bytes) -> int:
        return int(struct.unpack(self._order + "I", data)[0])

    def _body(self, kind: int) -> bytes | Flaw | None:
        """Returns the content between the two lengths of a block; None for a kind of block that is not used here."""
        place = f"pcapng: block {self._number}"
        said = self._file.read(4)
        read = 8
        start = b""
        if kind == _SECTION:  # its byte order is needed to read its own length
            start = self._file.read(4)
            read += 4
            if start not in _BYTE_ORDERS:
                return Flaw(f"{place} is a section without a byte order")
            self._order = _BYTE_ORDERS[start]
        if kind < 0 or len(said) < 4:
            return Flaw(f"pcapng: the file ends within block {self._number}")
        length = self._word(said)
        if length % 4 or not read + 4 <= length <= _BLOCK_BYTES_MAX:
            return Flaw(f"{place} says {length} bytes; what follows cannot be found")
        is_kept = kind in (_SECTION, _INTERFACE, _OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET)
        if is_kept and length > PACKET_BYTES_MAX + _CHUNK_BYTES:
            return Flaw(f"{place} says {length} bytes, more than a packet has")
        body = self._file.read(length - read - 4) if is_kept else self._skip(length - read - 4)
        end = self._file.read(4)
        if body is None or len(body) + len(end) < (length - read if is_kept else 4):
            return Flaw(f"pcapng: the file ends within block {self._number}")
        if self._word(end) != length:
            return Flaw(f"{place} ends with another length than it begins with")
        return start + body if is_kept else None

    def _skip(self, count: int) -> bytes | None:
        while count:
            step = len(self._file.read(min(count, _CHUNK_BYTES)))
            if not step:
                return None
            count -= step
        return b""

    def _content(self, kind: int, body: bytes) -> Packet | Flaw | None:
        if kind == _SECTION:
            self._interfaces = []
            return None
        if kind == _INTERFACE:
            return self._interface(body)
        if kind == _SIMPLE_PACKET:
            return self._packet(0, None, body[:4], body[4:])
        form = "HxxII4s" if kind == _OBSOLETE_PACKET else "III4s"
        if len(body) < 20:
            return Flaw(f"pcapng: block {self._number} is too short for a packet")
        index, high, low, length = struct.unpack(self._order + form, body[:16])
        return self._packet(index, high << 32 | low, length, body[20:])

    def _packet(self, index: int, stamp: int | None, length: bytes, rest: bytes) -> Packet | Flaw:
        if index >= len(self._interfaces) or len(length) < 4:
            return Flaw(f"pcapng: block {self._number} is of an interface that the file does not describe")
        interface = self._interfaces[index]
        size = self._word(length)
        if stamp is None:  # a simple packet states the length before the capture cut it
            size = min(size, interface.snap_bytes or size, len(rest))
        if size > min(len(rest), PACKET_BYTES_MAX):
            return Flaw(f"pcapng: the packet of block {self._number} says {size} bytes and has {len(rest)}")
        time_ns = None
        if stamp is not None:
            time_ns = stamp * _NANOSECONDS // interface.units_per_s + interface.offset_s * _NANOSECONDS
        return Packet(time_ns, interface.link_type, rest[:size])

    def _interface(self, body: bytes) -> Flaw | None:
        if len(body) < 8 or len(self._interfaces) == _INTERFACES_MAX:
            return Flaw(f"pcapng: block {self._number} is no interface, or one too many")
        link_type, _, snap_bytes = struct.unpack(self._order + "HHI", body[:8])
        units_per_s, offset_s = _DEFAULT_UNITS, 0
        for code, value in self._options(body[8:]):
            if code == _RESOLUTION and len(value) == 1:
                power = value[0] & 0x7F
                units_per_s = (2 if value[0] & 0x80 else 10) ** min(power, 63)
            elif code == _OFFSET and len(value) == 8:
                offset_s = struct.unpack(self._order + "q", value)[0]
        self._interfaces.append(_Interface(link_type, snap_bytes, units_per_s, offset_s))
        return None

    def _options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        cursor = 0
        while cursor + 4 <= len(data):
            code, length = struct.unpack(self._order + "HH", data[cursor : cursor + 4])
            if code == _END_OF_OPTIONS:
                return
            yield code, data[cursor + 4 : cursor + 4 + length]
            cursor += 4 + (length + 3) // 4 * 4


# --- from a packet to the UDP datagram in it ----------------------------------------------------------------------

# LINKTYPE_ numbers (tcpdump.org). The three for raw IP are the same format on different systems.
NULL, ETHERNET, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = 0, 1, 101, 108, 113, 228, 229, 276
_RAW_IP = (RAW, IPV4, IPV6, 12, 14)
_ETHERTYPE_IPV4, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
_VLAN_TAGS = (0x8100, 0x88A8)
_VLAN_TAGS_MAX = 2
# AF_INET is 2 everywhere, AF_INET6 has another number on each system; the byte order is that of the capturing machine.
_FAMILIES = {2: _ETHERTYPE_IPV4, 10: _ETHERTYPE_IPV6, 24: _ETHERTYPE_IPV6, 28: _ETHERTYPE_IPV6, 30: _ETHERTYPE_IPV6}
_UDP = 17
# IPv6 headers that may stand before UDP: hop-by-hop, routing, destination options. A fragment header is 44.
_EXTENSIONS = (0, 43, 60)
_EXTENSIONS_MAX = 8
_FRAGMENT = 44


def datagram(packet: Packet, port: int) -> Datagram | Flaw | None:
    """Returns the datagram to or from UDP port `port`; None for a packet that is not of this port."""
    network = _network(packet.link_type, packet.data)
    if not isinstance(network, bytes):
        return network
    if not network:
        return Flaw("an empty IP packet")
    transport = _ipv4(network) if network[0] >> 4 == 4 else _ipv6(network) if network[0] >> 4 == 6 else None
    if transport is None or isinstance(transport, Flaw):
        return transport
    source, destination, data, is_fragment = transport
    ports = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
    if port not in ports and len(data) >= 4:
        return None
    if is_fragment:
        return Flaw(f"UDP from {source}: a fragment; fragments are not put together")
    if len(data) < 8:
        return Flaw(f"UDP from {source}: the header is cut")
    length = int.from_bytes(data[4:6], "big")
    if length < 8:
        return Flaw(f"UDP from {source}: it says {length} bytes, and its header has 8")
    if length > len(data):
        return Flaw(f"UDP from {source}: the capture holds {len(data)} of {length} bytes")
    return Datagram(packet.time_ns, (source, ports[0]), (destination, ports[1]), data[8:length])


def _network(link_type: int, data: bytes) -> bytes | Flaw | None:
    """Returns the IP packet in a frame; None when it carries another protocol."""
    if link_type in _RAW_IP:
        return data
    if link_type in (NULL, LOOP):
        family = {int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little")} & _FAMILIES.keys()
        return _carried(data, 4, _FAMILIES[family.pop()]) if family and len(data) >= 4 else None
    if link_type == LINUX_SLL:
        return _carried(data, 16, int.from_bytes(data[14:16], "big"))
    if link_type == LINUX_SLL2:
        return _carried(data, 20, int.from_bytes(data[0:2], "big"))
    if link_type == ETHERNET:
        start = 14
        for _ in range(_VLAN_TAGS_MAX):
            if int.from_bytes(data[start - 2 : start], "big") not in _VLAN_TAGS:
                break
            start += 4
        return _carried(data, start, int.from_bytes(data[start - 2 : start], "big"))
    return Flaw(f"link type {link_type} is not known here: capture Ethernet, Linux cooked, loopback or raw IP")


def _carried(data: bytes, start: int, protocol: int) -> bytes | Flaw | None:
    if len(data) < start:
        return Flaw("the link layer's header is cut")
    return data[start:] if protocol in (_ETHERTYPE_IPV4, _ETHERTYPE_IPV6) else None


# Source, destination, what follows the IP header, and whether it is the first of several fragments. Later fragments
# have no ports: they count as other packets, and only the first one is reported.
Transport = tuple[str, str, bytes, bool]


def _ipv4(data: bytes) -> Transport | Flaw | None:
    if len(data) < 20:
        return Flaw("an IPv4 header that is cut")
    header, length = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    if data[9] != _UDP:
        return None
    source, destination = str(IPv4Address(data[12:16])), str(IPv4Address(data[16:20]))
    fragment = int.from_bytes(data[6:8], "big")
    if fragment & 0x1FFF:
        return None
    if not 20 <= header <= length:
        return Flaw(f"IPv4 from {source}: its lengths contradict each other")
    return source, destination, data[header:length], bool(fragment & 0x2000)


def _ipv6(data: bytes) -> Transport | Flaw | None:
    if len(data) < 40:
        return Flaw("an IPv6 header that is cut")
    source, destination = str(IPv6Address(data[8:24])), str(IPv6Address(data[24:40]))
    following, rest = data[6], data[40 : 40 + int.from_bytes(data[4:6], "big")]
    for _ in range(_EXTENSIONS_MAX):
        if following not in _EXTENSIONS:
            break
        if len(rest) < 8 or len(rest) < 8 * (rest[1] + 1):
            return Flaw(f"IPv6 from {source}: an extension header is cut")
        following, rest = rest[0], rest[8 * (rest[1] + 1) :]
    if following == _FRAGMENT and len(rest) >= 8:
        fragment = int.from_bytes(rest[2:4], "big")
        is_first = rest[0] == _UDP and fragment >> 3 == 0
        return (source, destination, rest[8:], bool(fragment & 1)) if is_first else None
    return (source, destination, rest, False) if following == _UDP else None
