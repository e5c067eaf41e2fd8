"""Defines the exchanges of a CoAP endpoint (RFC 7252 sections 4.2 to 4.8 and 5.2): their states as two tables, the
times of a bearer, and the memory of received messages, by which duplicates are recognised.

Nothing here acts: `wire.coap` reads the tables, and only its `_step` changes a state.

**An exchange of ours (table ASKED).** It is QUEUED until fewer than NSTART interactions with its peer are outstanding.
A confirmable request is then UNACKED: sent again each time its timeout, which doubles, ends, at most `max_retransmit`
times. Any proof that the peer has it ends this: an empty acknowledgement leaves it WAITING for a separate response, a
response (piggybacked, or separate and ahead of a lost acknowledgement) ends it, a reset fails it. A non-confirmable
request is WAITING at once and keeps its NSTART place, since nothing shows how fast the peer can receive. DONE is final:
one Response or one Failed has been given to the application.

**An exchange of a peer (table SERVED).** A confirmable request is OPEN: the application has it, and its acknowledgement
may still carry the answer. After the processing delay the empty acknowledgement is sent and the exchange is PROMISED:
the answer will travel as a confirmable message of ours, which is REPLY_QUEUED for its NSTART place, then REPLY_UNACKED
until it is acknowledged, reset, or given up. A non-confirmable request is HEARD and answered by one non-confirmable
message. An ANSWERED exchange is only remembered: a duplicate gets the stored reply again and does not reach the
application. Until there is a reply to repeat, a duplicate gets nothing: the acknowledgement is on its way. A separate
response that we acknowledged is remembered the same way, as ANSWERED, because its acknowledgement may get lost.

A pair of state and happening without an entry is refused and counted as `unexpected`.

**Duplicates.** Message ids restart at each boot of a peer, so an id does not identify a message: the peer and a digest
of the bytes do. A retransmission has the same bytes; a retry by the application has a new id and token and is a new
message. The digest is SHA-256 cut to 8 bytes: an attacker who overhears an alarm that got lost could otherwise forge,
within seconds, other bytes with the same CRC-32, and the genuine retransmission would be taken for a duplicate and get
the forgery's reply.

**Bounds.** A message is remembered for the exchange lifetime. At most `per_peer_max` of one peer and `in_all_max` in
all are remembered. A full memory forgets the oldest *answered* exchange, of the same peer when that peer is at its own
bound: a noisy peer evicts itself first. An exchange that the application still holds is never evicted; when there are
only such exchanges, the new message is not accepted. A duplicate that comes after eviction reaches the application
again, which is idempotent (record identity, command id).
"""

from collections import OrderedDict, namedtuple
from hashlib import sha256

from wire import limits

# States of an exchange of ours.
QUEUED = "queued"
UNACKED = "unacked"
WAITING = "waiting"
DONE = "done"
# States of an exchange of a peer.
OPEN = "open"
PROMISED = "promised"
HEARD = "heard"
REPLY_QUEUED = "reply-queued"
REPLY_UNACKED = "reply-unacked"
ANSWERED = "answered"

# What may happen.
START = "start"  # an NSTART place is free for a confirmable message
START_ONCE = "start-once"  # the same, non-confirmable
AGAIN = "again"  # the deadline came, a retransmission is left
EXPIRED = "expired"  # the deadline came, none is left
ACKED = "acked"  # an empty acknowledgement of our message
RESET = "reset"  # a reset of our message
RESPONSE = "response"  # a response that matches and may be used
REFUSED = "refused"  # a response that matches but has a critical option we do not understand
ANSWER = "answer"  # the application answers
DUPLICATE = "duplicate"  # the same bytes from the same peer

# Rows: state, what happens, next state, action of the endpoint. Tuples of constants: a chip reads them in place, from
# its program, and a table of tables would take a kilobyte of its heap.
ASKED = (
    (QUEUED, START, UNACKED, "_transmit"),
    (QUEUED, START_ONCE, WAITING, "_transmit_once"),
    (UNACKED, AGAIN, UNACKED, "_retransmit"),
    (UNACKED, EXPIRED, DONE, "_fail_timeout"),
    (UNACKED, ACKED, WAITING, "_await_response"),
    (UNACKED, RESET, DONE, "_fail_reset"),
    (UNACKED, RESPONSE, DONE, "_deliver"),
    (UNACKED, REFUSED, DONE, "_fail_refused"),
    (WAITING, EXPIRED, DONE, "_fail_timeout"),
    (WAITING, RESET, DONE, "_fail_reset"),
    (WAITING, RESPONSE, DONE, "_deliver"),
    (WAITING, REFUSED, DONE, "_fail_refused"),
)

SERVED = (
    (OPEN, DUPLICATE, OPEN, "_repeat"),
    (OPEN, EXPIRED, PROMISED, "_acknowledge"),
    (OPEN, ANSWER, ANSWERED, "_piggyback"),
    (PROMISED, DUPLICATE, PROMISED, "_repeat"),
    (PROMISED, ANSWER, REPLY_QUEUED, "_queue_up"),
    (HEARD, DUPLICATE, HEARD, "_repeat"),
    (HEARD, ANSWER, ANSWERED, "_answer_once"),
    (REPLY_QUEUED, DUPLICATE, REPLY_QUEUED, "_repeat"),
    (REPLY_QUEUED, START, REPLY_UNACKED, "_transmit"),
    (REPLY_UNACKED, DUPLICATE, REPLY_UNACKED, "_repeat"),
    (REPLY_UNACKED, AGAIN, REPLY_UNACKED, "_retransmit"),
    (REPLY_UNACKED, EXPIRED, ANSWERED, "_give_up"),
    (REPLY_UNACKED, ACKED, ANSWERED, "_settle"),
    (REPLY_UNACKED, RESET, ANSWERED, "_settle"),
    (ANSWERED, DUPLICATE, ANSWERED, "_repeat"),
)


def entry(table, state, happening):
    """Returns the row of `table` for this state and happening, or None."""
    for row in table:
        if row[0] == state and row[1] == happening:
            return row
    return None


# RFC 7252 section 4.8: ACK_RANDOM_FACTOR, in 1/1000, PROCESSING_DELAY and MAX_LATENCY.
ACK_RANDOM_PERMILLE = 1500
_PROCESSING_DELAY_MS = 1000
_LATENCY_MAX_MS = 100_000

# ack_timeout_ms: the first timeout, before it is stretched at random by up to ACK_RANDOM_PERMILLE.
# processing_delay_ms: how long an acknowledgement waits for the answer. response_wait_ms: how long a request
# waits for its response once it is acknowledged. exchange_lifetime_ms: how long a received message is remembered.
Timing = namedtuple(
    "Timing",
    (
        "ack_timeout_ms",
        "max_retransmit",
        "nstart",
        "processing_delay_ms",
        "response_wait_ms",
        "exchange_lifetime_ms",
    ),
)


def bearer_timing(
    *,
    ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
    max_retransmit=4,
    nstart=1,
    response_wait_ms=None,
):
    """Returns the Timing of a bearer by RFC 7252 section 4.8.2.

    Default: response_wait_ms is MAX_TRANSMIT_WAIT (186 s); then exchange_lifetime_ms is EXCHANGE_LIFETIME, 291 s.
    """
    assert ack_timeout_ms >= limits.COAP_ACK_TIMEOUT_MIN_MS and nstart > 0
    longest_ms = ack_timeout_ms * ACK_RANDOM_PERMILLE // 1000
    if response_wait_ms is None:
        response_wait_ms = longest_ms * (2 ** (max_retransmit + 1) - 1)
    lifetime_ms = longest_ms * (2**max_retransmit - 1) + 2 * _LATENCY_MAX_MS + _PROCESSING_DELAY_MS
    return Timing(ack_timeout_ms, max_retransmit, nstart, _PROCESSING_DELAY_MS, response_wait_ms, lifetime_ms)


class Exchange:
    """Holds the fields of one exchange; the tables define what may happen to it.

    Defaults are fields of the class: on MicroPython an instance then takes heap only for the fields that were set.
    """

    token = b""
    # The peer's request: its id for our acknowledgement, its digest to recognise duplicates, the reply to a duplicate,
    # when it is forgotten.
    request_id = None
    digest = None
    reply = None
    expires_ms = None
    # Our own message: its id, which an acknowledgement or a reset may name, and how it is sent.
    sent_id = None
    datagram = None
    confirmable = True
    holds_place = False
    timeout_ms = 0
    retries_left = 0
    due_ms = None

    def __init__(self, number, peer, table, state):
        self.number = number
        self.peer = peer
        self.table = table
        self.state = state


# --- memory of what peers asked -------------------------------------------------------------------------------

_DIGEST_BYTES = 8


def digest_of(datagram):
    """Returns the digest that identifies `datagram` (bytes) among those of its peer."""
    return sha256(datagram).digest()[:_DIGEST_BYTES]


class Memory:
    """Keeps the exchanges of peers, by number and by peer. `evicted` counts those forgotten before their time; before
    `expires_ms` none expires."""

    def __init__(self, *, in_all_max, per_peer_max, lifetime_ms):
        self.evicted = 0
        self.expires_ms = 0
        self._in_all_max = in_all_max
        self._per_peer_max = per_peer_max
        self._lifetime_ms = lifetime_ms
        self._by_number = OrderedDict()  # oldest first: it expires first
        self._by_peer = {}  # peer: [the same exchanges, oldest first]

    def __len__(self):
        return len(self._by_number)

    def get(self, number):
        """Returns the exchange with this number, or None."""
        return self._by_number.get(number)

    def find(self, peer, digest):
        """Returns the exchange that began with these bytes from this peer, or None."""
        for exchange in self._by_peer.get(peer, ()):
            if exchange.digest == digest:
                return exchange
        return None

    def remember(self, number, peer, digest, *, now_ms):
        """Adds an exchange, ANSWERED until the caller changes it; returns None when there is no place for it."""
        mine = self._by_peer.get(peer)
        if mine is not None and len(mine) >= self._per_peer_max:
            if not self._evict(mine):
                return None
        elif len(self._by_number) >= self._in_all_max and not self._evict(self._by_number.values()):
            return None
        exchange = Exchange(number, peer, SERVED, ANSWERED)
        exchange.digest = digest
        exchange.expires_ms = now_ms + self._lifetime_ms
        self._by_number[number] = exchange
        if peer not in self._by_peer:
            self._by_peer[peer] = []
        self._by_peer[peer].append(exchange)
        return exchange

    def _evict(self, oldest_first):
        for exchange in oldest_first:
            if exchange.state == ANSWERED:
                self.evicted += 1
                self.forget(exchange)
                return True
        return False

    def expired(self, *, now_ms):
        """Returns the oldest exchange if its lifetime is over, else None. It stays until it is forgotten."""
        self.expires_ms = now_ms + self._lifetime_ms
        for exchange in self._by_number.values():
            if exchange.expires_ms <= now_ms:
                return exchange
            self.expires_ms = exchange.expires_ms
            break
        return None

    def forget(self, exchange):
        del self._by_number[exchange.number]
        mine = self._by_peer[exchange.peer]
        mine.remove(exchange)
        if not mine:
            del self._by_peer[exchange.peer]
