"""Turns the demanded light into the level for the gear: ramp, virtual and constant light output.

In the order of TALQ (LampType), the level in % of light is scaled twice: to the installation's own "100 %" (a lamp may
be too bright for its street), and to the lamp's age (an LED loses light: it begins dimmed and ends at full power). Each
factor is at most 100 %: the demand is never exceeded. Integers only; a lit lamp stays lit, at 1 % at least.
"""

from lighting import limits

_UNIT = 10_000


class Flux:
    """Holds the factors of one lamp, in 10^-4; computes them again only when the hour of age has changed.

    `virtual_percent`: the share of full power that is this street's 100 %. `clo`: ((hours, percent), …), ascending
    hours, or ().
    """

    def __init__(self, virtual_percent, clo):
        self._virtual_percent = virtual_percent
        self._clo = clo
        self._known = None  # (hours, factor)

    def drive_percent(self, level_percent, hours):
        """Returns the level for the gear that gives a level of light. `hours` lit so far."""
        if not level_percent:
            return 0
        if self._known is None or self._known[0] != hours:
            self._known = (hours, 100 * self._virtual_percent * constant_light(self._clo, hours) // _UNIT)
        factor = self._known[1]
        if factor == _UNIT:
            return level_percent
        return max(1, min(100, (level_percent * factor + _UNIT // 2) // _UNIT))


def constant_light(points, hours):
    """Returns the factor in 10^-4 after that many hours.

    It is linear between points, constant before the first and after the last.
    """
    if not points:
        return _UNIT
    before = points[0]
    if hours <= before[0]:
        return 100 * before[1]
    for after in points:
        if hours < after[0]:
            span = after[0] - before[0]
            return 100 * before[1] + 100 * (after[1] - before[1]) * (hours - before[0]) // span
        before = after
    return 100 * before[1]


class Ramp:
    """Moves a level from one value to another, in whole percent: an eye or a gear follows no finer steps.

    `level_percent`: the level at the last `advance`.
    """

    def __init__(self, level_percent):
        self.level_percent = level_percent
        self._from_percent = level_percent
        self._to_percent = level_percent
        self._started_ms = 0
        self._lasts_ms = 0

    def jump(self, level_percent):
        """Sets a level at once."""
        self.level_percent = self._to_percent = level_percent
        self._lasts_ms = 0

    def begin(self, level_percent, lasts_ms, *, now_ms):
        """Begins to move from the present level to another; changes nothing if it is on the way there already."""
        if level_percent == self._to_percent:
            return
        self.advance(now_ms=now_ms)
        self._from_percent = self.level_percent
        self._to_percent = level_percent
        self._started_ms = now_ms
        self._lasts_ms = lasts_ms
        self.advance(now_ms=now_ms)

    def advance(self, *, now_ms):
        """Brings `level_percent` to now and returns it."""
        gone_ms = now_ms - self._started_ms
        if gone_ms >= self._lasts_ms:
            self.level_percent = self._to_percent
        else:
            way = self._to_percent - self._from_percent
            part = abs(way) * gone_ms // self._lasts_ms
            self.level_percent = self._from_percent + (part if way > 0 else -part)
        return self.level_percent

    def deadline_ms(self, now_ms):
        """Returns when the next step is due, or None when the ramp has ended."""
        if self.level_percent == self._to_percent:
            return None
        return min(now_ms + limits.RAMP_STEP_MS, max(now_ms, self._started_ms + self._lasts_ms))
