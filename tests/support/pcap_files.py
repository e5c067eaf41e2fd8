"""Capture files made by hand, after the specifications of pcap, pcapng and their link types."""

import struct
from ipaddress import ip_address

NULL, ETHERNET, RAW, LOOP, LINUX_SLL, LINUX_SLL2 = 0, 1, 101, 108, 113, 276
LINK_TYPES = (NULL, ETHERNET, RAW, LOOP, LINUX_SLL, LINUX_SLL2)
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}
_FAMILIES = {4: 2, 6: 10}


def checksum(data):
    """The Internet's (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip_packet(source, destination, data, *, fragment=0):
    """UDP in IPv4 or IPv6, as the addresses are: ((host, port), (host, port), bytes)."""
    hosts = [ip_address(host).packed for host, _ in (source, destination)]
    length = 8 + len(data)
    ports = struct.pack(">HHH", source[1], destination[1], length)
    total = struct.pack(">I", length) + b"\0\0\0\x11"
    udp = ports + struct.pack(">H", checksum(hosts[0] + hosts[1] + total + ports + b"\0\0" + data) or 0xFFFF) + data
    if len(hosts[0]) == 16:
        return struct.pack(">IHBB", 6 << 28, length, 17, 64) + hosts[0] + hosts[1] + udp
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 1, fragment, 64, 17, 0) + hosts[0] + hosts[1]
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def frame(link_type, packet, order="<"):
    """An IP packet as a link layer carries it."""
    version = packet[0] >> 4
    kind = struct.pack(">H", _ETHERTYPES[version])
    return {
        NULL: struct.pack(order + "I", _FAMILIES[version]),
        LOOP: struct.pack(">I", _FAMILIES[version]),
        ETHERNET: b"\2\0\0\0\0\1\2\0\0\0\0\2" + kind,
        RAW: b"",
        LINUX_SLL: b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0" + kind,
        LINUX_SLL2: kind + b"\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0",
    }[link_type] + packet


def classic(frames, link_type, *, order="<", nanoseconds=False, snap=262_144):
    """A pcap file of [(time_ns, frame)]."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link_type)
    for time_ns, data in frames:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        out += struct.pack(order + "IIII", seconds, rest // unit, len(data[:snap]), len(data)) + data[:snap]
    return out


def block(kind, body, order="<"):
    """One block of a pcapng file."""
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def section(order="<"):
    """The block that opens a section."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type, order="<", *, snap=0, resolution=None, offset=None):
    """An interface's description."""
    options = b""
    if resolution is not None:
        options += struct.pack(order + "HHBxxx", 9, 1, resolution)
    if offset is not None:
        options += struct.pack(order + "HHq", 14, 8, offset)
    options += struct.pack(order + "HH", 0, 0)
    return block(1, struct.pack(order + "HHI", link_type, 0, snap) + options, order)


def enhanced(stamp, data, order="<", *, index=0):
    """One packet."""
    head = struct.pack(order + "IIIII", index, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data, order)


def pcapng(frames, link_type, *, order="<"):
    """A pcapng file of [(time_ns, frame)], in nanoseconds."""
    out = section(order) + interface(link_type, order, resolution=9)
    return out + b"".join(enhanced(time_ns, data, order) for time_ns, data in frames)
