"""Connects to the broker with MQTT 5 by paho-mqtt, one client object for each connection, over any bearer.

paho queues without bound, ignores Receive Maximum and sends its whole queue again on reconnection. Here it
never can: the core's window decides what is published, and every connection is a new client that
remembers nothing. paho's thread serves the network and posts events to the agent's loop. Reconnection and
the choice of the bearer are the core's decisions.

Make before break: while one connection carries, `connect` opens a candidate beside it. Both have the same client id, so
the broker gives the session to the candidate and ends the other; from then on the candidate carries, and the
other's end is not reported. A candidate that fails leaves the other alone.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.core.bearers.connection import UNBOUND
from gateway.io.mqtt_connection import (
    Connected,
    Connection,
    Disconnected,
    Event,
    Message,
    PubAck,
    Subscription,
)
from gateway.io.mqtt_socket import Addresses, BearerRoute, MqttOptions
from gateway.io.own_certificate import OwnCertificate

__all__ = [
    "ANY_BEARER", "BearerRoute", "Connected", "Disconnected", "Event", "Message", "MqttLink", "MqttOptions", "PubAck",
    "Subscription",
]  # fmt: skip

# The system's own route.
ANY_BEARER = BearerRoute(UNBOUND.name)


class _Posted(NamedTuple):
    """Wraps an event for the loop. `connection` None: the event was held back until now."""

    connection: Connection | None
    event: Event


class MqttLink:
    """Holds one connection that carries and at most one candidate. All methods belong to the agent's thread.

    `post(posted)` is called from a connection's thread and must pass on to the agent's, which calls `accept` with each
    `posted`: until then it occupies one of a bounded number of places, and without a free place the broker is not read.
    `clock_is_good` returns whether dates of certificates can be judged, and `own` which certificate is ours; both are
    called from a connection's thread.
    """

    def __init__(
        self,
        options: MqttOptions,
        post: Callable[[Any], None],
        *,
        clock_is_good: Callable[[], bool] = lambda: True,
        own: OwnCertificate | None = None,
    ) -> None:
        self._options = options
        self._own = own or (None if options.tls is None else OwnCertificate(options.tls, None))
        self._addresses = Addresses(options.host, options.port)
        self._post = post
        self._clock_is_good = clock_is_good
        self._carrier: Connection | None = None
        self._candidate: Connection | None = None
        # The end of the carrier while the candidate's outcome is open: the broker ends the one for the other.
        self._held: Disconnected | None = None
        self.counters: dict[str, int] = {}

    @property
    def bearer(self) -> str | None:
        """Returns the name of the bearer that carries now."""
        return None if self._carrier is None else self._carrier.bearer.name

    @property
    def alive_ms(self) -> int | None:
        """Returns when the carrier's thread last gave a sign of life (monotonic); None without a carrier."""
        return None if self._carrier is None else self._carrier.alive_ms

    def connect(self, subscriptions: list[str], bearer: BearerRoute = ANY_BEARER) -> None:
        """Starts one attempt. Its end is posted, once, by Disconnected, unless `close` or a later `connect` ends it."""
        if self._candidate is not None:
            self._candidate.close()
        self._candidate = Connection(
            self._options,
            self._addresses,
            bearer,
            subscriptions,
            post=lambda connection, event: self._post(_Posted(connection, event)),
            count=self._count,
            clock_is_good=self._clock_is_good,
            own=self._own,
        )
        self._candidate.start()

    def drop(self, bearer: str) -> None:
        """End the connection, or the attempt, over this bearer in an orderly way. No further event of it is
        reported."""
        carrier, candidate = self._carrier, self._candidate
        if self._held is not None and self._held.bearer == bearer:
            self._held = None
        if carrier is not None and carrier.bearer.name == bearer:
            carrier.close()
            self._carrier = None
        if candidate is not None and candidate.bearer.name == bearer:
            candidate.close()
            self._candidate = None
            if self._held is not None:
                self._post(_Posted(None, self._held))
                self._held = None

    def publish(self, token: int, topic: str, payload: bytes, retain: bool, expiry_s: int | None = None) -> None:
        """Publishes at QoS 1 over the connection that carries. Without one it is dropped: the core sends again after
        its next question. `expiry_s`: the broker drops the message then; never for records."""
        if self._carrier is not None:
            self._carrier.publish(token, topic, payload, retain, expiry_s)

    def accept(self, posted: _Posted) -> list[Event]:
        """Returns the events for the core that a posted event stands for: mostly itself, sometimes none, rarely two."""
        connection, event = posted
        if connection is None:
            return [event]
        connection.processed()
        if connection is self._candidate:
            return self._of_candidate(connection, event)
        if connection is not self._carrier:
            return []
        if isinstance(event, PubAck):
            known = connection.acknowledged(event)
            return [] if known is None else [known]
        if isinstance(event, Disconnected):
            self._carrier = None
            if self._candidate is not None and self._candidate.asked:
                self._held = event
                return []
        return [event]

    def close(self) -> None:
        """End both for good: the will is published ("offline"), unless a new start connects within the will's
        delay. No further event is reported here."""
        for connection in (self._carrier, self._candidate):
            if connection is not None:
                connection.close(is_last=True)
        self._carrier = self._candidate = self._held = None

    def _of_candidate(self, candidate: Connection, event: Event) -> list[Event]:
        if isinstance(event, Connected):
            replaced, self._carrier, self._candidate, self._held = self._carrier, candidate, None, None
            if replaced is not None:
                replaced.close()
            return [event]
        if isinstance(event, Disconnected):
            held, self._candidate, self._held = self._held, None, None
            return [event] if held is None else [held, event]
        return []

    def _count(self, what: str) -> None:
        """Counts from any thread; no decision depends on these counters."""
        self.counters[what] = self.counters.get(what, 0) + 1
