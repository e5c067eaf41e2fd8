"""Drives the PZEM-004T v3 energy meter, Modbus-RTU on a UART: the program asks, and collects when the answer is
complete.

PZEM-004T V3.0 user manual, Communication protocol: function 4 reads ten registers from 0: voltage 0.1 V; current (low,
high) mA; power (low, high) 0.1 W; energy (low, high) Wh; frequency 0.1 Hz; power factor 0.01; alarm. The answer has 25
bytes and takes 26 ms. The energy is the meter's own register, kept through power cuts; it begins at 0 again after
9999.99 kWh. Its address is 1 unless it was changed; the general address 0xF8 suits a line with one meter.
"""

from drivers.crc import crc16_modbus
from drivers.sensor import PENDING
from wire import quantity

GENERAL_ADDRESS = 0xF8
READ_INPUT = 0x04
REGISTERS = 10
LENGTH = 5 + 2 * REGISTERS
# The meter may take 100 ms to begin; then come the answer and the delay of the loop.
TIMEOUT_MS = 300
_BUFFER_MAX = 64


class Pzem004t:
    """Measures voltage, current, power and energy. `uart` has `any`, `read`, `write` as in `machine.UART`."""

    def __init__(self, uart, address=GENERAL_ADDRESS):
        self._uart = uart
        self._request = request(address)
        self._buffer = b""
        self._asked_ms = None
        self.faults = 0

    def waiting(self) -> bool:
        """Returns whether an answer is awaited."""
        return self._asked_ms is not None

    def begin(self, *, now_ms) -> None:
        """Asks for the registers. Bytes left over from an earlier request are discarded."""
        self._drain()
        self._buffer = b""
        self._uart.write(self._request)
        self._asked_ms = now_ms

    def collect(self, *, now_ms):
        """Returns PENDING, readings by wire key, or None when no sound answer came in time."""
        assert self._asked_ms is not None, "begin first"
        self._buffer = (self._buffer + self._drain())[-_BUFFER_MAX:]
        readings = self._find()
        if readings is None and now_ms - self._asked_ms < TIMEOUT_MS:
            return PENDING
        self._asked_ms = None
        if readings is None:
            self.faults += 1
        return readings

    def _drain(self):
        waiting = self._uart.any()
        return (self._uart.read(min(waiting, _BUFFER_MAX)) or b"") if waiting else b""

    def _find(self):
        """Returns the readings of the first sound answer in the buffer, or None; noise may precede it."""
        for start in range(len(self._buffer) - LENGTH + 1):
            frame = self._buffer[start : start + LENGTH]
            if frame[1] == READ_INPUT and frame[2] == 2 * REGISTERS and crc16_modbus(frame) == 0:
                return decode(frame)
        return None


def request(address) -> bytes:
    """Returns the request to the meter at `address`."""
    body = bytes((address, READ_INPUT, 0, 0, 0, REGISTERS))
    crc = crc16_modbus(body)
    return body + bytes((crc & 0xFF, crc >> 8))


def decode(frame) -> dict:
    """Returns the readings of an answer with a correct CRC."""
    words = [frame[at] << 8 | frame[at + 1] for at in range(3, LENGTH - 2, 2)]
    return {
        quantity.VOLTAGE: words[0],
        quantity.CURRENT: words[1] + (words[2] << 16),
        quantity.POWER: words[3] + (words[4] << 16),
        quantity.ENERGY: words[5] + (words[6] << 16),
        quantity.FREQUENCY: 10 * words[7],
        quantity.POWER_FACTOR: words[8],
    }
