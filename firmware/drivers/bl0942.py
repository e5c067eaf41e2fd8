"""Drives the BL0942 energy meter on a UART: the program asks, and collects when the answer is complete. It never
blocks.

Protocol (Belling BL0942 data sheet 1.06, section 3.2; ESPHome and Tasmota agree): 0x58 0xAA asks for the full
packet of 23 bytes, little-endian: 0x55, I_RMS 24 bits, V_RMS 24, I_FAST_RMS 24, WATT 24 signed, CF_CNT 24, FREQ
16, 0, STATUS, 0, 0, and a checksum: the complement of the sum of 0x58 and all bytes before it. At 4800 baud it
takes 48 ms.

Calibration belongs to the board, not to the chip: counts per kV, kA, kW and MWh, generated from shunt and divider.
"""

from collections import namedtuple

from drivers.sensor import PENDING
from wire import quantity

Calibration = namedtuple("Calibration", ("per_kilovolt", "per_kiloampere", "per_kilowatt", "per_megawatthour"))
# Registers of one packet. `watt` is signed.
Packet = namedtuple("Packet", ("i_rms", "v_rms", "watt", "cf_count", "frequency"))

READ = 0x58
FULL_PACKET = 0xAA
HEADER = 0x55
LENGTH = 23
# Two packets at 4800 baud and the delay of the loop.
TIMEOUT_MS = 250
# No more than this of an answer can wait in the UART; further bytes are garbage.
_BUFFER_MAX = 64
# No lamp uses 50 kWh between two samples: the meter chip was restarted and counts from 0 again.
_STEP_MAX = 1 << 18


class Bl0942:
    """Measures voltage, current, power and energy. `uart` has `any`, `read`, `write` as in `machine.UART`. `counters`:
    good packets, damaged ones, garbage, silence."""

    def __init__(self, uart, calibration):
        self._uart = uart
        self._calibration = Calibration(*calibration)
        self._buffer = b""
        self._asked_ms = None
        self._last_count = None
        self._counted = 0
        self.counters = {"packets": 0, "checksum": 0, "garbage": 0, "silent": 0}

    def waiting(self) -> bool:
        """Returns whether an answer is awaited."""
        return self._asked_ms is not None

    def begin(self, *, now_ms) -> None:
        """Asks for a packet. Bytes left over from an earlier request are discarded."""
        self._drain()
        self._buffer = b""
        self._uart.write(bytes((READ, FULL_PACKET)))
        self._asked_ms = now_ms

    def collect(self, *, now_ms):
        """Returns PENDING, readings by wire key, or None when no sound packet came in time."""
        assert self._asked_ms is not None, "begin first"
        self._buffer += self._drain()
        packet = self._find()
        if packet is not None:
            self._asked_ms = None
            self.counters["packets"] += 1
            return self._readings(packet)
        if now_ms - self._asked_ms < TIMEOUT_MS:
            return PENDING
        self._asked_ms = None
        self.counters["silent"] += 1
        return None

    def _drain(self):
        waiting = self._uart.any()
        return (self._uart.read(min(waiting, _BUFFER_MAX)) or b"") if waiting else b""

    def _find(self):
        """Returns the first sound packet of the buffer, or None; discards bytes before a header and damaged packets."""
        while len(self._buffer) >= LENGTH:
            start = self._buffer.find(bytes((HEADER,)))
            if start != 0:
                self.counters["garbage"] += 1
                self._buffer = b"" if start < 0 else self._buffer[start:]
                continue
            if checksum(self._buffer[: LENGTH - 1]) == self._buffer[LENGTH - 1]:
                return decode(self._buffer)
            self.counters["checksum"] += 1
            self._buffer = self._buffer[1:]
        return None

    def _readings(self, packet):
        facts = self._calibration
        voltage_dv = _scaled(packet.v_rms, 10_000, facts.per_kilovolt)
        current_ma = _scaled(packet.i_rms, 1_000_000, facts.per_kiloampere)
        power_dw = _scaled(packet.watt, 10_000, facts.per_kilowatt)
        readings = {
            quantity.POWER: power_dw,
            quantity.VOLTAGE: voltage_dv,
            quantity.CURRENT: current_ma,
            quantity.ENERGY: self._energy_wh(packet.cf_count),
        }
        if packet.frequency:
            readings[quantity.FREQUENCY] = _scaled(1, 100_000_000, packet.frequency)
        if voltage_dv and current_ma:
            # 0.1 W over 0.1 V times 1 mA, in 10^-2
            factor = _scaled(power_dw, 100_000, voltage_dv * current_ma)
            readings[quantity.POWER_FACTOR] = max(-100, min(100, factor))
        return readings

    def _energy_wh(self, count):
        """Counts Wh since the first packet of this boot. The counter has 24 bits; a step above _STEP_MAX is a restart
        of the chip."""
        if self._last_count is not None:
            step = (count - self._last_count) & 0xFFFFFF
            self._counted += step if step <= _STEP_MAX else count
        self._last_count = count
        return self._counted * 1_000_000 // self._calibration.per_megawatthour


def checksum(data) -> int:
    """Computes the checksum of a packet's bytes before the last one."""
    return ~(READ + sum(data)) & 0xFF


def decode(data) -> Packet:
    """Returns the registers of a packet with a correct checksum."""
    watt = _unsigned(data, 10)
    if watt & 0x800000:
        watt -= 1 << 24
    return Packet(_unsigned(data, 1), _unsigned(data, 4), watt, _unsigned(data, 13), data[16] | data[17] << 8)


def _unsigned(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _scaled(value, numerator, denominator):
    """Computes value · numerator / denominator, rounded half away from zero."""
    scaled = (abs(value) * numerator + denominator // 2) // denominator
    return -scaled if value < 0 else scaled
