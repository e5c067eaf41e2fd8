"""A French winter that never was, the same for everybody: 1 November to 31 March, of a town on the lower Loire.

Monthly means as of Angers-Beaucouzé (normals 1991-2020, rounded: November 9.1 °C, December 6.3, January 5.8, February
6.3, March 9.1; November's is from the press, the others are from memory), interpolated by day. Around them an anomaly
from day to day (first-order, 0.8 of yesterday's, standard deviation about 3.5 K), so that there are cold spells below
-5 °C and soft weeks; a daily wave whose height goes with the clearness of the day; sun by the sun's true height and
that clearness. Chance comes from a fixed seed of its own, one whose mean (7.2 °C) is near that of the normals;
integers.
"""

from itertools import pairwise

from policy import civil, sun
from simulator.world.chance import Prng

LATITUDE_E4, LONGITUDE_E4 = 474700, -5500
# (days after 15 October, 0.01 °C)
_MEANS = ((0, 1290), (31, 910), (61, 630), (92, 580), (123, 630), (151, 910), (182, 1150))
_KEPT_PERMILLE = 800
_DRAWN_CK = 210
_SWING_LOW_CK, _SWING_HIGH_CK = 150, 550


class Winter:
    """As `simulator.plants.lamps.Air`: `temperature_ck`, `sun_permille`. Begins at the 15 October before
    `year`'s November."""

    def __init__(self, year: int, seed: str = "winter-4") -> None:
        self._first_day = civil.days_from_civil(year, 10, 15)
        prng = Prng(seed)
        anomaly_ck = 0
        self._days: list[tuple[int, int]] = []  # anomaly, clearness in thousandths
        for _ in range(_MEANS[-1][0] + 1):
            anomaly_ck = anomaly_ck * _KEPT_PERMILLE // 1000 + prng.around(0, _DRAWN_CK)
            self._days.append((anomaly_ck, prng.between(50, 900)))
        self._minute = -1
        self._now = (0, 0)

    def temperature_ck(self, unix_s: int) -> int:
        """Outdoors, 0.01 °C, in steps of a minute."""
        return self._at(unix_s)[0]

    def sun_permille(self, unix_s: int) -> int:
        """The sun on a window, in thousandths of overhead and clear."""
        return self._at(unix_s)[1]

    def _at(self, unix_s: int) -> tuple[int, int]:
        minute = unix_s // 300
        if minute != self._minute:
            self._minute = minute
            self._now = self._compute(300 * minute)
        return self._now

    def _compute(self, unix_s: int) -> tuple[int, int]:
        day, second = divmod(unix_s, civil.day_s)
        index = max(0, min(len(self._days) - 2, day - self._first_day))
        today, tomorrow = self._days[index], self._days[index + 1]
        anomaly_ck = today[0] + (tomorrow[0] - today[0]) * second // civil.day_s
        clear = today[1]
        height = sun.elevation_cdeg(unix_s, LATITUDE_E4, LONGITUDE_E4)
        late = sun.elevation_cdeg(unix_s - 7200, LATITUDE_E4, LONGITUDE_E4)
        swing_ck = _SWING_LOW_CK + (_SWING_HIGH_CK - _SWING_LOW_CK) * clear // 1000
        wave_ck = swing_ck * max(-3000, min(3000, late)) // 3000
        return _mean_ck(index) + anomaly_ck + wave_ck, max(0, height) * clear // 9000


def _mean_ck(index: int) -> int:
    for (from_day, from_ck), (to_day, to_ck) in pairwise(_MEANS):
        if from_day <= index <= to_day:
            return from_ck + (to_ck - from_ck) * (index - from_day) // (to_day - from_day)
    return _MEANS[-1][1]
