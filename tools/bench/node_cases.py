"""For tools.bench.node: one node of each kind as a town has it, and what its ports read: settings, and plant values
that follow the outputs as far as a trade would notice.

A kind without an entry is not measured, and the bench says so and fails.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from wire import quantity

Values = dict[int, int]


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


CASES = {
    "streetlight": Case({"site": [474736, -5516], "lamp": [360, 6]}, _lamp),
}
