"""Counts the energy of electric heaters by their meter (PZEM-004T), and detects a relay that closes without a load.

The meter's register counts for its whole life, through power cuts. Only its steps are added up, from its last reading,
which `heating.memory` keeps, so that the energy of a time without the node is not lost. A register that began anew
(9999.99 kWh, another meter) adds nothing, nor does a step larger than heaters draw. Loaded only where a meter is
fitted.
"""

from heating import limits
from wire import quantity


class HeaterMeter:
    """Holds the meter's count.

    `wh`: the total. `last_wh`: the last reading, or None. `is_silent`: no reading for some samples. `is_idle`: the
    relay was closed for minutes, in a cold room, and no power was drawn.
    """

    def __init__(self, wh, last_wh, heater_w, *, now_ms):
        self.wh = wh
        self.last_wh = last_wh
        self.is_silent = self.is_idle = False
        self._least_dw = max(limits.METER_IDLE_DW, heater_w)  # a tenth of the rated power
        self._idle_ms = 0
        self._heard_ms = self._at_ms = now_ms

    def sample(self, values, closed_ms, *, now_ms):
        """Observes one reading of the meter.

        `closed_ms`: how long the relay has been closed in a room that is too cold, else 0.
        """
        power_dw, wh = values.get(quantity.POWER), values.get(quantity.ENERGY)
        if wh is not None:
            self._heard_ms = now_ms
            step_wh = 0 if self.last_wh is None else wh - self.last_wh
            self.last_wh = wh
            if 0 < step_wh <= limits.ENERGY_STEP_MAX_WH:
                self.wh = min(limits.ENERGY_MAX_WH, self.wh + step_wh)
        self.is_silent = now_ms - self._heard_ms >= limits.OUTPUT_SILENT_MS
        if power_dw is not None:
            self._idle_ms = 0 if power_dw >= self._least_dw else self._idle_ms + min(closed_ms, now_ms - self._at_ms)
            self.is_idle = self._idle_ms >= limits.METER_IDLE_MS
        self._at_ms = now_ms
