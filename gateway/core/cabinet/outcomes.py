"""Decides the outcome of each command at its feeders: applied, overruled, measured in watts.

"Applied" means that the contactor is as the command demands, "measured" that the watts agree within
OUTCOME_MEASURE_MS. The outcome of an overruled command names what overrules it, and is reported again when that ends.
"""

from gateway.core import limits
from gateway.core.cabinet.alarms import FeederWatch
from gateway.core.cabinet.equipment import Observation
from gateway.core.cabinet.feeder import COMMAND, FeederDemand
from gateway.core.cabinet.orders import ACTIVE, APPLIED, MEASURED, REFUSED, UNMEASURED, Order, Orders
from wire import command

HANDED_BACK = "handed-back"
# By then, a lease requested with the connection has arrived, and a contactor that returns to our control is back.
_PATIENCE_MS = 10_000


class Outcomes:
    """Compares orders with decisions and observations."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._measuring: dict[tuple[bytes, int], tuple[Order, int]] = {}  # since when
        self._active_since: dict[bytes, int] = {}

    def observe_demands(
        self, demands: list[FeederDemand | None], *, has_lease: bool, in_control: bool, now_ms: int
    ) -> None:
        """Report, after a decision, which order each contactor follows."""
        for order in self._orders.known():
            if order.state != ACTIVE:
                self._active_since.pop(order.command.id, None)
                continue
            since_ms = self._active_since.setdefault(order.command.id, now_ms)
            is_patient = now_ms - since_ms <= _PATIENCE_MS
            for index in order.feeders:
                demand = demands[index]
                if demand is None:
                    continue
                if demand.closed == order.closes and in_control:
                    if order.reported.get(index, ("", None))[0] not in (APPLIED, MEASURED, UNMEASURED):
                        self._orders.report(order, APPLIED, feeder=index, now_ms=now_ms)
                        self._measuring[order.command.id, index] = (order, now_ms)
                    continue
                why = _why(order, demand, has_lease, in_control)
                if not is_patient or why not in ("lease", HANDED_BACK):
                    self._measuring.pop((order.command.id, index), None)
                    self._orders.report(order, REFUSED, why, index, now_ms=now_ms)

    def observe(self, seen: Observation, watches: list[FeederWatch], *, now_ms: int) -> None:
        """Report whether the watts agree with what was applied."""
        for key, (order, since_ms) in list(self._measuring.items()):
            index = key[1]
            power_dw = seen.feeders[index].power_dw
            normal = watches[index].normal
            agrees = power_dw is not None and (normal.is_lit(power_dw) if order.closes else normal.is_dark(power_dw))
            if agrees:
                self._orders.report(order, MEASURED, None, index, power_dw, now_ms=now_ms)
            elif now_ms - since_ms > limits.OUTCOME_MEASURE_MS:
                why = "meter" if power_dw is None else "watts"
                self._orders.report(order, UNMEASURED, why, index, power_dw, now_ms=now_ms)
            elif order.state == ACTIVE:
                continue
            del self._measuring[key]


def _why(order: Order, demand: FeederDemand, has_lease: bool, in_control: bool) -> str:
    """Return the word for what overrules the order."""
    if order.command.kind != command.EMERGENCY and not has_lease:
        return "lease"
    if demand.closed == order.closes and not in_control:
        return HANDED_BACK
    return "later" if demand.rule == COMMAND or demand.order is not None else demand.rule
