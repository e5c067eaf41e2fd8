"""Simulated twins of the node's drivers: the same small interface, a plant behind it instead of a chip.

`drivers.dimmer.Dimmer`  -> DimmerTwin: set_level
`drivers.bl0942.Meter`   -> MeterTwin: read, a map of wire keys to scaled integers
`kinds.<kind>.Ports`     -> Ports: what a NodeHost drives and reads; LampPorts is the streetlight's
"""

from typing import Any, Protocol

from simulator.plants.lamps import Lamp
from simulator.world.time import World
from wire import quantity


class DimmerTwin:
    """The 0-10 V output and its relay."""

    def __init__(self, world: World, lamp: Lamp) -> None:
        self._world = world
        self._lamp = lamp

    def set_level(self, level_percent: int) -> None:
        self._lamp.set_level(level_percent, now_ms=self._world.now_ms, unix_s=self._world.unix_s)


class MeterTwin:
    """The energy meter and the board's thermometer."""

    def __init__(self, world: World, lamp: Lamp) -> None:
        self._world = world
        self._lamp = lamp

    def read(self) -> dict[int, int] | None:
        """One complete reading, or None when the meter is silent (it never is on a powered feeder)."""
        lamp = self._lamp
        if not lamp.feeder.powered:
            return None
        lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        power_dw, voltage_dv, factor = lamp.power_dw(), lamp.voltage_dv(), lamp.power_factor_percent()
        return {
            quantity.POWER: power_dw,
            quantity.VOLTAGE: voltage_dv,
            quantity.CURRENT: 100_000 * power_dw // max(1, voltage_dv * factor),
            quantity.ENERGY: lamp.metered_wh(),
            quantity.TEMPERATURE: lamp.case_ck(),
            quantity.POWER_FACTOR: factor,
        }


class Ports(Protocol):
    """The outside of one board. Outputs are safe from the instant of `power_on`, before any code runs."""

    def power_on(self) -> None: ...

    def power_off(self) -> None: ...

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        """Bring the equipment to what the trade wants; called every turn. The instant, on the node's clock, of the next
        turn that is needed, or None."""

    def read(self) -> dict[int, int] | None:
        """One complete reading, or None when all of it is silent."""


class SleepyPorts(Ports, Protocol):
    """Those of a board that sleeps deeply."""

    def sleep(self) -> None:
        """The chip is off; what latches stays."""

    def wake(self) -> None:
        """It boots: counters begin at 0. No output moves."""

    def pulsed(self) -> bool:
        """The counted input has given a pulse since `sleep`."""


class LampPorts:
    """A streetlight's: lit by an idle relay, dark without mains."""

    def __init__(self, world: World, lamp: Lamp) -> None:
        self._dimmer = DimmerTwin(world, lamp)
        self._meter = MeterTwin(world, lamp)
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
        self._dimmer.set_level(level_percent)

    def read(self) -> dict[int, int] | None:
        return self._meter.read()
