"""What is wrong with the mains of a lamp, or with who measures them: voltage outside EN 50160, a silent meter."""

from lighting import limits
from lighting.votes import cast
from wire import event


class SupplyWatch:
    """`low_dv`, `high_dv`: 0.1 V. `has_meter`: False while only a gear can say whether it has
    one. `active`: codes in force, as in LampWatch. `sample` returns [(event code, begins)]."""

    def __init__(self, low_dv=limits.VOLTAGE_LOW_DV, high_dv=limits.VOLTAGE_HIGH_DV, *, has_meter=True, active=None):
        self._low_dv = low_dv
        self._high_dv = high_dv
        self._votes = {}
        self._silent = 0
        self._has_meter = has_meter
        self.active = set() if active is None else active

    def sample(self, power_dw, voltage_dv, *, gear_meter=None):
        """One reading, None for what was not heard. `gear_meter`: lighting.inner.METER. A gear whose meter was there in
        this life has lost it; what stood before this start may have been another gear's."""
        changes = []
        if power_dw is not None or gear_meter:
            self._has_meter = True
        if power_dw is not None:
            self._silent = 0
            self._declare(changes, event.METER_FAILURE, False)
        elif self._has_meter:
            self._silent += 1
            if self._silent >= limits.METER_SILENT_SAMPLES:
                self._declare(changes, event.METER_FAILURE, True)
        elif gear_meter == 0:
            self._declare(changes, event.METER_FAILURE, False)
        if voltage_dv is not None:
            for code, is_bad in (
                (event.VOLTAGE_TOO_LOW, voltage_dv < self._low_dv),
                (event.VOLTAGE_TOO_HIGH, voltage_dv > self._high_dv),
            ):
                self._declare(changes, code, cast(self._votes, code, is_bad))
        return changes

    def _declare(self, changes, code, wanted):
        if wanted is None or wanted == (code in self.active):
            return
        if wanted:
            self.active.add(code)
        else:
            self.active.discard(code)
        changes.append((code, wanted))
