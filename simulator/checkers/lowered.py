"""Checks lamps under orders of a level between dark and full (invariant 3): none gives less than the order leaves of
its policy's light, none less than the least to which that policy lets a command take it; and what a cabinet calls
measured is so on the street: every lamp of the feeder burns, and not above the level; of lamps that the policy wants
lit, so that a feeder's meter shows no rise from dark, most give all the light that an order to light demands.

An order counts only while the centre's lease holds, which who watches a street does not know: a lamp may always give
what its policy wants. Knows nothing of nodes, clocks or gateways.
"""

from collections.abc import Iterable

from simulator.checkers.lighting import GRACE_S, LampOrders, Watched
from simulator.plants.lamps import LampFeeder

# Behind a DALI gear a lamp gives the nearest step of its curve (IEC 62386-102, steps of 2.8 %): 39 % for 40, 84 for 86.
_STEP_PERCENT = 2

# An order's id, when it was called measured (Unix s), and where.
Claim = tuple[bytes, int, LampFeeder]


class LoweredChecker:
    """Judges all lamps at each `check`. `orders`: those that lower, and what takes precedence over them.
    `least_percent`: of the policy's limits. `violations`: strings, each once."""

    def __init__(self, watched: list[Watched], *, least_percent: int = 0) -> None:
        self.least_percent = least_percent
        self._watched = watched
        self.orders = LampOrders()
        self._wrong_since: dict[str, int] = {}
        self._burning: list[tuple[int, dict[str, int]]] = []  # Unix s, the light of each lamp in %
        self.violations: list[str] = []

    def check(self, *, unix_s: int) -> None:
        """Judges the lamps that are under orders now."""
        standing = self.orders.standing(unix_s)
        if not standing:
            self._wrong_since.clear()
            return
        burning = {}
        for name, lamp, plan, _ in self._watched:
            levels = [order.level_percent for order, feeders in standing if lamp.feeder in feeders]
            if not levels:
                continue
            burning[name] = burns = lamp.burning_percent() if lamp.light_percent() else 0
            wanted = plan.wanted(unix_s).level_percent
            is_sound = lamp.feeder.powered and not lamp.module_dead and not lamp.relay_stuck
            least = max(min(wanted, *levels), min(wanted, self.least_percent))
            if not is_sound or burns >= least - _STEP_PERCENT:
                self._wrong_since.pop(name, None)
            elif unix_s - self._wrong_since.setdefault(name, unix_s) > GRACE_S:
                self._say(f"{name} gives {burns} %, not {least} % since {self._wrong_since[name]}")
        self._burning.append((unix_s, burning))

    def judge_measured(self, claims: Iterable[Claim]) -> None:
        """Judges what a cabinet calls measured by the check that followed."""
        for id, unix_s, feeder in claims:
            order = self.orders.of(id)
            at_s, burning = next((one for one in self._burning if one[0] > unix_s), (0, {}))
            if order is None or not order.lit or not order.from_s <= at_s < order.to_s:
                continue
            own = [(name, plan, burning.get(name, 0)) for name, lamp, plan, _ in self._watched if lamp.feeder is feeder]
            for name, _, burns in own:
                if order.lowers and not 0 < burns <= order.level_percent:
                    self._say(f"{name} gives {burns} %, and counts as lowered to {order.level_percent} %")
            lit = [(name, burns) for name, plan, burns in own if plan.wanted(at_s).level_percent]
            dim = [] if order.lowers else [one for one in lit if one[1] < order.level_percent]
            if 2 * len(dim) > len(lit):
                self._say("{} gives {} %, as most beside it, and counts as lit".format(*dim[0]))

    def _say(self, violation: str) -> None:
        if violation not in self.violations:
            self.violations.append(violation)
