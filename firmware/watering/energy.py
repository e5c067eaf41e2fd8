"""Never open what you cannot close: whether the store holds the pulses that shutting will take.

A latching valve stays open when the power is gone, so the energy to shut it is spent before it is opened, in thought.
OPEN is refused, with the value that decided,

* below 3.5 V of the battery, or when nobody has read it for half an hour;
* when the usable charge does not cover two CLOSE pulses for each valve that would be open, this one included;
* while the boost capacitor is not charged: a pulse from a half-full one may open and not shut.

What is open is shut below 3.3 V, or when the charge covers no more than one pulse for each: a run must not outlive its
battery.

A valve box on the mains has its cell too, and is kept to the same (kinds.irrigation); only where every valve falls
shut by itself is there none. A pulse takes what the capacitor holds, 0.7 J of 9400 uF at 12 V, and nearly as much again
that the boost converter adds meanwhile or loses: 1.35 J of the cell's. The charge between 3.5 V and the cut-off at
3.0 V is a tenth of the cell's. So the third rule seldom binds on a sound 2.6 Ah cell (some 3.4 kJ), and does on an old,
cold or small one, whose capacity the settings say.
"""

from watering import limits

_CUT_OFF_MV = 3000
_FULL_MV = 4150
_CHARGED_PERCENT = 90


class Energy:
    """What is known of the store. `own`: watering.settings.Own, or what else has capacity_mah, pulse_mj, boost_mv."""

    def __init__(self, own):
        self._own = own
        self._mv = None
        self._boost_mv = None
        self._at_ms = None
        self.low = False

    def sample(self, battery_mv, boost_mv, *, now_ms: int):
        """One reading, None where silent. Returns True when "low" begins, False when it ends, else None."""
        if not self._own.capacity_mah:
            return None
        if battery_mv is None or not 0 < battery_mv <= limits.BATTERY_MV_MAX:
            return None
        self._mv, self._boost_mv, self._at_ms = battery_mv, boost_mv, now_ms
        if not self.low and battery_mv < limits.BATTERY_LOW_MV:
            self.low = True
            return True
        if self.low and battery_mv >= limits.BATTERY_WELL_MV:
            self.low = False
            return False
        return None

    def refuses(self, open_after: int, *, now_ms: int):
        """None when `open_after` latching valves may be open together, else the mV (or mJ of charge) that decided;
        -1: nothing is known."""
        own = self._own
        if not own.capacity_mah:
            return None
        if self._mv is None or now_ms - self._at_ms > limits.READING_MAX_MS:
            return -1
        if self._mv < limits.BATTERY_OPEN_MV:
            return self._mv
        if own.boost_mv:
            if self._boost_mv is None:
                return -1
            if 100 * self._boost_mv < _CHARGED_PERCENT * own.boost_mv:
                return self._boost_mv
        usable_mj = self.usable_mj()
        if usable_mj < open_after * limits.RESERVED_PULSES * own.pulse_mj:
            return usable_mj
        return None

    def exhausted(self, are_open: int):
        """The mV (or mJ) by which `are_open` latching valves must be shut while that can still be paid, or None."""
        own = self._own
        if not own.capacity_mah or self._mv is None:
            return None
        if self._mv < limits.BATTERY_SHUT_MV:
            return self._mv
        usable_mj = self.usable_mj()
        return usable_mj if usable_mj < are_open * own.pulse_mj else None

    def usable_mj(self) -> int:
        """Charge above the cut-off, in mJ: straight between empty and full, which is low in the middle of the curve."""
        above_mv = min(_FULL_MV, self._mv) - _CUT_OFF_MV
        # mAh * 3.6 C * V: 3.6 * mV mJ a mAh.
        full_mj = self._own.capacity_mah * 36 * self._mv // 10
        # Half of it: a cold, aged cell's inner resistance keeps the rest.
        return max(0, full_mj * above_mv // (_FULL_MV - _CUT_OFF_MV)) // 2
