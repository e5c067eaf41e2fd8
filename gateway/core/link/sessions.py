"""Holds the nodes that belong to this gateway, and the keys agreed with each since its last start or ours.

A node is known by its *member* entry: node id, OSCORE id (kid) and master secret, which an operator has provided. Keys
are agreed on as in RFC 8613 appendix B.2 (`wire.oscore_context`) and live in RAM: a gateway that starts anew, or from
an old backup, has none, reuses no nonce, and answers a known node with an unprotected 4.01.

A message that does not verify changes nothing: the current session remains until a new one has been
proven, and is never replaced by one that was offered before it. A node that asks for keys again and again, or an
attacker who repeats one of its old requests, costs one derivation each time.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from gateway.core import limits
from wire import coap_message as messages
from wire import oscore
from wire.faults import WireFault
from wire.oscore_context import GATEWAY_ID, NEW, NONCE_BYTES, NONCE_BYTES_MAX, Pairing, Session, unwrap, wrap

# Without the diagnostic text of RFC 8613: a forged request must not get back more bytes than it had.
_KEYS_UNKNOWN = oscore.refusal("oscore-context")._replace(payload=b"")


class NodeKey(NamedTuple):
    """Holds the key that an operator provides for one node. Its repr shows no secret."""

    node: bytes
    kid: bytes
    master_secret: bytes

    def __repr__(self) -> str:
        return f"NodeKey(node={self.node.hex()}, kid={self.kid.hex()}, …)"


class Opened(NamedTuple):
    """Holds a verified request: who sent it, its content, and what its answer needs.

    `window`: the replay window that the session gets once the request is acted on, see `Sessions.commit`.
    """

    node: bytes
    content: Any
    exchange: Any
    session: Session
    window: Any


class Member:
    """Holds one node. `offered`: for each nonce of the node, our nonce that it may answer with; the oldest first.
    `heard_at`: where its last request came from; `proven_at`: the address from which it answered our nonce, if that had
    been sent there."""

    __slots__ = ("_offered_at", "heard_at", "key", "offered", "pairing", "proven_at", "session")

    def __init__(self, key: NodeKey) -> None:
        self.key = key
        self.pairing = Pairing(key.master_secret, GATEWAY_ID, key.kid)
        self.session: Session | None = None
        self.offered: OrderedDict[bytes, bytes] = OrderedDict()
        self.heard_at: Any = None
        self.proven_at: Any = None
        self._offered_at: dict[bytes, Any] = {}

    def offer_goes_to(self, peer: Any) -> None:
        """Note to which peer the newest offer is sent."""
        self._offered_at = {nonce: self._offered_at.get(nonce, peer) for nonce in self.offered.values()}

    def agreed_from(self, peer: Any) -> None:
        """Note that the keys are new, agreed on by a request from `peer`."""
        assert self.session is not None
        nonce = self.session.context.id_context[:NONCE_BYTES]
        self.proven_at = peer if self._offered_at.get(nonce) == peer else None


class Sessions:
    """Opens and protects messages of the members. `random_bytes(count)` must be unpredictable in the field."""

    def __init__(self, keys: Iterable[NodeKey], cipher: Any, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher = cipher
        self._random_bytes = random_bytes
        self._members: dict[bytes, Member] = {}
        self._by_node: dict[bytes, Member] = {}
        self.counters = {"handshakes": 0, "agreed": 0, "keys-unknown": 0}
        self.set_keys(keys)

    def set_keys(self, keys: Iterable[NodeKey]) -> None:
        """Replace the nodes that belong here; a node that stays keeps its session. Kids must differ: see
        `check_keys`."""
        before = {member.key: member for member in self._members.values()}
        members = {key.kid: before.get(key) or Member(key) for key in keys}
        self._members = members
        self._by_node = {member.key.node: member for member in members.values()}

    def nodes(self) -> frozenset[bytes]:
        """Return the ids of all members."""
        return frozenset(self._by_node)

    def member(self, kid: bytes) -> Member | None:
        return self._members.get(kid)

    def member_of(self, node: bytes) -> Member | None:
        return self._by_node.get(node)

    def agreed(self) -> int:
        """Return how many members have proven keys."""
        return sum(member.session is not None for member in self._members.values())

    def open(self, member: Member, header: Any, request: Any) -> Opened | Any:
        """Open a request of `member`: return Opened, or the answer to give instead, ready to send, as a Content.

        WireFault for what does not verify: send no answer.
        """
        session, kid_context = member.session, header.kid_context
        # libcoap goes on sending the ID Context, without its wrapping, when both sides have agreed.
        if session is not None and kid_context in (None, session.kid_context, session.context.id_context):
            return self._opened(member, session, header, request)
        nonces = b"" if kid_context is None else _unwrapped(kid_context)
        if NONCE_BYTES <= len(nonces) <= NONCE_BYTES_MAX:
            return self._offer(member, header, request, nonces)
        if nonces[:NONCE_BYTES] in member.offered.values():
            return self._agree(member, header, request, nonces)
        self.counters["keys-unknown"] += 1
        return _KEYS_UNKNOWN

    def commit(self, opened: Opened) -> None:
        """Mark a request that is acted on: from now on it is a replay. One dropped before this may come again."""
        opened.session.window = opened.window

    def seal(self, opened: Opened, content: Any) -> Any:
        """Return the protected answer to a request; WireFault if it is too long. After an answer that did not fit the
        datagram, a shorter one gets a sequence number of its own."""
        number = opened.session.next_number() if opened.exchange.is_nonce_spent else None
        return oscore.protect_response(opened.session.context, content, self._cipher, opened.exchange, number=number)

    def ask(self, session: Session, content: Any) -> tuple[Any, Any]:
        """Return a protected request of ours to a node, and what its answer needs."""
        return oscore.protect_request(session.context, content, self._cipher, number=session.next_number())

    def answer(self, session: Session, response: Any, exchange: Any) -> Any:
        """Return the Content of the answer to such a request; WireFault for what does not verify."""
        return oscore.vouched(oscore.unprotect_response(session.context, response, self._cipher, exchange))

    # --- inside -------------------------------------------------------------------------------------------------

    def _opened(self, member: Member, session: Session, header: Any, request: Any) -> Opened:
        content, exchange, window = oscore.unprotect_request(
            session.context, request, self._cipher, window=session.window, kid_context=header.kid_context, header=header
        )
        return Opened(member.key.node, oscore.vouched(content), exchange, session, window)

    def _offer(self, member: Member, header: Any, request: Any, id1: bytes) -> Any:
        """Answer a verified request 1 with our nonce, under keys that serve this one answer."""
        context = member.pairing.context(id1)
        _, exchange, _ = oscore.unprotect_request(
            context, request, self._cipher, window=NEW, kid_context=header.kid_context, header=header
        )
        self.counters["handshakes"] += 1
        r2 = member.offered.get(id1)  # the same request again, from any sender: the same answer, and no second place
        if r2 is None:
            if len(member.offered) >= limits.LINK_OFFERS_MAX:
                # A node's nonces begin with its boot and a count: an attacker who repeats old requests pushes out
                # those, and not the node's current one.
                del member.offered[min(member.offered)]
            r2 = member.offered[id1] = self._random_bytes(NONCE_BYTES)
        plain = messages.Content(messages.UNAUTHORIZED, (), b"")
        return oscore.protect_response(
            member.pairing.context(r2 + id1), plain, self._cipher, exchange, kid_context=wrap(r2)
        )

    def _agree(self, member: Member, header: Any, request: Any, nonces: bytes) -> Opened:
        """Accept a verified request 2: its sender knew our nonce, so it is there now."""
        session = Session(member.pairing.context(nonces))
        opened = self._opened(member, session, header, request)
        self.counters["agreed"] += 1
        member.session = session
        # One offer, one session: a repeated request 2 must not reset its replay window. Earlier offers become
        # void: a request 2 that was held back would put keys in force that the node has given up.
        while member.offered.popitem(last=False)[1] != nonces[:NONCE_BYTES]:
            pass
        return opened


def _unwrapped(kid_context: bytes) -> bytes:
    """Return the nonces in an ID Context, or nothing."""
    try:
        return unwrap(kid_context)
    except WireFault:
        return b""


def check_keys(keys: Iterable[NodeKey]) -> list[str]:
    """Return what is wrong with a set of keys: two nodes with one kid, or one node twice."""
    faults = []
    kids: dict[bytes, NodeKey] = {}
    nodes: set[bytes] = set()
    for key in keys:
        other = kids.setdefault(key.kid, key)
        if other.node != key.node:
            nodes_of_it = f"{other.node.hex()} and {key.node.hex()}"
            faults.append(f"kid {key.kid.hex()}: of nodes {nodes_of_it}; give one another kid")
        if key.node in nodes:
            faults.append(f"node {key.node.hex()}: two keys; remove one")
        nodes.add(key.node)
    return faults
