"""Sends the outbox to the gateway: it decides which payload is in flight and when to try again, and knows whether the
gateway answers.

Two channels, so that an alarm never waits behind telemetry whose exchange is being retransmitted: the first sends
alarms, then events; the second sends telemetry. Each has at most one exchange open (with `node.orders`,
`node.directives` and `node.updating`: NSTART 5). A payload that fails is not kept: the next try is a new message
built from the records that wait then, alarms first. After a success the next payload leaves at once, until the outbox
is empty; earlier records in a log on flash follow after all new ones, with a pause after each payload. Alarms in
the log do not wait. While the gateway is silent, an empty request is sent in place of a payload of the log: it shows
as well whether the gateway answers, for a tenth of the bytes.
"""

from node import limits
from wire import coap_message, event
from wire import limits as wire_limits
from wire.coap import Failed, Refused, Response
from wire.faults import WireFault
from wire.record import decode_answer


class Channel:
    """Carries one exchange at a time for some lanes. `retry_at_ms` is None when no retry delay runs."""

    def __init__(self, lanes, path, *, retry_last_ms):
        self.lanes = lanes
        self.path = path
        self.exchange = None
        self.entries = ()
        self.asked_ms = 0
        self.retry_at_ms = None
        self.rest_until_ms = 0  # until then the records of the log on flash wait
        self._retry_last_ms = retry_last_ms
        self._delay_ms = limits.RETRY_FIRST_MS

    def succeeded(self):
        self.exchange, self.entries = None, ()
        self.retry_at_ms = None
        self._delay_ms = limits.RETRY_FIRST_MS

    def failed(self, random_below, now_ms):
        """Backs off, twice as long each time, with jitter: without it all lamps of a district would ask at once after a
        power cut."""
        self.exchange, self.entries = None, ()
        self.retry_at_ms = now_ms + self._delay_ms // 2 + random_below(self._delay_ms // 2 + 1)
        self._delay_ms = min(2 * self._delay_ms, self._retry_last_ms)


class Sender:
    """Sends the records of an outbox over the link. `options`: of each request. `counters`: payloads that failed or
    that the gateway refused, unreadable answers."""

    def __init__(self, link, outbox, *, peer, random_below, hold_until_ms, options=()):
        self._link = link
        self._outbox = outbox
        self._peer = peer
        self._options = options
        self._random_below = random_below
        self._hold_until_ms = hold_until_ms
        self._asks = True
        self._is_unheard = False  # the last request had no answer
        self._holds_alarms = True
        self.has_asked = False  # since the start, or the waking
        self._ask_at_ms = hold_until_ms
        self._channels = (
            Channel((event.ALARM, event.EVENT), (b"e",), retry_last_ms=limits.RETRY_LAST_MS // 5),
            Channel((event.TELEMETRY,), (b"t",), retry_last_ms=limits.RETRY_LAST_MS),
        )
        self.counters = {"failed": 0, "refused": 0, "answer-unreadable": 0}

    def send(self, *, now_ms, needs_time) -> bool:
        """Opens the first exchange that may be opened now and returns whether there was one. `needs_time`: when nothing
        waits, send an empty request for the time and lease in its answer."""
        self._asks = needs_time or (self._is_unheard and self._outbox.any_stored(event.LANES))
        if self._is_held(now_ms):
            return False
        for channel in self._channels:
            if channel.exchange is not None or not self._may_try(channel, now_ms):
                continue
            entries = self._outbox.first(
                channel.lanes, limits.PAYLOAD_BYTES_MAX, wire_limits.RECORDS_PER_PAYLOAD_MAX
            )
            if not entries and not self._is_unheard and now_ms >= channel.rest_until_ms:
                entries = self._outbox.stored(
                    channel.lanes, limits.PAYLOAD_BYTES_MAX, wire_limits.RECORDS_PER_PAYLOAD_MAX
                )
            if entries or (channel is self._channels[0] and self._ask_due(now_ms)):
                self._open(channel, entries, now_ms)
                return True
        return False

    def rest(self, for_ms, *, now_ms):
        """Delays everything but a new alarm for `for_ms`: the gateway was silent."""
        self._hold_until_ms = self._ask_at_ms = now_ms + for_ms
        self._holds_alarms = False

    def is_busy(self, now_ms) -> bool:
        """Returns whether an exchange is open, or will be opened without a further event."""
        for channel in self._channels:
            if channel.exchange is not None:
                return True
        if self._is_held(now_ms):
            return False
        for channel in self._channels:
            if self._may_try(channel, now_ms) and self._outbox.any_in(channel.lanes):
                return True
            if channel.retry_at_ms is None and self._outbox.any_stored(channel.lanes):
                return True
        return self._asks and not self.has_asked

    def handle(self, happened, *, now_ms):
        """Accepts one event of the endpoint. Returns (entries now acknowledged, answer or None, asked_ms)."""
        channel = self._channel_of(happened)
        if channel is None:
            return (), None, 0
        if isinstance(happened, Response) and happened.code == coap_message.CHANGED:
            entries = channel.entries
            self._outbox.acknowledge(entries)
            channel.succeeded()
            self._is_unheard = False
            if entries and entries[0].place is not None:
                pause_ms = limits.BACKLOG_PAUSE_MS
                channel.rest_until_ms = now_ms + pause_ms // 2 + self._random_below(pause_ms + 1)
            return entries, self._answer(happened.payload), channel.asked_ms
        self.counters["failed" if isinstance(happened, Failed) else "refused"] += 1
        channel.failed(self._random_below, now_ms)
        self._is_unheard = isinstance(happened, Failed)
        if not self._holds_alarms:
            # While the gateway is silent, repeated calls by radio would cost an awake node more than all the rest.
            self._hold_until_ms = self._ask_at_ms = now_ms + limits.SILENT_FIRST_MS
        return (), None, 0

    def deadline_ms(self):
        """Returns when a channel that has something to send may send it; None when no channel waits only for a time."""
        earliest = None
        is_urgent = not self._holds_alarms and self._outbox.any_in((event.ALARM,))
        hold_ms = 0 if is_urgent else self._hold_until_ms
        for channel in self._channels:
            if channel.exchange is not None:
                continue
            if not self._outbox.any_in(channel.lanes):
                if self._outbox.any_stored(channel.lanes) and not self._is_unheard:
                    at_ms = max(channel.retry_at_ms or 0, channel.rest_until_ms, hold_ms)
                    earliest = sooner(earliest, at_ms)
                if channel is self._channels[0] and self._asks:
                    earliest = sooner(earliest, max(self._ask_at_ms, channel.retry_at_ms or 0))
                continue
            at_ms = max(channel.retry_at_ms or hold_ms, hold_ms)
            earliest = sooner(earliest, at_ms)
        return earliest

    def _is_held(self, now_ms):
        if now_ms >= self._hold_until_ms:
            return False
        return self._holds_alarms or not self._outbox.any_in((event.ALARM,))

    def _ask_due(self, now_ms):
        return self._asks and now_ms >= self._ask_at_ms

    def _may_try(self, channel, now_ms):
        return channel.retry_at_ms is None or now_ms >= channel.retry_at_ms

    def _open(self, channel, entries, now_ms):
        payload = [entry.data for entry in entries]  # not joined: one copy less while the exchange is open
        outcome = self._link.request(
            self._peer, coap_message.POST, channel.path, payload, options=self._options, now_ms=now_ms
        )
        if isinstance(outcome, Refused):
            channel.failed(self._random_below, now_ms)
            return
        self._ask_at_ms = now_ms + limits.ASK_TIME_MS
        self.has_asked = True
        channel.exchange = outcome
        channel.entries = entries
        channel.asked_ms = now_ms

    def _channel_of(self, happened):
        if not isinstance(happened, (Response, Failed)):
            return None
        for channel in self._channels:
            if channel.exchange is not None and channel.exchange == happened.exchange:
                return channel
        return None

    def _answer(self, payload):
        if not payload:
            return None
        try:
            return decode_answer(payload)
        except WireFault:
            self.counters["answer-unreadable"] += 1
            return None


def sooner(one_ms, other_ms):
    """Returns the earlier of two instants; None: none."""
    if one_ms is None or (other_ms is not None and other_ms < one_ms):
        return other_ms
    return one_ms


class Reach:
    """Knows whether the gateway answers: a planned restart waits for it, and the LED shows it. It decides nothing else.

    `telemetry_s`: how often this node reports.
    """

    def __init__(self, telemetry_s, *, now_ms):
        # The gateway has answered at least once under our keys.
        self.has_exchanged = False
        self._silence_ms = 2000 * telemetry_s + limits.LINK_PATIENCE_MS
        self._exchanged_ms = now_ms
        self._asked_ms = None
        self._saving_ms = None

    def answered(self, now_ms) -> None:
        """Observes an answer of the gateway."""
        self.has_exchanged = True
        self._exchanged_ms = now_ms

    def is_linked(self, now_ms) -> bool:
        """Returns whether the gateway has answered within two telemetry periods and LINK_PATIENCE_MS."""
        return self.has_exchanged and now_ms - self._exchanged_ms < self._silence_ms

    def holds_restart(self, waiting, now_ms) -> bool:
        """Returns whether a restart should wait for the `waiting` records, which a reachable gateway would still
        accept: for RESTART_PATIENCE_MS from the first call."""
        if self._asked_ms is None:
            self._asked_ms = now_ms
        is_patient = now_ms - self._asked_ms < limits.RESTART_PATIENCE_MS
        return is_patient and waiting > 0 and self.is_linked(now_ms)

    def has_saved(self, outbox, now_ms, *, is_wanted) -> bool:
        """Returns whether all records that no gateway accepted are on flash, or RESTART_PATIENCE_MS have passed. Saving
        begins when a restart `is_wanted`."""
        if not is_wanted:
            self._saving_ms = None
            return False
        if self._saving_ms is None:
            self._saving_ms = now_ms
            outbox.flush()
        return outbox.is_flushed() or now_ms - self._saving_ms >= limits.RESTART_PATIENCE_MS
