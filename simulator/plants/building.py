"""Models a heated room: air and mass, people, a window, the sun through it, what heats it, and its node's ports.

Two capacities and two resistances (2R2C, as in ISO 13790's simple hourly method without its solar details): the air,
with everything that follows it within minutes, and the mass of walls and floor. Heat goes from the heater to the air (a
part to the mass by radiation), from air to mass, from air to outdoors (windows, ventilation, an opened window), from
mass to outdoors. Temperatures are integers in 0.0001 K, quantised at every step; a step is at most STEP_MAX_S, which
all time constants exceed by far, so that the explicit step is stable and the digits are the same everywhere.

Heaters: electric (the relay's heat, with a radiator's minute of lag), a valve (water in proportion, a quarter of an
hour of lag), a boiler (its flow set-point is a lease of a minute, as behind an OpenTherm Gateway; flow follows by its
power, the radiators give by flow - room). Faults: dead, stuck on.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from heating import boiler as boiler_keys
from heating.model import OPENTHERM, RELAY, VALVE, HeatingModel
from simulator.plants.lamps import Air
from simulator.world.chance import Prng
from wire import quantity

STEP_MAX_S = 60
_MK = 100  # 0.0001 K in 0.01 K
# The heat of a person at rest or at a desk, W (ISO 7730, 1.2 met).
_PERSON_W = 75
# An opened window: W/K of a classroom's.
WINDOW_W_K = 150
_SUN_W_MAX = 600


class RoomData(NamedTuple):
    """Holds the data of a room.

    `air_kj_k`, `mass_mj_k`: capacities. `to_mass_w_k`, `air_out_w_k`, `mass_out_w_k`: conductances. `heater_w`: rated.
    `lag_s`: of the heater. `sun_permille`: the share of the sun's 600 W that comes in. `to_air_permille`: the share of
    the heater's power that goes to the air, the rest being radiation. `sensor_lag_s`: of the thermometer's case.
    """

    air_kj_k: int
    mass_mj_k: int
    to_mass_w_k: int
    air_out_w_k: int
    mass_out_w_k: int
    heater_w: int
    lag_s: int
    sun_permille: int
    to_air_permille: int = 700
    sensor_lag_s: int = 60


# 60 m², 180 m³, insulated in the nineties: 170 W/K and 5 kW of convectors (29 K). Air and mass are coupled by 3.45
# W/m²K over 4.5 m² of surface for each m² of floor (ISO 13790, 7.2.2.2).
CLASSROOM = RoomData(900, 15, 930, 120, 50, 5000, 120, 700)
# A meeting room in stone, 45 m²: heavy, radiators.
TOWN_HALL = RoomData(700, 28, 700, 80, 90, 5000, 900, 300)
# A caretaker's office, 20 m².
OFFICE = RoomData(300, 5, 310, 40, 20, 1800, 120, 400)


class Emitter(NamedTuple):
    """Holds what a kind of heating does: its output, its lag, the share of its power that goes to the air."""

    output: str
    is_water: bool
    lag_s: int
    to_air_permille: int


# An electric convector is warm in two minutes; a water radiator holds some 10 l of water and 30 kg of steel, and gives
# three tenths of its power by radiation (EN 442); an air heater has no mass of its own.
CONVECTOR = Emitter(RELAY, False, 120, 950)
RADIATOR = Emitter(VALVE, True, 900, 700)
PUMPED_RADIATOR = Emitter(RELAY, True, 900, 700)
BOILER_RADIATOR = Emitter(OPENTHERM, True, 900, 700)
AIR_HEATER = Emitter(RELAY, False, 30, 1000)


class RangedRoom(NamedTuple):
    """Holds one room of the range in which rooms and thermometers lie: 35 m2 and 2.6 kW, no sun."""

    emitter: Emitter
    data: RoomData


# Walls by ISO 13790, table 12: kJ/K for each m2 of floor; and W/K to the air for each m2 of floor, 15.5 at bare walls
# (as in CLASSROOM), less where they are lined.
LIGHT, MEDIUM, HEAVY, VERY_HEAVY = (110, 9), (165, 12), (260, 15), (370, 15)


def _ranged(emitter: Emitter, air_kj: int, walls: tuple[int, int], sensor_lag_s: int) -> RangedRoom:
    """Returns a room by the capacity of its air and furniture, in kJ/K for each m2 of floor, and its walls."""
    area_m2 = 35
    # 87 W/K of losses make 30 K at full power.
    data = RoomData(
        air_kj_k=area_m2 * air_kj,
        mass_mj_k=(area_m2 * walls[0] + 500) // 1000,
        to_mass_w_k=area_m2 * walls[1],
        air_out_w_k=60,
        mass_out_w_k=27,
        heater_w=2600,
        lag_s=emitter.lag_s,
        sun_permille=0,
        to_air_permille=emitter.to_air_permille,
        sensor_lag_s=sensor_lag_s,
    )
    return RangedRoom(emitter, data)


# Air and furniture from 10 (EN ISO 52016-1) to 60 kJ/K for each m2 of floor, thermometers from bare ones to those in a
# thick case or on a cold wall.
ROOM_RANGE = {
    "convector 10 light 0": _ranged(CONVECTOR, 10, LIGHT, 0),
    "convector 10 light 240": _ranged(CONVECTOR, 10, LIGHT, 240),
    "convector 10 light 480": _ranged(CONVECTOR, 10, LIGHT, 480),
    "convector 20 medium 240": _ranged(CONVECTOR, 20, MEDIUM, 240),
    "convector 40 heavy 480": _ranged(CONVECTOR, 40, HEAVY, 480),
    "convector 60 very heavy 60": _ranged(CONVECTOR, 60, VERY_HEAVY, 60),
    "valve 10 light 0": _ranged(RADIATOR, 10, LIGHT, 0),
    "valve 10 light 240": _ranged(RADIATOR, 10, LIGHT, 240),
    "valve 20 medium 480": _ranged(RADIATOR, 20, MEDIUM, 480),
    "valve 60 very heavy 240": _ranged(RADIATOR, 60, VERY_HEAVY, 240),
    "pump 20 medium 240": _ranged(PUMPED_RADIATOR, 20, MEDIUM, 240),
    "pump 40 heavy 480": _ranged(PUMPED_RADIATOR, 40, HEAVY, 480),
    "boiler 20 medium 240": _ranged(BOILER_RADIATOR, 20, MEDIUM, 240),
    "air heater 10 light 0": _ranged(AIR_HEATER, 10, LIGHT, 0),
    "air heater 10 light 480": _ranged(AIR_HEATER, 10, LIGHT, 480),
    "air heater 60 heavy 240": _ranged(AIR_HEATER, 60, HEAVY, 240),
}


class Room:
    """Models one heated room. `air_ck`: 0.01 °C, now.

    `settle` carries it forward; change its inputs only after that.
    """

    def __init__(self, data: RoomData, air: Air, *, start_ck: int) -> None:
        self.data = data
        self._air = air
        self._air_m = start_ck * _MK
        self._mass_m = (start_ck - 100) * _MK
        self._given_w = 0
        self._at_s: int | None = None
        self.demand_permille = 0
        self.people = 0
        self.window_open = False
        self.heater_dead = False
        self.heater_stuck = False
        self.energy_ws = 0

    @property
    def air_ck(self) -> int:
        return self._air_m // _MK

    @property
    def outdoor_ck(self) -> int:
        """Returns the outdoor temperature at the last step, 0.01 °C."""
        return self._air.temperature_ck(self._at_s) if self._at_s is not None else 0

    @property
    def drawn_w(self) -> int:
        """Returns the power that the heater draws now."""
        if self.heater_dead:
            return 0
        return self.data.heater_w * (1000 if self.heater_stuck else self.demand_permille) // 1000

    def energy_wh(self) -> int:
        return self.energy_ws // 3600

    def settle(self, unix_s: int) -> None:
        """Carries everything forward to this instant."""
        if self._at_s is None:
            self._at_s = unix_s
        while self._at_s < unix_s:
            step_s = min(STEP_MAX_S, unix_s - self._at_s)
            self._step(step_s)
            self._at_s += step_s

    def _step(self, step_s: int) -> None:
        data = self.data
        assert self._at_s is not None
        drawn_w = self.drawn_w
        self.energy_ws += drawn_w * step_s
        lag_s = max(data.lag_s, step_s)
        self._given_w += (drawn_w - self._given_w) * step_s // lag_s
        out_m = self._air.temperature_ck(self._at_s) * _MK
        sun_w = self._air.sun_permille(self._at_s) * _SUN_W_MAX * data.sun_permille // 1_000_000
        air_out_w_k = data.air_out_w_k + (WINDOW_W_K if self.window_open else 0)
        # W times 10^4 s: divided by J/K this is 0.0001 K.
        to_mass = data.to_mass_w_k * (self._air_m - self._mass_m)
        air_w = 10_000 * (self._given_w * data.to_air_permille // 1000 + self.people * _PERSON_W)
        mass_w = 10_000 * (self._given_w * (1000 - data.to_air_permille) // 1000 + sun_w)
        air_gain = air_w - to_mass - air_out_w_k * (self._air_m - out_m)
        mass_gain = mass_w + to_mass - data.mass_out_w_k * (self._mass_m - out_m)
        # To the nearest integer: rounding down would lose a tenth of a kelvin in six hours of short steps.
        air_j_k, mass_j_k = 1000 * data.air_kj_k, 1_000_000 * data.mass_mj_k
        self._air_m += (air_gain * step_s + air_j_k // 2) // air_j_k
        self._mass_m += (mass_gain * step_s + mass_j_k // 2) // mass_j_k


class Thermometer:
    """Models the room's sensor: a lag of its case, noise, a resolution (`noise_ck`, `step_ck`).

    It fails as `absent`, `stuck` or with a fixed `reads_ck`.
    """

    def __init__(self, room: Room, prng: Prng) -> None:
        self._room = room
        self._prng = prng
        self.noise_ck, self.step_ck = 2, 1
        self._lag_s = room.data.sensor_lag_s
        self._case_m = room.air_ck * _MK
        self._at_s: int | None = None
        self._last: int | None = None
        self.absent = False
        self.stuck = False
        self.reads_ck: int | None = None

    def read(self, unix_s: int) -> int | None:
        """Returns 0.01 °C, or None for no answer."""
        if self.absent:
            return None
        if self.reads_ck is not None:
            return self.reads_ck
        if self.stuck and self._last is not None:
            return self._last
        elapsed_s = 0 if self._at_s is None else unix_s - self._at_s
        first = self._at_s is None
        self._at_s = unix_s
        air_m = self._room.air_ck * _MK
        share_s = min(elapsed_s, 3 * self._lag_s)
        if first or self._lag_s == 0:
            self._case_m = air_m
        else:
            self._case_m += (air_m - self._case_m) * share_s // (share_s + self._lag_s)
        self._last = self._prng.around(self._case_m // _MK, self.noise_ck) // self.step_ck * self.step_ck
        return self._last


class Boiler:
    """Models flow temperature by the boiler's power, and radiators by flow - room.

    Its flow set-point is a lease: `lease_s` after the last command it stops heating.
    """

    lease_s = 68

    def __init__(self, room: Room, *, flow_max_ck: int = 8000) -> None:
        self._room = room
        self._flow_max_ck = flow_max_ck
        self._wanted_ck = 0
        self._enabled = False
        self._renewed_s: int | None = None
        self.flow_ck = 2000
        self.is_silent = False
        self._at_s: int | None = None

    def demand(self, enabled: bool, flow_ck: int, *, unix_s: int) -> None:
        """Accepts the master's set-point from now on."""
        self._enabled, self._wanted_ck, self._renewed_s = enabled, min(flow_ck, self._flow_max_ck), unix_s

    def settle(self, unix_s: int) -> None:
        """Carries the flow forward first, then the room that it heats."""
        if self._at_s is None:
            self._at_s = unix_s
        while self._at_s < unix_s:
            step_s = min(STEP_MAX_S, unix_s - self._at_s)
            held = self._renewed_s is not None and self._at_s - self._renewed_s <= self.lease_s
            aimed_ck = self._wanted_ck if held and self._enabled and not self.is_silent else self._room.air_ck
            # The water follows within some five minutes.
            self.flow_ck += (aimed_ck - self.flow_ck) * step_s // 300
            # Rated at 50 K above the room; radiators give a little more than in proportion, here in proportion.
            over_ck = max(0, self.flow_ck - self._room.air_ck)
            self._room.demand_permille = min(1000, over_ck * 1000 // 5000)
            self._at_s += step_s
            self._room.settle(self._at_s)

    @property
    def is_burning(self) -> bool:
        return self._room.demand_permille > 20 and self._enabled


class HeatedRoom:
    """Holds the ports of one room. `unix_s()` is the world's true time. Call `settle` before the plant is read."""

    def __init__(
        self, room: Room, model: HeatingModel, prng: Prng, unix_s: Callable[[], int], *, contact: bool
    ) -> None:
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
        """Starts without heat, until the node's code demands it."""
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
        """Returns one complete reading, or None when all of it is silent."""
        values: dict[int, int] = {}
        room_ck = self.thermometer.read(self.settle())
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

    def settle(self) -> int:
        """Carries the plant forward to now; returns that, in Unix seconds."""
        unix_s = self._unix_s()
        if self.boiler is None:
            self.room.settle(unix_s)
            return unix_s
        if self._has_mains:
            self.boiler.demand(self._is_on, self._flow_ck, unix_s=unix_s)
        self.boiler.settle(unix_s)
        return unix_s

    def _drive(self, on: bool, valve_percent: int, flow_ck: int) -> None:
        self._is_on, self._flow_ck = on, flow_ck
        if self._model.output == VALVE:
            self.room.demand_permille = 10 * valve_percent
        elif self.boiler is None:
            self.room.demand_permille = 1000 if on else 0
