"""Holds the simulated twins of the node's drivers: the same small interface, with a plant behind it and not a chip.

`kinds.<kind>.Ports` -> Ports: what a NodeHost drives and reads; LampPorts is the streetlight's, with 0-10 V and meter.
"""

from collections.abc import Callable
from typing import Any, Protocol

from lighting import dali, dali_banks, inputs
from simulator.plants.lamps import Cell, Lamp
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import quantity

# Passers-by an hour, by the local hour, of a street that sleeps at night.
_AN_HOUR = (6, 3, 2, 2, 3, 8, 30, 60, 80, 60, 60, 60, 80, 60, 60, 60, 80, 120, 140, 120, 80, 50, 30, 15)


class Ports(Protocol):
    """Declares the outside of one board. Outputs are safe from the instant of `power_on`, before any code runs."""

    def power_on(self) -> None: ...

    def power_off(self) -> None: ...

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        """Brings the equipment to what the trade wants; called every turn.

        Returns the instant, on the node's clock, of the next turn that is needed, or None.
        """

    def read(self) -> dict[int, int] | None:
        """Returns one complete reading, or None when all of it is silent."""


class SleepyPorts(Ports, Protocol):
    """Declares the ports of a board that sleeps deeply."""

    def sleep(self) -> None:
        """Turns the chip off; what latches stays."""

    def wake(self) -> None:
        """Boots the board with its counters at 0; no output moves."""

    def pulsed(self) -> bool:
        """Returns True if the counted input has given a pulse since `sleep`."""


class LampPorts:
    """Holds the ports of a streetlight: lit by an idle relay, dark without mains."""

    def __init__(self, world: World, lamp: Lamp) -> None:
        self._world = world
        self._lamp = lamp
        self._level = 0

    def power_on(self) -> None:
        self._set(100)

    def power_off(self) -> None:
        self._set(0)

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        if outputs.level_percent != self._level:
            self._set(outputs.level_percent)
        return None

    def _set(self, level_percent: int) -> None:
        self._level = level_percent
        self._drive(level_percent)

    def _drive(self, level_percent: int) -> None:
        self._lamp.set_level(level_percent, now_ms=self._world.now_ms, unix_s=self._world.unix_s)

    def read(self) -> dict[int, int] | None:
        """Returns what the meter and the board's thermometer measure; None without mains."""
        lamp, world = self._lamp, self._world
        if not lamp.feeder.powered:
            return None
        power_dw, voltage_dv, factor, wh, case_ck = lamp.measure(now_ms=world.now_ms, unix_s=world.unix_s)
        return {
            quantity.POWER: power_dw,
            quantity.VOLTAGE: voltage_dv,
            quantity.CURRENT: 100_000 * power_dw // (voltage_dv * factor),
            quantity.ENERGY: wh,
            quantity.TEMPERATURE: case_ck,
            quantity.POWER_FACTOR: factor,
        }


class StreetPorts(LampPorts):
    """Holds the ports of a streetlight with a photocell."""

    def __init__(self, world: World, lamp: Lamp, cell: Cell) -> None:
        super().__init__(world, lamp)
        self._cell = cell

    def read(self) -> dict[int, int] | None:
        values = super().read()
        lux = self._cell.lx(self._world.unix_s)
        if values is not None and lux is not None:
            values[quantity.ILLUMINANCE] = lux
        return values


class GearPorts(LampPorts):
    """Holds the ports of a lamp behind a DALI gear: no relay, no meter.

    The gear accepts a level of its curve, reports its status and its power, counts for its whole life, and has an asset
    record. Simulated at the level of `lighting.dali_gear`; the bus itself is simulated elsewhere (shims/bench_dali).
    """

    def __init__(self, world: World, lamp: Lamp, prng: Prng) -> None:
        super().__init__(world, lamp)
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
            quantity.LEVEL_REPORTED: level,
            quantity.POWER: measured[quantity.POWER],
            quantity.ENERGY: self._counted_wh + self._lamp.energy_wh(),
            quantity.TEMPERATURE: measured[quantity.TEMPERATURE],
        }
        if self._rounds == 0:
            values[inputs.ASSET] = (self._asset, dali_banks.Ratings(100_000, 6500, 100_000))
        # Bank 205 has its turn in one round of four.
        if self._rounds % 4 == 1:
            values[quantity.VOLTAGE] = measured[quantity.VOLTAGE]
            values[quantity.POWER_FACTOR] = measured[quantity.POWER_FACTOR]
        self._rounds += 1
        return values

    def _set(self, level_percent: int) -> None:
        self._level = level_percent
        level = dali.percent_of(dali.level_of(level_percent, dali.LOGARITHMIC), dali.LOGARITHMIC)
        self._drive(level)


class Walkers:
    """Simulates people who pass under a lamp: its detector triggers every two seconds while they are there.

    `is_stuck`: it never stops. `one_in`: of that many people who pass in a street, one comes this way.
    """

    def __init__(self, world: World, prng: Prng, sense: Callable[[dict[int, int]], None], *, one_in: int = 1) -> None:
        self._world = world
        self._prng = prng
        self._sense = sense
        self._one_in = one_in
        self.passed = 0
        self.meets: Callable[[], object] = lambda: None  # a person has come
        self.is_stuck = False

    def start(self) -> None:
        """Lets people pass from now on."""
        self._world.every(60_000, self._minute)

    def walk_by(self, seconds: int = 8) -> None:
        """Lets one person pass now."""
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
        self._sense({quantity.OCCUPANCY: 1})
