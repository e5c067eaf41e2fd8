"""A heated room as a board sees it: the twin of `kinds.thermostat.Ports`, sensors and heater around the plant.

Relay: on or off is the heater's demand. Valve: in proportion. Boiler: the flow set-point, said anew by the ports every
quarter of a minute as `heating.boiler` does; without mains nobody says it.
"""

from collections.abc import Callable
from typing import Any

from heating import boiler as boiler_keys
from heating.model import OPENTHERM, VALVE, Model
from simulator.plants.building import Boiler, Room, Thermometer
from simulator.world.chance import Prng
from wire import quantity


class HeatedRoom:
    """Ports of one room. `unix_s()` is the world's true time. Call `settle` before the plant is looked at."""

    def __init__(self, room: Room, model: Model, prng: Prng, unix_s: Callable[[], int], *, contact: bool) -> None:
        self.room = room
        self._model = model
        self._unix_s = unix_s
        self._has_contact = contact
        self.thermometer = Thermometer(room, prng.split("room"))
        self.outdoor_absent = self.meter_silent = False
        self.boiler = Boiler(room, flow_max_ck=model.flow_max_ck) if model.output == OPENTHERM else None
        self._is_on = False
        self._flow_ck = 0
        self._has_mains = False
        self._applied: tuple[bool, int, int] | None = None

    def power_on(self) -> None:
        """No heat until the code says so."""
        self._has_mains = True
        self._applied = None
        self.settle()
        self._drive(False, 0, 0)

    def power_off(self) -> None:
        self.settle()
        self._has_mains = False
        self._drive(False, 0, 0)

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        wanted = (outputs.on, outputs.valve_percent, outputs.flow_ck)
        if wanted != self._applied:
            self._applied = wanted
            self.settle()
            self._drive(*wanted)
        return None

    def read(self) -> dict[int, int] | None:
        """One complete reading, or None when all of it is silent."""
        self.settle()
        values: dict[int, int] = {}
        room_ck = self.thermometer.read(self._unix_s())
        if room_ck is not None:
            values[quantity.TEMPERATURE] = room_ck
        if not self.outdoor_absent:
            values[boiler_keys.OUTDOOR_KEY] = self.room.outdoor_ck
        if self._model.has_meter and not self.meter_silent:
            values[quantity.POWER] = 10 * self.room.drawn_w
            values[quantity.ENERGY] = self.room.energy_wh()
        if self._has_contact:
            values[quantity.WINDOW] = int(self.room.window_open)
        if self.boiler is not None and not self.boiler.is_silent:
            burning = self.boiler.is_burning
            values[boiler_keys.STATUS_KEY] = (2 if self._is_on else 0) | (8 if burning else 0)
            values[boiler_keys.FLOW_KEY] = self.boiler.flow_ck
            values[quantity.MODULATION] = self.room.demand_permille // 10
        return values or None

    def settle(self) -> None:
        """Carry the plant forward to now."""
        unix_s = self._unix_s()
        if self.boiler is None:
            self.room.settle(unix_s)
            return
        if self._has_mains:
            self.boiler.say(self._is_on, self._flow_ck, unix_s=unix_s)
        self.boiler.settle(unix_s)

    def _drive(self, on: bool, valve_percent: int, flow_ck: int) -> None:
        self._is_on, self._flow_ck = on, flow_ck
        if self._model.output == VALVE:
            self.room.demand_permille = 10 * valve_percent
        elif self.boiler is None:
            self.room.demand_permille = 1000 if on else 0
