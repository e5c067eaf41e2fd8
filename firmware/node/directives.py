"""Asks the gateway for the directives for this kind of node (GET of `d`), and keeps the answer until each value ends.

This is a fourth exchange beside those of `node.sender` and `node.orders`, so that no alarm and no order waits behind
it. It opens only after the gateway has answered another exchange since ours last failed; so a silent gateway gets no
more datagrams because of it. With the exchange of `node.updating` NSTART is 5; all
are open only when a gateway fails at that moment.

A value holds for `for_s` from our question, less what our crystal may lose in that time: never longer than the gateway
meant, even if the answer was delayed. The answer is complete: a directive that it does not name has ended. Without an
answer each value ends by itself. The trade decides what it does afterwards; this module decides nothing.
"""

import struct

from node import limits
from wire import coap_message, directive
from wire.coap import Failed, Refused, Response
from wire.faults import WireFault

# code, value, milliseconds that it still holds
_ASLEEP = "<BiI"


class Directives:
    """Asks for the directives and holds them. `codes`: those that the trade wants; when empty, it never asks.
    `spread_s`: this node's own seconds (node.trade.spread). `counters`: answers that could not be used; the link counts
    the rest."""

    def __init__(self, link, *, peer, kind, codes, spread_s, random_below):
        self._link = link
        self._peer = peer
        self._query = [(coap_message.URI_QUERY, value) for value in directive.encode_question(kind, codes)]
        self._codes = tuple(codes)
        self._spread_ms = 1000 * (spread_s % limits.DIRECTIVES_SPREAD_S)
        self._random_below = random_below
        self._exchange = None
        self._asked_ms = 0
        self._ask_at_ms = None  # None: no answer has come yet
        self._may_ask = False
        self._delay_ms = limits.DIRECTIVES_RETRY_FIRST_MS
        self._is_unknown = False
        self._era = None
        self._held = {}  # code: (value, end)
        self._values = {}
        self._next_end_ms = None
        self._changes = []
        self.counters = {"unknown-codes": 0, "unreadable": 0}

    # --- what holds -----------------------------------------------------------------------------------------------

    def values(self, now_ms) -> dict:
        """Returns {code: value} of the directives that hold now, and the ends of some (node.trade). It is the
        same object until a directive changes, and must not be written to."""
        if self._next_end_ms is not None and now_ms >= self._next_end_ms:
            self._expire(now_ms)
        return self._values

    def has_changed(self, now_ms) -> bool:
        """Returns whether `drain_changes` has something to return."""
        self.values(now_ms)
        return len(self._changes) > 0

    def drain_changes(self):
        """Drains the changes of directives that a person decides: (code, value or None, for_s) each. None: the
        directive has ended."""
        if not self._changes:
            return ()
        changes, self._changes = self._changes, []
        return changes

    # --- the question ---------------------------------------------------------------------------------------------

    def answered(self, now_ms):
        """Observes that the gateway has answered another request of ours: it is reachable, and may be asked."""
        if not self._codes:
            return
        if self._link.era != self._era:
            # After our start or the gateway's: it may be another gateway, or a release that knows directives.
            is_first = self._era is None
            self._era = self._link.era
            if is_first:
                self._ask_at_ms = now_ms
            elif self._is_unknown:
                self._ask_at_ms = now_ms + self._spread_ms
        self._may_ask = True

    def send(self, now_ms) -> bool:
        """Asks, if it is time and the gateway is reachable; returns whether it did."""
        if self._exchange is not None or not self._may_ask or self._ask_at_ms is None or now_ms < self._ask_at_ms:
            return False
        self._may_ask = False
        outcome = self._link.request(
            self._peer, coap_message.GET, (directive.PATH,), options=self._query, now_ms=now_ms
        )
        if isinstance(outcome, Refused):
            self._later(now_ms)
            return True
        self._exchange = outcome
        self._asked_ms = now_ms
        return True

    def is_ours(self, happened) -> bool:
        """Returns whether an event of the link is about our question."""
        if not isinstance(happened, (Response, Failed)):
            return False
        return self._exchange is not None and self._exchange == happened.exchange

    def handle(self, happened, now_ms):
        """Accepts the outcome of our question."""
        self._exchange = None
        if isinstance(happened, Failed):
            self._later(now_ms)
            return
        self._may_ask = True
        if happened.code == coap_message.CONTENT:
            self._accept(happened.payload, now_ms)
            return
        self._is_unknown = happened.code == coap_message.NOT_FOUND
        if self._is_unknown:
            self._ask_at_ms = now_ms + limits.DIRECTIVES_UNKNOWN_MS
        else:
            self._later(now_ms)

    def deadline_ms(self, now_ms):
        """Returns when a directive ends or the question is due, or None."""
        soonest = self._next_end_ms
        if self._exchange is not None or not self._may_ask or self._ask_at_ms is None:
            return soonest
        return self._ask_at_ms if soonest is None else min(soonest, self._ask_at_ms)

    # --- sleep ----------------------------------------------------------------------------------------------------

    def is_busy(self, now_ms) -> bool:
        """Returns whether a question is open, or due now."""
        return self._exchange is not None or (
            self._may_ask and self._ask_at_ms is not None and now_ms >= self._ask_at_ms
        )

    def due_ms(self, now_ms):
        """Returns in how many milliseconds the question is due; None: as soon as the gateway has answered another
        request."""
        return None if self._ask_at_ms is None else self._ask_at_ms - now_ms

    def asleep(self, now_ms) -> bytes:
        """Returns the directives that hold as bytes, for `resume`."""
        self.values(now_ms)
        return b"".join(
            [
                struct.pack(_ASLEEP, code, self._held[code][0], min(0xFFFFFFFF, self._held[code][1] - now_ms))
                for code in self._held
            ]
        )

    def resume(self, data, passed_ms, due_ms, *, now_ms):
        """Restores the directives that were saved at least `passed_ms` ago."""
        size, held = struct.calcsize(_ASLEEP), {}
        for at in range(0, len(data) - size + 1, size):
            code, value, left_ms = struct.unpack(_ASLEEP, data[at : at + size])
            if code in self._codes:
                held[code] = (value, now_ms + left_ms - passed_ms)
        self._hold(held)
        if due_ms is not None:
            self._era, self._ask_at_ms = self._link.era, now_ms + due_ms

    # --- inside ---------------------------------------------------------------------------------------------------

    def _accept(self, payload, now_ms):
        try:
            values, unknown = directive.decode(payload)
        except WireFault:
            self.counters["unreadable"] += 1
            self._later(now_ms)
            return
        self.counters["unknown-codes"] += unknown
        self._is_unknown = False
        self._delay_ms = limits.DIRECTIVES_RETRY_FIRST_MS
        # Each node's period differs by its own seconds: nodes that began together drift apart.
        self._ask_at_ms = now_ms + limits.DIRECTIVES_EVERY_MS - self._spread_ms
        self._expire(now_ms)  # directives that ended before are reported as ended
        held = {}
        for code in values:
            value, for_s = values[code]
            end_ms = self._asked_ms + 1000 * for_s - for_s * limits.CLOCK_DRIFT_PPM // 1000
            if code in self._codes and end_ms > now_ms:
                held[code] = (value, end_ms)
                if code not in self._held or self._held[code][0] != value:
                    self._changed(code, value, for_s)
        for code in self._held:
            if code not in held:
                self._changed(code, None, 0)
        self._hold(held)

    def _expire(self, now_ms):
        ended = [code for code in self._held if now_ms >= self._held[code][1]]
        if ended:
            for code in ended:
                self._changed(code, None, 0)
            self._hold({code: self._held[code] for code in self._held if code not in ended})

    def _hold(self, held):
        self._held = held
        self._values = {code: held[code][0] for code in held}
        for code in directive.ENDING:
            # Of a fact only the present value matters; a programme plans ahead.
            if code in held:
                self._values[directive.ENDS + code] = held[code][1]
        self._next_end_ms = min([held[code][1] for code in held]) if held else None

    def _changed(self, code, value, for_s):
        if code in directive.DECISIONS:
            self._changes.append((code, value, for_s))

    def _later(self, now_ms):
        """Backs off, twice as long each time, with jitter; a question that is due anyway is not put off further."""
        self._ask_at_ms = now_ms + self._delay_ms // 2 + self._random_below(self._delay_ms // 2 + 1)
        self._delay_ms = min(2 * self._delay_ms, limits.DIRECTIVES_EVERY_MS)
