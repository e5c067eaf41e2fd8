"""Frames on a serial line: SLIP (RFC 1055) around a body and its CRC-16/X-25 (as in PPP, RFC 1662 appendix C).

Incremental, and whole again after any garbage: whatever stands between two END bytes either ends in its CRC or is
counted and dropped. A frame begins with END as well, so that noise before it is a frame of its own. The CRC finds
the line's errors, not an enemy's: what must be believed is protected above.

Must not know what a body means, and never holds more than one frame.
"""

END = 0xC0
_ESC = 0xDB
_ESC_END = 0xDC
_ESC_ESC = 0xDD
_END_BYTE = b"\xc0"
_CRC_BYTES = 2

# A nibble at a time: sixteen words of table, and two steps a byte. Polynomial 0x1021, reflected.
_TABLE = (
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
)  # fmt: skip


def crc16(data) -> int:
    """CRC-16/X-25 of bytes: 0x906E for b"123456789"."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 4) ^ _TABLE[(crc ^ byte) & 15]
        crc = (crc >> 4) ^ _TABLE[(crc ^ byte >> 4) & 15]
    return crc ^ 0xFFFF


def encode(body) -> bytes:
    """The bytes on the line for one body, which is not empty; at most twice as long, and six more."""
    assert len(body) > 0, "an empty frame is what two END bytes make"
    crc = crc16(body)
    framed = bytearray(_END_BYTE)
    for part in (body, bytes((crc & 0xFF, crc >> 8))):
        for byte in part:
            if byte == END:
                framed.append(_ESC)
                framed.append(_ESC_END)
            elif byte == _ESC:
                framed.append(_ESC)
                framed.append(_ESC_ESC)
            else:
                framed.append(byte)
    framed.append(END)
    return bytes(framed)


class Decoder:
    """Bytes of a line in, bodies out. `counters`: what was dropped and why, and the good frames.

    body_max: longest body in bytes; a longer frame is dropped, and costs no memory.
    """

    def __init__(self, body_max: int):
        assert body_max > 0
        self.counters = {"frames": 0, "crc": 0, "short": 0, "long": 0, "escape": 0}
        self._buffer = bytearray(body_max + _CRC_BYTES)
        self._length = 0
        self._is_escaped = False
        self._fault = None

    def feed(self, data) -> list:
        """The bodies (bytes) that these bytes complete, in order. `data`: bytes, of any length and cut anywhere."""
        bodies = []
        for byte in data:
            if byte == END:
                body = self._end()
                if body is not None:
                    bodies.append(body)
            elif self._fault is None:
                self._take(byte)
        return bodies

    def reset(self):
        """The line was silent, or was opened anew: what has come of a frame belongs to nothing."""
        self._length = 0
        self._is_escaped = False
        self._fault = None

    def _take(self, byte):
        if self._is_escaped:
            self._is_escaped = False
            if byte == _ESC_END:
                byte = END
            elif byte == _ESC_ESC:
                byte = _ESC
            else:
                self._fault = "escape"
                return
        elif byte == _ESC:
            self._is_escaped = True
            return
        if self._length == len(self._buffer):
            self._fault = "long"
            return
        self._buffer[self._length] = byte
        self._length += 1

    def _end(self):
        """What stands between two END bytes, if it is a frame."""
        length, fault = self._length, "escape" if self._is_escaped else self._fault
        self.reset()
        if length == 0 and fault is None:
            return None
        if fault is None:
            fault = self._fault_of(length)
        if fault is not None:
            self.counters[fault] += 1
            return None
        self.counters["frames"] += 1
        return bytes(memoryview(self._buffer)[: length - _CRC_BYTES])

    def _fault_of(self, length):
        if length <= _CRC_BYTES:
            return "short"
        body_length = length - _CRC_BYTES
        said = self._buffer[body_length] | self._buffer[body_length + 1] << 8
        return None if crc16(memoryview(self._buffer)[:body_length]) == said else "crc"
