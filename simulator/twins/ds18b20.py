"""Is the DS18B20's twin behind `onewire.OneWire`: reset, bytes out, bytes in. One sensor, or several on one wire.

Faults: `absent`; `crc` (one byte of the scratchpad is wrong); `reset` (it loses its supply while it converts, and
reports 85 °C); `short` (the wire lies at ground: presence, and zeros).
"""


class Wire:
    """Models the one wire, on which all `sensors` answer at once: zeros win on an open-drain line."""

    def __init__(self, *sensors):
        self._sensors = sensors
        self._open = False  # a ROM command has been given
        self._reading = 0

    def reset(self):
        """Returns True when a part pulls the line low."""
        self._open = False
        return any(sensor.fault != "absent" for sensor in self._sensors)

    def writebyte(self, byte):
        """Accepts Skip ROM first, then a function."""
        if not self._open:
            self._open = byte == 0xCC
            return
        self._reading = 0
        for sensor in self._sensors:
            if byte == 0x44:
                sensor.convert()
            elif byte == 0xBE:
                sensor.latch()

    def readbyte(self):
        """Returns the next byte of the scratchpad."""
        byte = 0xFF
        for sensor in self._sensors:
            if sensor.fault == "short":
                return 0
            if sensor.fault != "absent":
                byte &= sensor.latched[self._reading]
        self._reading += 1
        return byte


class Ds18b20:
    """Models one sensor in surroundings of `temperature_ck`. `bits`: 9 to 12."""

    def __init__(self, ticks_ms, temperature_ck=2000, bits=12):
        self._ticks_ms = ticks_ms
        self._bits = bits
        self._counts = 0x0550
        self._next = None
        self._ready_ms = 0
        self.temperature_ck = temperature_ck
        self.fault = ""
        self.latched = bytes(9)

    def convert(self):
        """Begins a conversion of the temperature."""
        self._next = self.temperature_ck * 16 // 100
        self._ready_ms = self._ticks_ms() + (750 >> 12 - self._bits)

    def latch(self):
        """Puts the measurement into the scratchpad."""
        if self._next is not None and self._ticks_ms() >= self._ready_ms:
            self._counts, self._next = self._next, None
        if self.fault == "reset":
            self._counts, self._next = 0x0550, None
        raw = self._counts & 0xFFFF
        raw |= (1 << 12 - self._bits) - 1  # not defined: here they are ones
        if self._bits == 12:
            raw = self._counts & 0xFFFF
        data = bytes((raw & 255, raw >> 8, 0x4B, 0x46, (self._bits - 9) * 32 + 31, 0xFF, 0x0C, 0x10))
        data += bytes((_crc(data),))
        if self.fault == "crc":
            data = bytes((data[0] ^ 1,)) + data[1:]
        self.latched = data


def _crc(data):
    """Computes Maxim's CRC by the shift register of the data sheet's figure, bit by bit as they come over the wire."""
    register = [0] * 8
    for byte in data:
        for shift in range(8):
            fed = register[7] ^ (byte >> shift & 1)
            register = register[7:] + register[:7]
            register[0] = fed
            register[4] ^= fed
            register[5] ^= fed
    return sum([bit << 7 - at for at, bit in enumerate(register)])
