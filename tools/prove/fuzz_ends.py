"""Gives the two ends of the node link, for the proof against a hostile peer, one interface: datagrams and the time in,
datagrams and what the application received out. The node is `wire.oscore_link.NodeLink` as a node runs it, the gateway
`gateway.core.link.link.Link` as the agent does. Must not decide about a message.

`seen`: requests that the application received; `outcomes` of the node: (ticket, Content or None); the caller empties
both. The gateway's application answers late now and then, as with a slow card. It never sends requests.
"""

from hashlib import sha256
from typing import Any, NamedTuple

from gateway.core import limits as gateway_limits
from gateway.core.link.link import Link
from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from simulator.world.chance import Prng
from tools.prove.fuzz_checker import answer_to
from wire import coap, limits, oscore
from wire import coap_message as messages
from wire.coap_exchange import bearer_timing
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

Address = tuple[str, int]

LATE_MS = 3_000  # longer than the processing delay: the answer is a separate message
KID = b"\x00\x07"
_CIPHER = AesCcm()
# A request that a forged acknowledgement has stopped is tried again after that time.
_NODE_TIMING = bearer_timing(nstart=2, response_wait_ms=20_000)
_SECRET = sha256(b"of the node that is fuzzed").digest()[:16]
_NODE = bytes.fromhex("7c1f0a2c01000007")


class LateAnswer(NamedTuple):
    """Holds an answer that the gateway's application gives later."""

    due_ms: int
    exchange: int
    payload: bytes


class RealNode:
    """Runs a node; its boots are numbered as on flash."""

    def __init__(self, peer: Address, prng: Prng) -> None:
        self.seen: list[messages.Content] = []
        self.outcomes: list[tuple[int, messages.Content | None]] = []
        self._peer = peer
        self._pairing = Pairing(_SECRET, KID, GATEWAY_ID)
        self._prng = prng
        self._boot = 0
        self.reboot()

    def reboot(self) -> None:
        """Loses everything in memory."""
        self._boot += 1
        self.delivered = self._handed = 0
        self._tickets: dict[int, int] = {}
        self._end = coap.Endpoint(
            random_below=self._prng.randrange,
            first_message_id=self._prng.randrange(0x10000),
            timing=_NODE_TIMING,
            handled_options=oscore.ANY_OUTSIDE,
        )
        below = self._prng.randrange
        self._link = NodeLink(self._end, self._pairing, _CIPHER, peer=self._peer, boot=self._boot, random_below=below)

    def receive(self, datagram: bytes, peer: Address, now_ms: int) -> None:
        self.delivered += 1
        self._note(self._link.receive(datagram, peer, now_ms=now_ms))

    def poll(self, now_ms: int) -> None:
        self._note(self._link.poll(now_ms=now_ms))

    def outgoing(self) -> list[tuple[Address, bytes]]:
        return list(self._link.outgoing())

    def ask(self, ticket: int, content: messages.Content, now_ms: int) -> bool:
        """Sends a request to the gateway; its outcome comes with `ticket`. False: there is no room for it now."""
        path = messages.option_values(content.options, messages.URI_PATH)
        others = [option for option in content.options if option[0] != messages.URI_PATH]
        asked = self._link.request(self._peer, content.code, path, content.payload, options=others, now_ms=now_ms)
        if isinstance(asked, coap.Refused):
            return False
        self._tickets[asked] = ticket
        return True

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Returns {table: (entries, the most it may have)}."""
        return {
            **sizes_of(self._end, limits.COAP_EXCHANGES_MAX, limits.COAP_OUTGOING_MAX),
            "link asks": (len(self._link._asks), limits.COAP_REQUESTS_PER_PEER_MAX),
            "link served": (len(self._link._served), limits.COAP_EXCHANGES_PER_PEER_MAX),
            "link events": (len(self._link._events), limits.COAP_REQUESTS_PER_PEER_MAX),
        }

    def faults_of_counting(self) -> list[str]:
        """Returns the counters that do not add up, in words."""
        counters = self._end.counters
        became = counters["unprotected"] + counters["strange"] + self._handed
        faults = faults_of(counters, self.delivered)
        if counters["requests"] != became:
            faults.append(f"requests {counters['requests']}, of which became something {became}")
        return faults

    def counters(self) -> dict[str, int]:
        """Counts of what became of the datagrams and of the requests in them, since the last boot."""
        return {**self._end.counters, "session-handed": self._handed}

    def _note(self, events: Any) -> None:
        for event in events:
            if isinstance(event, coap.Request):
                self._handed += 1
                self.seen.append(messages.Content(event.code, tuple(event.options), event.payload))
                continue
            ticket = self._tickets.pop(event.exchange)
            if isinstance(event, coap.Failed):
                self.outcomes.append((ticket, None))
            else:
                self.outcomes.append((ticket, messages.Content(event.code, tuple(event.options), event.payload)))


class RealGateway:
    """Runs a gateway that knows one node, by its key."""

    def __init__(self, prng: Prng) -> None:
        self.seen: list[messages.Content] = []
        self._key = NodeKey(_NODE, KID, _SECRET)
        self._prng = prng
        self.reboot()

    def reboot(self) -> None:
        """Loses everything in memory, as a gateway restored from a backup has."""
        self.delivered = self._handed = 0
        self._late: list[LateAnswer] = []
        self._link = Link([self._key], _CIPHER, random_below=self._prng.randrange)

    def receive(self, datagram: bytes, peer: Address, now_ms: int) -> None:
        self.delivered += 1
        self._note(self._link.receive(datagram, peer, now_ms=now_ms), now_ms)

    def poll(self, now_ms: int) -> None:
        self._note(self._link.poll(now_ms=now_ms), now_ms)
        while self._late and self._late[0].due_ms <= now_ms:
            late = self._late.pop(0)
            self._link.respond(late.exchange, messages.CHANGED, late.payload, now_ms=now_ms)

    def outgoing(self) -> list[tuple[Address, bytes]]:
        return list(self._link.outgoing())

    def sizes(self) -> dict[str, tuple[int, int]]:
        member = self._link.sessions.member(self._key.kid)
        assert member is not None
        return {
            **sizes_of(self._link._endpoint, gateway_limits.LINK_EXCHANGES_MAX, gateway_limits.LINK_OUTGOING_MAX),
            "link opened": (len(self._link._opened), gateway_limits.LINK_EXCHANGES_MAX),
            "link unknown": (len(self._link.unknown), gateway_limits.LINK_UNKNOWN_MAX),
            "link buckets": (len(self._link._buckets), 1),
            "link offered": (len(member.offered), gateway_limits.LINK_OFFERS_MAX),
        }

    def faults_of_counting(self) -> list[str]:
        counters = self._link.counters
        ends = ("unprotected", "unknown-node", "unauthentic", "replayed", "option-refused-inside", "limited")
        became = sum(counters[name] for name in (*ends, "handshakes", "keys-unknown")) + self._handed
        faults = faults_of(counters, self.delivered)
        if counters["requests"] != became:
            faults.append(f"requests {counters['requests']}, of which became something {became}")
        return faults

    def counters(self) -> dict[str, int]:
        return {**self._link.counters, "session-handed": self._handed}

    def _note(self, asked: Any, now_ms: int) -> None:
        for one in asked:
            self._handed += 1
            content = self._link._opened[one.exchange].content  # all of it; the event holds a part
            self.seen.append(content)
            answer = answer_to(content).payload
            if one.payload and one.payload[-1] % 8 == 0:
                self._late.append(LateAnswer(now_ms + LATE_MS, one.exchange, answer))
            else:
                self._link.respond(one.exchange, messages.CHANGED, answer, now_ms=now_ms)


def sizes_of(end: coap.Endpoint, exchanges_max: int, outgoing_max: int) -> dict[str, tuple[int, int]]:
    """Returns the entries of each table of an endpoint, read from its private attributes for want of an interface, and
    the most it may have."""
    # An endpoint remembers our own requests beside those of others; a node has few, a gateway none.
    ours = limits.COAP_REQUESTS_MAX
    both = ours + exchanges_max
    return {
        "asked": (len(end._asked), ours),
        "remembered": (len(end._memory), exchanges_max),
        "remembered by peer": (len(end._memory._by_peer), exchanges_max),
        "sent": (len(end._sent), both),
        "timed": (len(end._timed), both),
        "queued": (len(end._queue), both),
        "places": (len(end._places), both),
        "outgoing": (len(end._outgoing), outgoing_max),
    }


def faults_of(counters: dict[str, int], delivered: int) -> list[str]:
    """Returns the counters of an endpoint that do not add up, in words."""
    faults = []
    by_kind = sum(counters[name] for name in coap.RECEIVED_AS + messages.REASONS)
    if not delivered == counters["received"] == by_kind:
        faults.append(f"delivered {delivered}, received {counters['received']}, by kind {by_kind}")
    if min(counters.values()) < 0:
        faults.append("a counter below zero")
    return faults
