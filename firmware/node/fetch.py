"""Asks the gateway for the order that stands (GET `c`), when an answer has said that one waits.

Its own exchange beside the two of `node.sender`: an alarm never waits behind it. What the question was asked for
is kept until there is an answer that can be used: one under the same keys, within FRESH_S of the question.
"""

from node import limits
from node.sender import Channel
from wire import coap_message, node_order
from wire.coap import Failed, Refused, Response


class Fetch:
    """See the module. `counters`: answers that could not be used; the link counts the rest."""

    def __init__(self, link, *, peer, random_below):
        self._link = link
        self._peer = peer
        self._random_below = random_below
        self._channel = Channel((), (node_order.PATH,), retry_last_ms=limits.RETRY_LAST_MS // 5)
        self._wanted_ms = None  # since when
        self._era = 0
        self.counters = {"useless": 0}

    def want(self, now_ms):
        """An order waits for us."""
        if self._wanted_ms is None:
            self._wanted_ms = now_ms

    def is_expected(self, now_ms) -> bool:
        """An order may be here any moment: a lamp may stay lit for it."""
        return self._wanted_ms is not None and now_ms - self._wanted_ms < limits.ORDER_HOLD_MS

    def send(self, now_ms) -> bool:
        """Ask, if that is wanted and may be tried; whether it was."""
        channel = self._channel
        if self._wanted_ms is None or channel.exchange is not None:
            return False
        if channel.retry_at_ms is not None and now_ms < channel.retry_at_ms:
            return False
        self._era = self._link.era
        outcome = self._link.request(self._peer, coap_message.GET, channel.path, now_ms=now_ms)
        if isinstance(outcome, Refused):
            channel.failed(self._random_below, now_ms)
            return True
        channel.exchange = outcome
        channel.asked_ms = now_ms
        return True

    def is_ours(self, happened) -> bool:
        """Whether an event of the link is about our question."""
        if not isinstance(happened, (Response, Failed)):
            return False
        return self._channel.exchange is not None and self._channel.exchange == happened.exchange

    def handle(self, happened, now_ms):
        """The outcome of our question: (payload, when asked), or None where there is nothing to use."""
        channel = self._channel
        if isinstance(happened, Response) and happened.code == coap_message.CONTENT:
            is_fresh = now_ms - channel.asked_ms <= 1000 * node_order.FRESH_S
            if is_fresh and self._era == self._link.era:
                self._wanted_ms = None
                channel.succeeded()
                return happened.payload, channel.asked_ms
            self.counters["useless"] += 1
        else:
            if isinstance(happened, Response) and happened.code == coap_message.NOT_FOUND:
                self._wanted_ms = None
        channel.failed(self._random_below, now_ms)
        return None

    def is_busy(self, now_ms) -> bool:
        """True while the question is open, or may be asked now."""
        channel = self._channel
        if channel.exchange is not None or self._wanted_ms is None:
            return channel.exchange is not None
        return channel.retry_at_ms is None or now_ms >= channel.retry_at_ms

    def deadline_ms(self, now_ms):
        """When to ask, or when nobody waits for the answer any more; None."""
        if self._wanted_ms is None:
            return None
        hold_ms = self._wanted_ms + limits.ORDER_HOLD_MS
        soonest = hold_ms if hold_ms > now_ms else None
        if self._channel.exchange is None:
            at_ms = self._channel.retry_at_ms or now_ms
            if soonest is None or at_ms < soonest:
                soonest = at_ms
        return soonest
