"""Remembers the nodes of this cabinet: when each was last heard, what it reported of itself, and its odd records.

It is bounded; the least recently heard node goes first. gateway/core/link/ decides which nodes belong here. What a node
is and runs it says at its starts alone, months apart: that is kept on the card, and all else comes with its next words.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass

from gateway.core import limits
from gateway.core.custody.disk import NumberedFile, SharedFolder, parse_json
from wire import event, quantity
from wire.record import EventBody, Record

# An id, and two texts of 40 characters of at most four bytes.
_FILE_BYTES_MAX = 400 * limits.INBOX_NODES_MAX


@dataclass(slots=True)
class KnownNode:
    """Holds what the gateway remembers of a node. `heard_ms` is on the agent's monotonic scale; level in %, power in
    0.1 W and radio signal in dBm are those of its last reading, None: not measured."""

    heard_ms: int
    boot: int = 0
    kind: str = ""
    version: str = ""
    boots: int = 0
    is_odd: bool = False  # a record of it was out of range, unknown, doubtful or in conflict with another
    level_percent: int | None = None
    power_dw: int | None = None
    signal_dbm: int | None = None


class KnownNodes:
    """Holds the known nodes by id. Call `start` once, and `poll` when `deadline_ms` has come."""

    def __init__(self, folder: SharedFolder) -> None:
        self._nodes: OrderedDict[bytes, KnownNode] = OrderedDict()
        self._file = NumberedFile(folder, "nodes", bytes_max=_FILE_BYTES_MAX)
        self._kept: OrderedDict[bytes, tuple[str, str]] = OrderedDict()  # kind, version
        self._save_at_ms: int | None = None

    def start(self) -> None:
        """Restore what nodes said of themselves in earlier starts of the agent."""
        for data in self._file.restore():
            try:
                found = {bytes.fromhex(node): (str(kind), str(text)) for node, (kind, text) in parse_json(data).items()}
                self._kept = OrderedDict(found)
                return
            except (ValueError, TypeError, AttributeError):
                continue  # torn by a power cut: the version before it

    def poll(self, *, now_ms: int) -> None:
        """Write what has changed, once for all nodes of a dusk."""
        if self._save_at_ms is not None and now_ms >= self._save_at_ms:
            self._save_at_ms = None
            plain = {node.hex(): facts for node, facts in self._kept.items()}
            self._file.save(json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")

    def deadline_ms(self) -> int | None:
        return self._save_at_ms

    def observe(self, node: bytes, records: list[Record], *, now_ms: int) -> None:
        """Observe the records of a payload that was accepted from `node`."""
        known = self._known(node, now_ms)
        for made in records:
            body = made.body
            if not isinstance(body, EventBody):
                if quantity.LEVEL_ORDERED in body:
                    known.level_percent, known.power_dw = body[quantity.LEVEL_ORDERED], body.get(quantity.POWER)
                known.signal_dbm = body.get(quantity.SIGNAL, known.signal_dbm)
            elif body.code == event.BOOT and isinstance(body.detail, list):
                known.boots += made.boot != known.boot  # the same report again is not another boot
                known.boot = made.boot
                known.kind, known.version = str(body.detail[3])[:40], str(body.detail[4])[:40]
                self._keep(node, (known.kind, known.version), now_ms)

    def note_odd(self, node: bytes, *, now_ms: int) -> None:
        """Note that a record of the node was odd; the reader of the records counts how."""
        self._known(node, now_ms).is_odd = True

    def keep_only(self, nodes: frozenset[bytes]) -> None:
        """Forget all nodes that are not in `nodes`."""
        for held in (self._nodes, self._kept):
            for node in [node for node in held if node not in nodes]:
                del held[node]

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, node: bytes) -> KnownNode | None:
        return self._nodes.get(node)

    def of_kind(self, kind: str) -> set[bytes]:
        """Return the nodes that said at a start, or before one of the agent, that they are of this kind."""
        return {node for node, facts in self._kept.items() if facts[0] == kind}

    def nodes(self) -> dict[bytes, KnownNode]:
        """Return a copy for health and status."""
        return dict(self._nodes)

    def _known(self, node: bytes, now_ms: int) -> KnownNode:
        known = self._nodes.get(node)
        if known is None:
            known = self._nodes[node] = KnownNode(now_ms)
            known.kind, known.version = self._kept.get(node, ("", ""))
            if len(self._nodes) > limits.INBOX_NODES_MAX:
                self._nodes.popitem(last=False)
        else:
            self._nodes.move_to_end(node)
            known.heard_ms = now_ms
        return known

    def _keep(self, node: bytes, facts: tuple[str, str], now_ms: int) -> None:
        if self._kept.get(node) == facts:
            return
        self._kept[node] = facts
        if len(self._kept) > limits.INBOX_NODES_MAX:
            self._kept.popitem(last=False)
        if self._save_at_ms is None:
            self._save_at_ms = now_ms + limits.KNOWN_NODES_SAVE_MS
