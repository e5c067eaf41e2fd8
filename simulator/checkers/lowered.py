"""Checks lamps under orders of a level between dark and full (invariant 3): none gives less than the order leaves of
its policy's light, none less than the least to which that policy lets a command take it; and what a cabinet calls
measured is so on the street: every lamp of the feeder burns, and not above the level; of lamps that the policy wants
lit, so that a feeder's meter shows no rise from dark, most give all the light that an order to light demands. An order
that is applied at a feeder comes to an outcome there, though its cabinet may restart meanwhile; and it is not called
unmeasured while all lamps give its light, and have for as long as they take to report it.

An order counts only while the centre's lease holds, which who watches a street does not know: a lamp may always give
what its policy wants. Knows nothing of nodes, clocks or gateways.
"""

from collections.abc import Iterable
from typing import NamedTuple

from policy.lighting import Plan
from simulator.checkers.lighting import GRACE_S, LampOrders, Watched
from simulator.checkers.street import Order
from simulator.plants.lamps import LampFeeder

# Behind a DALI gear a lamp gives the nearest step of its curve (IEC 62386-102, steps of 2.8 %): 39 % for 40, 84 for 86.
_STEP_PERCENT = 2
# Lamps report to an agent that has restarted within a quarter of an hour, by a radio that loses some datagrams.
_REPORTED_S = 1_080
# A cabinet gives its lamps 20 minutes to measure what it has applied.
_OUTCOME_S = 1_500


class Claim(NamedTuple):
    """Is an outcome of an order that the cabinet of a feeder has reported, and when (Unix s)."""

    id: bytes
    outcome: str
    unix_s: int
    feeder: LampFeeder


class LoweredChecker:
    """Judges all lamps at each `check`. `orders`: those that lower, and what takes precedence over them.
    `least_percent`: of the policy's limits. `violations`: strings, each once."""

    def __init__(self, watched: list[Watched]) -> None:
        self.least_percent = 0
        self._watched = watched
        self.orders = LampOrders()
        self._starts: dict[LampFeeder, tuple[int, int]] = {}  # of its cabinet: which, and when it was found so (Unix s)
        self._wrong_since: dict[str, int] = {}
        self._burning: list[tuple[int, dict[str, int]]] = []  # Unix s, the light of each lamp in %
        self.violations: list[str] = []

    def check(self, *, unix_s: int) -> None:
        """Judges the lamps that are under orders now."""
        in_force = self.orders.in_force(unix_s)
        if not in_force:
            self._wrong_since.clear()
            return
        burning = {}
        for name, lamp, plan, _ in self._watched:
            levels = [order.level_percent for order, feeders in in_force if lamp.feeder in feeders]
            if not levels:
                continue
            burning[name] = burns = lamp.burning_percent() if lamp.light_percent() else 0
            wanted = plan.wanted(unix_s).level_percent
            is_sound = lamp.feeder.powered and not lamp.module_dead and not lamp.relay_stuck
            least = max(min(wanted, *levels), min(wanted, self.least_percent))
            if not is_sound or burns >= least - _STEP_PERCENT:
                self._wrong_since.pop(name, None)
            elif unix_s - self._wrong_since.setdefault(name, unix_s) > GRACE_S:
                self._violate(f"{name} gives {burns} %, not {least} % since {self._wrong_since[name]}")
        self._burning.append((unix_s, burning))

    def observe_cabinet(self, feeder: LampFeeder, boot: int, *, unix_s: int) -> None:
        """Observes which start of a feeder's cabinet runs now; 0: none does."""
        if not boot or self._starts.get(feeder, (0, 0))[0] != boot:
            self._starts[feeder] = boot, unix_s

    def judge_outcomes(self, claims: Iterable[Claim], *, unix_s: int) -> None:
        """Judges what cabinets have reported by now, each in the order in which it did."""
        last: dict[tuple[bytes, LampFeeder], Claim] = {}
        for one in claims:
            last[one.id, one.feeder] = one
            order = self.orders.of(one.id)
            if order is not None and order.lit and one.outcome == "measured":
                self._judge_measured(order, one)
            elif order is not None and order.lit and one.outcome == "unmeasured":
                self._judge_unmeasured(order, one)
        for one in last.values():
            order = self.orders.of(one.id)
            since_s = max(one.unix_s, self._starts.get(one.feeder, (0, 0))[1])
            if order is not None and one.outcome == "applied" and min(order.to_s, unix_s) - since_s > _OUTCOME_S:
                self._violate(f"order {one.id.hex()} is applied since {one.unix_s}, and comes to no outcome")

    def _judge_measured(self, order: Order, claim: Claim) -> None:
        """Judges by the check that followed."""
        at_s, burning = next((one for one in self._burning if one[0] > claim.unix_s), (0, {}))
        if not order.from_s <= at_s < order.to_s:
            return
        own = [(name, plan, burning.get(name, 0)) for name, plan in self._lamps_of(claim.feeder)]
        for name, _, burns in own:
            if order.lowers and not 0 < burns <= order.level_percent:
                self._violate(f"{name} gives {burns} %, and counts as lowered to {order.level_percent} %")
        lit = [(name, burns) for name, plan, burns in own if plan.wanted(at_s).level_percent]
        dim = [] if order.lowers else [one for one in lit if one[1] < order.level_percent]
        if 2 * len(dim) > len(lit):
            self._violate("{} gives {} %, as most beside it, and counts as lit".format(*dim[0]))

    def _judge_unmeasured(self, order: Order, claim: Claim) -> None:
        """Judges by the checks before, from when the lamps had to report to the claim."""
        from_s = claim.unix_s - _REPORTED_S
        seen = [burning for at_s, burning in self._burning if from_s <= at_s < claim.unix_s]
        names = [name for name, _ in self._lamps_of(claim.feeder)]
        least = 1 if order.lowers else order.level_percent
        follow = all(least <= one.get(name, 0) <= order.level_percent for one in seen for name in names)
        if follow and order.from_s <= from_s:
            name = f"order {claim.id.hex()}"
            self._violate(f"{name} is called unmeasured, and every lamp gives its {order.level_percent} %")

    def _lamps_of(self, feeder: LampFeeder) -> list[tuple[str, Plan]]:
        return [(name, plan) for name, lamp, plan, _ in self._watched if lamp.feeder is feeder]

    def _violate(self, violation: str) -> None:
        if violation not in self.violations:
            self.violations.append(violation)
