"""Computes a heating duty from set-point and temperature: TPI, with a PI that shifts the set-point.

TPI (time proportional and integral, as Versatile Thermostat names it): duty = Kint · (set-point - room) + Kext ·
(set-point - outdoors), between 0 and 1; no outdoor term without an outdoor temperature. It leaves an offset of its own
when Kext does not fit the building. PI removes it: an offset is added to the set-point, kp · error + ki · the sum of
errors, one step every five minutes. The gains are Versatile Thermostat's defaults and its preset "medium". The k_ext of
that preset is omitted: all our outputs have an outdoor term of their own (Kext, the boiler's curve), and two would add
up.

Anti-windup: the sum is clamped, and halved when the error changes its sign by more than noise does. A long gap counts
as one step. The sum does not change while the output is saturated in the error's direction, nor while the caller asks
for it (window open, sensor at fault).

Integers: temperatures in 0.01 K, duty in 1/1000, gains as given below.
"""

from heating import limits

# 1/100 per K.
KINT, KEXT = 60, 1
# 1/1000; 1/10000 per step.
KP, KI = 300, 500
OFFSET_MAX_CK = 200
# 0.01 K · steps.
SUM_MAX_CK = 2_000


class Regulator:
    """Holds the state of one regulator.

    `duty_permille`: the result of the last `step`; `offset_ck`: PI's addition to the set-point.
    """

    def __init__(self):
        self._sum_ck = 0
        self._error_ck = 0
        self._stepped_ms = None
        self.offset_ck = 0
        self.duty_permille = 0

    def step(self, setpoint_ck, room_ck, outdoor_ck, *, rests, is_full, now_ms) -> int:
        """Returns the duty in 1/1000.

        `rests`: the reading shows nothing about the heating; `is_full`: the output gives its maximum.
        """
        error_ck = setpoint_ck - room_ck
        self._integrate(error_ck, rests, is_full, now_ms)
        aimed_ck = setpoint_ck + self.offset_ck
        duty = KINT * (aimed_ck - room_ck) // 10
        if outdoor_ck is not None:
            duty += KEXT * (aimed_ck - outdoor_ck) // 10
        self.duty_permille = max(0, min(1000, duty))
        return self.duty_permille

    def forget(self) -> None:
        """Clears the sum when another regime begins."""
        self._sum_ck = 0
        self.offset_ck = 0

    def _integrate(self, error_ck, rests, is_full, now_ms):
        if abs(error_ck) >= limits.PI_CROSSED_CK:
            if (error_ck < 0) != (self._error_ck < 0):
                self._sum_ck = _half(self._sum_ck)
            self._error_ck = error_ck
        due = self._stepped_ms is None or now_ms - self._stepped_ms >= limits.PI_STEP_MS
        if due:
            self._stepped_ms = now_ms
            saturated = is_full if error_ck > 0 else self.duty_permille <= 0
            if not rests and not saturated:
                self._sum_ck = max(-SUM_MAX_CK, min(SUM_MAX_CK, self._sum_ck + error_ck))
        offset_ck = _over(KP * error_ck, 1000) + _over(KI * self._sum_ck, 10_000)
        self.offset_ck = max(-OFFSET_MAX_CK, min(OFFSET_MAX_CK, offset_ck))


def safe_permille(base_permille, outdoor_ck, last_ck, is_winter, span_ck) -> int:
    """Returns the duty for a room that cannot be measured.

    It is 0 only while it is warmer outdoors than the temperature to be kept, and never in winter, when such an outdoor
    temperature is not believed. It is the largest of three: the configured base; SAFE_FLOOR_PERMILLE with frost
    outside, or when the room was cold at its last reading; and the duty that by the span (0.01 K) that the heating is
    built for holds 12 °C with an outdoor temperature, and in winter without one keeps frost off on a cold day.
    """
    duty = base_permille
    cold = False
    if outdoor_ck is not None:
        cold = outdoor_ck < 0
        if outdoor_ck >= limits.SAFE_KEEP_CK and not is_winter:
            duty = 0
        duty = max(duty, 1000 * (limits.SAFE_KEEP_CK - outdoor_ck) // span_ck)
    elif is_winter:
        duty = max(duty, 1000 * (limits.FROST_OFF_CK - limits.SAFE_OUTDOOR_CK) // span_ck)
    if cold or (last_ck is not None and last_ck < limits.SAFE_LAST_CK):
        duty = max(duty, limits.SAFE_FLOOR_PERMILLE)
    return min(1000, duty)


def _half(value):
    return -(-value // 2) if value < 0 else value // 2


def _over(value, divisor):
    """Divides towards zero, so that heating and cooling errors weigh alike."""
    return -(-value // divisor) if value < 0 else value // divisor
