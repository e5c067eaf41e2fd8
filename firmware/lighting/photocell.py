"""Turns the lx of a photocell into dark or bright, slowly, and judges whether the cell sees the sky.

A headlamp or a cloud changes nothing: dark counts after a minute at or below the lower level, bright after two at or
above the upper. A silent cell gives neither. A cell that never agrees with the sun is stuck: it must have been bright
once within 24 h with the sun above +10°, and dark once within 24 h with the sun below -6°. Day and night are judged
apart, for a dirty cell is always dark and agrees with every night. A lamp on a switched feeder has no mains by day,
and its cell is then not judged for the day.

Without a time the sun is not known: then both must occur within 24 h of uptime, for no day and no night here is longer.
A restart begins these 24 h anew. And then the cell alone decides, so its own lamp or a sign must not pass for the sky.
Two facts of the sky tell them apart, without a clock:

* Dawn is slow. From a third of the upper level to that level the sky of any latitude here takes eight minutes, and no
  dawn follows a dusk within minutes. Light that comes faster is a lamp's: it changes nothing until it is daylight,
  which no lamp gives.
* Twilight moves. Below 500 lx the sun is low or clouds are thick; the sky then sets a new low or a new high, by a
  quarter, in each half hour. A cell that rests there, or goes up and down, sees a lamp: it is reported, and for a day
  after the last such half hour it tells nothing but daylight.
"""

from lighting import limits

DARK = "dark"
BRIGHT = "bright"
LAMP = "lamp"  # it sees its own lamp, a sign, a window: light that is not the sky's
STUCK = (None, DARK, BRIGHT, LAMP)  # as lighting.memory numbers them


class Photocell:
    """Filters and judges the cell of one lamp.

    `reads_dark`: True, False, or None where it is not known; what a lamp without a clock goes by. `is_day`: every
    reading of two hours was full daylight. `changed_lx`: the reading that decided. `stuck`: one of STUCK.
    """

    def __init__(self, *, now_ms, on_lx=limits.CELL_ON_LX, off_lx=limits.CELL_OFF_LX):
        self._on_lx = on_lx
        self._off_lx = off_lx
        self._reads_dark = None
        self._against_ms = None
        self._deep_ms = None  # the last reading that is minutes before any dawn, or the last dusk
        self._least_lx = self._most_lx = None  # the range of this twilight
        self._moved_ms = now_ms  # when it last grew
        self._lamp_ms = now_ms  # the last half hour of a lamp's light
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
        """Returns the reading that may add to a clock; None also of a cell that sees a lamp, wrong at dusk and dawn."""
        return None if self.stuck is not None or self.is_silent else self._reads_dark

    @property
    def reads_dark(self):
        return None if self.stuck in (DARK, BRIGHT) or self.is_silent else self._reads_dark

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
        self._judge_light(lux, elevation_cdeg, now_ms)
        if self.stuck == LAMP:
            self._bright_ms = self._dark_ms = now_ms
        else:
            self._compare(elevation_cdeg, now_ms)

    def _filter(self, lux, now_ms):
        on_lx, off_lx = self._on_lx, self._off_lx
        if self.stuck == LAMP:
            on_lx, off_lx = limits.CELL_TWILIGHT_LX, 2 * limits.CELL_TWILIGHT_LX
        if 3 * lux <= self._off_lx:
            self._deep_ms = now_ms
        if self._reads_dark is None:
            self._set(lux <= on_lx, lux, now_ms)
            return
        against = lux >= off_lx if self._reads_dark else lux <= on_lx
        if not against:
            self._against_ms = None
        elif self._against_ms is None:
            self._against_ms = now_ms
        elif not self._reads_dark:
            if now_ms - self._against_ms >= limits.CELL_ON_MS:
                self._set(True, lux, now_ms)
        elif now_ms - self._against_ms >= limits.CELL_OFF_MS and (lux >= limits.CELL_DAY_LX or self._is_dawn()):
            self._set(False, lux, now_ms)

    def _is_dawn(self):
        """Returns True if the light that now asks for bright came as slowly as a dawn."""
        return self._deep_ms is None or self._against_ms - self._deep_ms >= limits.CELL_DAWN_MS

    def _set(self, is_dark, lux, now_ms):
        self._reads_dark = is_dark
        self._against_ms = None
        self.changed_lx = lux
        if is_dark:
            self._deep_ms = now_ms

    def _judge_light(self, lux, elevation_cdeg, now_ms):
        """Finds the half hours in which a light of the strength of twilight stood still, when that can be no sky."""
        is_twilight = self._on_lx < lux < limits.CELL_TWILIGHT_LX
        if not is_twilight or (elevation_cdeg is not None and elevation_cdeg >= limits.SUN_NIGHT_CDEG):
            self._least_lx = None
        elif self._least_lx is None:
            self._least_lx, self._most_lx, self._moved_ms = lux, lux, now_ms
        elif 4 * lux < 3 * self._least_lx:
            self._least_lx, self._moved_ms = lux, now_ms
        elif 3 * lux > 4 * self._most_lx:
            self._most_lx, self._moved_ms = lux, now_ms
        elif now_ms - self._moved_ms >= limits.CELL_TWILIGHT_MS:
            self.stuck, self._lamp_ms = LAMP, now_ms
        if self.stuck == LAMP and now_ms - self._lamp_ms >= limits.CELL_CONTRADICTION_MS:
            self.stuck = None

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
