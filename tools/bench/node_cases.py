"""Describes one typical node of each kind for `bocage bench node`: its settings, and the values that its ports read,
which follow the outputs as far as a trade would notice.

A kind that drives nothing needs no plant here: `[bench]` of its entry in hardware/nodes may give its settings, and its
readings as `name = value` or `name = [at first, added each hour]`, by names of wire.quantity or words of its own. A
kind with neither is not measured: the bench reports that and fails.
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tools import firmware_modules
from watering import inputs
from wire import quantity

# Readings by wire key, or by a word of the kind's own.
Values = dict[Any, int]


class Case(NamedTuple):
    """Holds one node. `settings`: the kind's own, plain. `plant()` makes a new plant: a function (unix_s, outputs) that
    returns one reading of the ports; `outputs` is plain data (`node_vm.Bench._outputs`), None at first."""

    settings: Mapping
    plant: Callable[[], Callable[[int, tuple | None], Values | None]]


def _swing(unix_s: int, mean: int, swing: int) -> int:
    """Returns a value on a day's curve: lowest before dawn, highest in the afternoon."""
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


def _room(unix_s: int, outputs: tuple | None) -> Values:
    """Returns the readings of a classroom on radiators, with sensors for outdoors, flow and return, and a window
    contact."""
    percent = outputs[1] if outputs else 0
    outdoor_ck = _swing(unix_s, 600, 400)
    room_ck = 1750 + outdoor_ck // 10 + 2 * percent + unix_s % 5
    return {
        quantity.TEMPERATURE: room_ck,
        quantity.HUMIDITY: 450 + unix_s % 9,
        quantity.key(quantity.TEMPERATURE, 1): outdoor_ck,
        quantity.key(quantity.TEMPERATURE, 2): 2500 + 30 * percent,
        quantity.key(quantity.TEMPERATURE, 3): 2400 + 20 * percent,
        quantity.WINDOW: int(unix_s % 86_400 // 600 == 60),
    }


# A park of eight zones, on a battery. Columns: use, plant, soil, slope %, emitter, area dm2, flow mL/min, efficiency %,
# group, metered, longest run: three lawns under rotors, a bed under sprays, a sports field, shrubs, a hedge, young
# trees.
_ZONES = (
    [0, 0, 3, 2, 1, 10_000, 20_000, 0, 0, 1, 60], [0, 0, 3, 0, 1, 12_000, 24_000, 0, 0, 1, 60],
    [0, 0, 2, 1, 1, 9000, 18_000, 0, 0, 1, 60], [1, 3, 4, 4, 0, 4000, 20_000, 0, 0, 1, 60],
    [0, 0, 3, 0, 1, 20_000, 30_000, 0, 0, 1, 60], [4, 2, 2, 2, 2, 8000, 8000, 0, 0, 1, 120],
    [4, 2, 3, 0, 2, 6000, 8000, 0, 0, 1, 120], [4, 2, 3, 0, 2, 3000, 6000, 0, 0, 1, 120],
)  # fmt: skip
_FLOWS_ML_MIN = tuple(zone[6] for zone in _ZONES)
_PULSE_UL = 20_000


class _Park:
    """Lets water flow while valves are open, and counts it."""

    def __init__(self) -> None:
        self._at_s: int | None = None
        self._ul = 0

    def read(self, unix_s: int, outputs: tuple | None) -> Values:
        opened = outputs[0] if outputs else 0
        passed_s = 0 if self._at_s is None else unix_s - self._at_s
        self._at_s = unix_s
        for zone, flow_ml_min in enumerate(_FLOWS_ML_MIN, 1):
            self._ul += passed_s * flow_ml_min * 1000 // 60 * (opened & opened >> zone & 1)
        return {
            quantity.TEMPERATURE: _swing(unix_s, 1800, 600),
            quantity.HUMIDITY: _swing(unix_s, 600, -150),
            quantity.WIND_SPEED: 12 + unix_s % 7,
            quantity.BATTERY: 3900 + unix_s % 11,
            inputs.METER_PULSES: self._ul // _PULSE_UL,
            inputs.RAIN_TIPS: unix_s // 200_000,
            inputs.RAIN_WET: 0,
            inputs.BOOST_MV: 22_000,
        }


# Two programmes by plain depth, every night at ten and at five, so that valves move in any season; one that follows the
# balance.
_WATERING = [
    1, list(_ZONES),
    [[0, 127, 0, 0, 0, 1320, 0, 0b0001_1111, 20], [0, 127, 0, 0, 0, 300, 0, 0b1110_0000, 20],
     [0, 42, 0, 0, 0, 120, 0, 0b1111_1111, 0]],
    [[2, 63, 127, 480, 1200, "Préfecture", "Arrêté cadre sécheresse"],
     [0, 63, 127, 720, 1080, "Mairie", "Règlement des parcs et jardins"]],
    [],
]  # fmt: skip
_SCHOOL = [
    1, [[31, 901, 704, 0], [127, 101, 1231, 1]], [[[480, 720], [810, 1050]], []], [1900, 1600, 1400, 800],
]  # fmt: skip

_BEGIN_S = 1_795_521_600  # as node_world begins


def _of_entry(said: Mapping) -> Case:
    """Returns the case that `[bench]` describes."""

    def read(unix_s: int, outputs: tuple | None) -> Values:
        values = {}
        for name, value in said["sample"].items():
            first, each_hour = value if isinstance(value, list) else (value, 0)
            values[getattr(quantity, name, name)] = first + each_hour * (unix_s - _BEGIN_S) // 3600
        return values

    return Case(said["settings"], lambda: read)


def _entries() -> dict[str, Mapping]:
    """Returns each kind's entry in hardware/nodes."""
    folder = firmware_modules.FIRMWARE.parent / "hardware" / "nodes"
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}


CASES = {kind: _of_entry(entry["bench"]) for kind, entry in _entries().items() if "bench" in entry} | {
    "irrigation": Case(
        {
            "site": [474736, -5516], "watering": _WATERING, "valves": [2] * 9 + [0], "supply": [5, 5, 0, 0],
            "meter": [_PULSE_UL, 60], "battery": [2600, 1353, 12_000], "weather": [40, 2, 20, []],
        },
        lambda: _Park().read,
    ),
    "streetlight": Case({"site": [474736, -5516], "lamp": [360, 6]}, lambda: _lamp),
    "thermostat": Case(
        {
            "output": "valve", "water": True, "programme": _SCHOOL,
            "fitted": ["outdoor", "flow", "window", "presence"],
        },
        lambda: _room,
    ),
}  # fmt: skip
