"""Accepts, holds and ends the one order of this node, reports what became of it, and asks the gateway for it.

An order comes in two ways. The node asks (GET `c`, Fetch) and reads the answer to its own question; or the gateway
posts to `/c`, and then only a fresh order is accepted: a node whose clock is good to CERTAIN_S judges the age itself;
otherwise, and when the order seems old, the gateway gets 4.01 with an Echo value (RFC 9175) and has to come back with
it. So no order acts that the gateway wrote longer than FRESH_S ago, even if an attacker held it back meanwhile.

Besides freshness: a number below the last one under the same keys is old and refused, the same number again changes
nothing, an expired order is refused. An order ends at its expiry by a clock that is good, and at the latest after its
duration by the monotonic clock. An override rests while the node does not hold the gateway's lease, which is counted
from the sending of a request of ours. A restart forgets all of it. A gateway that restarts forgets what nodes reported,
so under new keys the last outcome is reported once more with an order that goes on. Must not touch an output: the trade
decides.
"""

from node import limits
from node.sender import Channel
from wire import coap_message as messages
from wire import node_order
from wire.coap import Failed, Refused, Response
from wire.faults import WireFault

RECEIVED = "received"
APPLIED = "applied"
MEASURED = "measured"
REFUSED = "refused"
EXPIRED = "expired"
ENDED = "ended"

_COUNTERS = ("accepted", "again", "refused", "malformed", "challenged", "returned")


class Orders:
    """Accepts, holds and ends the one order of this node, and drains its outcomes.

    `order`: the NodeOrder that is held, or None. `certain` is (Unix s, ± s) of a clock that is good to CERTAIN_S, else
    None; `era` counts agreements on keys. `path`: where the gateway posts orders.
    """

    path = node_order.PATH

    def __init__(self, random_below):
        self.order = None
        self.counters = dict.fromkeys(_COUNTERS, 0)
        self._random_below = random_below
        self._era = 0
        self._number = -1
        self._accepted_ms = 0
        self._ends_ms = 0
        self._outcome = None
        self._reported = None  # the last outcome of the order, as `drain_outcomes` returns it
        self._challenge = None  # (value, since when)
        self._malformed_era = None
        self._lease_s = 0
        self._lease_until_ms = None
        self._lease_from_ms = 0
        self._has_lapsed = False
        self._outcomes = []

    # --- in -------------------------------------------------------------------------------------------------

    def serve(self, payload, echo, *, certain, era, now_ms):
        """Answers a POST of the gateway with (code, payload, options). `echo`: the option's value, or None."""
        try:
            order = node_order.decode(payload)
        except WireFault:
            self._refuse_malformed(era)
            return messages.BAD_REQUEST, b"malformed", ()
        written_ms = self._written_ms(order, echo, certain, now_ms)
        if written_ms is None:
            self.counters["challenged"] += 1
            return messages.UNAUTHORIZED, b"", ((messages.ECHO, self._new_challenge(now_ms)),)
        why = self._accept(order, written_ms, certain, era, now_ms)
        if why is not None:
            return messages.FORBIDDEN, why.encode(), ()
        return messages.CHANGED, b"", ()

    def answered(self, payload, *, asked_ms, certain, era, now_ms):
        """Accepts the answer to our own question, asked at `asked_ms` under the keys of now."""
        try:
            order = node_order.decode(payload)
        except WireFault:
            self._refuse_malformed(era)
            return
        self._accept(order, asked_ms, certain, era, now_ms)

    def renew_lease(self, lease_s, *, asked_ms, now_ms):
        """Renews the lease by the seconds left in an answer of the gateway (None: no lease), counted from our
        request."""
        if lease_s is None:
            return
        until_ms = asked_ms + 1000 * lease_s
        if not self._has_lease(now_ms):
            self._lease_from_ms = now_ms + (limits.LEASE_DWELL_MS if self._has_lapsed else 0)
        if self._lease_until_ms is None or until_ms > self._lease_until_ms:
            self._lease_until_ms = until_ms
            self._lease_s = lease_s

    # --- what holds -----------------------------------------------------------------------------------------

    def in_force(self, *, certain, now_ms):
        """Returns the order that decides now, or None."""
        order = self.order
        if order is None:
            return None
        if now_ms >= self._ends_ms or _is_over(order, certain):
            self._note(EXPIRED)
            self.order = None
            return None
        if order.rule != node_order.OVERRIDE:
            return order
        if not self._has_lease(now_ms):
            rests = now_ms - self._accepted_ms >= limits.LEASE_PATIENCE_MS
            self._has_lapsed = self._has_lapsed or rests or self._outcome == APPLIED
            if self._has_lapsed:
                self._note(REFUSED, "lease")
            return None
        return order if now_ms >= self._lease_from_ms else None

    def applied(self):
        """Observes that the output follows the order in force."""
        if self._outcome != MEASURED:
            self._note(APPLIED)

    def declined(self, why):
        """Observes that the trade declines the order in force. `why`: a word."""
        self._note(REFUSED, why)

    def measured(self, power_dw):
        """Observes that the measured power agrees with an order that is applied."""
        if self._outcome == APPLIED:
            self._note(MEASURED, None, power_dw)

    def needs_lease(self, now_ms) -> bool:
        """Returns whether an override is held and less than half of the lease is left: any request to the gateway
        renews it."""
        if self.order is None or self.order.rule != node_order.OVERRIDE:
            return False
        return self._lease_until_ms is None or now_ms >= self._half_ms()

    def deadline_ms(self, certain, now_ms):
        """Returns when the order or its lease changes by itself, or None."""
        if self.order is None:
            return None
        instants = [self._ends_ms]
        if certain is not None:
            instants.append(now_ms + 1000 * max(0, self.order.expires_s - certain[0]))
        if self.order.rule == node_order.OVERRIDE:
            if self._has_lease(now_ms):
                for instant in (self._half_ms(), self._lease_from_ms):
                    if instant > now_ms:
                        instants.append(instant)
                instants.append(self._lease_until_ms)
            elif not self._has_lapsed:
                instants.append(self._accepted_ms + limits.LEASE_PATIENCE_MS)
        return min(instants)

    def drain_outcomes(self) -> list:
        """Drains the outcomes to report: [(id or None, outcome, why or None, power in 0.1 W or None)]."""
        outcomes = self._outcomes
        if outcomes:
            self._outcomes = []
        return outcomes

    # --- inside ---------------------------------------------------------------------------------------------

    def _written_ms(self, order, echo, certain, now_ms):
        """Returns an instant not after the gateway's writing of this order; None: it may be old."""
        challenge = self._challenge
        if echo is not None and challenge is not None and echo == challenge[0]:
            self._challenge = None
            if now_ms - challenge[1] <= 1000 * node_order.FRESH_S:
                self.counters["returned"] += 1
                return challenge[1]
        if certain is None:
            return None
        if order.rule is None:
            return now_ms  # its number shows that it is the latest: an earlier order is over, however late this comes
        age_s = certain[0] - node_order.written_at_s(order)
        if abs(age_s) + certain[1] > node_order.FRESH_S:
            return None
        return now_ms - 1000 * max(0, age_s)

    def _accept(self, order, written_ms, certain, era, now_ms):
        """Accepts the order and returns None, or returns the reason of refusal, a word."""
        has_new_keys = era != self._era
        if has_new_keys:
            self._era = era
            self._number = -1
        if order.number < self._number:
            return self._refuse(order.id, "later")
        if order.number == self._number:
            self.counters["again"] += 1
            return None
        self._number = order.number
        if self.order is not None and order.id != self.order.id:
            self._note(ENDED)
            self.order = None
        if order.rule is None:
            return None
        ends_ms = written_ms + 1000 * order.for_s
        if now_ms >= ends_ms or _is_over(order, certain):
            self.order = None
            return self._refuse(order.id, "expired")
        self.counters["accepted"] += 1
        is_new = self.order is None
        self.order = order
        self._ends_ms = ends_ms
        if is_new:
            self._accepted_ms = now_ms
            self._has_lapsed = False
            self._outcome = None
            self._note(RECEIVED)
        elif has_new_keys:
            self._outcomes.append(self._reported)
        return None

    def _refuse(self, name, why):
        self.counters["refused"] += 1
        if name is not None:
            self._outcomes.append((name, REFUSED, why, None))
        return why

    def _refuse_malformed(self, era):
        """Reports a malformed order once under the same keys: a gateway with a faulty encoder must not fill the
        outbox."""
        self.counters["malformed"] += 1
        if self._malformed_era != era:
            self._malformed_era = era
            self._outcomes.append((None, REFUSED, "malformed", None))

    def _new_challenge(self, now_ms):
        """Returns the one Echo value in use, while it is young: a push that is retransmitted must not invalidate the
        Echo value that its first copy received."""
        challenge = self._challenge
        if challenge is None or now_ms - challenge[1] > 1000 * node_order.FRESH_S // 2:
            value = bytes([self._random_below(256) for _ in range(node_order.ECHO_BYTES)])
            challenge = self._challenge = (value, now_ms)
        return challenge[0]

    def _has_lease(self, now_ms):
        return self._lease_until_ms is not None and now_ms < self._lease_until_ms

    def _half_ms(self):
        return self._lease_until_ms - 500 * self._lease_s

    def _note(self, outcome, why=None, power_dw=None):
        if outcome != self._outcome:
            self._outcome = outcome
            self._reported = (self.order.id, outcome, why, power_dw)
            self._outcomes.append(self._reported)


def _is_over(order, certain):
    return certain is not None and certain[0] >= order.expires_s


# --- the question ---------------------------------------------------------------------------------------------


class Fetch:
    """Asks the gateway for this node's order (GET `c`) when an answer has reported that one waits.

    It has an exchange of its own, beside the two of `node.sender`: an alarm never waits behind it. The question is
    repeated until there is an answer that can be used: one under the same keys, within FRESH_S of the question.
    `counters`: answers that could not be used; the link counts the rest.
    """

    def __init__(self, link, *, peer, random_below):
        self._link = link
        self._peer = peer
        self._random_below = random_below
        self._channel = Channel((), (node_order.PATH,), retry_last_ms=limits.RETRY_LAST_MS // 5)
        self._wanted_ms = None  # since when
        self._era = 0
        self.counters = {"useless": 0}

    def want(self, now_ms):
        """Observes that an order waits for us at the gateway."""
        if self._wanted_ms is None:
            self._wanted_ms = now_ms

    def is_expected(self, now_ms) -> bool:
        """Returns whether an order may arrive any moment: a lamp may stay lit for it."""
        return self._wanted_ms is not None and now_ms - self._wanted_ms < limits.ORDER_HOLD_MS

    def send(self, now_ms) -> bool:
        """Asks, if an order waits and no retry delay runs; returns whether it did."""
        channel = self._channel
        if self._wanted_ms is None or channel.exchange is not None:
            return False
        if channel.retry_at_ms is not None and now_ms < channel.retry_at_ms:
            return False
        self._era = self._link.era
        outcome = self._link.request(self._peer, messages.GET, channel.path, now_ms=now_ms)
        if isinstance(outcome, Refused):
            channel.failed(self._random_below, now_ms)
            return True
        channel.exchange = outcome
        channel.asked_ms = now_ms
        return True

    def is_ours(self, happened) -> bool:
        """Returns whether an event of the link is about our question."""
        if not isinstance(happened, (Response, Failed)):
            return False
        return self._channel.exchange is not None and self._channel.exchange == happened.exchange

    def handle(self, happened, now_ms):
        """Accepts the outcome of our question: returns (payload, when asked), or None when it cannot be used."""
        channel = self._channel
        if isinstance(happened, Response) and happened.code == messages.CONTENT:
            is_fresh = now_ms - channel.asked_ms <= 1000 * node_order.FRESH_S
            if is_fresh and self._era == self._link.era:
                self._wanted_ms = None
                channel.succeeded()
                return happened.payload, channel.asked_ms
            self.counters["useless"] += 1
        else:
            if isinstance(happened, Response) and happened.code == messages.NOT_FOUND:
                self._wanted_ms = None
        channel.failed(self._random_below, now_ms)
        return None

    def deadline_ms(self, now_ms):
        """Returns when the question is due, or when `is_expected` ends, or None."""
        if self._wanted_ms is None:
            return None
        hold_ms = self._wanted_ms + limits.ORDER_HOLD_MS
        soonest = hold_ms if hold_ms > now_ms else None
        if self._channel.exchange is None:
            at_ms = self._channel.retry_at_ms or now_ms
            if soonest is None or at_ms < soonest:
                soonest = at_ms
        return soonest
