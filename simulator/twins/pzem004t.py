"""Is the PZEM-004T v3's twin on its UART: Modbus-RTU, one question, an answer of 25 bytes that arrives in pieces.

Faults: `absent`; `crc`; `noise` (bytes of another part before the answer); `short` (half an answer).
"""


class Pzem004t:
    """Models the meter with values as its registers have them: 0.1 V, mA, 0.1 W, Wh, 0.1 Hz, 0.01."""

    def __init__(self, ticks_ms, address=1):
        self._ticks_ms = ticks_ms
        self._address = address
        self._asked = b""
        self._line = b""
        self._from_ms = 0
        self.voltage_dv = 2300
        self.current_ma = 0
        self.power_dw = 0
        self.energy_wh = 0
        self.frequency_dhz = 500
        self.factor_percent = 100
        self.fault = ""

    def write(self, data):
        """Accepts bytes of the question; returns their count."""
        self._asked = (self._asked + bytes(data))[-8:]
        address = self._asked[:1]
        known = address == b"\xf8" or address == bytes((self._address,))
        if len(self._asked) == 8 and known and _crc(self._asked[:6]) == self._asked[6:]:
            self._asked = b""
            self._from_ms = self._ticks_ms() + 20
            self._line = b"" if self.fault == "absent" else self._answer()
        return len(data)

    def any(self):
        """Returns the number of bytes that have arrived at 9600 baud."""
        return max(0, min(len(self._line), (self._ticks_ms() - self._from_ms) * 96 // 100))

    def read(self, count):
        """Reads at most `count` of them."""
        count = min(count, self.any())
        data, self._line = self._line[:count], self._line[count:]
        self._from_ms += count * 100 // 96
        return data or None

    def _answer(self):
        words = [self.voltage_dv]
        for value in (self.current_ma, self.power_dw, self.energy_wh):
            words += [value % 65536, value // 65536]
        words += [self.frequency_dhz, self.factor_percent, 0]
        body = bytes((self._address, 4, 20))
        for value in words:
            body += bytes((value // 256, value % 256))
        body += _crc(body)
        if self.fault == "crc":
            body = body[:4] + bytes((body[4] ^ 1,)) + body[5:]
        elif self.fault == "noise":
            body = b"\x00\x04\x14" + body
        return body[:12] if self.fault == "short" else body


def _crc(data):
    """Computes the Modbus CRC: division bit by bit with the polynomial written forwards, reversed at the end."""
    rest = 0xFFFF
    for byte in data:
        for shift in range(8):
            top = (rest >> 15) ^ (byte >> shift & 1)
            rest = (rest << 1) & 0xFFFF
            if top:
                rest ^= 0x8005
    turned = sum([(rest >> at & 1) << 15 - at for at in range(16)])
    return bytes((turned % 256, turned // 256))
