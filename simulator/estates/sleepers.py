"""Green spaces whose node lives on a battery under a small panel: the ports of a board that sleeps deeply.

The capacitor behind the latching valves charges while the node wants it to and empties by itself; counters begin anew
with each waking, as the chip's do. While the chip sleeps, its valves are watched by the same checker as ever, and by
one more: none may be open.
"""

from typing import Any

from simulator.checkers.water import Forbidden
from simulator.estates.greens import GreenSpace
from simulator.plants.battery import PULSE_UAH, Battery
from simulator.plants.green_space import GreenPorts
from simulator.world.time import World
from watering import inputs

_CHARGE_MS = 1000
_EMPTIES_MV_PER_S = 5
_SUN_MS = 600_000


class BatterySpace(GreenSpace):
    """`simulator.hosts.parts.SleepyPorts`. `boost_mv`: of a charged capacitor."""

    def __init__(
        self, world: World, ports: GreenPorts, law: list[Forbidden], battery: Battery, *, boost_mv: int
    ) -> None:
        super().__init__(world, ports, law)
        self.battery = battery
        self.open_asleep = 0
        self._green = ports
        self._full_mv = boost_mv
        self._boost_mv = 0
        self._boost_ms = 0
        self._charging_ms: int | None = None
        self._base = 0
        self._tips = 0
        self._is_asleep = False
        self._given = 0
        self._sun_s = world.unix_s
        world.every(_SUN_MS, self._shine)

    # --- as simulator.hosts.parts.SleepyPorts -------------------------------------------------------------------------

    def power_on(self) -> None:
        super().power_on()
        self._begin_counting()
        self._is_asleep = False

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        wants = outputs.prepares or outputs.any_open() or not outputs.ready()
        if not wants:
            self._boost_mv, self._boost_ms, self._charging_ms = self._boost(), self._world.now_ms, None
        elif self._charging_ms is None:
            self._charging_ms = self._world.now_ms
        was_pulsing = self._green.pulsing()
        again_ms = super().apply(outputs, now_ms=now_ms)
        if was_pulsing and not self._green.pulsing():
            self.battery.draw(1000 * 3600 * PULSE_UAH // 1000, 1000)
        return again_ms

    def read(self) -> dict[int, int] | None:
        self._green.battery_mv = self.battery.millivolts()
        self._green.boost_mv = self._boost()
        values = super().read()
        if values is not None:
            values[inputs.METER_PULSES] -= self._base
            values[inputs.RAIN_TIPS] -= self._tips
        return values

    def sleep(self) -> None:
        self._settle()
        self._green.safe()
        self._is_asleep = True
        self._given = self.site.pipes.pulses()
        self._look_asleep()

    def wake(self) -> None:
        self._settle()
        self._look_asleep()
        self._begin_counting()
        self._is_asleep = False

    def pulsed(self) -> bool:
        self._settle()
        self._look_asleep()
        return self.site.pipes.pulses() > self._given

    # --- inside -------------------------------------------------------------------------------------------------

    def _look_asleep(self) -> None:
        if self._is_asleep and any(self.site.pipes.open):
            self.open_asleep += 1

    def _begin_counting(self) -> None:
        self._settle()
        values = self._green.read()
        self._base, self._tips = values[inputs.METER_PULSES], values[inputs.RAIN_TIPS]
        self._charging_ms = None

    def _boost(self) -> int:
        if self._charging_ms is not None and self._world.now_ms - self._charging_ms >= _CHARGE_MS:
            return self._full_mv
        return max(0, self._boost_mv - _EMPTIES_MV_PER_S * (self._world.now_ms - self._boost_ms) // 1000)

    def _shine(self) -> None:
        self._settle()
        day, second = self.site.weather()
        self.battery.shine(day.radiation_w(second), self._world.unix_s - self._sun_s)
        self._sun_s = self._world.unix_s
