"""From a packet on a wire to the UDP datagram in it: link layer, IPv4 or IPv6, UDP.

Takes a packet apart and judges nothing: checksums are not looked at, because a capture on the sending machine has none
yet, and fragments are not put together, because no datagram of the node link needs them. Nothing here raises.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from tools.link.capture import Flaw, Packet

Address = tuple[str, int]


class Datagram(NamedTuple):
    """What one UDP datagram carried. `time_ns` and the addresses are None where nothing tells them."""

    time_ns: int | None
    source: Address | None
    destination: Address | None
    data: bytes


# LINKTYPE_ numbers (tcpdump.org). The three for raw IP are one thing on different systems.
NULL, ETHERNET, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = 0, 1, 101, 108, 113, 228, 229, 276
_RAW_IP = (RAW, IPV4, IPV6, 12, 14)
_ETHERTYPE_IPV4, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
_VLAN_TAGS = (0x8100, 0x88A8)
_VLAN_TAGS_MAX = 2
# AF_INET is 2 everywhere, AF_INET6 has a number on each system; the machine's byte order is the capture's.
_FAMILIES = {2: _ETHERTYPE_IPV4, 10: _ETHERTYPE_IPV6, 24: _ETHERTYPE_IPV6, 28: _ETHERTYPE_IPV6, 30: _ETHERTYPE_IPV6}
_UDP = 17
# IPv6 headers that may stand before UDP: hop-by-hop, routing, destination options. A fragment header is 44.
_EXTENSIONS = (0, 43, 60)
_EXTENSIONS_MAX = 8
_FRAGMENT = 44


def datagram(packet: Packet, port: int) -> Datagram | Flaw | None:
    """The datagram to or from UDP port `port`; None for a packet that carries something else."""
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
    """The IP packet in a frame; None when it carries another protocol."""
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


# Source, destination, what follows the IP header, and whether it is the first of several fragments. The others have no
# ports: they count as something else, and the first one tells of all.
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
