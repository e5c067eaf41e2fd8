"""Exchanges messages with nodes: CoAP below, OSCORE above it; passes on the requests of known nodes.

It is silent to strangers: an unknown kid, a tag that does not verify and a message in the clear get no answer and
are counted. Unknown kids are remembered, a bounded number of them, for an operator who may want to adopt one. It
accepts `LINK_REQUESTS_PER_S` from each of its own nodes; the excess of a faulty node is dropped, and CoAP's back-off
slows that node down.

It also sends requests to nodes, under the keys that the node has agreed on. They go to the address from which the node
answered our nonce, and only while the node's own requests come from there: an attacker who intercepts a request and
forwards it from another address gets nothing for it, and redirects no node. A node that has moved gets pushes again
after its next handshake.

It must not know records, or decide which nodes belong here.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.link.sessions import NodeKey, Opened, Sessions
from wire import coap_message as messages
from wire import limits as wire_limits
from wire import oscore
from wire.coap import Endpoint, Failed, Refused, Request, Response
from wire.coap_exchange import bearer_timing
from wire.faults import WireFault
from wire.oscore_context import Session

# Answers longer than a datagram: programs of nodes (`gateway.core.link.images`).
SERVED_BY_BLOCKS = ((b"f",),)
_BLOCKS = (messages.BLOCK2,)


class NodeRequest(NamedTuple):
    """Holds a verified request of a known node, decrypted. `exchange`: the number for `respond`; `query`: its
    Uri-Query."""

    node: bytes
    peer: Any
    exchange: int
    code: int
    path: tuple[bytes, ...]
    payload: bytes
    query: tuple[bytes, ...] = ()
    options: tuple[tuple[int, bytes], ...] = ()


class NodeResponse(NamedTuple):
    """Reports that a node has answered a request of ours: `exchange` is the number that `ask` returned."""

    node: bytes
    exchange: int
    code: int
    options: tuple[tuple[int, bytes], ...]
    payload: bytes = b""


class NoResponse(NamedTuple):
    """Reports that a node has not answered, or that its answer does not verify."""

    node: bytes
    exchange: int


class _Sent(NamedTuple):
    node: bytes
    session: Session
    exchange: Any


LinkEvent = NodeRequest | NodeResponse | NoResponse


@dataclass(slots=True)
class UnknownNode:
    """Counts messages from a sender without a key here: perhaps a node that is not adopted yet."""

    peer: str
    first_ms: int
    heard_ms: int
    count: int = 0


@dataclass(slots=True)
class _Bucket:
    """Holds how many requests a node may make at once, refilled with time, in thousandths of a request."""

    level: int
    at_ms: int


class Link:
    """Opens requests and seals answers. A peer is any hashable value that the shell can send to."""

    def __init__(
        self,
        keys: Iterable[NodeKey],
        cipher: Any,
        *,
        random_below: Callable[[int], int],
        ack_timeout_ms: int = wire_limits.COAP_ACK_TIMEOUT_MIN_MS,
        requests_per_s: int = limits.LINK_REQUESTS_PER_S,
    ) -> None:
        self._endpoint = Endpoint(
            random_below=random_below,
            first_message_id=random_below(0x10000),
            timing=bearer_timing(ack_timeout_ms=ack_timeout_ms),
            exchanges_max=limits.LINK_EXCHANGES_MAX,
            outgoing_max=limits.LINK_OUTGOING_MAX,
            requests_max=limits.LINK_PUSHES_MAX,
            handled_options=oscore.ANY_OUTSIDE,
        )
        self.sessions = Sessions(keys, cipher, lambda count: bytes(random_below(256) for _ in range(count)))
        self._requests_per_s = requests_per_s
        self._opened: OrderedDict[int, Opened] = OrderedDict()
        self._sent: dict[int, _Sent] = {}
        self._buckets: dict[bytes, _Bucket] = {}
        self.unknown: OrderedDict[bytes, UnknownNode] = OrderedDict()
        self._counters = dict.fromkeys(
            (
                "unprotected",
                "unknown-node",
                "unauthentic",
                "unauthentic-answers",
                "replayed",
                "option-refused-inside",
                "limited",
                "unproven-address",
            ),
            0,
        )

    @property
    def counters(self) -> dict[str, int]:
        """Returns the counters of all layers."""
        return {**self._endpoint.counters, **self.sessions.counters, **self._counters}

    def malformed(self) -> int:
        """Return how many datagrams so far were not CoAP."""
        return sum(self._endpoint.counters[reason] for reason in messages.REASONS)

    def receive(self, datagram: bytes, peer: Any, *, now_ms: int) -> list[LinkEvent]:
        """Receive one datagram; return the request or answer in it, at most one."""
        return self._heard(self._endpoint.receive(datagram, peer, now_ms=now_ms), now_ms)

    def poll(self, *, now_ms: int) -> list[LinkEvent]:
        """Do what is due at `now_ms`."""
        events = self._endpoint.poll(now_ms=now_ms)
        return self._heard(events, now_ms) if events else []

    def deadline_ms(self) -> int | None:
        return self._endpoint.deadline_ms()

    def outgoing(self) -> list[tuple[Any, bytes]]:
        """Return the datagrams to send now."""
        return self._endpoint.outgoing()

    def respond(
        self,
        exchange: int,
        code: int,
        payload: bytes = b"",
        *,
        options: tuple[tuple[int, bytes], ...] = (),
        now_ms: int,
    ) -> Refused | None:
        """Answer a NodeRequest, once; Refused if it is not open any more. After "too-large" a shorter answer may
        follow."""
        opened = self._opened.get(exchange)
        if opened is None:
            return Refused("unknown-exchange")
        try:
            sealed = self.sessions.seal(opened, messages.Content(code, options, payload))
        except WireFault:
            return Refused("too-large")
        outcome = self._endpoint.respond(exchange, sealed.code, sealed.payload, options=sealed.options, now_ms=now_ms)
        if outcome is None or outcome.reason != "too-large":
            del self._opened[exchange]
        return outcome

    def node_of(self, exchange: int) -> bytes | None:
        """Return the node whose request is still open under this exchange."""
        opened = self._opened.get(exchange)
        return None if opened is None else opened.node

    def reaches(self, node: bytes) -> bool:
        """Return whether there is a proven address to send a request of ours to."""
        member = self.sessions.member_of(node)
        if member is None or member.session is None:
            return False
        return member.proven_at is not None and bool(member.proven_at == member.heard_at)

    def ask(
        self,
        node: bytes,
        code: int,
        path: tuple[bytes, ...],
        payload: bytes = b"",
        *,
        options: tuple[tuple[int, bytes], ...] = (),
        now_ms: int,
    ) -> int | Refused:
        """Send a request to a node; return the `exchange` of its one NodeResponse or NoResponse, or Refused."""
        member = self.sessions.member_of(node)
        if member is None or member.session is None or not self.reaches(node):
            self._counters["unproven-address"] += 1
            return Refused("unreachable")
        session = member.session
        if session.number >= wire_limits.OSCORE_MESSAGES_MAX:
            return Refused("keys-worn")
        chosen = [(messages.URI_PATH, segment) for segment in path]
        for number, value in options:
            messages.insert_option(chosen, number, value)
        sealed, exchange = self.sessions.ask(session, messages.Content(code, tuple(chosen), payload))
        asked: int | Refused = self._endpoint.request(
            member.proven_at, sealed.code, (), sealed.payload, options=sealed.options, now_ms=now_ms
        )
        if not isinstance(asked, Refused):
            self._sent[asked] = _Sent(node, session, exchange)
        return asked

    # --- inside -------------------------------------------------------------------------------------------------

    def _heard(self, events: list[Any], now_ms: int) -> list[LinkEvent]:
        heard: list[LinkEvent] = []
        for happened in events:
            if isinstance(happened, Request):
                found = self._open(happened, now_ms)
                if found is not None:
                    heard.append(found)
            elif isinstance(happened, Response | Failed):
                heard.append(self._outcome(happened, self._sent.pop(happened.exchange)))
        return heard

    def _outcome(self, happened: Response | Failed, sent: _Sent) -> NodeResponse | NoResponse:
        if isinstance(happened, Failed):
            return NoResponse(sent.node, happened.exchange)
        try:
            content = self.sessions.answer(sent.session, happened, sent.exchange)
        except WireFault:
            self._counters["unauthentic-answers"] += 1
            return NoResponse(sent.node, happened.exchange)
        if messages.refused_option(content.options) is not None:
            return NoResponse(sent.node, happened.exchange)
        return NodeResponse(sent.node, happened.exchange, content.code, content.options, content.payload)

    def _open(self, request: Request, now_ms: int) -> NodeRequest | None:
        try:
            header = oscore.header_of(request)
            if header.kid is None or header.partial_iv is None:
                raise WireFault("oscore-option")
            member = self.sessions.member(header.kid)
            if member is None:
                self._note_unknown(header.kid, request.peer, now_ms)
                raise WireFault("unknown-node")
            before = member.session
            opened = self.sessions.open(member, header, request)
        except WireFault as fault:
            self._counters[_COUNTED_AS.get(fault.reason, "unauthentic")] += 1
            self._endpoint.drop(request.exchange)
            return None
        if not isinstance(opened, Opened):
            self._endpoint.respond(request.exchange, opened.code, opened.payload, options=opened.options, now_ms=now_ms)
            member.offer_goes_to(request.peer)
            return None
        if member.session is not before:
            member.agreed_from(request.peer)
        member.heard_at = request.peer
        return self._hear(request, opened, now_ms)

    def _hear(self, request: Request, opened: Opened, now_ms: int) -> NodeRequest | None:
        """Accept a verified request, within the node's rate limit."""
        if not self._may_ask(opened.node, now_ms):
            self._counters["limited"] += 1
            self._endpoint.drop(request.exchange)
            return None
        self.sessions.commit(opened)
        self._opened[request.exchange] = opened
        if len(self._opened) > limits.LINK_EXCHANGES_MAX:
            self._opened.popitem(last=False)
        content = opened.content
        path = messages.option_values(content.options, messages.URI_PATH)
        if messages.refused_option(content.options, _BLOCKS if path[:1] in SERVED_BY_BLOCKS else ()) is not None:
            self._counters["option-refused-inside"] += 1
            self.respond(request.exchange, messages.BAD_OPTION, now_ms=now_ms)
            return None
        query = messages.option_values(content.options, messages.URI_QUERY)
        return NodeRequest(
            opened.node,
            request.peer,
            request.exchange,
            content.code,
            path,
            content.payload,
            tuple(query),
            content.options,
        )

    def _may_ask(self, node: bytes, now_ms: int) -> bool:
        full = 1000 * limits.LINK_BURST_S * self._requests_per_s
        bucket = self._buckets.get(node)
        if bucket is None:
            bucket = self._buckets[node] = _Bucket(full, now_ms)
            if len(self._buckets) > limits.INBOX_NODES_MAX:  # buckets of nodes that are no longer members
                self._buckets.pop(next(iter(self._buckets)))
        bucket.level = min(full, bucket.level + (now_ms - bucket.at_ms) * self._requests_per_s)
        bucket.at_ms = now_ms
        if bucket.level < 1000:
            return False
        bucket.level -= 1000
        return True

    def unknown_nodes(self, *, now_ms: int) -> list[dict[str, Any]]:
        """Return the unknown senders, the latest first: an operator may adopt one."""
        found = sorted(self.unknown.items(), key=lambda item: -item[1].heard_ms)
        return [
            {"kid": kid.hex(), "from": one.peer, "count": one.count, "heard_s_ago": (now_ms - one.heard_ms) // 1000}
            for kid, one in found[: limits.LINK_UNKNOWN_TOLD_MAX]
        ]

    def _note_unknown(self, kid: bytes, peer: Any, now_ms: int) -> None:
        unknown = self.unknown.get(kid)
        if unknown is None:
            unknown = self.unknown[kid] = UnknownNode(str(peer), now_ms, now_ms)
            if len(self.unknown) > limits.LINK_UNKNOWN_MAX:
                self.unknown.popitem(last=False)
        unknown.count += 1
        unknown.heard_ms = now_ms


_COUNTED_AS = {
    "oscore-missing": "unprotected",
    "unknown-node": "unknown-node",
    "oscore-replay": "replayed",
}
