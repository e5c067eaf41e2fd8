"""What is wrong with the mains of a lamp, or with who measures them: voltage outside EN 50160, a silent meter."""

from lighting import limits
from lighting.votes import cast
from wire import event


class SupplyWatch:
    """`low_dv`, `high_dv`: 0.1 V. `active`: codes in force, as in LampWatch. `sample` returns
    [(event code, begins)]."""

    def __init__(self, low_dv=limits.VOLTAGE_LOW_DV, high_dv=limits.VOLTAGE_HIGH_DV, *, active=None):
        self._low_dv = low_dv
        self._high_dv = high_dv
        self._votes = {}
        self._silent = 0
        self.active = set() if active is None else active

    def sample(self, power_dw, voltage_dv):
        """One reading, None for what was not heard."""
        changes = []
        if power_dw is None:
            self._silent += 1
            if self._silent >= limits.METER_SILENT_SAMPLES:
                self._declare(changes, event.METER_FAILURE, True)
        else:
            self._silent = 0
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
