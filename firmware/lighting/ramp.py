"""A level on its way from one value to another, in whole percent, no finer than an eye or a gear follows."""

from lighting import limits


class Ramp:
    """`level_percent` is where it is; `move` brings it to now."""

    def __init__(self, level_percent):
        self.level_percent = level_percent
        self._from_percent = level_percent
        self._to_percent = level_percent
        self._started_ms = 0
        self._lasts_ms = 0

    def jump(self, level_percent):
        """Be there at once."""
        self.level_percent = self._to_percent = level_percent
        self._lasts_ms = 0

    def go(self, level_percent, lasts_ms, *, now_ms):
        """Begin to move there, from wherever it is; going there already changes nothing."""
        if level_percent == self._to_percent:
            return
        self.move(now_ms=now_ms)
        self._from_percent = self.level_percent
        self._to_percent = level_percent
        self._started_ms = now_ms
        self._lasts_ms = lasts_ms
        self.move(now_ms=now_ms)

    def move(self, *, now_ms):
        """The level of now."""
        gone_ms = now_ms - self._started_ms
        if gone_ms >= self._lasts_ms:
            self.level_percent = self._to_percent
        else:
            way = self._to_percent - self._from_percent
            part = abs(way) * gone_ms // self._lasts_ms
            self.level_percent = self._from_percent + (part if way > 0 else -part)
        return self.level_percent

    def deadline_ms(self, now_ms):
        """When the next step is due, or None when it has arrived."""
        if self.level_percent == self._to_percent:
            return None
        return min(now_ms + limits.RAMP_STEP_MS, max(now_ms, self._started_ms + self._lasts_ms))
