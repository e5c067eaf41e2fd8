"""Implements a CoAP endpoint (RFC 7252 sections 4 and 5): client and server at once, towards many peers, without I/O.

Datagrams and the time go in; events, datagrams to send and the next deadline come out. It must not have a clock, a
socket or a random source, act on what a request means, or protect anything: OSCORE and Block are layers above.

The shell's turn: `receive` each datagram, `poll`, act on the events, send what `outgoing` returns, sleep
until `deadline_ms`. Milliseconds are integers that never wrap and never go back; where they start does not
matter.

Duplicates are recognised, and memory bounded, by `wire.coap_exchange`. A request for which it has no place is dropped
in silence: the peer will retransmit it.

Long because both sides of one endpoint share its exchanges; the tables are already in a module of their own.
"""

from collections import namedtuple

from wire import coap_exchange as states
from wire import coap_message as messages
from wire import limits
from wire.coap_exchange import ASKED, SERVED, Exchange, Memory, bearer_timing, digest_of
from wire.coap_message import ACK, CON, EMPTY, NON, RST, Fault, Message

# path, query: tuples of bytes, one item a segment. content_format: integer or None. options: all of them, as
# received. exchange: the number for `respond`.
Request = namedtuple(
    "Request", ("peer", "exchange", "code", "path", "query", "content_format", "payload", "options")
)
# exchange: what `request` returned.
Response = namedtuple("Response", ("peer", "exchange", "code", "content_format", "payload", "options"))
# reason: "timeout" (nothing came), "reset" (the peer rejected it), "refused" (the response has a critical option that
# we do not know).
Failed = namedtuple("Failed", ("peer", "exchange", "reason"))
# Returned by `request`, `respond` and `drop` when they do nothing: "queue-full", "too-large", "unknown-exchange",
# "answered".
Refused = namedtuple("Refused", ("reason",))

# Every received datagram adds one to `received` and one to exactly one of these.
RECEIVED_AS = (
    "requests",
    "responses",
    "acknowledgements",
    "resets",
    "pings",
    "duplicates",
    "option-refused",
    "busy",
    "unmatched-response",
    "unmatched-acknowledgement",
    "unmatched-reset",
)
OTHER_COUNTERS = (
    "received",
    "sent",
    "retransmitted",
    "outgoing-dropped",
    "timeouts",
    "undelivered",  # our separate response was never acknowledged
    "abandoned",  # the application never answered within the exchange lifetime
    "evicted",
    "queue-full",
    "too-large",
    "unknown-exchange",
    "answered",
    "unexpected",  # refused by the tables, for instance the reset of a message that still waits for its place
)

_REQUEST_CODE_MAX = 31
_DEFAULT_TIMING = bearer_timing()


class Endpoint:
    """Runs CoAP on one bearer. A peer is any hashable value that the shell can send to.

    random_below: n -> integer in [0, n), unpredictable in the field (tokens, RFC 7252 section 5.3.1) and
    seeded in a simulation. first_message_id: random per boot, 0 to 65535. timing: from
    `coap_exchange.bearer_timing`. handled_options: critical option numbers that the layer above understands, None: all.
    `counters`: {name: integer}.
    """

    def __init__(
        self,
        *,
        random_below,
        first_message_id,
        timing=_DEFAULT_TIMING,
        datagram_max=limits.DATAGRAM_BYTES_MAX,
        exchanges_max=limits.COAP_EXCHANGES_MAX,
        exchanges_per_peer_max=limits.COAP_EXCHANGES_PER_PEER_MAX,
        requests_max=limits.COAP_REQUESTS_MAX,
        requests_per_peer_max=limits.COAP_REQUESTS_PER_PEER_MAX,
        outgoing_max=limits.COAP_OUTGOING_MAX,
        handled_options=(),
    ):
        assert 0 <= first_message_id <= 0xFFFF
        self.counters = dict.fromkeys(OTHER_COUNTERS + RECEIVED_AS + messages.REASONS, 0)
        self.era = 0  # of keys, where `wire.oscore_link` is in front
        self._random_below = random_below
        self._message_id = first_message_id
        self._timing = timing
        self._datagram_max = datagram_max
        self._requests_max = requests_max
        self._requests_per_peer_max = requests_per_peer_max
        self._outgoing_max = outgoing_max
        self._handled_options = handled_options
        self._last_number = 0
        self._outgoing = []
        self._timed = []  # exchanges with a deadline, in the order they got one
        self._queue = []  # exchanges whose message waits for an NSTART place, oldest first
        self._places = {}  # peer: NSTART places taken, absent for none
        self._sent = {}  # (peer, id of our message): exchange, while an acknowledgement or reset may name it
        self._asked = {}  # (peer, token): exchange we asked for and that has no outcome yet
        self._memory = Memory(  # exchanges that peers asked for
            in_all_max=exchanges_max,
            per_peer_max=exchanges_per_peer_max,
            lifetime_ms=timing.exchange_lifetime_ms,
        )

    # --- what the shell calls -------------------------------------------------------------------------------

    def receive(self, datagram, peer, *, now_ms):
        """Receives one datagram (bytes) and returns the events it causes, at most one."""
        assert isinstance(datagram, bytes), "a reused buffer would change what is remembered"
        self._count("received")
        if now_ms >= self._memory.expires_ms:
            self._forget_expired(now_ms)
        message = messages.decode(datagram, self._datagram_max)
        if isinstance(message, Fault):
            self._count(message.reason)
            if message.type == CON:
                self._send(peer, messages.empty(RST, message.message_id))
            return []
        event = self._receive_message(message, datagram, peer, now_ms)
        return [] if event is None else [event]

    def poll(self, *, now_ms):
        """Does what is due: retransmissions, empty acknowledgements, failures. Returns the events."""
        if now_ms >= self._memory.expires_ms:
            self._forget_expired(now_ms)
        events = []
        earliest_ms = self.deadline_ms()
        if earliest_ms is None or earliest_ms > now_ms:  # the usual turn allocates next to nothing
            return events
        for exchange in [timed for timed in self._timed if timed.due_ms <= now_ms]:
            happening = states.AGAIN if exchange.retries_left else states.EXPIRED
            event = self._step(exchange, happening, None, now_ms)
            if event is not None:
                events.append(event)
        return events

    def deadline_ms(self):
        """Returns when `poll` is due next, or None. A message received or sent may change it."""
        earliest = None
        for exchange in self._timed:
            if earliest is None or exchange.due_ms < earliest:
                earliest = exchange.due_ms
        return earliest

    def outgoing(self):
        """Drains the datagrams to send now: [(peer, bytes), …] in order."""
        drained = self._outgoing
        self._outgoing = []
        return drained

    def request(
        self,
        peer,
        code,
        path,
        payload=b"",
        *,
        query=(),
        content_format=None,
        options=(),
        confirmable=True,
        now_ms,
    ):
        """Sends a request to `peer` and returns its exchange number (at least 1), or Refused. One Response or one
        Failed follows.

        path, query: sequences of bytes, one item a segment. payload: bytes, or a list of them. options: more
        (number, bytes) pairs, in any order.
        """
        if isinstance(payload, list):
            payload = b"".join(payload)
        if len(self._asked) >= self._requests_max or self._asked_of(peer) >= self._requests_per_peer_max:
            return self._refuse("queue-full")
        chosen = [(messages.URI_PATH, segment) for segment in path]
        for item in query:
            chosen.append((messages.URI_QUERY, item))
        messages.add_options(chosen, content_format, options)
        exchange = Exchange(self._next_number(), peer, ASKED, states.QUEUED)
        exchange.confirmable = confirmable
        exchange.token = self._new_token(peer)
        exchange.sent_id = self._new_message_id(peer)
        kind = CON if confirmable else NON
        message = Message(kind, code, exchange.sent_id, exchange.token, chosen, payload)
        exchange.datagram = messages.encode(message, self._datagram_max)
        if isinstance(exchange.datagram, Fault):
            return self._refuse("too-large")
        self._asked[(peer, exchange.token)] = exchange
        self._queue_up(exchange, None, now_ms)
        return exchange.number

    def respond(self, exchange, code, payload=b"", *, content_format=None, options=(), now_ms):
        """Answers the Request with this exchange number, once. Returns None, or Refused.

        After "too-large" the exchange is still open: a shorter answer may follow.
        """
        known = self._memory.get(exchange)
        if known is None:
            return self._refuse("unknown-exchange")
        if states.entry(known.table, known.state, states.ANSWER) is None:
            return self._refuse("answered")
        chosen = []
        messages.add_options(chosen, content_format, options)
        kind = ACK if known.state == states.OPEN else CON if known.confirmable else NON
        message_id = known.request_id if kind == ACK else self._new_message_id(known.peer)
        datagram = messages.encode(
            Message(kind, code, message_id, known.token, chosen, payload), self._datagram_max
        )
        if isinstance(datagram, Fault):
            return self._refuse("too-large")
        known.datagram = datagram
        known.sent_id = message_id
        self._step(known, states.ANSWER, None, now_ms)
        return None

    def drop(self, exchange):
        """Forgets a Request without an answer, for instance a stranger's. Returns None, or Refused.

        If the same bytes come again, they count as a new request.
        """
        known = self._memory.get(exchange)
        if known is None or states.entry(known.table, known.state, states.ANSWER) is None:
            return self._refuse("unknown-exchange")
        self._forget(known)
        return None

    # --- what arrives ---------------------------------------------------------------------------------------

    def _receive_message(self, message, datagram, peer, now_ms):
        if message.type == RST:
            return self._on_reset(message, peer, now_ms)
        if message.type == ACK:
            return self._on_acknowledgement(message, peer, now_ms)
        if message.code == EMPTY:
            self._count("pings")
            self._send(peer, messages.empty(RST, message.message_id))
            return None
        digest = digest_of(datagram)
        known = self._memory.find(peer, digest)
        if known is not None:
            self._count("duplicates")
            return self._step(known, states.DUPLICATE, message, now_ms)
        if message.code <= _REQUEST_CODE_MAX:
            return self._on_request(message, digest, peer, now_ms)
        return self._on_response(message, digest, peer, now_ms)

    def _on_request(self, message, digest, peer, now_ms):
        number = messages.refused_option(message.options, self._handled_options)
        if number is not None:
            self._count("option-refused")
            if (
                message.type == CON
            ):  # section 5.4.1; the same bytes get the same answer, so nothing is remembered
                proxying = number in (messages.PROXY_URI, messages.PROXY_SCHEME)
                code = messages.PROXYING_NOT_SUPPORTED if proxying else messages.BAD_OPTION
                refusal = Message(ACK, code, message.message_id, message.token, (), b"")
                self._send(peer, messages.encode(refusal, self._datagram_max))
            return None
        exchange = self._remember(peer, digest, now_ms)
        if exchange is None:
            self._count("busy")
            return None
        self._count("requests")
        exchange.token = message.token
        exchange.request_id = message.message_id
        if message.type == CON:
            exchange.state = states.OPEN
            self._arm(exchange, now_ms + self._timing.processing_delay_ms)
        else:
            exchange.state = states.HEARD
            exchange.confirmable = False
        return Request(
            peer,
            exchange.number,
            message.code,
            messages.option_values(message.options, messages.URI_PATH),
            messages.option_values(message.options, messages.URI_QUERY),
            messages.content_format(message.options),
            message.payload,
            message.options,
        )

    def _on_response(self, message, digest, peer, now_ms):
        """Receives a response in a message of its own: separate, or non-confirmable."""
        exchange = self._asked.get((peer, message.token))
        if exchange is None or exchange.state == states.QUEUED:
            self._count("unmatched-response")
            if message.type == CON:
                self._send(peer, messages.empty(RST, message.message_id))
            return None
        if messages.refused_option(message.options, self._handled_options) is not None:
            self._count("option-refused")
            if message.type == CON:
                self._send(peer, messages.empty(RST, message.message_id))
            return self._step(exchange, states.REFUSED, message, now_ms)
        self._count("responses")
        reply = messages.empty(ACK, message.message_id) if message.type == CON else None
        if reply is not None:
            self._send(peer, reply)
        remembered = self._remember(peer, digest, now_ms)
        if remembered is not None:
            remembered.reply = reply
        return self._step(exchange, states.RESPONSE, message, now_ms)

    def _on_acknowledgement(self, message, peer, now_ms):
        exchange = self._sent.get((peer, message.message_id))
        if message.code == EMPTY:
            if exchange is None or not exchange.confirmable:
                self._count("unmatched-acknowledgement")
                return None
            self._count("acknowledgements")
            return self._step(exchange, states.ACKED, message, now_ms)
        # Piggybacked: id and token must both match (section 5.3.2), and only what we asked for is answered.
        if exchange is None or exchange.table is not ASKED or exchange.token != message.token:
            self._count("unmatched-response")
            return None
        if messages.refused_option(message.options, self._handled_options) is not None:
            self._count("option-refused")
            return self._step(exchange, states.REFUSED, message, now_ms)
        self._count("responses")
        return self._step(exchange, states.RESPONSE, message, now_ms)

    def _on_reset(self, message, peer, now_ms):
        exchange = self._sent.get((peer, message.message_id))
        if exchange is None:
            self._count("unmatched-reset")
            return None
        self._count("resets")
        return self._step(exchange, states.RESET, message, now_ms)

    # --- the tables' actions: (exchange, message, now_ms) -> event or None ----------------------------------

    def _step(self, exchange, happening, message, now_ms):
        """Changes the state of an exchange; no other function does. A missing entry changes nothing."""
        row = states.entry(exchange.table, exchange.state, happening)
        if row is None:
            self._count("unexpected")
            return None
        exchange.state = row[2]
        return getattr(self, row[3])(exchange, message, now_ms)

    def _transmit(self, exchange, message, now_ms):
        timing = self._timing
        spread_ms = timing.ack_timeout_ms * (states.ACK_RANDOM_PERMILLE - 1000) // 1000
        exchange.timeout_ms = timing.ack_timeout_ms + self._random_below(spread_ms + 1)
        exchange.retries_left = timing.max_retransmit
        self._send(exchange.peer, exchange.datagram)
        self._arm(exchange, now_ms + exchange.timeout_ms)

    def _transmit_once(self, exchange, message, now_ms):
        self._send(exchange.peer, exchange.datagram)
        self._arm(exchange, now_ms + self._timing.response_wait_ms)

    def _retransmit(self, exchange, message, now_ms):
        self._count("retransmitted")
        exchange.retries_left -= 1
        exchange.timeout_ms *= 2
        self._send(exchange.peer, exchange.datagram)
        self._arm(exchange, now_ms + exchange.timeout_ms)

    def _await_response(self, exchange, message, now_ms):
        self._release(exchange, now_ms)
        exchange.retries_left = 0
        self._arm(exchange, now_ms + self._timing.response_wait_ms)

    def _deliver(self, exchange, message, now_ms):
        self._finish(exchange, now_ms)
        found = messages.content_format(message.options)
        return Response(exchange.peer, exchange.number, message.code, found, message.payload, message.options)

    def _fail_timeout(self, exchange, message, now_ms):
        self._count("timeouts")
        return self._fail(exchange, "timeout", now_ms)

    def _fail_reset(self, exchange, message, now_ms):
        return self._fail(exchange, "reset", now_ms)

    def _fail_refused(self, exchange, message, now_ms):
        return self._fail(exchange, "refused", now_ms)

    def _fail(self, exchange, reason, now_ms):
        self._finish(exchange, now_ms)
        return Failed(exchange.peer, exchange.number, reason)

    def _finish(self, exchange, now_ms):
        del self._asked[(exchange.peer, exchange.token)]
        self._release(exchange, now_ms)

    def _acknowledge(self, exchange, message, now_ms):
        self._disarm(exchange)
        exchange.reply = messages.empty(ACK, exchange.request_id)
        self._send(exchange.peer, exchange.reply)

    def _piggyback(self, exchange, message, now_ms):
        self._disarm(exchange)
        exchange.reply = exchange.datagram
        self._send(exchange.peer, exchange.reply)

    def _answer_once(self, exchange, message, now_ms):
        self._send(exchange.peer, exchange.datagram)

    def _repeat(self, exchange, message, now_ms):
        if exchange.reply is not None:
            self._send(exchange.peer, exchange.reply)

    def _queue_up(self, exchange, message, now_ms):
        self._sent[(exchange.peer, exchange.sent_id)] = exchange
        self._queue.append(exchange)
        self._start_queued(exchange.peer, now_ms)

    def _settle(self, exchange, message, now_ms):
        self._release(exchange, now_ms)

    def _give_up(self, exchange, message, now_ms):
        self._count("undelivered")
        self._release(exchange, now_ms)

    # --- sending --------------------------------------------------------------------------------------------

    def _send(self, peer, datagram):
        if len(self._outgoing) >= self._outgoing_max:
            self._count("outgoing-dropped")
            return
        self._count("sent")
        self._outgoing.append((peer, datagram))

    def _start_queued(self, peer, now_ms):
        """Gives the free NSTART places of `peer` (RFC 7252 section 4.7) to its oldest waiting messages."""
        if not self._queue:
            return
        for exchange in [waiting for waiting in self._queue if waiting.peer == peer]:
            if self._places.get(peer, 0) >= self._timing.nstart:
                return
            self._queue.remove(exchange)
            self._places[peer] = self._places.get(peer, 0) + 1
            exchange.holds_place = True
            happening = states.START if exchange.confirmable else states.START_ONCE
            self._step(exchange, happening, None, now_ms)

    def _release(self, exchange, now_ms):
        """Ends our message: its timer, its id and its NSTART place. The next message that waits for the place
        starts."""
        self._disarm(exchange)
        self._sent.pop((exchange.peer, exchange.sent_id), None)
        exchange.datagram = None
        if not exchange.holds_place:
            return
        exchange.holds_place = False
        places = self._places.pop(exchange.peer) - 1
        if places:
            self._places[exchange.peer] = places
        self._start_queued(exchange.peer, now_ms)

    def _arm(self, exchange, due_ms):
        if exchange.due_ms is None:
            self._timed.append(exchange)
        exchange.due_ms = due_ms

    def _disarm(self, exchange):
        if exchange.due_ms is not None:
            self._timed.remove(exchange)
            exchange.due_ms = None

    def _new_message_id(self, peer):
        """Returns the next id that no acknowledgement or reset from `peer` may still name."""
        while (peer, self._message_id) in self._sent:
            self._message_id = self._message_id + 1 & 0xFFFF
        chosen = self._message_id
        self._message_id = self._message_id + 1 & 0xFFFF
        return chosen

    def _new_token(self, peer):
        """Returns a token of 32 random bits (section 5.3.1), counted up while another request to `peer` has it."""
        high = self._random_below(0x10000)
        low = self._random_below(0x10000)
        while True:
            token = bytes((high >> 8, high & 0xFF, low >> 8, low & 0xFF))
            if (peer, token) not in self._asked:
                return token
            low = low + 1 & 0xFFFF

    def _asked_of(self, peer):
        count = 0
        for asked_peer, _ in self._asked:
            count += asked_peer == peer
        return count

    # --- bookkeeping ---------------------------------------------------------------------------

    def _remember(self, peer, digest, now_ms):
        exchange = self._memory.remember(self._next_number(), peer, digest, now_ms=now_ms)
        self.counters["evicted"] = self._memory.evicted
        return exchange

    def _forget_expired(self, now_ms):
        """Forgets expired exchanges. A separate response under way is still sent, and ends by itself."""
        while True:
            oldest = self._memory.expired(now_ms=now_ms)
            if oldest is None:
                return
            if states.entry(SERVED, oldest.state, states.ANSWER) is not None:
                self._count("abandoned")
            self._forget(oldest)

    def _forget(self, exchange):
        if exchange.state == states.OPEN:
            self._disarm(exchange)
        self._memory.forget(exchange)

    def _next_number(self):
        self._last_number += 1
        return self._last_number

    def _refuse(self, reason):
        self._count(reason)
        return Refused(reason)

    def _count(self, name):
        self.counters[name] += 1
