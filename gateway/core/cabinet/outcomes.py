"""What became of each command: applied, overruled, measured in watts; and the orders of an earlier life.

"Applied" says that the contactor is as it wants, "measured" that the watts agree, within MEASURE_MS. A
command that something higher overrules is told why, and told again when that is over.
"""

from collections.abc import Iterable
from typing import Any

from gateway.core.cabinet import limits
from gateway.core.cabinet.feeder import COMMAND, Wish
from gateway.core.cabinet.orders import ACTIVE, APPLIED, MEASURED, REFUSED, UNMEASURED, Order, Orders
from gateway.core.cabinet.points import Seen
from gateway.core.cabinet.policies import Taken
from gateway.core.cabinet.watch import FeederWatch
from wire import command

# A lease that was asked for with the connection is here by then.
_LEASE_PATIENCE_MS = 10_000


class Outcomes:
    """Joins orders with what was decided and what is seen."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._measuring: dict[tuple[bytes, int], tuple[Order, int]] = {}  # since when
        self._active_since: dict[bytes, int] = {}

    def settle(self, wishes: list[Wish | None], *, has_lease: bool, now_ms: int) -> None:
        """After a decision: whose order each contactor follows."""
        for order in self._orders.known():
            if order.state != ACTIVE:
                self._active_since.pop(order.command.id, None)
                continue
            since_ms = self._active_since.setdefault(order.command.id, now_ms)
            for index in order.feeders:
                wish = wishes[index]
                if wish is not None and wish.closed == order.closes:
                    if not order.told.get(index, "").startswith((APPLIED, MEASURED, UNMEASURED)):
                        self._orders.say(order, APPLIED, feeder=index)
                        self._measuring[order.command.id, index] = (order, now_ms)
                elif wish is not None and (
                    has_lease or now_ms - since_ms > _LEASE_PATIENCE_MS or not _needs_lease(order)
                ):
                    self._measuring.pop((order.command.id, index), None)
                    self._orders.say(order, REFUSED, _why(order, wish, has_lease), index)

    def measure(self, seen: Seen, watches: list[FeederWatch], *, now_ms: int) -> None:
        """A look: do the watts agree with what was applied?"""
        for key, (order, since_ms) in list(self._measuring.items()):
            index = key[1]
            power_dw = seen.feeders[index].power_dw
            normal = watches[index].normal
            agrees = power_dw is not None and (normal.is_lit(power_dw) if order.closes else normal.is_dark(power_dw))
            if agrees:
                self._orders.say(order, MEASURED, None, index, power_dw)
            elif now_ms - since_ms > limits.MEASURE_MS:
                self._orders.say(order, UNMEASURED, "meter" if power_dw is None else "watts", index, power_dw)
            elif order.state == ACTIVE:
                continue
            del self._measuring[key]

    def recover(self, entries: Iterable[dict[str, Any]], taken: Taken | None) -> None:
        """Orders and their outcomes out of the audit log, the last ORDERS_MAX."""
        found: dict[str, tuple[bytes, dict[str | None, str]]] = {}
        for entry in entries:
            key, data = entry.get("id"), entry.get("data")
            if entry["what"] == "command" and isinstance(key, str) and isinstance(data, str):
                found.pop(key, None)
                found[key] = (bytes.fromhex(data), {})
            elif entry["what"] == "outcome" and key in found:
                why = entry.get("why")
                found[key][1][entry.get("feeder")] = entry["outcome"] if why is None else f"{entry['outcome']} {why}"
        names = [name for name, _group in self._orders.place.feeders]
        for data, told in list(found.values())[-limits.ORDERS_MAX :]:
            by_index = {(names.index(name) if name in names else None): outcome for name, outcome in told.items()}
            self._orders.recover(data, by_index, taken)


def _needs_lease(order: Order) -> bool:
    return order.command.kind != command.EMERGENCY


def _why(order: Order, wish: Wish, has_lease: bool) -> str:
    """The word of what overrules it."""
    if _needs_lease(order) and not has_lease:
        return "lease"
    return "later" if wish.rule == COMMAND or wish.order is not None else wish.rule
