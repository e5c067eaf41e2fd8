"""Decides the outcome of each command at its feeders: applied, overruled, measured in watts.

"Applied" means that the contactor is as the command demands, "measured" that the watts agree within
OUTCOME_MEASURE_MS. The outcome of an overruled command names what overrules it, and is reported again when that ends.

A command that lowers is for lamps with controllers of their own, and these report what became of it: a feeder is
"measured" once every lamp of it has been, by its own dimming curve. One lamp that is dark, or stays at its full power,
leaves it "unmeasured". A feeder without controllers refuses.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core import limits
from gateway.core.cabinet.alarms import FeederWatch
from gateway.core.cabinet.equipment import Observation
from gateway.core.cabinet.feeder import COMMAND, EMERGENCY, INTERLOCK, FeederDemand
from gateway.core.cabinet.orders import ACTIVE, APPLIED, MEASURED, REFUSED, UNMEASURED, Order, Orders
from wire import command, event
from wire.line import is_line
from wire.record import EventBody, Record

HANDED_BACK, NO_DIMMING = "handed-back", "no-dimming"
# By then, a lease requested with the connection has arrived, and a contactor that returns to our control is back.
_PATIENCE_MS = 10_000


class _AtLamp(NamedTuple):
    outcome: str
    why: str | None
    power_dw: int | None


class _Lowering:
    """Holds what is known of one order that lowers: the last outcome at each node, and since when each feeder
    follows."""

    def __init__(self) -> None:
        self.at_lamps: dict[bytes, _AtLamp] = {}
        self.since_ms: dict[int, int] = {}


class Outcomes:
    """Compares orders with decisions and observations. `nodes`: the lamp controllers on each feeder."""

    def __init__(self, orders: Orders, nodes: Sequence[tuple[bytes, ...]]) -> None:
        self._orders = orders
        self._nodes = nodes
        self._measuring: dict[tuple[bytes, int], tuple[Order, int]] = {}  # since when
        self._active_since: dict[bytes, int] = {}
        self._lowerings: dict[bytes, _Lowering] = {}

    def observe_demands(
        self, demands: list[FeederDemand | None], *, has_lease: bool, in_control: bool, now_ms: int
    ) -> None:
        """Report, after a decision, which order each contactor follows."""
        for order in self._orders.known():
            if order.state != ACTIVE:
                self._active_since.pop(order.command.id, None)
                self._lowerings.pop(order.command.id, None)
                continue
            since_ms = self._active_since.setdefault(order.command.id, now_ms)
            is_patient = now_ms - since_ms <= _PATIENCE_MS
            for index in order.feeders:
                demand = demands[index]
                if demand is None:
                    continue
                if order.lowers:
                    self._observe_lowered(order, index, demand, has_lease or is_patient, now_ms)
                    continue
                if demand.closed == order.closes and in_control:
                    if self._report_applied(order, index, now_ms):
                        self._measuring[order.command.id, index] = (order, now_ms)
                    continue
                why = _why(order, demand, has_lease, in_control)
                if not is_patient or why not in ("lease", HANDED_BACK):
                    self._measuring.pop((order.command.id, index), None)
                    self._orders.report(order, REFUSED, why, index, now_ms=now_ms)

    def observe_node(self, node: bytes, made: Record) -> None:
        """Observe a new record of a node, which may be what became of an order at its lamp; one that no honest node
        makes is ignored."""
        if not isinstance(made.body, EventBody) or made.body.code != event.COMMAND_OUTCOME:
            return
        detail = made.body.detail
        if not isinstance(detail, list | tuple) or len(detail) != 5:
            return
        name, outcome, why, _feeder, power_dw = detail
        order = next((one for one in self._orders.known() if one.command.id == name), None)
        if order is None or not order.lowers or outcome not in command.OUTCOMES:
            return
        is_word = why is None or is_line(why, command.NAME_BYTES_MAX)
        if is_word and (power_dw is None or (type(power_dw) is int and 0 <= power_dw <= limits.LAMP_DW_MAX)):
            self._lowering(order).at_lamps[node] = _AtLamp(outcome, why, power_dw)

    def _lowering(self, order: Order) -> _Lowering:
        return self._lowerings.setdefault(order.command.id, _Lowering())

    def _observe_lowered(
        self, order: Order, index: int, demand: FeederDemand, may_wait_for_lease: bool, now_ms: int
    ) -> None:
        """Report what the lamps of a feeder have made of an order that lowers them."""
        nodes, lowering = self._nodes[index], self._lowering(order)
        why = self._overrules(order, index, demand, may_wait_for_lease)
        known = [lowering.at_lamps[node] for node in nodes if node in lowering.at_lamps]
        refused = [one.why for one in known if one.outcome == REFUSED]
        if why is None and len(refused) == len(nodes):
            why = refused[0] if refused else NO_DIMMING
        if why is not None:
            lowering.since_ms.pop(index, None)
            self._orders.report(order, REFUSED, why, index, now_ms=now_ms)
            return
        done = [one.power_dw or 0 for one in known if one.outcome == MEASURED]
        if not done and not any(one.outcome == APPLIED for one in known):
            return
        since_ms = lowering.since_ms.setdefault(index, now_ms)
        self._report_applied(order, index, now_ms)
        if len(done) == len(nodes):
            self._orders.report(order, MEASURED, None, index, sum(done), now_ms=now_ms)
        elif len(done) + len(refused) == len(nodes):
            self._orders.report(order, UNMEASURED, refused[0], index, sum(done), now_ms=now_ms)
        elif now_ms - since_ms > limits.OUTCOME_LOWERED_MS:
            self._orders.report(order, UNMEASURED, "watts", index, sum(done), now_ms=now_ms)

    def _report_applied(self, order: Order, index: int, now_ms: int) -> bool:
        """Report that a feeder follows an order; return False if it was reported before."""
        if order.reported.get(index, ("", None))[0] in (APPLIED, MEASURED, UNMEASURED):
            return False
        self._orders.report(order, APPLIED, feeder=index, now_ms=now_ms)
        return True

    def _overrules(self, order: Order, index: int, demand: FeederDemand, may_wait_for_lease: bool) -> str | None:
        """Return the word for what keeps the lamps of a feeder from an order that lowers them."""
        if demand.rule == INTERLOCK and not demand.closed:
            return INTERLOCK
        if self._orders.emergency(index) is not None:
            return EMERGENCY
        if self._orders.override(index) is not order:
            return "later"
        return None if may_wait_for_lease else "lease"

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
