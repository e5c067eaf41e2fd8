"""Detects an open window: by its contact where there is one, else by the fall of the air's temperature.

By slope: a straight line through the last six minutes, then a filter (new = 0.2 · old + 0.8 · line, as in Versatile
Thermostat's code). It is open below -3 K/h twice in a row when the room is also 0.4 K below the whole relay cycle
before, and closed from 0 K/h on, or from a quarter of the steepest slope. After 30 minutes it is given up, and then not
detected again until the air has stopped falling. Nothing is detected while no heat is given, nor after it was cut (at
the end of a preheat, of the day's hours) until the fall that follows has eased: air that was warmed faster than the
walls cools to them by itself. The line and the 0.4 K are ours: users of plain slope detection had their heating stopped
by noise.
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
        mean_s = sum([(at_ms - start_ms) // 1000 for at_ms, _ in points]) // count
        mean_ck = sum([value_ck for _, value_ck in points]) // count
        over = under = 0
        for at_ms, value_ck in points:
            apart_s = (at_ms - start_ms) // 1000 - mean_s
            over += apart_s * (value_ck - mean_ck)
            under += apart_s * apart_s
        return 3600 * over // max(1, under)


class WindowWatch:
    """Judges one room's window.

    `seen_by`: None while it is shut; CONTACT or SLOPE while it is open and heating must stop.
    """

    def __init__(self, cycle_ms, *, now_ms):
        self.slope = Slope()
        self.seen_by = None
        # Readings by the minute: those of the last relay cycle, and those of the line.
        self._minutes_max = cycle_ms // limits.SLOPE_POINT_MS + limits.SLOPE_POINTS
        self._minutes = []
        self._contact_since_ms = None
        self._votes = 0
        self._steepest_ck_h = 0
        self._open_ms = now_ms
        self._given_up = False
        self._cut_ms = None

    def heat_was_cut(self, *, now_ms) -> None:
        """Observes that the demand fell: for a while a fall of the air shows nothing."""
        self._cut_ms = now_ms

    def sample(self, value_ck, contact, heats, *, now_ms) -> None:
        """Observes a good room temperature or None, the contact, and whether heat is given.

        The contact is 1 open, 0 shut, None where there is none. A room without heat falls fast too, and its fall shows
        no window.
        """
        if contact is not None:
            self._contact(contact, now_ms)
        elif self.seen_by == CONTACT:
            self._shut()  # the contact is gone: its last state must not stop the heating for good
        if value_ck is None:
            return
        is_new = self.slope.add(value_ck, now_ms=now_ms)
        if is_new:
            self._minutes.append(value_ck)
            if len(self._minutes) > self._minutes_max:
                self._minutes.pop(0)
        if contact is None and is_new:
            self._judge(value_ck, heats, now_ms)
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

    def _judge(self, value_ck, heats, now_ms):
        slope_ck_h = self.slope.ck_h
        falls = slope_ck_h < limits.SLOPE_OPEN_CK_H
        fades = falls and slope_ck_h >= limits.SLOPE_STEEP_CK_H
        blind_ms = limits.SLOPE_BLIND_MAX_MS if fades else limits.SLOPE_BLIND_MS
        if self._cut_ms is not None and now_ms - self._cut_ms >= blind_ms:
            self._cut_ms = None
        self._steepest_ck_h = min(self._steepest_ck_h, slope_ck_h)
        eases = self.seen_by == SLOPE and slope_ck_h >= self._steepest_ck_h // limits.SLOPE_CLOSED_PART
        if slope_ck_h >= limits.SLOPE_CLOSED_CK_H or eases:
            self._shut()
            return
        if self.seen_by is None and (self._cut_ms is not None or not heats):
            self._votes = 0
            return
        self._votes = self._votes + 1 if falls and self._is_below(value_ck) else 0
        if self._votes >= limits.SLOPE_VOTES and self.seen_by is None and not self._given_up:
            self.seen_by = SLOPE
            self._open_ms = now_ms

    def _is_below(self, value_ck):
        """Returns True if the room is colder than at any time of a whole relay cycle before the fall.

        The relay's own saw-tooth does not reach that low.
        """
        before = self._minutes[: -limits.SLOPE_POINTS]
        full = len(self._minutes) == self._minutes_max
        return full and min(before) - value_ck >= limits.SLOPE_DROP_CK

    def _shut(self):
        self.seen_by = None
        self._given_up = False
        self._votes = 0
        self._steepest_ck_h = 0
