"""What a cabinet feels: daylight through a photocell, and the charge of the battery that bridges a mains failure."""

from policy import sun
from simulator.world.chance import Prng

# Sun's elevation in 0.01° and the light of a clear sky in lx, linear in between: twilight as it is measured.
_SKY = (
    (-1200, 0), (-800, 1), (-600, 4), (-500, 10), (-400, 22), (-300, 50), (-200, 125), (-100, 320),
    (0, 700), (300, 2_400), (600, 5_800), (1_000, 11_000), (2_000, 26_000), (4_000, 60_000), (6_500, 100_000),
)  # fmt: skip
_STEP_S = 20
_HEADLAMP_LX = 3_000


class Photocell:
    """Looks at the sky through what is in front of it: clouds of the hour, dirt, a plant, a headlamp."""

    def __init__(self, prng: Prng, *, latitude_e4: int, longitude_e4: int) -> None:
        self._prng = prng
        self._latitude_e4, self._longitude_e4 = latitude_e4, longitude_e4
        self._step = self._hour = -1
        self._sky_lx = self._clouds_permille = 0
        self.clear_permille = 1000  # of the light passes its window: 1000 is clean, 100 dirty
        self.is_covered = False
        self.is_dazzled = False

    def lux(self, unix_s: int) -> int:
        """Now, as a sound cell behind its window sees it."""
        if self.is_covered:
            return 0
        if unix_s // _STEP_S != self._step:
            self._step = unix_s // _STEP_S
            self._sky_lx = self._sky(_STEP_S * self._step) * self._clouds(unix_s // 3600) // 1000
        return self._sky_lx * self.clear_permille // 1000 + (_HEADLAMP_LX if self.is_dazzled else 0)

    def _sky(self, unix_s: int) -> int:
        height = sun.elevation_cdeg(unix_s, self._latitude_e4, self._longitude_e4)
        below = _SKY[0]
        for above in _SKY[1:]:
            if height < above[0]:
                return below[1] + (above[1] - below[1]) * max(0, height - below[0]) // (above[0] - below[0])
            below = above
        return below[1]

    def _clouds(self, hour: int) -> int:
        if hour != self._hour:
            self._hour = hour
            self._clouds_permille = self._prng.split(hour).between(250, 1000)
        return self._clouds_permille


# A lead battery of 12 V: floating on its charger, resting full, at the end.
_FLOAT_MV, _FULL_MV, _EMPTY_MV = 13_650, 12_750, 10_800
_CHARGE_TIMES = 8


class Battery:
    """Carries the Pi and its relays for `runtime_ms`; charges eight times slower than it drains."""

    def __init__(self, runtime_ms: int) -> None:
        self._runtime_ms = self._left_ms = runtime_ms
        self._charging = True
        self._at_ms = 0

    @property
    def is_empty(self) -> bool:
        return self._left_ms == 0 and not self._charging

    def due_ms(self) -> int | None:
        """When it will be empty."""
        return None if self._charging or not self._left_ms else self._at_ms + self._left_ms

    def move(self, *, now_ms: int) -> None:
        elapsed_ms = now_ms - self._at_ms
        self._at_ms = now_ms
        if self._charging:
            self._left_ms = min(self._runtime_ms, self._left_ms + elapsed_ms // _CHARGE_TIMES)
        else:
            self._left_ms = max(0, self._left_ms - elapsed_ms)

    def mains(self, there: bool, *, now_ms: int) -> None:
        """The charger has its mains, or has lost it."""
        self.move(now_ms=now_ms)
        self._charging = there

    def voltage_mv(self) -> int:
        resting = _EMPTY_MV + (_FULL_MV - _EMPTY_MV) * self._left_ms // self._runtime_ms
        if not self._charging:
            return resting
        return _FLOAT_MV if self._left_ms == self._runtime_ms else resting + 600
