"""Defines the one order of a node, which its gateway answers to a GET of `c` and posts to the node's own `/c`.

    [number]                                             there is no order
    [number, id, rule, level %, expires_s, for_s]        this is the order

`number` only rises during one run of a gateway: a message that was held back on the way can never undo a later one.
`id` is the command's, which the centre knows. `expires_s` is UTC; `for_s` is the same end as a duration, from the time
of writing, for a node that does not know the time. Their difference is therefore the gateway's time of writing, by
which a node with a clock knows how old an order is.

The gateway has decided before that the author may order this (`gateway.core.cabinet`); a node trusts its gateway for
that, and not beyond the expiry. Bytes from a peer raise WireFault("order-…") or a reason of `cbor`.
"""

from collections import namedtuple

from wire import cbor, limits
from wire.faults import WireFault

EMERGENCY = "emergency"
OVERRIDE = "override"
# A technician at the cabinet's page asks this one lamp to show itself; a gateway gives it only while no other order
# holds, and the node's kind decides how it shows itself: the level says nothing.
IDENTIFY = "identify"

# The index of a rule is its code on the wire. The higher rule has the lower number, as in ARCHITECTURE, section 6.
RULES = (None, EMERGENCY, OVERRIDE, IDENTIFY)

# id, rule, level_percent, expires_s, for_s: None where there is no order.
NodeOrder = namedtuple("NodeOrder", ("number", "id", "rule", "level_percent", "expires_s", "for_s"))

PATH = b"c"
# The age up to which a gateway's message is fresh: four transmissions of CoAP, there and back. A message that took
# longer may have been held back on purpose.
FRESH_S = 60
ECHO_BYTES = 8

_ITEMS = 6


def nothing(number: int) -> NodeOrder:
    """Returns the NodeOrder of a node without an order, as of this number."""
    return NodeOrder(number, None, None, None, None, None)


def written_at_s(order) -> int:
    """Returns the gateway's UTC when it wrote the order."""
    return order.expires_s - order.for_s


def encode(order) -> bytes:
    """Returns the order as bytes: 28 at most."""
    if order.rule is None:
        return cbor.encode([order.number], limits.ORDER_BYTES_MAX)
    items = [order.number, order.id, RULES.index(order.rule), order.level_percent, order.expires_s, order.for_s]
    check(items)
    return cbor.encode(items, limits.ORDER_BYTES_MAX)


def decode(payload) -> NodeOrder:
    """Returns the NodeOrder of bytes; raises WireFault."""
    return check(cbor.decode(payload, bytes_max=limits.ORDER_BYTES_MAX, items_max=_ITEMS, depth_max=1))


def check(items) -> NodeOrder:
    """Returns the NodeOrder of plain items; raises WireFault with the first reason found."""
    if not isinstance(items, list) or len(items) not in (1, _ITEMS):
        raise WireFault("order-shape")
    _bounded(items[0], 0, limits.SEQUENCE_MAX, "order-number")
    if len(items) == 1:
        return nothing(items[0])
    number, name, rule, level_percent, expires_s, for_s = items
    if not isinstance(name, bytes) or len(name) != limits.ORDER_ID_BYTES:
        raise WireFault("order-id")
    _bounded(rule, 1, len(RULES) - 1, "order-rule")
    _bounded(level_percent, 0, 100, "order-level")
    _bounded(expires_s, 0, limits.SECONDS_MAX, "order-expiry")
    _bounded(for_s, 0, min(limits.ORDER_S_MAX, expires_s), "order-expiry")
    return NodeOrder(number, name, RULES[rule], level_percent, expires_s, for_s)


def _bounded(value, low, high, reason):
    if not cbor.is_integer(value) or not low <= value <= high:
        raise WireFault(reason)
