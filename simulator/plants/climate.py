"""Models the weather of a year by day from a seed (`Climate`), and the same for rooms (`Weather`).

The climate is a synthetic climatology in the likeness of the Loire valley (Angers): monthly means of minimum, maximum,
share of wet days and rain of a wet day, around which a two-state chain draws wet and dry spells and each day its
departure. It is not a record of any year. Integers only. Must not use the node's own formulas: the reference
evapotranspiration here is Turc's (1961), so that the node's Penman-Monteith is judged by something else.
"""

from typing import NamedTuple

from policy import civil
from simulator.world.chance import Prng

# By month: mean minimum and maximum in 0.01 °C, wet days in permille, rain of a wet day in 0.1 mm, mean global
# radiation in W/m2, wind at 2 m in 0.1 m/s.
_MONTHS = (
    (240, 830, 400, 45, 45, 32),
    (230, 950, 350, 45, 80, 32),
    (420, 1300, 320, 43, 130, 32),
    (600, 1640, 310, 46, 185, 30),
    (940, 2000, 310, 52, 220, 27),
    (1240, 2390, 240, 52, 250, 25),
    (1410, 2620, 210, 55, 250, 25),
    (1390, 2640, 210, 52, 215, 23),
    (1130, 2260, 250, 55, 160, 24),
    (880, 1740, 340, 55, 95, 27),
    (500, 1180, 390, 48, 55, 28),
    (280, 870, 420, 48, 38, 30),
)
_TROUGH_S, _PEAK_S = 5 * 3600, 15 * 3600
_SUNRISE_S, _SUNSET_S = 6 * 3600, 21 * 3600


class Storm(NamedTuple):
    """Describes rain at an even pace: first second of the local day, duration, 0.001 mm in all."""

    begin_s: int
    for_s: int
    rain_um: int


class DayWeather(NamedTuple):
    """Holds the weather of one civil day.

    Humidity in 0.1 %, radiation as the mean of 24 hours in W/m2, wind in 0.1 m/s, ET0 in 0.001 mm.
    """

    low_ck: int
    high_ck: int
    humidity_low: int
    humidity_high: int
    wind_dms: int
    sun_w: int
    et0_um: int
    storms: tuple[Storm, ...]

    @property
    def rain_um(self) -> int:
        return sum(storm.rain_um for storm in self.storms)

    def temperature_ck(self, second: int) -> int:
        """Returns the temperature, in straight lines between the day's low at 05:00 and its high at 15:00."""
        if _TROUGH_S <= second <= _PEAK_S:
            risen = (second - _TROUGH_S) * (self.high_ck - self.low_ck) // (_PEAK_S - _TROUGH_S)
            return self.low_ck + risen
        since = (second - _PEAK_S) % 86400
        return self.high_ck - since * (self.high_ck - self.low_ck) // (86400 - _PEAK_S + _TROUGH_S)

    def humidity(self, second: int) -> int:
        """Returns the humidity, which goes against temperature and is highest at dawn."""
        span = max(1, self.high_ck - self.low_ck)
        warm = self.temperature_ck(second) - self.low_ck
        return self.humidity_high - (self.humidity_high - self.humidity_low) * warm // span

    def radiation_w(self, second: int) -> int:
        """Returns the radiation in W/m2: a parabola over the daylight, whose mean over 24 hours is `sun_w`."""
        if not _SUNRISE_S < second < _SUNSET_S:
            return 0
        length = _SUNSET_S - _SUNRISE_S
        # The mean of x (1 - x) is 1/6.
        shape = (second - _SUNRISE_S) * (_SUNSET_S - second) * 6 * 1000 // (length * length)
        return self.sun_w * 86400 // length * shape // 1000

    def rain_between_um(self, first_s: int, last_s: int) -> int:
        """Returns the rain from second `first_s` to `last_s`."""
        fallen = 0
        for storm in self.storms:
            ends_s = storm.begin_s + storm.for_s
            before = max(0, min(first_s, ends_s) - storm.begin_s)
            until = max(0, min(last_s, ends_s) - storm.begin_s)
            fallen += storm.rain_um * until // storm.for_s - storm.rain_um * before // storm.for_s
        return fallen

    def raining(self, second: int) -> bool:
        return any(storm.begin_s <= second < storm.begin_s + storm.for_s for storm in self.storms)

    def evaporated_um(self, first_s: int, last_s: int) -> int:
        """Returns the reference evapotranspiration from second `first_s` to `last_s`, in proportion to the sun."""
        return self.et0_um * _risen(last_s) // 1_000_000 - self.et0_um * _risen(first_s) // 1_000_000


class Climate:
    """Draws the days from `first_day` on; the same seed gives the same days."""

    def __init__(self, seed: int | str, first_day: int) -> None:
        self._prng = Prng(f"climate/{seed}")
        self._first_day = first_day
        self._wet = False
        self._warm_ck = 0
        self._days: list[DayWeather] = []

    def day(self, civil_day: int) -> DayWeather:
        """Returns the weather of a civil day, the first or later."""
        while len(self._days) <= civil_day - self._first_day:
            self._days.append(self._draw(self._first_day + len(self._days)))
        return self._days[civil_day - self._first_day]

    def _draw(self, civil_day: int) -> DayWeather:
        prng = self._prng
        low, high, wet_days, wet_dmm, sun, wind = _MONTHS[civil.civil_from_days(civil_day)[1] - 1]
        # A wet day is twice as likely after a wet one; the long-run share stays near `wet_days`.
        self._wet = prng.chance(min(950, wet_days * 17 // 10) if self._wet else wet_days * 7 // 10)
        self._warm_ck = self._warm_ck * 7 // 10 + prng.around(0, 220)
        swing = prng.around(0, 120)
        wet_less = 250 if self._wet else -60
        low_ck = low + self._warm_ck - swing
        high_ck = max(low_ck + 250, high + self._warm_ck + swing - wet_less)
        sun_w = max(10, sun * (prng.between(350, 750) if self._wet else prng.between(900, 1250)) // 1000)
        humidity_low = max(250, min(950, (680 if self._wet else 480) + prng.around(0, 60)))
        wind_dms = max(3, wind + prng.around(0, 10) + (60 if prng.chance(40) else 0))
        return DayWeather(
            low_ck,
            high_ck,
            humidity_low,
            min(1000, humidity_low + 350),
            wind_dms,
            sun_w,
            turc_um((low_ck + high_ck) // 2, sun_w, humidity_low + 175),
            self._storms(wet_dmm) if self._wet else (),
        )

    def _storms(self, wet_dmm: int) -> tuple[Storm, ...]:
        """Draws mostly drizzle, sometimes a thunderstorm: the sum of a day is near exponential."""
        prng = self._prng
        share = prng.between(1, 1000)
        # -ln(u) by halving: integers on every machine.
        halvings, rest = 0, share
        while rest < 500:
            rest, halvings = rest * 2, halvings + 1
        total_um = wet_dmm * 100 * (693 * halvings + 2 * (1000 - rest)) // 1000
        storms = []
        for _ in range(prng.between(1, 3)):
            for_s = prng.between(900, 4 * 3600)
            storms.append((prng.between(0, 86400 - for_s), for_s))
        return tuple(Storm(begin, for_s, total_um // len(storms)) for begin, for_s in sorted(storms))


def turc_um(mean_ck: int, sun_w: int, humidity: int) -> int:
    """Returns the ET0 of a day in 0.001 mm by Turc (1961).

    It is 0.013 T / (T + 15) (Rs + 50), Rs in cal/cm2, more in dry air.
    """
    if mean_ck <= 0:
        return 0
    calories = sun_w * 206 // 100  # W/m2 over a day: 0.0864 MJ, of 23.9 cal/cm2 each
    evaporated_um = 13 * mean_ck * (calories + 50) // (mean_ck + 1500)
    return evaporated_um * (1000 + max(0, 500 - humidity) * 10 // 7) // 1000


def _risen(second: int) -> int:
    """Returns the share of the day's sun that has shone by `second`, in millionths: the integral of the parabola."""
    x = max(0, min(second, _SUNSET_S) - _SUNRISE_S) * 1000 // (_SUNSET_S - _SUNRISE_S)
    return (3000 * x * x - 2 * x * x * x) // 1000


# Five minutes are far less than the time in which a wall or a thermometer follows.
_STEP_S = 300
# Radiation on a window in the plane of the sun that counts as 1000 permille.
_FULL_W = 1000


class Weather:
    """Gives rooms the weather of a Climate through the interface of `simulator.plants.lamps.Air`.

    One climate serves rooms and green spaces, so that a sunny day warms a classroom and dries a lawn.
    """

    def __init__(self, climate: Climate) -> None:
        self._climate = climate
        self._step = -1
        self._now_ck = self._sun_permille = 0

    def temperature_ck(self, unix_s: int) -> int:
        if unix_s // _STEP_S != self._step:
            self._turn_to(unix_s // _STEP_S)
        return self._now_ck

    def sun_permille(self, unix_s: int) -> int:
        if unix_s // _STEP_S != self._step:
            self._turn_to(unix_s // _STEP_S)
        return self._sun_permille

    def day(self, unix_s: int) -> DayWeather:
        """Returns the weather of the whole civil day."""
        return self._climate.day(civil.local_from_unix(civil.PARIS, unix_s).civil_day)

    def _turn_to(self, step: int) -> None:
        self._step = step
        local = civil.local_from_unix(civil.PARIS, step * _STEP_S)
        day = self._climate.day(local.civil_day)
        self._now_ck = day.temperature_ck(local.second)
        self._sun_permille = min(1000, day.radiation_w(local.second) * 1000 // _FULL_W)
