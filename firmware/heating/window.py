"""Detects an open window: by its contact where there is one, else by the fall of the air's temperature.

By slope: a straight line through the last six minutes, then a filter (new = 0.2 · old + 0.8 · line, as in Versatile
Thermostat's code). It is open when in spite of heat the room falls by more than 2 K/h twice in a row and lies clearly
lower than its own regulation lets it fall; it is closed from 0 K/h on, or from a quarter of the steepest slope. After
30 minutes it is given up, and then not detected again until the air has stopped falling. Nothing is detected while no
heat is given, nor for 20 minutes after a start, a preheat's begin or end, another set-point or a window: air that was
warmed faster than the walls cools to them by itself. Until the hour has passed only a steep fall counts.

How low the regulation itself lets the room fall below its set-point is learned from each cycle, a quarter of it when it
is more and a 96th when it is less: the air of a light room swings by a kelvin under its convector, as steeply as under
a window. During a preheat nothing swings: there 3 K/h are a window. A heavy room falls too slowly to come so low within
a quarter of an hour; there an uninterrupted heater tells: once its heat must be felt, nothing but a window makes the
room fall faster than it does without heat.
"""

from heating import limits

CONTACT = "contact"
SLOPE = "slope"


class Slope:
    """Fits the slope of the room's temperature. `ck_h`: 0.01 K/h, filtered; None during the first four minutes."""

    def __init__(self):
        self.ck_h = None
        self.points = []  # (minute's ms, 0.01 °C)

    def add(self, value_ck, *, now_ms) -> bool:
        """Adds one good reading; returns True when it made a new point."""
        if self.points:
            age_ms = now_ms - self.points[-1][0]
            if age_ms < limits.SLOPE_POINT_MS * 9 // 10:
                return False
            if age_ms > limits.SLOPE_GAP_MS:
                self.forget()
        self.points.append((now_ms, value_ck))
        if len(self.points) > limits.SLOPE_POINTS:
            self.points.pop(0)
        if len(self.points) < 4:
            return False
        line_ck_h = self._line()
        if abs(line_ck_h) > limits.SLOPE_MAX_CK_H:
            return False
        self.ck_h = line_ck_h if self.ck_h is None else (self.ck_h + 4 * line_ck_h) // 5
        return True

    def forget(self):
        self.points = []
        self.ck_h = None

    def _line(self):
        """Fits by least squares; times in seconds from the first point, so that all values stay within 31 bits."""
        points, count = self.points, len(self.points)
        start_ms = points[0][0]
        sum_s = sum_ck = products = squares = 0
        for at_ms, value_ck in points:
            after_s = (at_ms - start_ms) // 1000
            sum_s += after_s
            sum_ck += value_ck
            products += after_s * value_ck
            squares += after_s * after_s
        mean_s, mean_ck = sum_s // count, sum_ck // count
        over = products - mean_ck * sum_s - mean_s * (sum_ck - count * mean_ck)
        return 3600 * over // max(1, squares - mean_s * (2 * sum_s - count * mean_s))


class WindowWatch:
    """Judges one room's window.

    `seen_by`: None while it is shut; CONTACT or SLOPE while it is open and heating must stop. `by_slope`: whether the
    fall of the air is judged where there is no contact.
    """

    def __init__(self, cycle_ms, by_slope, *, now_ms):
        self.slope = Slope()
        self.seen_by = None
        self._by_slope = by_slope
        self._cycle_minutes = cycle_ms // limits.SLOPE_POINT_MS
        # How low the regulation itself lets the room fall below its set-point, 0.001 K: a 96th of 0.01 K is nothing.
        self._own_mk = 10 * limits.SWING_START_CK
        self._lowest_ck = 0  # the same of the present cycle, which has had so many minutes
        self._minutes = 0
        self._contact_since_ms = None
        self._votes = 0
        self._steepest_ck_h = 0
        self._open_ms = now_ms
        self._given_up = False
        self._begun_ms = now_ms

    def begin_anew(self, *, now_ms) -> None:
        """Observes that a preheat begins or ends, or another set-point: for a while a fall of the air shows nothing."""
        self._begun_ms = now_ms

    def sample(self, value_ck, contact, heats, held_ck, *, dead_ck_h=None, now_ms) -> None:
        """Observes a good room temperature or None, the contact, whether heat is given, and the set-point.

        The contact is 1 open, 0 shut, None where there is none. A room without heat falls fast too, and its fall shows
        no window. held_ck: the set-point, None while the regulator does not hold it (full heat, or none). dead_ck_h:
        once full heat must be felt, the slope that the room would have with a dead heater (negative); None before.
        """
        if contact is not None:
            self._contact(contact, now_ms)
        elif self.seen_by == CONTACT:
            self._shut()  # the contact is gone: its last state must not stop the heating for good
        if value_ck is None:
            return
        is_new = self.slope.add(value_ck, now_ms=now_ms)
        if contact is None and is_new and self._by_slope:
            below_ck = None if held_ck is None else held_ck - value_ck
            self._judge(below_ck, heats, dead_ck_h, now_ms)
            if below_ck is not None and self.seen_by is None:
                self._learn(below_ck)
        if self.seen_by is not None and not self._given_up and now_ms - self._open_ms >= limits.WINDOW_GIVE_UP_MS:
            self.seen_by = None
            self._given_up = True

    def _contact(self, contact, now_ms):
        if not contact:
            self._contact_since_ms = None
            self._shut()
            return
        if self._contact_since_ms is None:
            self._contact_since_ms = now_ms
        lasts = now_ms - self._contact_since_ms >= limits.CONTACT_OPEN_MS
        if self.seen_by is None and not self._given_up and lasts:
            self.seen_by = CONTACT
            self._open_ms = now_ms

    def _judge(self, below_ck, heats, dead_ck_h, now_ms):
        """Judges a new slope, at this depth below the set-point that the regulator holds, or None."""
        slope_ck_h = self.slope.ck_h
        falls = slope_ck_h < (limits.SLOPE_OPEN_CK_H if below_ck is None else limits.SLOPE_FALLS_CK_H)
        is_steep = slope_ck_h < limits.SLOPE_STEEP_CK_H
        blind_ms = limits.SLOPE_BLIND_MS if is_steep else limits.SLOPE_SETTLED_MS
        if self._begun_ms is not None and now_ms - self._begun_ms >= blind_ms:
            self._begun_ms = None
        self._steepest_ck_h = min(self._steepest_ck_h, slope_ck_h)
        eases = self.seen_by == SLOPE and slope_ck_h >= self._steepest_ck_h // limits.SLOPE_CLOSED_PART
        if slope_ck_h >= limits.SLOPE_CLOSED_CK_H or eases:
            if self.seen_by == SLOPE:
                self.begin_anew(now_ms=now_ms)
            self._shut()
            return
        if self.seen_by is None and (self._begun_ms is not None or not heats):
            self._votes = 0
            return
        is_deep = below_ck is None or below_ck > self._own_mk // 8 + limits.SLOPE_DROP_CK
        is_against = dead_ck_h is not None and slope_ck_h < dead_ck_h
        self._votes = self._votes + 1 if falls and (is_deep or is_against) else 0
        if self._votes >= limits.SLOPE_VOTES and self.seen_by is None and not self._given_up:
            self.seen_by = SLOPE
            self._open_ms = now_ms
            self._lowest_ck = self._minutes = 0  # this fall is not the room's own

    def _learn(self, below_ck):
        """Learns from a minute of regulation how low it lets the room fall. A room that rises from a lower set-point
        shows nothing."""
        if self.slope.ck_h < limits.SWING_FALLS_CK_H:
            self._lowest_ck = max(self._lowest_ck, min(limits.SWING_MAX_CK, below_ck))
        self._minutes += 1
        if self._minutes < self._cycle_minutes:
            return
        more_mk = 10 * self._lowest_ck - self._own_mk
        self._own_mk += more_mk // (limits.SWING_GROWS if more_mk > 0 else limits.SWING_FADES)
        self._lowest_ck = self._minutes = 0

    def _shut(self):
        self.seen_by = None
        self._given_up = False
        self._votes = 0
        self._steepest_ck_h = 0
