"""Who is known: the nodes of this cabinet, when each was heard, and what it said of itself.

Bounded; the least recently heard goes first. An allow-list, when the configuration gives one, decides who
is answered at all: a stranger is met with silence (DESIGN section 4).
"""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.core import limits
from wire import event
from wire.record import EventBody, Record


@dataclass
class KnownNode:
    """What the gateway remembers of a node. `heard_ms` is on the agent's monotonic scale."""

    heard_ms: int
    boot: int = 0
    kind: str = ""
    version: str = ""
    boots: int = 0


class Registry:
    """Nodes by id. `allowed` None: anybody may speak (bench and simulator)."""

    def __init__(self, allowed: frozenset[bytes] | None) -> None:
        self._allowed = allowed
        self._nodes: OrderedDict[bytes, KnownNode] = OrderedDict()

    def is_allowed(self, node: bytes) -> bool:
        return self._allowed is None or node in self._allowed

    def heard(self, node: bytes, records: list[Record], *, now_ms: int) -> None:
        """A payload of `node` was accepted."""
        known = self._nodes.get(node)
        if known is None:
            known = self._nodes[node] = KnownNode(now_ms)
            if len(self._nodes) > limits.INBOX_NODES_MAX:
                self._nodes.popitem(last=False)
        self._nodes.move_to_end(node)
        known.heard_ms = now_ms
        for made in records:
            body = made.body
            if isinstance(body, EventBody) and body.code == event.BOOT and isinstance(body.detail, list):
                known.boots += made.boot != known.boot  # the same report again is no boot
                known.boot = made.boot
                known.kind, known.version = str(body.detail[3])[:40], str(body.detail[4])[:40]

    def nodes(self) -> dict[bytes, KnownNode]:
        """A copy for health and status."""
        return dict(self._nodes)
