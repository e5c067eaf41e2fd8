"""Faults of a lamp, seen from what it draws (TALQ names: lampFailure, lampUnexpectedOn).

Fed with one power reading a sample and the level that was commanded; returns what began or ended. Needs
several samples that agree, and looks away while a lamp warms up or its level has just changed: a false
alarm costs a van's journey. Thresholds: dead below max(2 W, 25 % of what the level should draw); burning
above max(3 W, twice the standby).
"""

from collections import namedtuple

from node import limits
from wire import event

# Nominal and standby power in 0.1 W (dW). `warm_up_s` is 300 s for LED drivers and discharge lamps alike by default.
LampModel = namedtuple("LampModel", ("nominal_dw", "standby_dw", "warm_up_s"))

_STEADY_MS = 60_000
_LEVEL_JUDGED_MIN = 20
_VOTES = 3
_DEAD_FLOOR_DW = 20
_BURNING_FLOOR_DW = 30
_METER_SILENT_SAMPLES = 5


class LampWatch:
    """Remembers the last samples and which faults are declared. `active` is the set of event codes in
    force."""

    def __init__(self, model: LampModel):
        self._model = model
        self._lit_since_ms = None
        self._level = None
        self._level_since_ms = 0
        self._dead = []
        self._burning = []
        self._silent = 0
        self.active = set()

    def expected_dw(self, level_percent: int) -> int:
        """Power of a healthy lamp at a level: linear between standby and nominal, in 0.1 W."""
        model = self._model
        if level_percent == 0:
            return model.standby_dw
        return model.standby_dw + (model.nominal_dw - model.standby_dw) * level_percent // 100

    def commanded(self, level_percent: int, *, now_ms: int) -> None:
        """The level that the output has now."""
        if level_percent == self._level:
            return
        if level_percent == 0:
            self._lit_since_ms = None
        elif self._lit_since_ms is None:
            self._lit_since_ms = now_ms
        self._level = level_percent
        self._level_since_ms = now_ms
        self._dead = []
        self._burning = []

    def sample(self, power_dw, *, now_ms: int) -> list:
        """One reading in 0.1 W, or None when the meter is silent. Returns [(event code, begins)], often
        empty."""
        if power_dw is None:
            self._silent += 1
            return self._declare(event.METER_FAILURE, self._silent >= _METER_SILENT_SAMPLES)
        self._silent = 0
        changes = self._declare(event.METER_FAILURE, False)
        if self._level is None or now_ms - self._level_since_ms < _STEADY_MS:
            return changes
        if self._level >= _LEVEL_JUDGED_MIN:
            changes += self._judge_lit(power_dw, now_ms)
        elif self._level == 0:
            self._vote(self._burning, power_dw > max(_BURNING_FLOOR_DW, 2 * self._model.standby_dw))
            changes += self._verdict(event.LAMP_UNEXPECTED_ON, self._burning)
        return changes

    def agrees(self, power_dw, *, now_ms: int) -> bool:
        """Whether the watts show the level that was commanded; False too where that cannot be told yet."""
        if power_dw is None or self._level is None or now_ms - self._level_since_ms < _STEADY_MS:
            return False
        if self._level == 0:
            return power_dw <= max(_BURNING_FLOOR_DW, 2 * self._model.standby_dw)
        return self._level >= _LEVEL_JUDGED_MIN and 2 * power_dw >= self.expected_dw(self._level)

    def _judge_lit(self, power_dw, now_ms):
        changes = self._declare(event.LAMP_UNEXPECTED_ON, False)
        if now_ms - self._lit_since_ms < 1000 * self._model.warm_up_s:
            return changes
        self._vote(self._dead, power_dw < max(_DEAD_FLOOR_DW, self.expected_dw(self._level) // 4))
        return changes + self._verdict(event.LAMP_FAILURE, self._dead)

    def _vote(self, votes, yes):
        votes.append(yes)
        if len(votes) > limits.SAMPLES_KEPT:
            votes.pop(0)

    def _verdict(self, code, votes):
        """Begin on three of the last five; end when all that is remembered, three at least, is healthy."""
        bad = sum(1 for vote in votes if vote)
        if bad >= _VOTES:
            return self._declare(code, True)
        if len(votes) - bad >= _VOTES and bad == 0:
            return self._declare(code, False)
        return []

    def _declare(self, code, wanted):
        if wanted == (code in self.active):
            return []
        if wanted:
            self.active.add(code)
        else:
            self.active.discard(code)
        return [(code, wanted)]
