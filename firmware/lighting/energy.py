"""Energy of one lamp since its first day: Wh that never fall, across power cuts and changes of the meter.

Some meters count from zero at each start (BL0942), some for their whole life (a D4i gear, bank 202): of both only the
steps are added up. What a meter without a memory has counted since the last checkpoint is lost with the mains, one hour
at most; a gear's counter gives it back. Where nothing counts, power over time does. A step that no lamp can draw is
another meter's reading, and adds nothing.
"""

from lighting import limits


class Energy:
    """`wh`: the total. `last_wh`: what the meter said last, or None; `keeps`: it counts for its whole life."""

    def __init__(self, wh, last_wh, *, keeps):
        self.wh = wh
        self.keeps = keeps
        # A meter that starts at zero has had nothing counted before its first reading.
        self.last_wh = last_wh if keeps else 0
        self.counters = {"restarts": 0, "refused": 0}
        self._parts_dwms = 0
        self._power = None  # (instant ms, 0.1 W)

    def sample(self, meter_wh, power_dw, *, now_ms):
        """One reading: the meter's Wh or None, the power in 0.1 W or None."""
        if meter_wh is not None:
            self._power = None
            self._count(meter_wh)
        elif power_dw is not None:
            self._integrate(max(0, power_dw), now_ms)

    def _count(self, meter_wh):
        last_wh = self.last_wh
        self.last_wh = meter_wh
        if last_wh is None:
            return
        step_wh = meter_wh - last_wh
        if step_wh < 0:
            self.counters["restarts"] += 1
            step_wh = 0 if self.keeps else meter_wh
        if step_wh > limits.ENERGY_STEP_MAX_WH:
            self.counters["refused"] += 1
            return
        self.wh = min(limits.ENERGY_MAX_WH, self.wh + step_wh)

    def _integrate(self, power_dw, now_ms):
        before = self._power
        self._power = (now_ms, power_dw)
        if before is None or now_ms - before[0] > limits.ENERGY_GAP_MAX_MS:
            return
        # 0.1 W over a millisecond: 36 million of them are a Wh.
        self._parts_dwms += (now_ms - before[0]) * (before[1] + power_dw) // 2
        self.wh = min(limits.ENERGY_MAX_WH, self.wh + self._parts_dwms // 36_000_000)
        self._parts_dwms %= 36_000_000
