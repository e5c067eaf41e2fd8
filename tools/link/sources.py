"""Reads datagrams for the bench from capture files, lines of hexadecimal digits, or the bytes of a serial line.

Wireshark's `tshark` reads the captures: it knows every format, link layer and fragment. A source or a piece of it that
cannot be read becomes a Flaw with its reason; nothing raises.
"""

import subprocess
import sys
from binascii import unhexlify
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wire import slip

Address = tuple[str, int]


class Datagram(NamedTuple):
    """Holds the payload of one UDP datagram. `time_ns` (Unix nanoseconds) and the addresses are None where the source
    does not state them."""

    time_ns: int | None
    source: Address | None
    destination: Address | None
    data: bytes


class Flaw(NamedTuple):
    """Holds a piece that could not be read; `reason` says why, for a person."""

    reason: str


# The first bytes of pcap files (of either byte order, in microseconds or nanoseconds) and of pcapng files.
_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
_FIELDS = ("frame.time_epoch", "ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst", "udp.dstport", "udp.length",
           "udp.payload")
_UDP_HEADER_BYTES = 8
# The longest UDP datagram with a colon after each byte, as some tools write it.
_LINE_BYTES_MAX = 3 * 65_536
# Far above a datagram of the node link with the header of a concentrator.
_FRAME_BODY_BYTES_MAX = 2048
_SEPARATORS = b" \t\r:"
_TEXT_BYTES = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


class Sources:
    """Reads the datagrams that the words of a command line name."""

    def __init__(self, *, port: int, serial: bool = False) -> None:
        self._port = port
        self._line = slip.Decoder(_FRAME_BODY_BYTES_MAX) if serial else None

    def datagrams(self, names: list[str]) -> Iterator[Datagram | Flaw]:
        """Yields the datagrams of each name: a file, `-` for standard input, or the digits of one datagram; no name:
        standard input."""
        for name in names or ["-"]:
            if name == "-":
                yield from self._text("standard input", b"", sys.stdin.buffer)
            elif _exists(name):
                yield from self._file(name)
            else:
                yield from self._digits(name.encode(errors="replace"), f"{name[:40]}: no such file, and")
        if self._line is not None:
            yield from self._serial(bytes((slip.END,)), "the end")

    def _file(self, name: str) -> Iterator[Datagram | Flaw]:
        try:
            with open(name, "rb") as file:
                first = file.read(len(_CAPTURES[0]))
                if first not in _CAPTURES:
                    yield from self._text(name, first, file)
                elif self._line is not None:
                    yield Flaw(f"{name}: a capture of a network; --serial wants lines of hexadecimal digits")
                else:
                    yield from self._capture(name)
        except OSError as error:
            yield Flaw(f"{name}: {error.strerror}")

    def _capture(self, name: str) -> Iterator[Datagram | Flaw]:
        """Yields the datagrams to and from the port; those that an ICMP error quotes have been seen already."""
        chosen = f"udp.port == {self._port} && !icmp && !icmpv6"
        command = ["tshark", "-n", "-r", name, "-Y", chosen, "-T", "fields", "-E", "occurrence=l"]
        command += [word for field in _FIELDS for word in ("-e", field)]
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError:
            yield Flaw(f"{name}: a capture is read by tshark, which is not there (apt-get install tshark)")
            return
        with process:
            assert process.stdout is not None and process.stderr is not None
            try:
                yield from map(_captured, process.stdout)
            except GeneratorExit:  # no more is asked for
                process.terminate()
                raise
            said = process.stderr.read().strip()
        if process.returncode > 0:
            yield Flaw(f"{name}: {said.splitlines()[-1] if said else 'tshark cannot read it'}")

    def _text(self, name: str, first: bytes, file: BinaryIO) -> Iterator[Datagram | Flaw]:
        number = 0
        for number, line in enumerate(_lines(first, file), 1):
            if len(line) > _LINE_BYTES_MAX:
                yield Flaw(f"{name}: line {number} is too long for a datagram; the rest is left out")
                return
            if not _TEXT_BYTES.issuperset(line):
                yield Flaw(f"{name}: neither pcap nor pcapng, nor lines of hexadecimal digits")
                return
            line = line.partition(b"#")[0]
            if line.strip():
                yield from self._digits(line, f"{name}: line {number}:")
        if not number:
            yield Flaw(f"{name}: empty")

    def _digits(self, line: bytes, place: str) -> Iterator[Datagram | Flaw]:
        digits = line.strip().translate(None, delete=_SEPARATORS)
        try:
            data = unhexlify(digits.removeprefix(b"0x"))
        except ValueError:
            yield Flaw(f"{place} not hexadecimal: give an even number of digits 0-9 a-f")
            return
        if self._line is None:
            yield Datagram(None, None, None, data)
        else:
            yield from self._serial(data, place)

    def _serial(self, data: bytes, place: str) -> Iterator[Datagram | Flaw]:
        assert self._line is not None
        for byte in data:  # one at a time, so that a dropped frame is reported in its place
            before = dict(self._line.counters)
            for body in self._line.feed(bytes((byte,))):
                yield Datagram(None, None, None, body)
            for reason, count in self._line.counters.items():
                if reason != "frames" and count != before[reason]:
                    yield Flaw(f"{place} a serial frame is dropped ({_DROPPED[reason]})")


_DROPPED = {
    "crc": "its CRC does not hold",
    "short": "shorter than a CRC",
    "long": f"longer than {_FRAME_BODY_BYTES_MAX} bytes",
    "escape": "an escape that means nothing",
}


def _captured(line: str) -> Datagram | Flaw:
    """Returns the datagram in a line of tshark's fields."""
    time, ip4, ip6, port, to_ip4, to_ip6, to_port, length, payload = line.rstrip("\n").split("\t")
    source, data = (ip4 or ip6, int(port)), unhexlify(payload)
    if not length:
        return Flaw(f"UDP from {source[0]}: the header is cut")
    if int(length) != _UDP_HEADER_BYTES + len(data):
        return Flaw(f"UDP from {source[0]}: the capture holds {len(data)} of {int(length) - _UDP_HEADER_BYTES} bytes")
    return Datagram(_nanoseconds(time), source, (to_ip4 or to_ip6, int(to_port)), data)


def _nanoseconds(time: str) -> int | None:
    seconds, _, fraction = time.partition(".")
    try:
        return int(seconds) * 1_000_000_000 + int(f"{fraction:0<9}")
    except ValueError:  # the file has no time, or one that is none
        return None


def _exists(name: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(name).exists()
    return False


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Returns the lines of a text whose first bytes are read already, each cut above _LINE_BYTES_MAX."""
    yield from (first + file.readline(_LINE_BYTES_MAX)).splitlines()
    while line := file.readline(_LINE_BYTES_MAX + 1):
        yield line.rstrip(b"\n")
