"""Frames bodies on a serial line: SLIP (RFC 1055) around a body and its CRC-16/X-25 (as in PPP, RFC 1662 appendix C).

The decoder is incremental, and recovers from any garbage: the bytes between two END bytes either end in their CRC or
are counted and dropped. A frame begins with END as well, so that noise before it is a frame of its own. The CRC detects
the line's errors, not an attacker's: a layer above protects what must be authentic.

Must not know what a body means, and never holds more than one frame.
"""

from wire.crc16 import crc16

END = 0xC0
_END_BYTE = b"\xc0"
_ESC = b"\xdb"
_ESC_END = b"\xdb\xdc"
_ESC_ESC = b"\xdb\xdd"
_CRC_BYTES = 2


def encode(body) -> bytes:
    """Returns the bytes on the line for one body, which must not be empty: at most twice its length, and six more."""
    assert len(body) > 0, "an empty frame is what two END bytes make"
    crc = crc16(body)
    whole = bytes(body) + bytes((crc & 0xFF, crc >> 8))
    return _END_BYTE + whole.replace(_ESC, _ESC_ESC).replace(_END_BYTE, _ESC_END) + _END_BYTE


class Decoder:
    """Finds the bodies in the bytes of a line. `counters`: good frames, and dropped frames by fault."""

    def __init__(self, body_max: int):
        assert body_max > 0
        self.counters = {"frames": 0, "crc": 0, "short": 0, "long": 0, "escape": 0}
        self._whole_max = body_max + _CRC_BYTES
        self._raw = b""  # of the frame that has begun, as it came from the line
        self._is_long = False

    def feed(self, data) -> list:
        """Returns the bodies (bytes) that these bytes complete, in order. `data`: bytes, of any length and cut
        anywhere."""
        # A line carries many bytes (on RS-485 those of all nodes): the interpreter's own search runs through them.
        data = bytes(data)
        bodies = []
        start = 0
        while True:
            end = data.find(_END_BYTE, start)
            if end < 0:
                self._append(data[start:])
                return bodies
            self._append(data[start:end])
            body = self._end()
            if body is not None:
                bodies.append(body)
            start = end + 1

    def pending(self) -> int:
        """Returns how many bytes have come since the last END."""
        return 2 * self._whole_max if self._is_long else len(self._raw)

    def reset(self):
        """Drops a partial frame: the line was silent, or was reopened."""
        self._raw = b""
        self._is_long = False

    def _append(self, part):
        if self._is_long or not part:
            return
        if len(self._raw) + len(part) > 2 * self._whole_max:
            self._raw = b""
            self._is_long = True
            return
        self._raw += part

    def _end(self):
        """Returns the body between two END bytes, or None when they hold no sound frame."""
        raw, is_long = self._raw, self._is_long
        self.reset()
        if is_long:
            self.counters["long"] += 1
            return None
        if not raw:
            return None
        escapes = raw.count(_ESC)
        if escapes != raw.count(_ESC_END) + raw.count(_ESC_ESC):
            self.counters["escape"] += 1
            return None
        whole = raw.replace(_ESC_END, _END_BYTE).replace(_ESC_ESC, _ESC) if escapes else raw
        fault = self._fault_of(whole)
        if fault is not None:
            self.counters[fault] += 1
            return None
        self.counters["frames"] += 1
        return whole[:-_CRC_BYTES]

    def _fault_of(self, whole):
        if len(whole) > self._whole_max:
            return "long"
        if len(whole) <= _CRC_BYTES:
            return "short"
        stated = whole[-2] | whole[-1] << 8
        return None if crc16(memoryview(whole)[:-_CRC_BYTES]) == stated else "crc"
