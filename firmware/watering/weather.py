"""Measures the weather of a day at the node, and finds the day's reference evapotranspiration (ET0) by a ladder.

    gateway      a directive that is in force, and for this very day if it gives its day
    penman       temperature and humidity were measured here, most of the day: the radiation is computed from the day's
                 swing, and wind that is not measured is 2 m/s (FAO-56 chapter 3, missing data)
    hargreaves   the air's temperature was
    climatology  the month's mean of the region

An impossible value is refused: it is counted, treated as absent, and the next rung applies. Rain is the gauge's where
there is one, else the gateway's; each day's rain is booked once, when the day is closed.
"""

from policy import civil
from watering import et0, limits
from wire import directive, quantity

GATEWAY, PENMAN, HARGREAVES, CLIMATOLOGY = "gateway", "penman", "hargreaves", "climatology"

# Mean ET0 by month in 0.01 mm a day: the Loire valley (synthetic, after Hargreaves on monthly normals); a site may give
# its own.
LOIRE = (60, 100, 180, 270, 360, 430, 460, 400, 270, 150, 80, 50)

# key, lowest, highest: what the sensors of air, humidity and wind may give.
_SENSORS = (
    (quantity.TEMPERATURE, limits.AIR_CK_MIN, limits.AIR_CK_MAX),
    (quantity.HUMIDITY, 0, 1000),
    (quantity.WIND_SPEED, 0, limits.WIND_DMS_MAX),
)


class WeatherDay:
    """Holds what was measured on one civil day (None: not known which)."""

    def __init__(self, civil_day):
        self.civil_day = civil_day
        self.air = None
        self.humidity = None
        self.seconds = [0, 0, 0]  # for which air, humidity and wind were measured
        self.wind_sum = 0  # 0.1 m/s times seconds
        self.rain_cmm = 0


class Weather:
    """Observes samples and closes days.

    `own`: watering.settings.Own. `rain_cmm`: of `civil_day` so far, from before a restart. `today`, `before`, `at_ms`,
    `dry_from_ms` and `refused` go through a deep sleep (watering.sleep_image).
    """

    def __init__(self, own, rain_cmm: int, civil_day):
        self._own = own
        self.today = WeatherDay(civil_day)
        self.today.rain_cmm = min(limits.RAIN_CMM_MAX, rain_cmm)
        self.before = None
        self._tips = None
        self.at_ms = None
        self._latest = [None, None, None]
        self._latest_ms = [0, 0, 0]
        self.dry_from_ms = None
        self.refused = 0

    def turn_to(self, civil_day) -> None:
        """Begins this civil day, unless it has begun: later samples belong to it."""
        if self.today.civil_day == civil_day:
            return
        if self.today.civil_day is None:
            self.today.civil_day = civil_day
            return
        self.before = self.today
        self.today = WeatherDay(civil_day)

    def sample(self, values, *, wet_key, tips_key, now_ms: int) -> bool:
        """Observes one reading of the ports; absent keys are silent sensors.

        Returns True for rain that must survive a power cut: it has begun, or is enough for the day, or is a centimetre
        more.
        """
        gap_s = 0 if self.at_ms is None else (now_ms - self.at_ms) // 1000
        elapsed_s = gap_s if gap_s <= limits.SAMPLE_GAP_MAX_S else 0
        if self.at_ms is None or gap_s:
            self.at_ms = now_ms
        day = self.today
        for i in range(3):
            key, low, high = _SENSORS[i]
            value = values.get(key)
            if value is None:
                continue
            if not low <= value <= high:
                self.refused += 1
                continue
            self._latest[i], self._latest_ms[i] = value, now_ms
            day.seconds[i] += elapsed_s
            if i == 0:
                day.air = _widened(day.air, value)
            elif i == 1:
                day.humidity = _widened(day.humidity, value)
            else:
                day.wind_sum += value * elapsed_s
        was_wet, was_cmm = self.wet(now_ms=now_ms), day.rain_cmm
        self._rain(values.get(tips_key))
        if values.get(wet_key) == 1:
            self.dry_from_ms = now_ms
        least_cmm, step_cmm = 10 * limits.RAIN_SKIP_DMM, limits.RAIN_KEPT_CMM
        steps = (day.rain_cmm - least_cmm) // step_cmm - (was_cmm - least_cmm) // step_cmm
        return steps > 0 or self.wet(now_ms=now_ms) > was_wet

    def close(self, civil_day: int, directives):
        """Returns (ET0 in 0.01 mm, its rung, rain in 0.01 mm) of a day that is over."""
        day = self.before if self.before is not None and self.before.civil_day == civil_day else None
        year, month, _ = civil.civil_from_days(civil_day)
        found = None
        # An older gateway does not give the day of its figures, and they hold for less than 36 h.
        is_of_day = directives.get(directive.WEATHER_DAY, civil_day) == civil_day
        lent = self.believed(directives, directive.EVAPOTRANSPIRATION, limits.ET0_CMM_MAX) if is_of_day else None
        if lent is not None:
            found = (lent, GATEWAY)
        elif day is not None:
            found = self._measured(day, 1 + civil_day - civil.days_from_civil(year, 1, 1))
        if found is None:
            found = (self._own.climate[month - 1], CLIMATOLOGY)
        rain_cmm = 0
        if self._own.tip_cmm:
            rain_cmm = 0 if day is None else min(limits.RAIN_CMM_MAX, day.rain_cmm)
        elif is_of_day:
            rain_cmm = 10 * (self.believed(directives, directive.RAIN_DAY, limits.RAIN_CMM_MAX // 10) or 0)
        return (found[0], found[1], rain_cmm)

    def open_rains_cmm(self, closed_day: int):
        """Returns the rain of the days that are not closed yet: (the day before, today)."""
        before = self.before
        is_open = before is not None and before.civil_day is not None and before.civil_day > closed_day
        return (before.rain_cmm if is_open else 0, self.today.rain_cmm)

    def rained_cmm(self, moment) -> int:
        """Returns the rain of the last 24 hours: today's, and yesterday's share after this hour.

        The share assumes that it rained evenly. Yesterday's rain is the gauge's, else the gateway's figure of that very
        day.
        """
        today, before = self.today, self.before
        if moment.unix_s is None:
            return today.rain_cmm
        local = civil.local_from_unix(civil.PARIS, moment.unix_s)
        yesterday = local.civil_day - 1
        if self._own.tip_cmm and before is not None and before.civil_day == yesterday:
            before_cmm = before.rain_cmm
        elif moment.directives.get(directive.WEATHER_DAY, yesterday) == yesterday:
            before_cmm = 10 * (self.believed(moment.directives, directive.RAIN_DAY, limits.RAIN_CMM_MAX // 10) or 0)
        else:
            before_cmm = 0
        return today.rain_cmm + before_cmm * (civil.day_s - local.second) // civil.day_s

    def fallen_cmm(self, civil_day: int) -> int:
        """Returns the rain measured from this day on and before today: without a clock several days are one."""
        before = self.before
        if not self._own.tip_cmm or before is None or before.civil_day != civil_day:
            return 0
        return min(limits.RAIN_CMM_MAX, before.rain_cmm)

    def climate_cmm(self, civil_day: int) -> int:
        """Returns the ET0 of a day without any figure."""
        return self._own.climate[civil.civil_from_days(civil_day)[1] - 1]

    def believed(self, directives, code, high):
        """Returns a directive's value if it lies between the table's least and `high`; else None."""
        value = directives.get(code)
        if value is None:
            return None
        if not directive.TABLE[code][1] <= value <= high:
            self.refused += 1
            return None
        return value

    def air_ck(self, directives, *, now_ms: int):
        """Returns the outdoor temperature now: measured, else the gateway's, else None."""
        return self._now(0, directives, directive.OUTDOOR_TEMPERATURE, limits.AIR_CK_MAX, now_ms)

    def wind_dms(self, directives, *, now_ms: int):
        """Returns the wind now, 0.1 m/s: measured, else the gateway's, else None."""
        return self._now(2, directives, directive.WIND_SPEED, limits.WIND_DMS_MAX, now_ms)

    def wet(self, *, now_ms: int) -> bool:
        """Returns True if the rain sensor was wet within its off-delay."""
        return self.wet_for_s(now_ms) > 0

    def wet_for_s(self, now_ms: int) -> int:
        """Returns the seconds that are left of the off-delay."""
        if self.dry_from_ms is None:
            return 0
        return max(0, 3600 * self._own.rain_off_h - (now_ms - self.dry_from_ms) // 1000)

    def restore_wet(self, left_s: int, *, now_ms: int) -> None:
        """Restores the off-delay of rain before a restart.

        A remainder longer than the whole delay comes from a wrong clock, and is cut to it.
        """
        delay_s = 3600 * self._own.rain_off_h
        left_s = min(left_s, delay_s)
        if left_s > self.wet_for_s(now_ms):
            self.dry_from_ms = now_ms - 1000 * (delay_s - left_s)

    def _now(self, index, directives, code, high, now_ms):
        if self._latest[index] is not None and now_ms - self._latest_ms[index] <= limits.READING_MAX_MS:
            return self._latest[index]
        return self.believed(directives, code, high)

    def _measured(self, day, day_of_year):
        own, least = self._own, limits.COVERED_S_MIN
        if day.seconds[0] < least:
            return None
        if day.seconds[1] >= least:
            wind_dms, height_m = limits.WIND_UNKNOWN_DMS, 2
            if day.seconds[2] >= least:
                wind_dms, height_m = day.wind_sum // day.seconds[2], own.wind_height_m
            site = (own.site.latitude_e4, own.altitude_m, height_m)
            found = et0.penman_cmm(day_of_year, site, day.air, day.humidity, wind_dms)
            if found is not None:
                return (found, PENMAN)
        found = et0.hargreaves_cmm(day_of_year, own.site.latitude_e4, day.air)
        return None if found is None else (found, HARGREAVES)

    def _rain(self, tips):
        """Observes the gauge's counter; a counter that went back has restarted and has counted since."""
        if tips is None or not self._own.tip_cmm:
            return
        before, self._tips = self._tips, tips
        if before is None:
            return
        fallen = self._own.tip_cmm * (tips - before if tips >= before else tips)
        if not 0 <= fallen <= limits.RAIN_CMM_MAX:
            self.refused += 1
            return
        self.today.rain_cmm = min(limits.RAIN_CMM_MAX, self.today.rain_cmm + fallen)


def _widened(span, value):
    if span is None:
        return (value, value)
    low, high = span
    return span if low <= value <= high else (min(low, value), max(high, value))
