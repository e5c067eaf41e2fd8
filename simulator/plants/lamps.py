"""Models the physical world of a street: mains, lamps, air. It is simple, but the quantities are consistent.

A lamp is an LED luminaire with a driver: power falls linearly with the level down to a standby, the power factor falls
with the load, light falls with age (0.3 % per 1000 h), the case warms above the air in proportion to the power with a
time constant, energy is power over time. Everything is integers, quantised at each step, so that a seed gives the same
digits everywhere. Faults: the LED module dies (its driver idles while it has mains), the relay sticks closed (the lamp
burns though darkness is ordered).
"""

from collections.abc import Callable
from typing import NamedTuple

from policy import lighting, sun
from simulator.world.chance import Prng

_CASE_TIME_CONSTANT_MS = 1_800_000
# A luminaire's case is about 0.25 K above the air per watt burnt.
_CASE_CK_PER_W = 25
# How many values the noise of the mains and of the case's thermometer takes, around 0.
_NOISE_DV, _NOISE_CK = 15, 13

# A driver whose module is dead draws this itself, as long as its relay feeds it.
_DRIVER_IDLES_DW = 10

# (sun's elevation in 0.01 °, lx): linear in between.
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


class LampData(NamedTuple):
    """Holds the data of a luminaire: its nominal values, and its true ones. dW is 0.1 W."""

    nominal_dw: int
    standby_dw: int
    true_dw: int
    age_h: int


class Air:
    """Models the temperature of a district: a daily wave around a mean, lowest two hours after the coldest sun."""

    def __init__(self, *, latitude_e4: int, longitude_e4: int, mean_ck: int, swing_ck: int) -> None:
        self._latitude_e4 = latitude_e4
        self._longitude_e4 = longitude_e4
        self._mean_ck = mean_ck
        self._swing_ck = swing_ck
        self._minute = -1
        self._now_ck = 0
        self._sun_minute = -1
        self._sun_permille = 0

    def temperature_ck(self, unix_s: int) -> int:
        """Returns the temperature in 0.01 °C; it follows the sun's height two hours late, in steps of a minute."""
        minute = unix_s // 60
        if minute != self._minute:
            self._minute = minute
            self._now_ck = self._at(60 * minute)
        return self._now_ck

    def sun_permille(self, unix_s: int) -> int:
        """Returns the height of the sun, in thousandths of overhead; 0 at night."""
        minute = unix_s // 60
        if minute != self._sun_minute:
            self._sun_minute = minute
            height = sun.elevation_cdeg(60 * minute, self._latitude_e4, self._longitude_e4)
            self._sun_permille = max(0, height) // 9
        return self._sun_permille

    def _at(self, unix_s: int) -> int:
        height = sun.elevation_cdeg(unix_s - 7200, self._latitude_e4, self._longitude_e4)
        return self._mean_ck + self._swing_ck * max(-4000, min(4000, height)) // 4000


class LampFeeder:
    """Models a cable with lamps. `switched`: a contactor cuts all its lamps by day; `permanent`: never.

    `on_change` is called when the level of one of its lamps changes. `changes` counts all that may change its light:
    levels, mains, faults.
    """

    def __init__(self, prng: Prng, *, switched: bool) -> None:
        self._prng = prng
        self.switched = switched
        self.powered = not switched
        self.on_change: Callable[[], None] = lambda: None
        self.changes = 0
        self.base_dv = prng.around(2320, 15)  # of the mains here, before noise

    def feed(self, powered: bool) -> None:
        """Gives mains to the lamps, or takes them."""
        self.powered = powered
        self.changes += 1

    def grid_dv(self) -> int:
        """Returns the voltage of the mains here, before the contactor, in 0.1 V, with noise."""
        return self.base_dv + self._prng.randrange(_NOISE_DV) - _NOISE_DV // 2


class Lamp:
    """Models one luminaire and its meter.

    `level_percent` is what the output orders; `light_percent` what the street gets.
    """

    def __init__(self, data: LampData, feeder: LampFeeder, air: Air, prng: Prng) -> None:
        self.data = data
        # Of the data, what each sample and each look of a checker asks for: a field of this costs a third of theirs.
        self.true_dw = data.true_dw
        self._standby_dw = data.standby_dw
        self.feeder = feeder
        self._air = air
        self._prng = prng
        self.level_percent = 0
        self.module_dead = False
        self.relay_stuck = False
        self._case_ck = 0
        self._case_known = False
        self._at_ms = 0
        self._energy_dwms = 0
        self._metered_from_dwms = 0
        self._light_ppm = 1_000_000 - 3 * data.age_h  # of a new lamp's

    def burning_percent(self) -> int:
        """Returns the level that reaches the module."""
        if not self.feeder.powered:
            return 0
        return 100 if self.relay_stuck and not self.level_percent else self.level_percent

    def light_percent(self) -> int:
        """Returns the light on the street, in % of a new lamp at full power."""
        if self.module_dead or not self.feeder.powered:
            return 0
        level = self.burning_percent() if self.relay_stuck else self.level_percent
        return level * self._light_ppm // 1_000_000

    def power_dw(self) -> int:
        """Returns the active power drawn now, 0.1 W."""
        if not self.feeder.powered:
            return 0
        standby_dw = self._standby_dw
        level = self.burning_percent() if self.relay_stuck else self.level_percent
        if self.module_dead:
            return standby_dw + (_DRIVER_IDLES_DW if level else 0)
        return standby_dw + (self.true_dw - standby_dw) * level // 100

    def set_level(self, level_percent: int, *, now_ms: int, unix_s: int) -> None:
        self.settle(now_ms=now_ms, unix_s=unix_s)
        self.level_percent = level_percent
        self.feeder.changes += 1
        self.feeder.on_change()

    def damage(self, what: str, *, is_damaged: bool = True) -> None:
        """Damages the lamp (`module_dead` or `relay_stuck`), or repairs that."""
        setattr(self, what, is_damaged)
        self.feeder.changes += 1

    def settle(self, *, now_ms: int, unix_s: int) -> int:
        """Carries energy and temperature forward to now; call before anything changes. Returns the power drawn."""
        elapsed_ms = now_ms - self._at_ms
        self._at_ms = now_ms
        power_dw = self.power_dw()
        self._energy_dwms += power_dw * elapsed_ms
        target_ck = self._air.temperature_ck(unix_s) + _CASE_CK_PER_W * power_dw // 10
        if not self._case_known:
            self._case_known = True
            self._case_ck = target_ck
            return power_dw
        # One step of a first-order lag: exact enough for steps well below the time constant.
        if elapsed_ms < _CASE_TIME_CONSTANT_MS:
            self._case_ck += (target_ck - self._case_ck) * elapsed_ms // _CASE_TIME_CONSTANT_MS
        else:
            self._case_ck = target_ck
        return power_dw

    def energy_wh(self) -> int:
        """Returns the energy since the start of the run."""
        return self._energy_dwms // 36_000_000

    def meter_reset(self) -> None:
        """Restarts the meter's register from zero: the chip has lost its mains."""
        self._metered_from_dwms = self._energy_dwms

    def measure(self, *, now_ms: int, unix_s: int) -> tuple[int, int, int, int, int]:
        """Carries all forward to now and returns what meter and thermometer show of a lamp with mains: power in 0.1 W,
        voltage in 0.1 V, power factor in % (0.95 at full load, falling to 0.5 at standby), Wh, the case in 0.01 °C."""
        power_dw, true_dw = self.settle(now_ms=now_ms, unix_s=unix_s), self.true_dw
        factor = 95 if power_dw >= true_dw else 50 + 45 * (100 * power_dw // true_dw) // 100
        metered_wh = (self._energy_dwms - self._metered_from_dwms) // 36_000_000
        noise = self._prng.randrange(_NOISE_DV * _NOISE_CK)  # one number for both: its quotient and its remainder
        voltage_dv = self.feeder.base_dv + noise // _NOISE_CK - _NOISE_DV // 2
        return power_dw, voltage_dv, factor, metered_wh, self._case_ck + noise % _NOISE_CK - _NOISE_CK // 2


def clear_sky_lx(elevation_cdeg: int) -> int:
    """Returns the illuminance under a clear sky."""
    before = _CLEAR_SKY[0]
    for after in _CLEAR_SKY:
        if elevation_cdeg < after[0]:
            if after is before:
                return before[1]
            return before[1] + (after[1] - before[1]) * (elevation_cdeg - before[0]) // (after[0] - before[0])
        before = after
    return before[1]


class Daylight:
    """Models the light at one site. `cloud_percent`: what clouds let through (100 clear, 10 overcast, 2 a storm)."""

    def __init__(self, site: lighting.Site) -> None:
        self._site = site
        self.cloud_percent = 100

    def lx(self, unix_s: int) -> int:
        """Returns the horizontal illuminance of this minute."""
        minute_s = unix_s // 60 * 60
        elevation = sun.elevation_cdeg(minute_s, self._site.latitude_e4, self._site.longitude_e4)
        return clear_sky_lx(elevation) * self.cloud_percent // 100


class Cell:
    """Models a photocell under its dome. `passes_percent` falls with dirt; `is_dead`: it gives no reading."""

    def __init__(self, sky: Daylight) -> None:
        self._sky = sky
        self.passes_percent = 100
        self.is_dead = False

    def lx(self, unix_s: int) -> int | None:
        return None if self.is_dead else self._sky.lx(unix_s) * self.passes_percent // 100
