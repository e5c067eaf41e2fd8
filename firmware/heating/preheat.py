"""Learns when heating must begin so that the room is warm in time, and when it may end early (optimum start and stop).

Start: dead time + missing kelvin / rate, rate = r0 · (1 - (set-point - outdoors) / span), where span is the difference
that the heating was built for. r0 and dead time are learned from preheats of any length: a new preheat counts one
fifth, and four fifths when the room was slower than expected, for a cold class costs more than an early start. A
preheat that was disturbed (window, load shed, sensor, failed heating) teaches nothing; one that came too late
does, up to the moment when the room is warm or its hours end. When the room was empty for a day and more the walls are
cold and the same rise takes longer: such preheats have a rate of their own. Cap 6 h, after 48 h of emptiness 36 h.

Full heat ends when the heat that is already given will be enough: a radiator and a thermometer follow late.

Stop: within the last hour of an occupied span, when the room without heat will still be within half a kelvin of its
set-point at the end. The cooling is learned: in thousandths of the difference to outdoors an hour, over the first hour
without heat.

Integers: 0.01 °C, 0.01 K/h, s. Knows no programme.
"""

from collections import namedtuple

from heating import limits

# rate_long_ck_h: the rate after a day and more of emptiness.
Learned = namedtuple("Learned", ("rate_ck_h", "rate_long_ck_h", "dead_s", "cooling_permille_h"))
# The result of one preheat: how long, how much, outdoors or None, and what has been learned so far.
Lesson = namedtuple("Lesson", ("minutes", "rise_ck", "outdoor_ck", "rate_ck_h", "dead_s"))


class Preheat:
    """Follows preheats and learns from them.

    `learned`: to be saved; `is_running`: True while a preheat is followed; `late`: (0.01 °C, its set-point, minutes of
    heat) of a room that was still cold when people came, until it is warm; or None.
    """

    def __init__(self, learned, span_ck):
        self.learned = learned
        self.is_running = False
        self.late = None
        self._span_ck = span_ck
        self._start = None  # (ms, room, outdoors, target)
        self._rising_ms = None
        self._cooling = None  # (ms, room, outdoors)
        self._has_cooled = True

    def lead_s(self, target_ck, room_ck, outdoor_ck, empty_s) -> int:
        """Returns the seconds of lead with which the room must be heated; 0 when it is warm enough.

        `empty_s`: how long the room has been empty.
        """
        missing_ck = target_ck - limits.PREHEAT_REACHED_CK - room_ck
        if missing_ck <= 0:
            return 0
        known = self.learned.rate_long_ck_h if empty_s >= limits.COLD_MASS_S else self.learned.rate_ck_h
        rate_ck_h = max(known // 10, self._rate_at(known, target_ck, outdoor_ck), 1)
        return min(lead_max_s(empty_s), self.learned.dead_s + 3600 * missing_ck // rate_ck_h)

    def may_stop(self, setpoint_ck, room_ck, outdoor_ck, left_s) -> bool:
        """Returns True if the room will be warm enough at the end of its hours without more heat."""
        if left_s > limits.STOP_MAX_S:
            return False
        return room_ck - self.fall_ck_h(room_ck, outdoor_ck) * left_s // 3600 >= setpoint_ck - limits.COMFORT_CK

    def fall_ck_h(self, room_ck, outdoor_ck) -> int:
        """Returns how fast the room cools without heat, in 0.01 K an hour."""
        outdoor_ck = limits.OUTDOOR_ASSUMED_CK if outdoor_ck is None else outdoor_ck
        return self.learned.cooling_permille_h * max(0, room_ck - outdoor_ck) // 1000

    # --- learning -------------------------------------------------------------------------------------------

    def begin(self, target_ck, room_ck, outdoor_ck, is_cold, *, now_ms) -> None:
        """Begins to follow full heat for this target. is_cold: the walls are cold too, after a day and more."""
        self.is_running = True
        self._start = (now_ms, room_ck, outdoor_ck, target_ck, is_cold)
        self._rising_ms = None

    def abandon(self) -> None:
        """Abandons the preheat after a disturbance: nothing is learned from it."""
        self.is_running = False
        self.late = None

    def people_came(self, room_ck, *, now_ms) -> None:
        """Observes that the hour has come that the preheat, which is running, was for."""
        if room_ck < self._start[3] - limits.LATE_CK:
            self.late = (room_ck, self._start[3], (now_ms - self._start[0]) // 60_000)

    def overshoots(self, setpoint_ck) -> bool:
        """Returns True if a cooler span has begun before the target was reached.

        Full heat must then not continue to the old target.
        """
        return setpoint_ck < self._start[3]

    def observe(self, room_ck, ahead_ck, *, now_ms):
        """Observes the room's temperature during a preheat; returns a Lesson at its end.

        `ahead_ck`: what it will be by the heat that is already given; full heat ends when that is enough.
        """
        if self._rising_ms is None and room_ck - self._start[1] >= limits.RISE_SEEN_CK:
            self._rising_ms = now_ms
        if max(room_ck, ahead_ck) < self._start[3] - limits.PREHEAT_REACHED_CK:
            return None
        return self.end(room_ck, now_ms=now_ms)

    def end(self, room_ck, *, now_ms):
        """Ends the preheat, at its target or with the hours that it was for; returns a Lesson where it shows one."""
        self.abandon()
        start_ms, start_ck, outdoor_ck, target_ck, is_cold = self._start
        rise_ck = room_ck - start_ck
        lasted_s = (now_ms - start_ms) // 1000
        if rise_ck < limits.LEARN_RISE_CK and lasted_s < limits.LEARN_SLOW_S:
            return None
        return self._learn(lasted_s, rise_ck, outdoor_ck, target_ck, is_cold)

    def observe_cooling(self, room_ck, outdoor_ck, *, now_ms) -> None:
        """Observes a room without heat: learns how fast it cools."""
        if self._cooling is None:
            self._cooling = (now_ms, room_ck, outdoor_ck)
            self._has_cooled = False
        start_ms, start_ck, start_outdoor_ck = self._cooling
        if self._has_cooled or now_ms - start_ms < limits.COOLING_OVER_MS:
            return
        self._has_cooled = True
        if outdoor_ck is None or start_outdoor_ck is None:
            return
        difference_ck = (start_ck + room_ck) // 2 - (start_outdoor_ck + outdoor_ck) // 2
        if difference_ck < limits.COOLING_DIFFERENCE_CK or room_ck > start_ck:
            return
        seen = 1000 * (start_ck - room_ck) // difference_ck * limits.COOLING_OVER_MS // (now_ms - start_ms)
        cooling = _mean(self.learned.cooling_permille_h, seen)
        cooling = max(limits.COOLING_MIN_PERMILLE_H, min(limits.COOLING_MAX_PERMILLE_H, cooling))
        known = self.learned
        self.learned = Learned(known.rate_ck_h, known.rate_long_ck_h, known.dead_s, cooling)

    def end_cooling(self) -> None:
        """Ends the observation of cooling: heat is wanted again, or the room is not known."""
        self._cooling = None

    def _learn(self, lasted_s, rise_ck, outdoor_ck, target_ck, is_cold):
        # A room that did not rise shows no dead time.
        dead_s = 0 if self._rising_ms is None else (self._rising_ms - self._start[0]) // 1000
        # The first fifth of a kelvin is part of the dead time: the seconds that the rate explains are subtracted.
        rate_ck_h = 3600 * (rise_ck - limits.RISE_SEEN_CK) // max(60, lasted_s - dead_s)
        dead_s = max(0, dead_s - 3600 * limits.RISE_SEEN_CK // max(1, rate_ck_h))
        at_full = self._rate_at(1000, target_ck, outdoor_ck)
        seen = 1000 * rate_ck_h // max(100, at_full)
        known = self.learned
        believed = known.rate_long_ck_h if is_cold else known.rate_ck_h
        seen = min(seen, limits.EARLY_TIMES * believed)
        rate = _mean(believed, seen, 1 if seen > believed else limits.LATE_FIFTHS)
        rate = max(limits.RATE_MIN_CK_H, min(limits.RATE_MAX_CK_H, rate))
        dead = known.dead_s if self._rising_ms is None else min(limits.DEAD_MAX_S, _mean(known.dead_s, dead_s))
        if is_cold:
            self.learned = Learned(known.rate_ck_h, rate, dead, known.cooling_permille_h)
        else:
            self.learned = Learned(rate, known.rate_long_ck_h, dead, known.cooling_permille_h)
        return Lesson(lasted_s // 60, rise_ck, outdoor_ck, rate, dead)

    def _rate_at(self, rate_ck_h, target_ck, outdoor_ck):
        outdoor_ck = limits.OUTDOOR_ASSUMED_CK if outdoor_ck is None else outdoor_ck
        return rate_ck_h * (self._span_ck - (target_ck - outdoor_ck)) // self._span_ck


def lead_max_s(empty_s) -> int:
    """Returns the longest lead for a room that has been empty for `empty_s`."""
    return limits.LEAD_LONG_MAX_S if empty_s >= limits.LONG_ABSENCE_S else limits.LEAD_MAX_S


def _mean(old, new, fifths=1):
    """Returns the old value moved by one fifth, or by `fifths`, towards the new.

    It moves by at least one, or a small difference would never be learned.
    """
    step = new - old
    if step == 0:
        return old
    if step > 0:
        return old + max(1, fifths * step // limits.EMA_DIVISOR)
    return old - max(1, -fifths * step // limits.EMA_DIVISOR)
