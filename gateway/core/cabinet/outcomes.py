"""Decides the outcome of each command at its feeders: applied, overruled, measured in watts.

"Applied" means that the contactor is as the command demands, "measured" that the watts agree within
OUTCOME_MEASURE_MS. The outcome of an overruled command names what overrules it, and is reported again when that ends.

The meter of a feeder shows a rise from dark, or darkness. It does not show whether lamps that burn already, perhaps
dimmed, have risen to full light, nor whether they are lowered: lamps with controllers of their own report that, and the
feeder is "measured" once every one of them has been, by its own dimming curve. Of lamps that rise most are enough after
OUTCOME_RISEN_MS, as for the meter: a lamp that is out is a fault, and the street is lit. One lamp that is not lowered
leaves the feeder "unmeasured". Only lamps with controllers can be lowered; a feeder without them refuses.

An agent that restarts meanwhile knows from the audit log that the order was applied, and measures anew. Its lamps agree
on keys with it within a quarter of an hour, and then report once more what they had reported of the order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core import limits
from gateway.core.cabinet.alarms import FeederWatch
from gateway.core.cabinet.equipment import FeederObservation, Observation
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


class _Measuring(NamedTuple):
    """Holds an order that is applied at a feeder, since when, and whether its lamps have to report it."""

    order: Order
    since_ms: int
    is_at_lamps: bool


class Outcomes:
    """Compares orders with decisions and observations. `nodes`: the lamp controllers on each feeder."""

    def __init__(self, orders: Orders, nodes: Sequence[tuple[bytes, ...]]) -> None:
        self._orders = orders
        self._nodes = nodes
        self._measuring: dict[tuple[bytes, int], _Measuring] = {}
        self._active_since: dict[bytes, int] = {}
        self._at_lamps: dict[bytes, dict[bytes, _AtLamp]] = {}  # of each order, the last outcome at each node
        self._seen: list[tuple[FeederObservation, FeederWatch]] = []  # each feeder, when it was read last

    def observe_demands(
        self, demands: list[FeederDemand | None], *, has_lease: bool, in_control: bool, now_ms: int
    ) -> None:
        """Report, after a decision, which order each contactor follows."""
        for order in self._orders.known():
            if order.state != ACTIVE:
                self._active_since.pop(order.command.id, None)
                self._at_lamps.pop(order.command.id, None)
                continue
            since_ms = self._active_since.setdefault(order.command.id, now_ms)
            is_patient = now_ms - since_ms <= _PATIENCE_MS
            for index in order.feeders:
                demand = demands[index]
                if demand is None:
                    continue
                if order.lowers:
                    # After a start the lamps keep what they have until the lease comes (`node_orders`).
                    may_wait = now_ms - since_ms <= limits.CABINET_START_MS
                    self._observe_lowered(order, index, demand, has_lease or may_wait, now_ms)
                    continue
                if demand.closed == order.closes and in_control:
                    is_at_lamps = order.closes and bool(self._nodes[index]) and not self._is_dark(index)
                    self._apply(order, index, is_at_lamps, now_ms)
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
        if order is None or not order.closes or outcome not in command.OUTCOMES:
            return
        is_word = why is None or is_line(why, command.NAME_BYTES_MAX)
        if is_word and (power_dw is None or (type(power_dw) is int and 0 <= power_dw <= limits.LAMP_DW_MAX)):
            self._at_lamps.setdefault(name, {})[node] = _AtLamp(outcome, why, power_dw)

    def _apply(self, order: Order, index: int, is_at_lamps: bool, now_ms: int) -> None:
        """Report an order as applied at a feeder, and compare its watts until there is an outcome: after a restart
        anew."""
        if _last(order, index) not in (MEASURED, UNMEASURED):
            self._orders.report(order, APPLIED, feeder=index, now_ms=now_ms)
            self._measuring.setdefault((order.command.id, index), _Measuring(order, now_ms, is_at_lamps))

    def _lamps(self, order: Order, index: int) -> list[_AtLamp]:
        """Return what the lamps of a feeder have reported of an order."""
        known = self._at_lamps.get(order.command.id, {})
        return [known[node] for node in self._nodes[index] if node in known]

    def _observe_lowered(
        self, order: Order, index: int, demand: FeederDemand, may_wait_for_lease: bool, now_ms: int
    ) -> None:
        """Report what the lamps of a feeder have made of an order that lowers them."""
        known = self._lamps(order, index)
        why = self._overrules(order, index, demand, may_wait_for_lease)
        refused = [one.why for one in known if one.outcome == REFUSED]
        if why is None and len(refused) == len(self._nodes[index]):
            why = refused[0] if refused else NO_DIMMING
        if why is not None:
            self._measuring.pop((order.command.id, index), None)
            self._orders.report(order, REFUSED, why, index, now_ms=now_ms)
        elif _last(order, index) == APPLIED or any(one.outcome in (APPLIED, MEASURED) for one in known):
            self._apply(order, index, True, now_ms)

    def _overrules(self, order: Order, index: int, demand: FeederDemand, may_wait_for_lease: bool) -> str | None:
        """Return the word for what keeps the lamps of a feeder from an order that lowers them."""
        if demand.rule == INTERLOCK and not demand.closed:
            return INTERLOCK
        emergency, override = self._orders.in_force(index)
        if emergency is not None:
            return EMERGENCY
        if override is not order:
            return "later"
        return None if may_wait_for_lease else "lease"

    def observe(self, seen: Observation, watches: list[FeederWatch], *, now_ms: int) -> None:
        """Report whether the watts agree with what was applied."""
        self._seen = list(zip(seen.feeders, watches, strict=True))
        for key, (order, since_ms, is_at_lamps) in list(self._measuring.items()):
            index = key[1]
            if is_at_lamps:
                is_over = self._judge_lamps(order, index, since_ms, now_ms)
            else:
                is_over = self._judge_meter(order, index, seen, watches[index], since_ms, now_ms)
            if is_over or order.state != ACTIVE:
                del self._measuring[key]

    def _is_dark(self, index: int) -> bool:
        """Return whether a feeder was dark by its meter, when it was read last."""
        if not self._seen:
            return False
        seen, watch = self._seen[index]
        return seen.power_dw is not None and watch.normal.is_dark(seen.power_dw)

    def _judge_meter(
        self, order: Order, index: int, seen: Observation, watch: FeederWatch, since_ms: int, now_ms: int
    ) -> bool:
        """Report whether the watts of a feeder agree with an order; return False while they may still come to."""
        power_dw, normal = seen.feeders[index].power_dw, watch.normal
        agrees = power_dw is not None and (normal.is_lit(power_dw) if order.closes else normal.is_dark(power_dw))
        if agrees:
            self._orders.report(order, MEASURED, None, index, power_dw, now_ms=now_ms)
            return True
        if now_ms - since_ms <= limits.OUTCOME_MEASURE_MS:
            return False
        self._orders.report(order, UNMEASURED, "meter" if power_dw is None else "watts", index, power_dw, now_ms=now_ms)
        return True

    def _judge_lamps(self, order: Order, index: int, since_ms: int, now_ms: int) -> bool:
        """Report whether each lamp of a feeder has measured what an order demands; return False while some may."""
        known, lamps = self._lamps(order, index), len(self._nodes[index])
        done = [one.power_dw or 0 for one in known if one.outcome == MEASURED]
        refused = [one.why for one in known if one.outcome == REFUSED]
        is_most = 100 * len(done) > limits.POWER_LIT_PERCENT * lamps
        is_lit = not order.lowers and now_ms - since_ms > limits.OUTCOME_RISEN_MS and is_most
        is_over = is_lit or len(done) == lamps
        if is_over:
            self._orders.report(order, MEASURED, None, index, sum(done), now_ms=now_ms)
        elif len(done) + len(refused) == lamps:
            self._orders.report(order, UNMEASURED, refused[0], index, sum(done), now_ms=now_ms)
        elif now_ms - since_ms > limits.OUTCOME_LAMPS_MS:
            self._orders.report(order, UNMEASURED, "watts", index, sum(done), now_ms=now_ms)
        return is_over


def _last(order: Order, index: int) -> str:
    """Return the last outcome that was reported of an order at a feeder, by this agent or an earlier one."""
    return order.reported.get(index, ("", None))[0]


def _why(order: Order, demand: FeederDemand, has_lease: bool, in_control: bool) -> str:
    """Return the word for what overrules the order."""
    if order.command.kind != command.EMERGENCY and not has_lease:
        return "lease"
    if demand.closed == order.closes and not in_control:
        return HANDED_BACK
    return "later" if demand.rule == COMMAND or demand.order is not None else demand.rule
