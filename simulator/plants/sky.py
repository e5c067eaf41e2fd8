"""The weather over a territory as rooms feel it: a Climate seen through the interface of `simulator.plants.lamps.Air`.

One climate serves rooms and green spaces, so that a sunny day warms a classroom and dries a lawn.
"""

from policy import civil
from simulator.plants.climate import Climate, DayWeather

# A step of five minutes is far below what a wall or a thermometer follows.
_STEP_S = 300
# Radiation on a window in the plane of the sun that counts as 1000 permille.
_FULL_W = 1000


class Sky:
    """`temperature_ck` outdoors and `sun_permille` on a window, at a Unix second that the climate has."""

    def __init__(self, climate: Climate) -> None:
        self._climate = climate
        self._step = -1
        self._now = (0, 0)

    def temperature_ck(self, unix_s: int) -> int:
        return self._at(unix_s)[0]

    def sun_permille(self, unix_s: int) -> int:
        return self._at(unix_s)[1]

    def day(self, unix_s: int) -> DayWeather:
        """The whole civil day."""
        return self._climate.day(civil.local_from_unix(civil.PARIS, unix_s).civil_day)

    def _at(self, unix_s: int) -> tuple[int, int]:
        step = unix_s // _STEP_S
        if step != self._step:
            self._step = step
            local = civil.local_from_unix(civil.PARIS, step * _STEP_S)
            day = self._climate.day(local.civil_day)
            radiation_w = day.radiation_w(local.second)
            self._now = (day.temperature_ck(local.second), min(1000, radiation_w * 1000 // _FULL_W))
        return self._now
