"""Reads datagrams for the bench from capture files, lines of hexadecimal digits, or the bytes of a serial line.

A source or a piece of it that cannot be read becomes a Flaw with its reason; nothing raises.
"""

import sys
from binascii import unhexlify
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tools.link import capture as link_capture
from tools.link.capture import Datagram, Flaw
from wire import slip

# The longest UDP datagram with a colon after each byte, as some tools write it.
_LINE_BYTES_MAX = 3 * 65_536
# Far above a datagram of the node link with the header of a concentrator.
_FRAME_BODY_BYTES_MAX = 2048
_SEPARATORS = b" \t\r:"
_TEXT_BYTES = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


class Sources:
    """Reads the datagrams that the words of a command line name. `skipped`: the number of packets that carry something
    else."""

    def __init__(self, *, port: int, serial: bool = False) -> None:
        self.skipped = 0
        self._port = port
        self._line = slip.Decoder(_FRAME_BODY_BYTES_MAX) if serial else None

    def datagrams(self, names: list[str]) -> Iterator[Datagram | Flaw]:
        """Yields the datagrams of each name: a file, `-` for standard input, or the digits of one datagram; no name:
        standard input."""
        for name in names or ["-"]:
            if name == "-":
                yield from self.stream("standard input", sys.stdin.buffer)
            elif _exists(name):
                yield from self._file(name)
            else:
                yield from self._digits(name.encode(errors="replace"), f"{name[:40]}: no such file, and")
        if self._line is not None:
            yield from self._serial(bytes((slip.END,)), "the end")

    def _file(self, name: str) -> Iterator[Datagram | Flaw]:
        try:
            with open(name, "rb") as file:
                yield from self.stream(name, file)
        except OSError as error:
            yield Flaw(f"{name}: {error.strerror}")

    def stream(self, name: str, file: BinaryIO) -> Iterator[Datagram | Flaw]:
        """Yields the datagrams in an open file; `name` identifies it in Flaws."""
        first = file.read(link_capture.MAGIC_BYTES)
        if not first:
            yield Flaw(f"{name}: empty")
        elif link_capture.is_capture(first):
            yield from self._capture(name, first, file)
        else:
            yield from self._text(name, first, file)

    def _capture(self, name: str, first: bytes, file: BinaryIO) -> Iterator[Datagram | Flaw]:
        if self._line is not None:
            yield Flaw(f"{name}: a capture of a network; --serial wants lines of hexadecimal digits")
            return
        for number, packet in enumerate(link_capture.packets(first, file), 1):
            found = packet if isinstance(packet, Flaw) else link_capture.datagram(packet, self._port)
            if found is None:
                self.skipped += 1
            elif isinstance(found, Flaw):
                place = name if found is packet else f"{name}: packet {number}"
                yield Flaw(f"{place}: {found.reason}")
            else:
                yield found

    def _text(self, name: str, first: bytes, file: BinaryIO) -> Iterator[Datagram | Flaw]:
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


def _exists(name: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(name).exists()
    return False


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Returns the lines of a text whose first bytes are read already, each cut above _LINE_BYTES_MAX."""
    yield from (first + file.readline(_LINE_BYTES_MAX)).splitlines()
    while line := file.readline(_LINE_BYTES_MAX + 1):
        yield line.rstrip(b"\n")
