"""Reads a voltage on a pin of ADC1 behind a divider (battery, capacitor, soil probe), in mV before the divider.

`adc` is a `machine.ADC`, whose `read_uv` uses the chip's calibration. It is set to its widest range, up to 3.1 V at the
pin of an ESP32-S3 and 2.45 V of an ESP32: its initial range ends at 0.95 V, less than half of a full cell behind its
divider. Several readings are averaged, since they contain the radio's bursts. Must not know what a voltage means.
"""

from drivers.sensor import Sensor

READINGS = 8


class Analog(Sensor):
    """Reads the voltage in mV. `upper_ohm` 0: no divider."""

    def __init__(self, adc, *, upper_ohm, lower_ohm):
        super().__init__()
        adc.atten(adc.ATTN_11DB)
        self._adc = adc
        self._ohm = upper_ohm + lower_ohm
        self._lower_ohm = lower_ohm

    def _finish(self, now_ms):
        try:
            total_uv = sum([self._adc.read_uv() for _ in range(READINGS)])
        except (OSError, ValueError):
            return None
        scale = 1000 * READINGS * self._lower_ohm
        return (total_uv * self._ohm + scale // 2) // scale
