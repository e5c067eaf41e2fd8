"""Implements a node's end of the protected link: it wraps a `wire.coap.Endpoint`, has the same methods, and uses OSCORE
with one gateway. The layer above uses plain CoAP and never handles a key.

The two ends agree on keys when there is something to send: at the first request after a start, and when the gateway has
lost them (`wire.oscore_context`); requests wait for that. An answer that does not verify under the keys fails the
request, with the reason "unauthentic". An unprotected 4.01 is a hint that the gateway has restarted, but a stranger may
have sent it: it costs one more handshake for each request, and nothing else. Requests from strangers are dropped in
silence.

    INIT      no keys; `_first` is the handshake under way, if any
    OFFERED   keys, but the gateway has not shown yet that it has them, or has been silent: the kid context is sent too
    PROVEN    keys, and an answer that verified
"""

import struct

from wire import coap_message as messages
from wire import limits, oscore
from wire.coap import Failed, Refused, Request, Response
from wire.faults import WireFault
from wire.oscore_context import CHANCE_BITS, NONCE_BYTES, NONCE_BYTES_MAX, NONCES_MAX, Session, Window, unwrap, wrap

INIT = "init"
OFFERED = "offered"
PROVEN = "proven"

COUNTERS = (
    "handshakes",  # begun
    "keys-lost",  # by the gateway, according to an unprotected 4.01
    "unauthentic",  # answers that did not verify
    "unprotected",  # requests that came without OSCORE
    "strange",  # requests that did not verify
)
_FAILED_REASON = "unauthentic"
_BLOCKS = (messages.BLOCK2,)
_PROBE = messages.Content(messages.GET, (), b"")
# Kept during deep sleep: the count of nonces of this boot, era, proven, our next number, the peer's window, the ID
# Context's length and bytes.
_ASLEEP = ">IIBIiIB16s"
ASLEEP_BYTES = struct.calcsize(_ASLEEP)


class _Ask:
    """Keeps a request of ours until its outcome. `sent`: (endpoint's number, OSCORE exchange, session), or None."""

    def __init__(self, number, content):
        self.number = number
        self.content = content
        self.sent = None
        self.may_try_again = True


class NodeLink:
    """Runs the protected link of a node to one gateway. `boot`: this start's number from flash, never given twice.
    `cipher`: the block cipher of `wire.ccm`."""

    def __init__(self, endpoint, pairing, cipher, *, peer, boot, random_below):
        self.counters = endpoint.counters
        for name in COUNTERS:
            self.counters[name] = 0
        self._endpoint = endpoint
        self.outgoing = endpoint.outgoing  # drains the datagrams to send now: [(peer, bytes), …]
        self._pairing = pairing
        self._cipher = cipher
        self._peer = peer
        self._boot = boot
        self._random_below = random_below
        self._nonces = 0
        self._session = None
        self._is_proven = False
        # Rises with each agreement on keys: a message of one era proves nothing in another.
        self.era = 0
        self._first = None  # number, ID1 and exchange of the first request, until its answer
        self._asks = []
        self._is_behind = False  # requests wait for the next `poll`
        self._number = 0
        self._served = []  # (endpoint's number, OSCORE exchange, session) of requests that wait for our answer
        self._events = []

    @property
    def state(self):
        """Returns the state of the keys: INIT, OFFERED or PROVEN."""
        if self._session is None:
            return INIT
        return PROVEN if self._is_proven else OFFERED

    # --- as an Endpoint -----------------------------------------------------------------------------------------

    def receive(self, datagram, peer, *, now_ms):
        """Receives one datagram and returns the events it causes."""
        for happened in self._endpoint.receive(datagram, peer, now_ms=now_ms):
            self._on_event(happened, now_ms)
        return self._drain_events()

    def poll(self, *, now_ms):
        """Does what is due and returns the events."""
        for happened in self._endpoint.poll(now_ms=now_ms):
            self._on_event(happened, now_ms)
        if self._is_behind:
            self._send(now_ms)
        return self._drain_events() if self._events else ()

    def deadline_ms(self):
        """Returns when `poll` is due, or None; 0 means now."""
        return 0 if self._events or self._is_behind else self._endpoint.deadline_ms()

    def request(self, peer, code, path, payload=b"", *, content_format=None, options=(), now_ms):
        """Sends a request to the gateway; returns the exchange number, or Refused("queue-full"). One Response or one
        Failed follows. `payload`: bytes, or a list of them, which the caller must not change."""
        assert peer == self._peer, "one link, one gateway"
        if len(self._asks) >= limits.COAP_REQUESTS_PER_PEER_MAX:
            self.counters["queue-full"] += 1
            return Refused("queue-full")
        self._number += 1
        chosen = [(messages.URI_PATH, segment) for segment in path]
        messages.add_options(chosen, content_format, options)
        self._asks.append(_Ask(self._number, messages.Content(code, tuple(chosen), payload)))
        self._send(now_ms)
        return self._number

    def respond(self, exchange, code, payload=b"", *, content_format=None, options=(), now_ms):
        """Answers a Request of the gateway, once. Returns None, or Refused; after "too-large" a shorter answer may
        follow."""
        served = self._pop_served(exchange)
        if served is None:
            self.counters["unknown-exchange"] += 1
            return Refused("unknown-exchange")
        chosen = []
        messages.add_options(chosen, content_format, options)
        plain = messages.Content(code, tuple(chosen), payload)
        # A shorter answer after one that was too large: the request's nonce is spent.
        number = served[2].next_number() if served[1].is_nonce_spent else None
        try:
            sealed = oscore.protect_response(served[2].context, plain, self._cipher, served[1], number=number)
        except WireFault:
            outcome = Refused("too-large")
        else:
            outcome = self._endpoint.respond(
                exchange, sealed.code, sealed.payload, options=sealed.options, now_ms=now_ms
            )
        if outcome is not None and outcome.reason == "too-large":
            self._served.append(served)
        return outcome

    def drop(self, exchange):
        """Forgets a Request without an answer."""
        self._pop_served(exchange)
        return self._endpoint.drop(exchange)

    # --- sleep --------------------------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Returns whether no request is under way in either direction and no event waits."""
        return not (self._asks or self._served or self._events) and self._first is None

    def suspend(self):
        """Returns the state that a board needs to go on after deep sleep, ASLEEP_BYTES without a key; None while a
        request is under way.

        The board must invalidate these bytes on waking, before the first message: used twice they would repeat a nonce.
        """
        if not self.is_idle():
            return None
        session = self._session
        if session is None:
            return struct.pack(_ASLEEP, self._nonces, self.era, 0, 0, -1, 0, 0, b"")
        nonces = session.context.id_context
        number, window = session.number, session.window
        return struct.pack(
            _ASLEEP, self._nonces, self.era, self._is_proven, number, window[0], window[1], len(nonces), nonces
        )

    def resume(self, asleep):
        """Restores the state from `suspend`, on a link that has sent nothing yet."""
        assert self._number == 0 and self._nonces == 0, "a link that has spoken has keys of its own"
        nonces, era, proven, number, highest, seen, length, id_context = struct.unpack(_ASLEEP, asleep)
        self._nonces = nonces
        self.era = era
        if length:
            session = self._session = Session(self._pairing.context(id_context[:length]))
            session.number = number
            session.window = Window(highest, seen)
            self._is_proven = proven == 1

    # --- what happens -------------------------------------------------------------------------------------------

    def _on_event(self, happened, now_ms):
        if isinstance(happened, Request):
            self._on_request(happened, now_ms)
            return
        if self._first is not None and happened.exchange == self._first[0]:
            self._on_first(happened, now_ms)
            return
        for ask in self._asks:
            if ask.sent is not None and ask.sent[0] == happened.exchange:
                if isinstance(happened, Failed):
                    if ask.sent[2] is self._session:
                        # A gateway that replaces ours may hold other keys for this node, and then it is silent: given
                        # the kid context, it recognises that the keys differ and answers so.
                        self._is_proven = False
                    self._fail(ask, happened.reason)
                else:
                    self._on_response(ask, happened, now_ms)
                return

    def _on_first(self, happened, now_ms):
        """Receives response 1, or its failure: with it both nonces are known."""
        _, id1, exchange = self._first
        self._first = None
        if isinstance(happened, Failed):
            self._fail_all(happened.reason)
            return
        try:
            kid_context = oscore.header_of(happened).kid_context
            r2 = unwrap(kid_context if kid_context is not None else b"")
            if not NONCE_BYTES <= len(r2) <= NONCE_BYTES_MAX:
                raise WireFault("oscore-context")
            context = self._pairing.context(r2 + id1)
            answer = oscore.unprotect_response(context, happened, self._cipher, exchange, kid_context=kid_context)
            if answer.code != messages.UNAUTHORIZED:
                raise WireFault("oscore-context")
        except WireFault:
            self.counters["unauthentic"] += 1
            self._fail_all(_FAILED_REASON)
            return
        self._session = Session(self._pairing.context(r2 + self._nonce()))
        self.era += 1
        self._is_proven = False
        self._send(now_ms)

    def _on_response(self, ask, response, now_ms):
        session = ask.sent[2]
        try:
            content = oscore.vouched(oscore.unprotect_response(session.context, response, self._cipher, ask.sent[1]))
        except WireFault as fault:
            if fault.reason == "oscore-missing" and response.code == messages.UNAUTHORIZED and ask.may_try_again:
                self.counters["keys-lost"] += 1
                if self._session is session:
                    self._session = None
                ask.may_try_again = False
                ask.sent = None
                self._send(now_ms)
                return
            self.counters["unauthentic"] += 1
            self._fail(ask, _FAILED_REASON)
            return
        if session is self._session:
            self._is_proven = True
        # A GET may be answered in blocks, which its caller reads (`wire.block`); for a POST a partial answer is no
        # answer.
        handled = _BLOCKS if ask.content.code == messages.GET else ()
        if messages.refused_option(content.options, handled) is not None:
            self.counters["option-refused"] += 1
            self._fail(ask, "refused")
            return
        self._asks.remove(ask)
        self._events.append(
            Response(
                self._peer,
                ask.number,
                content.code,
                messages.content_format(content.options),
                content.payload,
                content.options,
            )
        )

    def _on_request(self, request, now_ms):
        """Receives a request of the gateway, or of a stranger who poses as it."""
        session = self._session
        try:
            if session is None:
                raise WireFault("oscore-context")
            content, exchange, session.window = oscore.unprotect_request(
                session.context, request, self._cipher, window=session.window, kid_context=session.kid_context
            )
        except WireFault as fault:
            self.counters["unprotected" if fault.reason == "oscore-missing" else "strange"] += 1
            self._endpoint.drop(request.exchange)
            return
        content = oscore.vouched(content)
        if len(self._served) >= limits.COAP_EXCHANGES_PER_PEER_MAX:
            self._served.pop(0)  # the endpoint has forgotten it, or will
        self._served.append((request.exchange, exchange, session))
        if messages.refused_option(content.options) is not None:
            self.counters["option-refused"] += 1
            self.respond(request.exchange, messages.BAD_OPTION, now_ms=now_ms)
            return
        self._events.append(
            Request(
                self._peer,
                request.exchange,
                content.code,
                messages.option_values(content.options, messages.URI_PATH),
                messages.option_values(content.options, messages.URI_QUERY),
                messages.content_format(content.options),
                content.payload,
                content.options,
            )
        )

    # --- inside -------------------------------------------------------------------------------------------------

    def _send(self, now_ms):
        """Sends the first request that waits, or starts a handshake when there are no keys. After it several requests
        may wait, and sealing one takes a chip 12 ms: each of the others has a `poll` of its own."""
        if self._session is not None and self._session.number >= limits.OSCORE_MESSAGES_MAX:
            self._session = None
        session = self._session
        self._is_behind = is_sent = False
        for ask in list(self._asks):
            if ask.sent is not None:
                continue
            if session is None:
                self._open(now_ms)
                return
            if is_sent:
                self._is_behind = True
                return
            is_sent = True
            try:
                sealed, exchange = oscore.protect_request(
                    session.context,
                    ask.content,
                    self._cipher,
                    number=session.next_number(),
                    kid_context=None if self._is_proven else session.kid_context,
                )
            except WireFault as fault:
                self._fail(ask, fault.reason)
                continue
            outcome = self._pass_on(sealed, now_ms)
            if isinstance(outcome, Refused):
                self._fail(ask, outcome.reason)
            else:
                ask.sent = (outcome, exchange, session)

    def _open(self, now_ms):
        """Sends request 1 of the handshake. It is empty, so a stranger who answers it learns nothing."""
        if self._first is not None:
            return
        if self._nonces + 2 > NONCES_MAX:
            self._fail_all("exhausted")
            return
        self.counters["handshakes"] += 1
        id1 = self._nonce()
        sealed, exchange = oscore.protect_request(
            self._pairing.context(id1), _PROBE, self._cipher, number=0, kid_context=wrap(id1)
        )
        outcome = self._pass_on(sealed, now_ms)
        if isinstance(outcome, Refused):
            self._fail_all(outcome.reason)
        else:
            self._first = (outcome, id1, exchange)

    def _pass_on(self, sealed, now_ms):
        return self._endpoint.request(
            self._peer, sealed.code, (), sealed.payload, options=sealed.options, now_ms=now_ms
        )

    def _nonce(self):
        """Returns a new nonce: boot number, count within the boot, random bits."""
        self._nonces += 1
        counted = self._nonces << CHANCE_BITS | self._random_below(1 << CHANCE_BITS)
        return self._boot.to_bytes(4, "big") + counted.to_bytes(4, "big")

    def _fail(self, ask, reason):
        self._asks.remove(ask)
        self._events.append(Failed(self._peer, ask.number, reason))

    def _fail_all(self, reason):
        """Fails all requests that wait for keys, since there will be none."""
        for ask in list(self._asks):
            if ask.sent is None:
                self._fail(ask, reason)

    def _pop_served(self, exchange):
        for served in self._served:
            if served[0] == exchange:
                self._served.remove(served)
                return served
        return None

    def _drain_events(self):
        events = self._events
        self._events = []
        return events
