"""Is the SHT4x's twin: command 0xFD, six bytes after 8.3 ms, each word with its CRC.

Faults: `absent`; `crc` (a bit of the answer is inverted); `slow` (it never gets ready: reads are not acknowledged).
"""


class Sht4x:
    """Models the sensor in air of `temperature_ck` and `humidity_permille`."""

    def __init__(self, ticks_ms, temperature_ck=2000, humidity_permille=500):
        self._ticks_ms = ticks_ms
        self._ready_ms = None
        self.temperature_ck = temperature_ck
        self.humidity_permille = humidity_permille
        self.fault = ""

    def write(self, data):
        """Accepts the command of the precise measurement, and refuses others."""
        if data != b"\xfd":
            return False
        self._ready_ms = self._ticks_ms() + 9
        return True

    def read(self, count):
        """Returns the answer, once."""
        if self._ready_ms is None or self._ticks_ms() < self._ready_ms or self.fault == "slow":
            return None
        self._ready_ms = None
        answer = _word((self.temperature_ck + 4500) * 65535 // 17500)
        answer += _word((self.humidity_permille + 60) * 65535 // 1250)
        if self.fault == "crc":
            answer = bytes((answer[0] ^ 4,)) + answer[1:]
        return answer[:count]


def _word(value):
    value = max(0, min(65535, value))
    data = bytes((value // 256, value % 256))
    return data + bytes((_crc(data),))


def _crc(data):
    """Computes x^8 + x^5 + x^4 + 1 from 0xFF, as long division of the whole message."""
    rest = 0
    first = bytes((data[0] ^ 0xFF,)) + data[1:]
    bits = [byte >> shift & 1 for byte in first for shift in range(7, -1, -1)]
    for bit in bits + [0] * 8:
        rest = rest << 1 | bit
        if rest & 0x100:
            rest ^= 0x131
    return rest
