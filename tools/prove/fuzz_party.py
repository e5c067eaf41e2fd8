"""Implements one end of a node link for the proof against a hostile peer: it is given datagrams and the time, and gives
datagrams and what the application received.

The small interface lets another system take its place: `receive`, `poll`, `outgoing`, `ask`, `seen`, `outcomes`,
`sizes`, `faults_of_counting`, `counters`, `reboot`, `peer`. This one is a real `wire.coap.Endpoint` and `wire.oscore`
with the few decisions of a session between them: an unknown sender gets no answer; a request is acted on when it is
fresh and comes from the peer's address; after a boot, or from another address, only after a good Echo; options that are
not authenticated (class U) do not reach the application. It must not judge what it is asked to do: the checker does.
"""

from hashlib import sha256
from typing import Any, NamedTuple

from gateway.io.crypto import AesCcm
from simulator.world.chance import Prng
from tools.link import sequence
from wire import coap, limits, oscore, oscore_context
from wire import coap_message as messages
from wire.coap_exchange import bearer_timing
from wire.faults import WireFault
from wire.oscore import OUTER

Address = tuple[str, int]

# A request that a forged acknowledgement has stopped is tried again after that time.
_TIMING = bearer_timing(nstart=2, response_wait_ms=20_000)
_ECHO_BYTES = 8
LATE_MS = 3_000  # longer than the processing delay: the answer is a separate message
_LATE_MAX = limits.COAP_EXCHANGES_MAX
_CIPHER = AesCcm()
# The outcomes of a request beside the reasons of oscore; each request counts once.
_OWN_REASONS = ("handed", "challenged", "unknown", "busy-late")


class LateResponse(NamedTuple):
    """Holds an answer that the application gives later."""

    due_ms: int
    request: int
    content: messages.Content
    exchange: oscore.Exchange


class PendingRequest(NamedTuple):
    """Holds a request of this party that is on its way."""

    ticket: int
    content: messages.Content
    exchange: oscore.Exchange
    is_second: bool  # it carries the Echo of the answer to the first


class Party:
    """Runs one end of the link. `seen`: requests that the application received, `outcomes`: (ticket, Content or None);
    the caller empties both."""

    asks = True

    def __init__(self, context: oscore_context.Context, peer: Address, prng: Prng) -> None:
        self.seen: list[messages.Content] = []
        self.outcomes: list[tuple[int, messages.Content | None]] = []
        self.peer = peer
        self._context = context
        self._prng = prng
        self._reserved_end = 0  # on flash
        self._start(oscore_context.NEW)

    def _start(self, window: Any) -> None:
        self.delivered = 0
        self._became = dict.fromkeys((*_OWN_REASONS, *oscore.REASONS), 0)
        self._window = window
        self._secret = self._prng.bits64().to_bytes(8, "big")
        self._sequence = sequence.SenderSequence(self._reserved_end)
        self._asked: dict[int, PendingRequest] = {}
        self._late: list[LateResponse] = []
        self._is_known = False
        self._end = coap.Endpoint(
            random_below=self._prng.randrange,
            first_message_id=self._prng.randrange(0x10000),
            timing=_TIMING,
            handled_options=(messages.OSCORE,),
        )

    # --- the interface --------------------------------------------------------------------------------------

    def reboot(self) -> None:
        """Loses everything in memory; requests under way have no outcome."""
        self._start(oscore_context.LOST)

    def receive(self, datagram: bytes, peer: Address, now_ms: int) -> None:
        """Accepts one datagram, from any sender."""
        self.delivered += 1
        for event in self._end.receive(datagram, peer, now_ms=now_ms):
            self._act(event, now_ms)

    def poll(self, now_ms: int) -> None:
        for event in self._end.poll(now_ms=now_ms):
            self._act(event, now_ms)
        while self._late and self._late[0].due_ms <= now_ms:
            late = self._late.pop(0)
            self._respond(late.request, late.content, late.exchange, now_ms, number=None)

    def outgoing(self) -> list[tuple[Address, bytes]]:
        """Returns the datagrams that are to be sent now."""
        return list(self._end.outgoing())

    def ask(self, ticket: int, content: messages.Content, now_ms: int) -> bool:
        """Sends a protected request to the peer; its outcome comes with `ticket`. False: there is no room for it
        now."""
        return self._ask(ticket, content, now_ms, is_second=False)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Returns {table: (entries, the most it may have)}."""
        return {
            **sizes_of(self._end, limits.COAP_EXCHANGES_MAX, limits.COAP_OUTGOING_MAX),
            "session asked": (len(self._asked), limits.COAP_REQUESTS_MAX),
            "session late": (len(self._late), _LATE_MAX),
        }

    def faults_of_counting(self) -> list[str]:
        """Returns the counters that do not add up, in words."""
        counters = self._end.counters
        faults = faults_of(counters, self.delivered)
        if counters["requests"] != sum(self._became.values()):
            faults.append(f"requests {counters['requests']}, of which became {self._became}")
        return faults

    def counters(self) -> dict[str, int]:
        """Counts of what became of the datagrams and of the requests in them, since the last boot."""
        return {**self._end.counters, **{f"session-{name}": count for name, count in self._became.items()}}

    # --- requests to us -------------------------------------------------------------------------------------

    def _act(self, event: Any, now_ms: int) -> None:
        if isinstance(event, coap.Request):
            self._became[self._on_request(event, now_ms)] += 1
        else:
            self._on_outcome(event, now_ms)

    def _on_request(self, request: Any, now_ms: int) -> str:
        """Passes a request on, challenges or refuses it; returns which."""
        try:
            header = oscore.header_of(request)
            if header.kid != self._context.recipient_id:
                raise WireFault("oscore-context")
            content, exchange, window = oscore.unprotect_request(self._context, request, _CIPHER, window=self._window)
        except WireFault as fault:
            if fault.reason in ("oscore-missing", "oscore-context"):
                self._end.drop(request.exchange)
                return "unknown" if fault.reason == "oscore-context" else fault.reason
            refusal = oscore.refusal(fault.reason)
            self._end.respond(request.exchange, refusal.code, refusal.payload, options=refusal.options, now_ms=now_ms)
            return fault.reason
        if window is oscore_context.LOST or request.peer != self.peer:
            if messages.option_values(content.options, messages.ECHO) != (self._echo(request.peer),):
                self._challenge(request, exchange, now_ms)
                return "challenged"
            if window is oscore_context.LOST:
                window = oscore_context.window_after(exchange.number)
                exchange.is_fresh = True
            self.peer = request.peer
        return self._hand_on(request, content, exchange, window, now_ms)

    def _hand_on(
        self, request: Any, content: messages.Content, exchange: oscore.Exchange, window: Any, now_ms: int
    ) -> str:
        answer = answer_to(authenticated(content))
        is_late = bool(content.payload) and content.payload[-1] % 8 == 0
        if is_late and len(self._late) >= _LATE_MAX:
            self._end.drop(request.exchange)
            return "busy-late"
        self._window = window
        self.seen.append(authenticated(content))
        if is_late:
            self._late.append(LateResponse(now_ms + LATE_MS, request.exchange, answer, exchange))
        else:
            self._respond(request.exchange, answer, exchange, now_ms, number=None)
        return "handed"

    def _challenge(self, request: Any, exchange: oscore.Exchange, now_ms: int) -> None:
        challenge = messages.Content(messages.UNAUTHORIZED, ((messages.ECHO, self._echo(request.peer)),), b"")
        self._respond(request.exchange, challenge, exchange, now_ms, number=self._number())

    def _respond(
        self, request: int, content: messages.Content, exchange: oscore.Exchange, now_ms: int, *, number: int | None
    ) -> None:
        sealed = oscore.protect_response(self._context, content, _CIPHER, exchange, number=number)
        self._end.respond(request, sealed.code, sealed.payload, options=sealed.options, now_ms=now_ms)

    def _echo(self, peer: Address) -> bytes:
        """Returns an Echo bound to this boot and to the address, so that it is not valid from another one."""
        return sha256(self._secret + repr(peer).encode()).digest()[:_ECHO_BYTES]

    # --- our own requests -----------------------------------------------------------------------------------

    def _ask(self, ticket: int, content: messages.Content, now_ms: int, *, is_second: bool) -> bool:
        sealed, exchange = oscore.protect_request(
            self._context, content, _CIPHER, number=self._number(), with_id_context=not self._is_known
        )
        number = self._end.request(self.peer, sealed.code, (), sealed.payload, options=sealed.options, now_ms=now_ms)
        if isinstance(number, coap.Refused):
            return False
        self._asked[number] = PendingRequest(ticket, content, exchange, is_second)
        return True

    def _on_outcome(self, event: Any, now_ms: int) -> None:
        asked = self._asked.pop(event.exchange)
        if isinstance(event, coap.Failed):
            self.outcomes.append((asked.ticket, None))
            return
        try:
            content = oscore.unprotect_response(self._context, event, _CIPHER, asked.exchange)
        except WireFault:
            self.outcomes.append((asked.ticket, None))
            return
        self._is_known = True
        echo = messages.option_values(content.options, messages.ECHO)
        if content.code == messages.UNAUTHORIZED and echo and not asked.is_second:
            options = [*asked.content.options, (messages.ECHO, echo[0])]
            again = messages.Content(asked.content.code, tuple(options), asked.content.payload)
            if self._ask(asked.ticket, again, now_ms, is_second=True):
                return
            self.outcomes.append((asked.ticket, None))
            return
        self.outcomes.append((asked.ticket, authenticated(content)))

    def _number(self) -> int:
        effect = self._sequence.due()
        if effect is not None:
            self._reserved_end = effect.upto
            self._sequence.reserved(effect.upto)
        return int(self._sequence.next_number())


def authenticated(content: messages.Content) -> messages.Content:
    """Returns the content without the options outside OSCORE's protection: an attacker may have added them."""
    options = tuple(option for option in content.options if option[0] not in OUTER)
    return messages.Content(content.code, options, content.payload)


def answer_to(request: messages.Content) -> messages.Content:
    """Returns the application's answer to a request, which depends on all of the request."""
    parts = [bytes((request.code,)), request.payload]
    for number, value in request.options:
        if number != messages.ECHO:
            parts.append(number.to_bytes(2, "big") + value)
    return messages.Content(messages.CHANGED, (), sha256(b"/".join(parts)).digest()[:16])


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
