"""For tools.bench.node: one node of each kind as a town has it, and what its ports read: settings, and plant values
that follow the outputs as far as a trade would notice.

A kind without an entry is not measured, and the bench says so and fails.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wire import quantity

# By wire key, or by a word of the kind's own.
Values = dict[Any, int]


class Case(NamedTuple):
    """`settings`: the kind's own, plain. `read(unix_s, outputs)`: one reading of the ports; `outputs` as a tuple."""

    settings: Mapping
    read: Callable[[int, tuple | None], Values | None]


def _swing(unix_s: int, mean: int, swing: int) -> int:
    """A day's curve: lowest before dawn, highest in the afternoon."""
    return mean - int(swing * math.cos((unix_s % 86_400 - 14_400) / 86_400 * 2 * math.pi))


def _lamp(unix_s: int, outputs: tuple | None) -> Values:
    level = outputs[0] if outputs else 100
    power_dw = 6 + 354 * level // 100
    return {
        quantity.POWER: power_dw,
        quantity.VOLTAGE: 2304 + unix_s % 7,
        quantity.CURRENT: power_dw * 1000 // 2304,
        quantity.ENERGY: 12_345 + unix_s // 200 % 10_000_000,
        quantity.POWER_FACTOR: 95 if level else 40,
        quantity.FREQUENCY: 5000 + unix_s % 5,
        quantity.TEMPERATURE: _swing(unix_s, 1200, 500),
    }


def _meter(unix_s: int, outputs: tuple | None) -> Values:
    """A block of flats: little at night, a pulse of 10 L every minute or so by day."""
    seconds = unix_s - 1_795_521_600
    return {"pulses": seconds // 90, quantity.SENSOR_FAULTS: 0, quantity.BATTERY: 3600 - seconds // 100_000}


CASES = {
    "streetlight": Case({"site": [474736, -5516], "lamp": [360, 6]}, _lamp),
    "water_meter": Case({"meter": [10_000, 60_000], "dial_l": 1_234_567}, _meter),
}
