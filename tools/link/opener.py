"""Turns datagrams into plain data, in the order of capture: the content of each, the request it answers, and the
content that OSCORE protects, where a node's key opens it.

It only reads. There is no replay window, which would hide what a capture is meant to show. Keys must go into the
cipher and nowhere else. Memory is bounded: the oldest request is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from tools.link import message_text
from tools.link.sources import Address, Datagram
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.faults import WireFault
from wire.oscore import Header
from wire.oscore_context import GATEWAY_ID, NONCE_BYTES, NONCE_BYTES_MAX, Pairing, unwrap

# A gateway's busiest hour: 1,000 nodes with a few requests each in the air.
REQUESTS_MAX = 4096
# Per node: the session in use, and those to which answers under way still belong.
SESSIONS_MAX = 4
DATAGRAM_BYTES_MAX = 65_535  # for foreign peers; ours send at most limits.DATAGRAM_BYTES_MAX

Key = tuple[Address | None, Address | None, bytes]


class NodeSessions:
    """Holds one node's key and the sessions seen in the capture, the latest last."""

    def __init__(self, key: NodeKey) -> None:
        self.kid = key.kid
        self.as_gateway = Pairing(key.master_secret, GATEWAY_ID, key.kid)
        self.as_node = Pairing(key.master_secret, key.kid, GATEWAY_ID)
        self.sessions: list[bytes] = []

    def agreed(self, nonces: bytes) -> None:
        """Notes that a request under these nonces was authentic, so that the session exists."""
        if nonces in self.sessions:
            self.sessions.remove(nonces)
        self.sessions = [*self.sessions, nonces][-SESSIONS_MAX:]


class KeyRing:
    """Holds the nodes whose keys were given, each with the sessions that the capture shows it agree on (RFC 8613
    appendix B.2).

    Node and gateway each put a nonce into the ID Context, in the open: with the node's key and that exchange, what
    follows can be opened. A capture that begins later can be opened from the node's next start on.
    """

    def __init__(self, keys: Sequence[NodeKey]) -> None:
        self._nodes = [NodeSessions(key) for key in keys]

    def candidates(self, header: Header) -> Iterator[tuple[NodeSessions, bytes, oscore_context.Context]]:
        """Yields (node, nonces, context) of each context that may open a request of this header, the likeliest
        first."""
        for node in self._nodes:
            if header.kid == node.kid:
                for nonces in _nonces(node, header):
                    yield node, nonces, node.as_gateway.context(nonces)
            elif header.kid == GATEWAY_ID:
                for nonces in _nonces(node, header):
                    yield node, nonces, node.as_node.context(nonces)


def _is_first(nonces: bytes) -> bool:
    """Returns True when the nonces are the node's alone: request 1, which agrees on nothing yet."""
    return NONCE_BYTES <= len(nonces) <= NONCE_BYTES_MAX


def _offered(node: NodeSessions, id1: bytes, header: Header) -> oscore_context.Context | None:
    """Returns the context of response 1, by the gateway's nonce in it; None when it holds none."""
    try:
        return node.as_node.context(unwrap(header.kid_context or b"") + id1)
    except (WireFault, AssertionError):
        return None


def _nonces(node: NodeSessions, header: Header) -> list[bytes]:
    if header.kid_context is None:
        return node.sessions[::-1]
    try:
        return [unwrap(header.kid_context)]
    except WireFault:
        return []


class SeenRequest(NamedTuple):
    """Holds a request that was captured. `context`: as its sender has it; it and `exchange` are None unless it was
    opened. `first`: the node and its nonce, when this was the first request of a start, whose answer has keys of its
    own.
    """

    number: int
    is_protected: bool
    path: str | None
    context: oscore_context.Context | None
    exchange: oscore.Exchange | None
    first: tuple[NodeSessions, bytes] | None = None


class Opener:
    """Shows datagram after datagram. `counters` only rise; `datagrams` is the sum of the next two."""

    def __init__(self, keys: Sequence[NodeKey] = ()) -> None:
        self.counters = dict.fromkeys(("datagrams", "malformed", "sound", "protected", "opened", "not_opened"), 0)
        self._ring = KeyRing(keys)
        self._has_keys = bool(keys)
        self._cipher = AesCcm()
        self._asked: OrderedDict[Key, SeenRequest] = OrderedDict()

    def show(self, datagram: Datagram) -> dict[str, Any]:
        """Returns the content of a datagram. `fault`: why it is not CoAP; `not_opened`: why the protected content stays
        hidden."""
        self.counters["datagrams"] += 1
        shown: dict[str, Any] = {"number": self.counters["datagrams"], "bytes": len(datagram.data)}
        message = messages.decode(datagram.data, DATAGRAM_BYTES_MAX)
        if isinstance(message, messages.Fault):
            self.counters["malformed"] += 1
            return {**shown, "fault": f"not CoAP: {message.reason}", "data": datagram.data.hex()}
        self.counters["sound"] += 1
        shown |= {"type": message_text.TYPES[message.type], "id": message.message_id, "token": message.token.hex()}
        is_request = 0 < message.code < 32
        answered = None if is_request else self._request_of(message, datagram)
        shown |= message_text.content(message, request_path=answered.path if answered else None)
        if answered is not None:
            shown["answers"] = answered.number
        protected = bool(messages.option_values(message.options, messages.OSCORE))
        if protected:
            self.counters["protected"] += 1
            shown = {name: value for name, value in shown.items() if name not in ("records", "answer", "text")}
        elif answered is not None and answered.is_protected:
            shown["unprotected"] = "its request was protected: anybody may have sent this"
        if is_request:
            shown |= self._show_request(message, datagram, shown, protected)
        elif protected:
            shown |= self._show_response(message, answered)
        return shown

    def _request_of(self, message: Any, datagram: Datagram) -> SeenRequest | None:
        if message.code == messages.EMPTY:
            return None
        return self._asked.get((datagram.destination, datagram.source, message.token))

    def _show_request(self, message: Any, datagram: Datagram, shown: dict[str, Any], protected: bool) -> dict[str, Any]:
        asked = SeenRequest(shown["number"], protected, shown.get("path"), None, None)
        told: dict[str, Any] = {}
        if protected:
            asked, told = self._open_request(message, asked)
        key = (datagram.source, datagram.destination, message.token)
        before = self._asked.get(key)
        if before is None or before.exchange is None or asked.exchange is not None:  # no forgery replaces it
            self._asked[key] = asked
        self._asked.move_to_end(key)
        if len(self._asked) > REQUESTS_MAX:
            self._asked.popitem(last=False)
        return told

    def _open_request(self, message: Any, asked: SeenRequest) -> tuple[SeenRequest, dict[str, Any]]:
        try:
            header = oscore.header_of(message)
        except WireFault as fault:
            return asked, self._closed({}, f"the OSCORE option is not sound ({fault.reason})")
        told = _header(header, message)
        reason = "no key is of this kid" if self._has_keys else "no key was given"
        for node, nonces, view in self._ring.candidates(header):
            try:
                content, exchange, _ = oscore.unprotect_request(
                    view, message, self._cipher, window=oscore_context.NEW, kid_context=header.kid_context
                )
            except WireFault as fault:
                reason = _REASONS.get(fault.reason, fault.reason)
                continue
            self.counters["opened"] += 1
            first = (node, nonces) if _is_first(nonces) else None
            if first is None:
                node.agreed(nonces)
            inner = message_text.content(content)
            asked = SeenRequest(asked.number, True, inner.get("path"), _seen_by_peer(view), exchange, first)
            return asked, {"oscore": told, "inner": inner}
        return asked, self._closed(told, reason)

    def _show_response(self, message: Any, answered: SeenRequest | None) -> dict[str, Any]:
        try:
            header = oscore.header_of(message)
            told = _header(header, message)
        except WireFault as fault:
            return self._closed({}, f"the OSCORE option is not sound ({fault.reason})")
        if answered is None:
            return self._closed(told, "its request was not seen")
        if answered.context is None or answered.exchange is None:
            return self._closed(told, "its request was not opened")
        try:
            context = _offered(*answered.first, header) if answered.first else answered.context
            content = oscore.unprotect_response(
                context or answered.context, message, self._cipher, answered.exchange, kid_context=header.kid_context
            )
        except WireFault as fault:
            return self._closed(told, _REASONS.get(fault.reason, fault.reason))
        self.counters["opened"] += 1
        return {"oscore": told, "inner": message_text.content(content, request_path=answered.path)}

    def _closed(self, told: dict[str, Any], reason: str) -> dict[str, Any]:
        self.counters["not_opened"] += 1
        return {"oscore": told, "not_opened": reason}


_REASONS = {
    "decrypt": "the tag does not hold: altered, or another key",
    "oscore-context": "another ID Context, or another kid",
    "oscore-inner": "it opens, and holds no message",
    "oscore-option": "the OSCORE option lacks what a request needs, or is not sound",
}


def _seen_by_peer(context: oscore_context.Context) -> oscore_context.Context:
    """Returns the same context as the other end has it, to open what this end has sent."""
    return oscore_context.Context(
        context.recipient_id,
        context.sender_id,
        context.id_context,
        context.recipient_key,
        context.sender_key,
        context.common_iv,
    )


def _header(header: Header, message: Any) -> dict[str, Any]:
    told = {name: getattr(header, name) for name in ("partial_iv", "kid_context", "kid")}
    shown: dict[str, Any] = {name: value.hex() for name, value in told.items() if value is not None}
    return {**shown, "ciphertext_bytes": len(message.payload)}
