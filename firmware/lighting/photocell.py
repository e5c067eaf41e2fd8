"""Turns the lx of a photocell into dark or bright, slowly, and judges by the sun whether the cell is stuck.

A headlamp or a cloud changes nothing: dark counts after a minute at or below the lower level, bright after two at or
above the upper. A silent cell gives neither. A cell that never agrees with the sun is stuck: it must have been bright
once within 24 h with the sun above +10°, and dark once within 24 h with the sun below -6°. Day and night are judged
apart, for a dirty cell is always dark and agrees with every night. A lamp on a switched feeder has no mains by day,
and its cell is then not judged for the day.

Without a time the sun is not known: then both must occur within 24 h of uptime, for no day and no night here is longer.
A restart begins these 24 h anew. One case is therefore not covered: a cell that a sign lights, on a lamp without a time
whose mains fail each day.
"""

from lighting import limits

DARK = "dark"
BRIGHT = "bright"


class Photocell:
    """Filters and judges the cell of one lamp.

    `is_dark`: True, False, or None where it is not known. `is_day`: every reading of two hours was full daylight.
    `changed_lx`: the reading that decided.
    """

    def __init__(self, *, now_ms, on_lx=limits.CELL_ON_LX, off_lx=limits.CELL_OFF_LX):
        self._on_lx = on_lx
        self._off_lx = off_lx
        self._reads_dark = None
        self._against_ms = None
        self._day_ms = None  # since when every reading has been daylight
        self.is_day = False
        self._heard_ms = now_ms
        self._bright_ms = now_ms
        self._dark_ms = now_ms
        self.stuck = None
        self.is_silent = False
        self.changed_lx = 0

    @property
    def is_dark(self):
        return None if self.stuck is not None or self.is_silent else self._reads_dark

    def observe(self, lux, elevation_cdeg, *, now_ms):
        """Observes one reading in lx, or None when there is none.

        `elevation_cdeg`: the sun's elevation in 10^-2 degree, None when the time is not known well enough.
        """
        if lux is None:
            if now_ms - self._heard_ms >= limits.CELL_SILENT_MS:
                self.is_silent = True
                self._reads_dark = self._against_ms = self._day_ms = None
            return
        self._heard_ms = now_ms
        if self.is_silent:
            self.is_silent = False
            self._bright_ms = self._dark_ms = now_ms
        self._filter(lux, now_ms)
        if lux < limits.CELL_DAY_LX:
            self._day_ms = None
        elif self._day_ms is None:
            self._day_ms = now_ms
        self.is_day = self._day_ms is not None and now_ms - self._day_ms >= limits.CELL_DAY_MS
        self._compare(elevation_cdeg, now_ms)

    def _filter(self, lux, now_ms):
        if self._reads_dark is None:
            self._set(lux <= self._on_lx, lux)
            return
        against = lux >= self._off_lx if self._reads_dark else lux <= self._on_lx
        if not against:
            self._against_ms = None
        elif self._against_ms is None:
            self._against_ms = now_ms
        elif now_ms - self._against_ms >= (limits.CELL_OFF_MS if self._reads_dark else limits.CELL_ON_MS):
            self._set(not self._reads_dark, lux)

    def _set(self, is_dark, lux):
        self._reads_dark = is_dark
        self._against_ms = None
        self.changed_lx = lux

    def _compare(self, elevation_cdeg, now_ms):
        if elevation_cdeg is None or elevation_cdeg > limits.SUN_DAY_CDEG:
            if not self._reads_dark:
                self._bright_ms = now_ms
                self._agree(DARK)
            elif now_ms - self._bright_ms >= limits.CELL_CONTRADICTION_MS:
                self.stuck = DARK
        if elevation_cdeg is None or elevation_cdeg < limits.SUN_NIGHT_CDEG:
            if self._reads_dark:
                self._dark_ms = now_ms
                self._agree(BRIGHT)
            elif now_ms - self._dark_ms >= limits.CELL_CONTRADICTION_MS:
                self.stuck = BRIGHT

    def _agree(self, stuck):
        if self.stuck == stuck:
            self.stuck = None
