"""Derives what the cabinet's orders mean for nodes: lamps with a controller of their own behind its feeders.

A node that is mapped to a feeder follows orders for that feeder; any other node follows orders to the
whole cabinet, for its feeder is not known. The precedence is the feeder's: an emergency, else an override
or a test while the centre's lease is usable. What a technician does at the cabinet (switch, lock-out, test) applies to
the contactors alone. Directives need no feeder and no lease. It decides nothing of its own.
"""

from collections.abc import Iterable

from gateway.core import limits
from gateway.core.cabinet.lease import Lease
from gateway.core.cabinet.orders import Orders
from gateway.core.cabinet.verification import OVER, Order
from gateway.core.directives.directive import Directive
from gateway.core.link.downlink import OrderInForce, OrdersByFeeder
from wire import command, node_order


def wanted(
    orders: Orders, lease: Lease, feeders: Iterable[int | None], *, unix_s: int | None, started_ms: int, now_ms: int
) -> OrdersByFeeder | None:
    """Return the orders in force by feeder, and under None for the whole cabinet; None while they are not known: after
    a start an order may wait for the clock, or an override for the lease that comes with the connection.

    `feeders`: those that have nodes, and None."""
    if unix_s is None and any(_waits_for_clock(order) for order in orders.known()):
        return None
    has_lease = lease.is_usable(now_ms=now_ms)
    is_new = now_ms - started_ms < limits.CABINET_START_MS and not lease.counters["granted"]
    found: dict[int | None, OrderInForce | None] = {}
    for feeder in feeders:
        emergency, override = orders.in_force(feeder)
        if emergency is None and override is not None and not has_lease and is_new:
            return None
        found[feeder] = _in_force(emergency or (override if has_lease else None))
    return found


def _waits_for_clock(order: Order) -> bool:
    return order.state != OVER and order.ends_ms is None and not order.is_directive


def _in_force(order: Order | None) -> OrderInForce | None:
    if order is None:
        return None
    assert order.ends_ms is not None, "what is active has an end"
    asked = order.command
    rule = node_order.EMERGENCY if order.is_emergency else node_order.OVERRIDE
    return OrderInForce(asked.id, rule, order.level_percent, asked.expires_s, order.ends_ms)


def directives(orders: Orders) -> list[Directive]:
    """Return the directives in signed commands, in the order in which they came, begun or not."""
    return [
        Directive(
            one.command.id,
            False,
            one.author,
            one.command.reason,
            one.command.target,
            one.command.values,
            one.command.not_before_s,
            one.command.expires_s,
            one.ends_ms,
        )
        for one in orders.known()
        if one.is_directive and one.state != OVER
    ]


def directives_to_keep(orders: Orders) -> list[bytes]:
    """Return the signed bytes of directives that last longer than any other command, including those that wait for a
    policy: the audit log may drop them."""
    known = [one.data for one in orders.known() if one.is_directive and one.state != OVER and _is_long(one.command)]
    return known + [data for data, asked in orders.unopened() if _is_long(asked)]


def _is_long(asked: command.Command) -> bool:
    return bool(asked.expires_s - asked.not_before_s > command.WINDOW_S_MAX)
