"""What a lamp's photocell and detector see: the light of the sky, with clouds and dirt, and who walks by; and a lamp
behind a DALI gear, which measures itself.

Light is the horizontal illuminance of a clear sky by the sun's height, between points of the usual tables (civil
twilight 3.4 lx, sunset some 400 lx, 10 klx at 6°), times what clouds and a dirty dome let through. Passers-by come at
random, many in the evening and few at night. Integers, quantised to the minute and the second, so that a seed gives
the same digits everywhere.
"""

from collections.abc import Callable
from typing import Any

from lighting import dali, dali_banks, inputs
from policy import lighting, sun
from simulator.hosts.node import NodeHost
from simulator.hosts.parts import LampPorts
from simulator.plants.lamps import Lamp
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import quantity

# (sun's elevation in 0.01 °, lx): in between, linear
_CLEAR_SKY = (
    (-1800, 0),
    (-600, 3),
    (-300, 60),
    (-83, 350),
    (0, 600),
    (600, 6000),
    (1000, 12_000),
    (3000, 47_000),
    (6000, 100_000),
    (9000, 120_000),
)
# Passers-by an hour, by the local hour of a street that sleeps.
_AN_HOUR = (6, 3, 2, 2, 3, 8, 30, 60, 80, 60, 60, 60, 80, 60, 60, 60, 80, 120, 140, 120, 80, 50, 30, 15)


def clear_sky_lx(elevation_cdeg: int) -> int:
    """Illuminance under a clear sky."""
    before = _CLEAR_SKY[0]
    for after in _CLEAR_SKY:
        if elevation_cdeg < after[0]:
            if after is before:
                return before[1]
            return before[1] + (after[1] - before[1]) * (elevation_cdeg - before[0]) // (after[0] - before[0])
        before = after
    return before[1]


class Sky:
    """Light at one site. `cloud_percent`: what clouds let through (100 clear, 10 overcast, 2 a storm)."""

    def __init__(self, site: lighting.Site) -> None:
        self._site = site
        self.cloud_percent = 100

    def lx(self, unix_s: int) -> int:
        """Horizontal illuminance of this minute."""
        minute_s = unix_s // 60 * 60
        elevation = sun.elevation_cdeg(minute_s, self._site.latitude_e4, self._site.longitude_e4)
        return clear_sky_lx(elevation) * self.cloud_percent // 100


class Cell:
    """A photocell under its dome. `passes_percent` falls with dirt; `is_dead`: it says nothing."""

    def __init__(self, sky: Sky) -> None:
        self._sky = sky
        self.passes_percent = 100
        self.is_dead = False

    def lx(self, unix_s: int) -> int | None:
        return None if self.is_dead else self._sky.lx(unix_s) * self.passes_percent // 100


class StreetPorts(LampPorts):
    """A streetlight's with its photocell."""

    def __init__(self, world: World, lamp: Lamp, cell: Cell) -> None:
        super().__init__(world, lamp)
        self._street = world
        self._cell = cell

    def read(self) -> dict[int, int] | None:
        values = super().read()
        lux = self._cell.lx(self._street.unix_s)
        if values is not None and lux is not None:
            values[quantity.ILLUMINANCE] = lux
        return values


class GearPorts(LampPorts):
    """A lamp behind a DALI gear: no relay, no meter. The gear takes a level of its curve, says what it has and what it
    draws, counts for its whole life, and has an asset record. At the level of `lighting.dali_gear`; what is on the bus
    is told apart (shims/bench_dali)."""

    def __init__(self, world: World, lamp: Lamp, prng: Prng) -> None:
        super().__init__(world, lamp)
        self._lamp = lamp
        self._counted_wh = 1000 * prng.randrange(2000)
        self._rounds = 0
        nominal_w = (lamp.data.nominal_dw + 5) // 10
        self._asset = dali_banks.Asset(
            3_760_123_456_789, prng.randrange(1 << 32), 24, 12, nominal_w, nominal_w // 10, 220, 240, 150 * nominal_w,
            80, 2700, 3, None, None,
        )  # fmt: skip

    def power_on(self) -> None:
        self._rounds = 0
        super().power_on()

    def read(self) -> dict[int, int] | None:
        measured = super().read()
        if measured is None:
            return None
        level, is_dead = self._lamp.burning_percent(), self._lamp.module_dead
        values: dict[int, Any] = {
            inputs.GEAR_STATUS: (dali.STATUS_LAMP_FAILURE if is_dead else dali.STATUS_LAMP_ON) if level else 0,
            quantity.LEVEL_MEASURED: level,
            quantity.POWER: measured[quantity.POWER],
            quantity.ENERGY: self._counted_wh + self._lamp.energy_wh(),
            quantity.TEMPERATURE: measured[quantity.TEMPERATURE],
        }
        if self._rounds == 0:
            values[inputs.ASSET] = (self._asset, dali_banks.Ratings(100_000, 6500, 100_000))
        # Bank 205 has its turn now and then.
        if self._rounds % 4 == 1:
            values[quantity.VOLTAGE] = measured[quantity.VOLTAGE]
            values[quantity.POWER_FACTOR] = measured[quantity.POWER_FACTOR]
        self._rounds += 1
        return values

    def _set(self, level_percent: int) -> None:
        self._level = level_percent
        told = dali.percent_of(dali.level_of(level_percent, dali.LOGARITHMIC), dali.LOGARITHMIC)
        self._dimmer.set_level(told)


class Walkers:
    """People who pass under a lamp: its detector triggers every two seconds while they are there. `is_stuck`: it never
    stops. `one_in`: of so many that pass in a street, one comes this way."""

    def __init__(self, world: World, prng: Prng, host: NodeHost, *, one_in: int = 1) -> None:
        self._world = world
        self._prng = prng
        self._host = host
        self._one_in = one_in
        self.passed = 0
        self.meets: Callable[[], object] = lambda: None  # somebody has come
        self.is_stuck = False

    def start(self) -> None:
        """Let them walk from now on."""
        self._world.every(60_000, self._minute)

    def walk_by(self, seconds: int = 8) -> None:
        """Somebody passes now."""
        self.passed += 1
        self.meets()
        for second in range(0, seconds, 2):
            self._world.after(1000 * second, self._trigger)

    def _minute(self) -> None:
        hour = self._world.unix_s // 3600 % 24
        if self.is_stuck:
            self.walk_by(60)
        elif self._prng.chance(min(999, 1000 * _AN_HOUR[hour] // (60 * self._one_in))):
            self.walk_by()

    def _trigger(self) -> None:
        self._host.sense({quantity.OCCUPANCY: 1})
