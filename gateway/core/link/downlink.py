"""Brings orders to nodes: keeps which order is in force for each node, and which one the node has received.

There are three ways, all with the one order of `wire.node_order`. The answer to any message of a node states whether an
order waits, and the node asks for it: this reaches nodes that sleep, were away or have just started. A change is also
posted at once to nodes that can be reached: LINK_PUSH_EVERY_MS apart, so that a district has it in two minutes without
a burst, each push one exchange of CoAP and never repeated beyond that; a node that missed it learns with its next
message. A node that doubts the push answers 4.01 with an Echo value and gets the push once more, with that value.

A node that sleeps between its messages declares so in each of them (record.SLEEPS). Nothing is ever posted to it:
it would not hear it, and its radio channel would carry it five times. Its order waits for its next message.

What a node has received is remembered for its current keys: after a restart it gets its order again. Numbers rise over
all changes since the gateway's start. An order that is not known yet (no clock since the start, a lease on its way) is
not sent at all: a node keeps what it has until then.

Orders to the whole cabinet are for lamps; other kinds of node follow none. One is known by its question for directives
(`observe_other`), or by the 4.04 with which it answers the first push: from then on no order waits for it.

One node may get an order of its own for some seconds: to show itself to a technician (`identify`). A change of its
feeder's order ends that at once.

It must not decide orders, nor know cabinets or signatures.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.core import limits
from gateway.core.deadlines import earliest
from gateway.core.link.link import Link, LinkEvent, NodeRequest, NodeResponse, NoResponse
from gateway.core.wallclock import WallClock
from wire import coap_message as messages
from wire import limits as wire_limits
from wire import node_order, record
from wire.coap import Refused
from wire.node_order import NodeOrder
from wire.oscore_context import Session


class OrderInForce(NamedTuple):
    """Holds an order in force, as in wire.node_order. `ends_ms`: its latest end on our monotonic clock."""

    id: bytes
    rule: str
    level_percent: int
    expires_s: int
    ends_ms: int


# By feeder; key None: the order to the whole cabinet, for nodes whose feeder is not known.
OrdersByFeeder = Mapping[int | None, OrderInForce | None]


class _Slot:
    """Holds the order in force for the nodes of a feeder, and the number of the change that made it so."""

    def __init__(self) -> None:
        self.number = 0
        self.order: OrderInForce | None = None
        self.sent_ends_ms = 0  # its end, from which nodes count


class _Known:
    """Holds which change number one node has received and acknowledged under its current keys; None: nothing yet."""

    __slots__ = ("acked", "sent", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sent: int | None = None
        self.acked: int | None = None


class _Push(NamedTuple):
    known: _Known
    number: int
    is_second: bool


class Downlink:
    """Sends nodes their orders. `feeders`: the feeder of each node; a node that is not in it follows orders to the
    whole cabinet."""

    def __init__(self, link: Link, clock: WallClock, feeders: Mapping[bytes, int]) -> None:
        self._link = link
        self._clock = clock
        self._feeders = feeders
        self._slots: dict[int | None, _Slot] = {feeder: _Slot() for feeder in (None, *feeders.values())}
        self._own: dict[bytes, _Slot] = {}
        self._others: set[bytes] = set()  # nodes that are no lamps
        self._number = 0
        self._is_known = True
        self._known: dict[bytes, _Known] = {}
        self._queue: deque[bytes] = deque()
        self._queued: set[bytes] = set()
        self._sleepers: set[bytes] = set()
        self._pushes: dict[int, _Push] = {}
        self._next_ms: int | None = None
        self.counters = dict.fromkeys(("changes", "pushed", "accepted", "fetched", "echoed", "refused", "failed"), 0)

    # --- orders in force ----------------------------------------------------------------------------------------

    @property
    def feeders(self) -> Iterable[int | None]:
        """Returns the feeders that have nodes, and None for the whole cabinet."""
        return self._slots

    def set_orders(self, wanted: OrdersByFeeder | None, *, now_ms: int) -> None:
        """Adopt the orders in force now; None: they are not known yet."""
        self._is_known = wanted is not None
        if wanted is None:
            return
        for feeder, slot in self._slots.items():
            order = wanted.get(feeder)
            if order is not None and slot.order is not None:
                # An end that moves later by itself (a clock was corrected) is a change: nodes count from the end they
                # got.
                is_later = order.ends_ms - slot.sent_ends_ms > limits.LINK_ORDER_LATER_MS
                is_same = order[:4] == slot.order[:4] and not is_later
            else:
                is_same = order is slot.order
            slot.order = order
            if not is_same:
                slot.sent_ends_ms = 0 if order is None else order.ends_ms
                self._own = {node: own for node, own in self._own.items() if self._feeders.get(node) != feeder}
                self._change(slot)
                self._enqueue_feeder(feeder, now_ms)

    def observe_other(self, node: bytes) -> None:
        """Observe that a node is no lamp, and follows no order."""
        self._others.add(node)

    def identify(self, node: bytes, order: OrderInForce, *, now_ms: int) -> None:
        """Have one node show itself by an order of its own; only while none is in force for it (`has_order`)."""
        assert not self.has_order(node)
        own = self._own[node] = _Slot()
        own.order = order
        self._change(own)
        self._enqueue(node, now_ms)

    def has_order(self, node: bytes) -> bool:
        """Return whether an order of a person is in force for this node, or may be: they are not known yet."""
        return not self._is_known or self._slots[self._feeders.get(node)].order is not None

    def waiting(self, node: bytes) -> int:
        """Return how many orders this node has yet to receive: 0 or 1."""
        known = self._known_of(node) if self._is_known else None
        if known is None or node in self._others:
            return 0
        slot = self._slot_of(node)
        if known.acked == slot.number:
            return 0
        # A node that never got an order need not be sent that there is none.
        return 1 if slot.order is not None or known.sent is not None else 0

    def waiting_for(self, exchange: int) -> int:
        """Return the same for the node that made this request."""
        node = self._link.node_of(exchange)
        return 0 if node is None else self.waiting(node)

    def handle(self, heard: LinkEvent, *, now_ms: int) -> bool:
        """Handle a node's question for its order, or the outcome of a push; return False for everything else."""
        if isinstance(heard, NodeRequest) and heard.code == messages.POST:
            if record.SLEEPS in heard.query:
                self._sleepers.add(heard.node)
            else:
                self._sleepers.discard(heard.node)
        if not isinstance(heard, NodeRequest):
            self._on_outcome(heard, now_ms)
        elif heard.path == (node_order.PATH,) and heard.code == messages.GET:
            self._on_question(heard, now_ms)
        else:
            return False
        return True

    # --- pushes -------------------------------------------------------------------------------------------------

    def poll(self, *, now_ms: int) -> None:
        """Push what is due."""
        for node, own in self._own.items():
            if own.order is not None and now_ms >= own.order.ends_ms:
                own.order = None
                self._change(own)
                self._enqueue(node, now_ms)
        while self._queue and len(self._pushes) < limits.LINK_PUSHES_MAX:
            if self._next_ms is not None and now_ms < self._next_ms:
                return
            node = self._queue.popleft()
            self._queued.discard(node)
            if node not in self._sleepers and self.waiting(node) and self._push(node, (), now_ms):
                self._next_ms = now_ms + limits.LINK_PUSH_EVERY_MS

    def deadline_ms(self) -> int | None:
        """Return when the next push, or the end of a node's own order, is due. While all places are taken, only the
        outcome of a push makes one due."""
        push_ms = self._next_ms if self._queue and len(self._pushes) < limits.LINK_PUSHES_MAX else None
        if not self._own:
            return push_ms
        return earliest((push_ms, *[own.order.ends_ms for own in self._own.values() if own.order is not None]))

    def health(self) -> dict[str, int]:
        waiting = sum(self.waiting(node) for node in self._link.sessions.nodes())
        return {
            **self.counters,
            "waiting": waiting,
            "queued": len(self._queue),
            "in-flight": len(self._pushes),
            "sleepers": len(self._sleepers),
        }

    # --- inside -------------------------------------------------------------------------------------------------

    def _on_question(self, asked: NodeRequest, now_ms: int) -> None:
        """Answer a node's question for its order. It repeats the question until it has an answer, so the answer
        arrives."""
        known = self._known_of(asked.node) if self._is_known else None
        if known is None:
            self._link.respond(asked.exchange, messages.UNAVAILABLE, now_ms=now_ms)
            return
        self.counters["fetched"] += 1
        known.sent = known.acked = self._slot_of(asked.node).number
        self._link.respond(asked.exchange, messages.CONTENT, self._payload(asked.node, now_ms), now_ms=now_ms)

    def _on_outcome(self, answered: NodeResponse | NoResponse, now_ms: int) -> None:
        """Process the outcome of a push."""
        push = self._pushes.pop(answered.exchange, None)
        if push is None or push.known is not self._known.get(answered.node):
            return
        if isinstance(answered, NoResponse):
            self.counters["failed"] += 1
        elif answered.code == messages.UNAUTHORIZED and not push.is_second:
            echoes = messages.option_values(answered.options, messages.ECHO)
            if echoes and self._push(answered.node, ((messages.ECHO, echoes[0]),), now_ms):
                self.counters["echoed"] += 1
                return
            self.counters["failed"] += 1
        elif answered.code in (messages.CHANGED, messages.FORBIDDEN, messages.BAD_REQUEST):
            self.counters["accepted" if answered.code == messages.CHANGED else "refused"] += 1
            push.known.acked = push.number
        elif answered.code == messages.NOT_FOUND:
            self.observe_other(answered.node)
        else:
            self.counters["failed"] += 1
        if push.number != self._slot_of(answered.node).number:  # the order has changed meanwhile
            self._enqueue(answered.node, now_ms)

    def _slot_of(self, node: bytes) -> _Slot:
        return self._own.get(node) or self._slots[self._feeders.get(node)]

    def _change(self, slot: _Slot) -> None:
        self._number += 1
        slot.number = self._number
        self.counters["changes"] += 1

    def _known_of(self, node: bytes) -> _Known | None:
        """Return what a node has received; None for a node without keys."""
        member = self._link.sessions.member_of(node)
        if member is None or member.session is None:
            return None
        known = self._known.get(node)
        if known is None or known.session is not member.session:
            known = self._known[node] = _Known(member.session)
        return known

    def _enqueue_feeder(self, feeder: int | None, now_ms: int) -> None:
        """Queue a push for all of a feeder's nodes that must learn of the change."""
        nodes = self._link.sessions.nodes()
        for node in self._known.keys() - nodes:
            del self._known[node]
        for node in self._own.keys() - nodes:
            del self._own[node]
        self._sleepers &= nodes
        self._others &= nodes
        for node in sorted(nodes - self._sleepers):
            if self._feeders.get(node) == feeder:
                self._enqueue(node, now_ms)

    def _enqueue(self, node: bytes, now_ms: int) -> None:
        is_under_way = any(push.known is self._known.get(node) for push in self._pushes.values())
        if node not in self._queued and not is_under_way and self.waiting(node) and self._link.reaches(node):
            self._queued.add(node)
            self._queue.append(node)
            if self._next_ms is None or self._next_ms < now_ms:
                self._next_ms = now_ms

    def _push(self, node: bytes, options: tuple[tuple[int, bytes], ...], now_ms: int) -> bool:
        known = self._known_of(node)
        if known is None:
            return False
        payload = self._payload(node, now_ms)
        number = self._link.ask(node, messages.POST, (node_order.PATH,), payload, options=options, now_ms=now_ms)
        if isinstance(number, Refused):
            self.counters["failed"] += 1
            return False
        self.counters["pushed"] += 1
        known.sent = self._slot_of(node).number
        self._pushes[number] = _Push(known, known.sent, bool(options))
        return True

    def _payload(self, node: bytes, now_ms: int) -> bytes:
        slot = self._slot_of(node)
        order = slot.order
        if order is None:
            return node_order.encode(node_order.nothing(slot.number))
        for_s = (order.ends_ms - now_ms) // 1000
        unix_s = self._clock.unix_s(now_ms=now_ms)
        if unix_s is not None:
            for_s = min(for_s, order.expires_s - unix_s)
        for_s = min(max(0, for_s), wire_limits.ORDER_S_MAX)
        name, rule, level_percent, expires_s, _ = order
        return node_order.encode(NodeOrder(slot.number, name, rule, level_percent, expires_s, for_s))
