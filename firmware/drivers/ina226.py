"""Drives the INA226, which measures the voltage of a direct supply and the current through its shunt, once on request.

Texas Instruments SBOS547, Register Maps: 16 bits, high byte first; 0x00 configuration (bit 14 is always 1; bits 11:9
001 for 4 averages; 8:6 and 5:3 100 for 1.1 ms each; 2:0 011 for one measurement of both), 0x01 shunt voltage (signed,
2.5 uV), 0x02 bus voltage (1.25 mV), 0x06 mask/enable (bit 3: conversion ready), 0xFE manufacturer 0x5449. The current
is computed here from the shunt: the chip's own calibration register would be a second copy of that value, lost at each
of its restarts.
"""

from drivers.sensor import Sensor
from wire import quantity

CONFIGURATION = 0x00
SHUNT = 0x01
BUS = 0x02
READY = 0x06
ONE_OF_BOTH = b"\x43\x23"
# Bits 2:0 000: power-down; after its own power-on it measures continuously, at 330 uA.
POWER_DOWN = b"\x43\x20"
READY_BIT = 0x08


class Ina226(Sensor):
    """Measures voltage, current and power. `bus` is a drivers.i2c_bus.Bus. The current's sign is that of the shunt
    voltage."""

    # 4 times 1.1 ms for each of both, and a tenth more by the data sheet's tolerance.
    conversion_ms = 10

    def __init__(self, bus, address, *, shunt_microohm):
        super().__init__()
        self._bus = bus
        self._address = address
        self._shunt_microohm = shunt_microohm
        self._buffer = bytearray(2)

    def rest(self):
        """Powers down until the next `begin`."""
        return self._bus.write_register(self._address, CONFIGURATION, POWER_DOWN)

    def _start(self):
        return self._bus.write_register(self._address, CONFIGURATION, ONE_OF_BOTH)

    def _finish(self, now_ms):
        ready = self._register(READY)
        if ready is None or not ready & READY_BIT:
            return None
        shunt, volts = self._register(SHUNT), self._register(BUS)
        if shunt is None or volts is None:
            return None
        if shunt & 0x8000:
            shunt -= 0x10000
        voltage_mv = volts * 5 // 4
        current_ma = _scaled(shunt, 2_500_000, 1000 * self._shunt_microohm)
        return {
            quantity.VOLTAGE: _scaled(voltage_mv, 1, 100),
            quantity.CURRENT: current_ma,
            quantity.POWER: _scaled(current_ma, voltage_mv, 100_000),
        }

    def _register(self, number):
        if not self._bus.read_register(self._address, number, self._buffer):
            return None
        return self._buffer[0] << 8 | self._buffer[1]


def _scaled(value, numerator, denominator):
    """Computes value · numerator / denominator, rounded half away from zero."""
    scaled = (abs(value) * numerator + denominator // 2) // denominator
    return -scaled if value < 0 else scaled
