"""Is the SHT31's twin: command 0x24 0x00, six bytes after 15.5 ms, each word with its CRC.

Faults: `absent`; `crc` (a bit of the answer is inverted); `slow` (it never gets ready: reads are not acknowledged).
"""


class Sht31:
    """Models the sensor in air of `temperature_ck` and `humidity_permille`."""

    def __init__(self, ticks_ms, temperature_ck=2000, humidity_permille=500):
        self._ticks_ms = ticks_ms
        self._ready_ms = None
        self.temperature_ck = temperature_ck
        self.humidity_permille = humidity_permille
        self.fault = ""

    def write(self, data):
        """Accepts one command, a measurement of high repeatability without clock stretching; refuses others."""
        if data != b"\x24\x00":
            return False
        self._ready_ms = self._ticks_ms() + 16
        return True

    def read(self, count):
        """Returns the answer, once."""
        if self._ready_ms is None or self._ticks_ms() < self._ready_ms or self.fault == "slow":
            return None
        self._ready_ms = None
        answer = _word((self.temperature_ck + 4500) * 65535 // 17500)
        answer += _word(self.humidity_permille * 65535 // 1000)
        if self.fault == "crc":
            answer = bytes((answer[0] ^ 4,)) + answer[1:]
        return answer[:count]


def _word(value):
    value = max(0, min(65535, value))
    data = bytes((value >> 8, value & 0xFF))
    return data + bytes((_crc(data),))


def _crc(data):
    """Computes x^8 + x^5 + x^4 + 1 from 0xFF, byte by byte through a table of the sixteen half-bytes."""
    rest = 0xFF
    for byte in data:
        for half in (byte >> 4, byte & 0x0F):
            rest = (rest << 4 & 0xF0) ^ _HALVES[rest >> 4 ^ half]
    return rest


_HALVES = b"\x00\x31\x62\x53\xc4\xf5\xa6\x97\xb9\x88\xdb\xea\x7d\x4c\x1f\x2e"
