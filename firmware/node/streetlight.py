"""What a streetlight's output must be now, and why (DESIGN sections 6 and 7).

Recomputed from order, clock, sun and calendar at every turn, never restored. The precedence of what this node
knows: emergency > override > policy > default. What an order wants comes first; `node.orders` says which one
holds, and of one node there is one at most. Below it is the ladder of time: a usable clock runs the calendar,
shifted to the safe side by the clock's uncertainty (of the levels that may be right, the brightest); no usable
clock lights the lamp, for "fail lit" costs a few kWh and "fail dark" costs a fall. There is no photocell on
this node yet.
"""

from collections import namedtuple

from node import limits
from policy import lighting

Output = namedtuple("Output", ("level_percent", "rule", "reason"))

# Rules that can cause a level, as they stand in `levelChanged` events, beside those of wire.node_order. `reason` is of
# the calendar an integer, of an order its id.
NO_TIME = "no-time"
CALENDAR = "calendar"
BOOT = "boot"

FAIL_SAFE_PERCENT = 100
_CERTAIN_S = 60


class Streetlight:
    """The lighting decision of one lamp. `stagger_s` spreads the lamps of a feeder against the inrush."""

    def __init__(self, plan: lighting.Plan, *, stagger_s: int):
        self._plan = plan
        self._stagger_s = stagger_s
        self._wanted = None
        self._from_s = 0

    def output(self, unix_s, uncertainty_s: int, order=None) -> Output:
        """The level at Unix time `unix_s` (None: unknown) known to ± `uncertainty_s`, under the order in force."""
        if order is not None:
            return Output(order.level_percent, order.rule, order.id)
        if unix_s is None or uncertainty_s > limits.UNCERTAINTY_USABLE_S:
            return Output(FAIL_SAFE_PERCENT, NO_TIME, 0)
        at_s = unix_s - self._stagger_s
        doubtful = uncertainty_s > _CERTAIN_S
        chosen = self._plan.brightest(at_s, uncertainty_s) if doubtful else self._at(at_s)
        return Output(chosen.level_percent, CALENDAR, chosen.reason)

    def _at(self, at_s):
        """The calendar's answer, asked again only when it may have changed (or the clock went back)."""
        if self._wanted is None or not self._from_s <= at_s < self._wanted.until_s:
            self._wanted = self._plan.wanted(at_s)
            self._from_s = at_s
        return self._wanted
